//! Creating tasks: one statement for all that callers bring at the same time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::batch::Write;
use super::pool::{Failure, Pool, Repeat, micros, span, timestamp};
use super::wake::Wake;
use crate::model::{Progress, Task, TaskName};
use crate::store::{Error, NewTask, encoding};

/// A task is created unless its queue is gone, or its name taken by one that lives.
/// The order of the rows is the order of creation.
const INSERT: &str = "
    INSERT INTO mare_tasks.tasks (queue_id, id, named, schedule_time, create_time, deadline, priority, fairness_key,
        spec, retry, state)
    SELECT q.id, u.id, u.named, greatest(u.schedule, clock.now), clock.now, u.deadline, u.priority, u.key, u.spec,
        u.retry,        CASE WHEN u.schedule > clock.now THEN 0 ELSE 1 END
    FROM (SELECT mare_tasks.micros($1) AS now OFFSET 0) clock,
        unnest($2::text[], $3::text[], $4::boolean[], $5::bigint[], $6::bigint[], $7::smallint[], $8::bytea[],
            $9::bytea[], $10::bytea[])
            WITH ORDINALITY u (queue, id, named, schedule, deadline, priority, key, spec, retry, place)
        JOIN mare_tasks.queues q ON q.name = u.queue
    ORDER BY u.place
    ON CONFLICT DO NOTHING
    RETURNING (SELECT q.name FROM mare_tasks.queues q WHERE q.id = queue_id) AS queue, id, schedule_time, create_time";

/// Takes back those whose name is blocked. The insert has waited for whoever was just removing a task of the same
/// name, so its tombstone is seen now; a look before the insert, or in the same statement, could miss it.
const TAKE_BACK: &str = "
    DELETE FROM mare_tasks.tasks t USING unnest($2::text[], $3::text[]) u (queue, id)
    WHERE t.queue_id = (SELECT q.id FROM mare_tasks.queues q WHERE q.name = u.queue) AND t.id = u.id
        AND (SELECT b.until FROM mare_tasks.tombstones b WHERE b.queue_id = t.queue_id AND b.id = t.id)
            > mare_tasks.micros($1)
    RETURNING u.queue, t.id";

/// A task with its id.
pub(super) struct Creation {
    task: NewTask,
    id: Arc<str>,
    spec: Vec<u8>,
}

impl Creation {
    pub(super) fn new(task: NewTask) -> Self {
        let id = match &task.id {
            Some(id) => Arc::from(id.as_str()),
            None => Arc::from(Uuid::now_v7().simple().to_string()),
        };
        let spec = encoding::write_spec(&task.spec);
        Self { task, id, spec }
    }
}

/// Who is met in an answer: a queue's name and a task's id.
type Key = (String, String);

/// `schedule_time` and `create_time`.
type Times = (i64, i64);

pub(super) struct Creator {
    pub(super) pool: Pool,
    pub(super) wake: Wake,
}

#[async_trait]
impl Write for Creator {
    type Item = Creation;
    type Done = Result<Task, Error>;

    async fn write(&self, items: Vec<Creation>) -> Result<Vec<Result<Task, Error>>, Error> {
        let mut times = self.pool.run(Repeat::Never, || insert(&self.pool, &items)).await?;
        if !times.is_empty() {
            self.wake.tell();
        }
        let is_missing = |item: &&Creation| item.task.id.is_some() && !times.contains_key(&key(item));
        let doubtful: Vec<&str> =
            items.iter().filter(is_missing).map(|item| item.task.queue.as_str()).collect();
        let there = self.existing(&doubtful).await;
        let done = items.into_iter().map(|item| {
            // Of two with one name in a batch the first is created.
            let Some((schedule_time, create_time)) = times.remove(&key(&item)) else {
                let there = there.as_ref().map_err(Clone::clone)?;
                return Err(if there.contains(item.task.queue.as_str()) {
                    Error::TaskExists
                } else {
                    Error::NoQueue
                });
            };
            Ok(Task {
                name: TaskName { queue: item.task.queue, id: item.id },
                spec: Arc::new(item.task.spec),
                schedule_time: timestamp(schedule_time),
                create_time: timestamp(create_time),
                progress: Progress::default(),
            })
        });
        Ok(done.collect())
    }

