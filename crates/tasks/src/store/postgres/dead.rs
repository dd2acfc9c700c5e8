//! Dead letters: at most so many of a queue, and none beyond the retention.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, PgConnection};

use super::pool::{Failure, Pool, Repeat, micros, span, timestamp};
use super::row::{self, get};
use super::{page, queues};
use crate::model::QueueName;
use crate::policy::backoff::RETENTION;
use crate::store::{DeadLetter, Error, Options, Page, Slice};

/// The latest death of an id is the one that counts.
const REPLACE: &str = "
    DELETE FROM mare_tasks.dead d WHERE d.queue_id = $1 AND d.id = ANY($2)";

const BURY: &str = "
    WITH gone AS (
        DELETE FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.id = ANY($2) RETURNING t.*
    ), tombs AS (
        INSERT INTO mare_tasks.tombstones (queue_id, id, until) SELECT g.queue_id, g.id, $3 + $4 FROM gone g
        WHERE g.named ON CONFLICT (queue_id, id) DO UPDATE SET until = excluded.until
    )
    INSERT INTO mare_tasks.dead SELECT g.*, $3 FROM gone g";

const TRIM: &str = "
    WITH over AS (
        DELETE FROM mare_tasks.dead d USING (
            SELECT d.ctid AS row FROM mare_tasks.dead d WHERE d.queue_id = $1
            ORDER BY d.died_at DESC, d.number DESC OFFSET $2) o
        WHERE d.ctid = o.row RETURNING 1
    )
    UPDATE mare_tasks.queues q SET forgotten = q.forgotten + (SELECT count(*) FROM over)
    WHERE q.id = $1 AND EXISTS (SELECT FROM over)";

const REDRIVE: &str = "SELECT mare_tasks.redrive($1, $2, $3, $4)";

const FORGET: &str = "
    WITH gone AS (
        DELETE FROM mare_tasks.dead d
        WHERE d.queue_id = $1 AND ($3::text[] IS NULL OR d.id = ANY($3)) AND d.died_at > mare_tasks.micros($2) - $4
        RETURNING 1
    )
    SELECT count(*) FROM gone";

const LIST: &str = "
    FROM mare_tasks.dead t
    WHERE t.queue_id = $1 AND t.id > $3 AND t.died_at > mare_tasks.micros($2) - $4 ORDER BY t.id LIMIT $5";

/// How dead letters are kept.
#[derive(Clone, Copy)]
pub(super) struct Dead {
    /// Per queue.
    max: i64,
    /// How long the names of tasks stay taken.
    window: Duration,
}

impl Dead {
    pub(super) fn new(options: &Options) -> Self {
        let max = i64::try_from(options.dead_max.max(1)).unwrap_or(i64::MAX);
        Self { max, window: options.windows.task_name }
    }

    /// Makes dead letters of these tasks of the queue; the oldest ones give way.
    pub(super) async fn bury(
        &self,
        connection: &mut PgConnection,
        queue: i64,
        ids: &[String],
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        if ids.is_empty() {
            return Ok(());
        }
        sqlx::query(REPLACE).bind(queue).bind(ids).execute(&mut *connection).await?;
        let bury = sqlx::query(BURY).bind(queue).bind(ids).bind(micros(now)).bind(span(self.window));
        bury.execute(&mut *connection).await?;
        sqlx::query(TRIM).bind(queue).bind(self.max).execute(connection).await?;
        Ok(())
    }
}

pub(super) async fn letters(pool: &Pool, name: &QueueName, slice: &Slice) -> Result<Page<DeadLetter>, Error> {
    let read = || async {
        let mut connection = pool.pool.acquire().await?;
        let queue = queues::id(&mut connection, name).await?;
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT {}, t.died_at {LIST}", row::COLUMNS)))
            .bind(queue)
            .bind(pool.clock())
            .bind(slice.after.as_deref().unwrap_or(""))
            .bind(span(RETENTION))
            .bind(page::limit(slice))
            .fetch_all(&mut *connection)
            .await?;
        let letter = |row| {
            let died_at = timestamp(get(row, "died_at")?);
            Ok::<_, Error>(DeadLetter { task: row::task(name, row)?, died_at })
        };
        let letters: Vec<DeadLetter> = rows.iter().map(letter).collect::<Result<_, _>>()?;
        Ok(page::of(letters, slice, |letter| letter.task.name.id.to_string()))
    };
    pool.run(Repeat::Safe, read).await
}

pub(super) async fn redrive(pool: &Pool, name: &QueueName, ids: Option<&[String]>) -> Result<u64, Error> {
    change(pool, name, ids, REDRIVE).await
}

pub(super) async fn forget(pool: &Pool, name: &QueueName, ids: Option<&[String]>) -> Result<u64, Error> {
    change(pool, name, ids, FORGET).await
}

async fn change(
    pool: &Pool,
    name: &QueueName,
    ids: Option<&[String]>,
    statement: &'static str,
) -> Result<u64, Error> {
    let change = || async {
        let mut transaction = pool.pool.begin().await?;
        let queue = queues::id(&mut transaction, name).await?;
        let count: i64 = sqlx::query_scalar(statement)
            .bind(queue)
            .bind(pool.clock())
            .bind(ids)
            .bind(span(RETENTION))
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await.map_err(Failure::Commit)?;
        Ok(count.unsigned_abs())
    };
    pool.run(Repeat::Never, change).await
}
