//! Tasks as rows.

use std::sync::Arc;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::pool::timestamp;
use crate::model::{Attempt, Outcome, Progress, QueueName, Retry, Task, TaskName};
use crate::store::{Error, encoding};

/// The columns that [`task`] reads.
pub(super) const COLUMNS: &str = "t.id, t.schedule_time, t.create_time, t.spec, t.dispatched_count, t.answered_count, \
    t.executed_count, t.first_attempt, t.scheduled, t.dispatched, t.outcome";

/// The columns that [`retry`] and [`progress`] read.
pub(super) const PROGRESS: &str = "t.id, t.schedule_time, t.retry, t.dispatched_count, t.answered_count, \
    t.executed_count, t.first_attempt, t.scheduled, t.dispatched, t.outcome";

/// The task in a row of the queue.
pub(super) fn task(queue: &QueueName, row: &PgRow) -> Result<Task, Error> {
    let id: &str = get(row, "id")?;
    Ok(Task {
        name: TaskName { queue: queue.clone(), id: Arc::from(id) },
        spec: Arc::new(encoding::read_spec(get(row, "spec")?)?),
        schedule_time: timestamp(get(row, "schedule_time")?),
        create_time: timestamp(get(row, "create_time")?),
        progress: progress(row)?,
    })
}

/// The task's own retry rule.
pub(super) fn retry(row: &PgRow) -> Result<Option<Retry>, Error> {
    Ok(get::<Option<&[u8]>>(row, "retry")?.map(encoding::read_retry).transpose()?)
}

pub(super) fn progress(row: &PgRow) -> Result<Progress, Error> {
    let last_attempt = match get(row, "dispatched")? {
        None => None,
        Some(dispatched) => Some(Attempt {
            scheduled: timestamp(get::<Option<i64>>(row, "scheduled")?.unwrap_or(dispatched)),
            dispatched: timestamp(dispatched),
            outcome: outcome(row, "outcome")?,
        }),
    };
    Ok(Progress {
        dispatched: count(row, "dispatched_count")?,
        answered: count(row, "answered_count")?,
        executed: count(row, "executed_count")?,
        first_attempt: get::<Option<i64>>(row, "first_attempt")?.map(timestamp),
        last_attempt,
    })
}

pub(super) fn outcome(row: &PgRow, column: &str) -> Result<Option<Outcome>, Error> {
    Ok(get::<Option<&[u8]>>(row, column)?.map(encoding::read_outcome).transpose()?)
}

/// A number that is never below zero.
pub(super) fn count<T: TryFrom<i64>>(row: &PgRow, column: &str) -> Result<T, Error> {
    let number: i64 = get(row, column)?;
    T::try_from(number)
        .map_err(|_outside| Error::Database(format!("read {column}: {number} is out of range")))
}

pub(super) fn get<'r, T>(row: &'r PgRow, column: &str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(column).map_err(Error::from)
}