    fn bytes(item: &Creation) -> usize {
        // The names and numbers are small.
        item.spec.len() + 512
    }
}

impl Creator {
    /// Which of the queues exist: if its queue does, a task was not created because of its name.
    async fn existing(&self, queues: &[&str]) -> Result<HashSet<String>, Error> {
        if queues.is_empty() {
            return Ok(HashSet::new());
        }
        let query = || async {
            let names = sqlx::query_scalar("SELECT name FROM mare_tasks.queues WHERE name = ANY($1)");
            let names: Vec<String> = names.bind(queues).fetch_all(&self.pool.pool).await?;
            Ok(names.into_iter().collect())
        };
        self.pool.run(Repeat::Safe, query).await
    }
}

fn key(item: &Creation) -> Key {
    (item.task.queue.to_string(), item.id.to_string())
}

/// Writes, and returns the times of those that were created.
async fn insert(pool: &Pool, items: &[Creation]) -> Result<HashMap<Key, Times>, Failure> {
    if items.iter().all(|item| item.task.id.is_none()) {
        let mut connection = pool.pool.acquire().await?;
        return insert_rows(&mut connection, pool.clock(), items).await.map_err(Failure::Commit);
    }
    let mut transaction = pool.pool.begin().await?;
    let times = insert_named(&mut transaction, pool, items).await?;
    transaction.commit().await.map_err(Failure::Commit)?;
    Ok(times)
}

/// Within a transaction of the caller's.
pub(super) async fn insert_named(
    transaction: &mut PgConnection,
    pool: &Pool,
    items: &[Creation],
) -> Result<HashMap<Key, Times>, Failure> {
    let mut times = insert_rows(transaction, pool.clock(), items).await?;
    let named = || items.iter().filter(|item| item.task.id.is_some());
    let taken_back = sqlx::query(TAKE_BACK)
        .bind(pool.clock())
        .bind(named().map(|item| item.task.queue.as_str()).collect::<Vec<_>>())
        .bind(named().map(|item| &*item.id).collect::<Vec<_>>())
        .fetch_all(transaction)
        .await?;
    for row in taken_back {
        times.remove(&(row.try_get("queue")?, row.try_get("id")?));
    }
    Ok(times)
}

/// Whether all the tasks have a queue to go to.
pub(super) async fn queues_exist(
    transaction: &mut PgConnection,
    items: &[Creation],
) -> Result<bool, sqlx::Error> {
    let wanted: HashSet<&str> = items.iter().map(|item| item.task.queue.as_str()).collect();
    let found: i64 = sqlx::query_scalar("SELECT count(*) FROM mare_tasks.queues WHERE name = ANY($1)")
        .bind(wanted.iter().copied().collect::<Vec<_>>())
        .fetch_one(transaction)
        .await?;
    Ok(usize::try_from(found).is_ok_and(|found| found == wanted.len()))
}

async fn insert_rows(
    connection: &mut PgConnection,
    clock: Option<i64>,
    items: &[Creation],
) -> Result<HashMap<Key, Times>, sqlx::Error> {
    let rows = sqlx::query(INSERT)
        .bind(clock)
        .bind(items.iter().map(|item| item.task.queue.as_str()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| &*item.id).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.task.id.is_some()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.task.schedule_time.map(micros)).collect::<Vec<_>>())
        .bind(items.iter().map(|item| span(item.task.spec.dispatch_deadline)).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.task.spec.priority).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.task.spec.fairness_key.as_bytes()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.spec.as_slice()).collect::<Vec<_>>())
        .bind(
            items
                .iter()
                .map(|item| item.task.spec.retry.as_ref().map(encoding::write_retry))
                .collect::<Vec<_>>(),
        )
        .fetch_all(connection)
        .await?;
    rows.iter().map(times).collect()
}

fn times(row: &PgRow) -> Result<(Key, Times), sqlx::Error> {
    let key = (row.try_get("queue")?, row.try_get("id")?);
    Ok((key, (row.try_get("schedule_time")?, row.try_get("create_time")?)))
}
