//! Single tasks: read, list, delete, run.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::lease::leased;
use super::pool::{Failure, Pool, Repeat, span};
use super::{page, queues, row};
use crate::model::{QueueName, Task, TaskName};
use crate::store::{Error, LEASE_MARGIN, Leased, Page, Slice};

const READ: &str = "
    FROM mare_tasks.tasks t JOIN mare_tasks.queues q ON q.id = t.queue_id WHERE q.name = $1 AND t.id = $2";

const LIST: &str = "
    FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.id > $2 ORDER BY t.id LIMIT $3";

const DELETE: &str = "
    WITH gone AS (
        DELETE FROM mare_tasks.tasks t USING mare_tasks.queues q
        WHERE q.name = $2 AND t.queue_id = q.id AND t.id = $3 RETURNING t.queue_id, t.id, t.named
    ), tombs AS (
        INSERT INTO mare_tasks.tombstones (queue_id, id, until)
        SELECT g.queue_id, g.id, mare_tasks.micros($1) + $4 FROM gone g WHERE g.named
        ON CONFLICT (queue_id, id) DO UPDATE SET until = excluded.until
    )
    SELECT FROM gone";

const RUN: &str = "
    UPDATE mare_tasks.tasks t SET
        state = 2, lease_token = (random() * 9007199254740991)::bigint, lease_end = c.now + t.deadline + $4,
        dispatched_count = t.dispatched_count + 1, first_attempt = coalesce(t.first_attempt, c.now),
        scheduled = t.schedule_time, dispatched = c.now, outcome = NULL,
        previous_scheduled = t.scheduled, previous_dispatched = t.dispatched, previous_outcome = t.outcome
    FROM mare_tasks.queues q, (SELECT mare_tasks.micros($1) AS now OFFSET 0) c
    WHERE q.name = $2 AND t.queue_id = q.id AND t.id = $3
    RETURNING t.lease_token, t.previous_outcome, ";

const HAS_ENDED: &str = "
    SELECT EXISTS (
        SELECT FROM mare_tasks.tombstones b JOIN mare_tasks.queues q ON q.id = b.queue_id
        WHERE q.name = $2 AND b.id = $3 AND b.until > mare_tasks.micros($1))";

pub(super) async fn task(pool: &Pool, name: &TaskName) -> Result<Task, Error> {
    let read = || async {
        let mut connection = pool.pool.acquire().await?;
        let row = sqlx::query(AssertSqlSafe(format!("SELECT {}{READ}", row::COLUMNS)))
            .bind(name.queue.as_str())
            .bind(&*name.id)
            .fetch_optional(&mut *connection)
            .await?;
        match row {
            Some(row) => Ok(row::task(&name.queue, &row)?),
            None => Err(absent(&mut connection, pool.clock(), name).await?.into()),
        }
    };
    pool.run(Repeat::Safe, read).await
}

pub(super) async fn list(pool: &Pool, name: &QueueName, slice: &Slice) -> Result<Page<Task>, Error> {
    let read = || async {
        let mut connection = pool.pool.acquire().await?;
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT {}{LIST}", row::COLUMNS)))
            .bind(queues::id(&mut connection, name).await?)
            .bind(slice.after.as_deref().unwrap_or(""))
            .bind(page::limit(slice))
            .fetch_all(&mut *connection)
            .await?;
        let tasks: Vec<Task> = rows.iter().map(|row| row::task(name, row)).collect::<Result<_, _>>()?;
        Ok(page::of(tasks, slice, |task| task.name.id.to_string()))
    };
    pool.run(Repeat::Safe, read).await
}

pub(super) async fn delete(pool: &Pool, name: &TaskName, window: Duration) -> Result<(), Error> {
    let delete = || async {
        let mut connection = pool.pool.acquire().await?;
        let gone = sqlx::query(DELETE)
            .bind(pool.clock())
            .bind(name.queue.as_str())
            .bind(&*name.id)
            .bind(span(window))
            .fetch_optional(&mut *connection)
            .await
            .map_err(Failure::Commit)?;
        match gone {
            Some(_) => Ok(()),
            None => Err(absent(&mut connection, pool.clock(), name).await?.into()),
        }
    };
    pool.run(Repeat::Never, delete).await
}

pub(super) async fn run(pool: &Pool, name: &TaskName) -> Result<Leased, Error> {
    let run = || async {
        let mut connection = pool.pool.acquire().await?;
        let row = sqlx::query(AssertSqlSafe(format!("{RUN}{}", row::COLUMNS)))
            .bind(pool.clock())
            .bind(name.queue.as_str())
            .bind(&*name.id)
            .bind(span(LEASE_MARGIN))
            .fetch_optional(&mut *connection)
            .await
            .map_err(Failure::Commit)?;
        match row {
            Some(row) => Ok(leased(&name.queue, &row)?),
            None => Err(absent(&mut connection, pool.clock(), name).await?.into()),
        }
    };
    pool.run(Repeat::Never, run).await
}

/// Why the task is not there.
async fn absent(
    connection: &mut PgConnection,
    clock: Option<i64>,
    name: &TaskName,
) -> Result<Error, sqlx::Error> {
    let ended = sqlx::query(HAS_ENDED).bind(clock).bind(name.queue.as_str()).bind(&*name.id);
    let has_ended: bool = ended.fetch_one(connection).await?.try_get(0)?;
    Ok(if has_ended { Error::TaskEnded } else { Error::NoTask })
}
