//! Rows as tasks, and the questions that only read.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Failure;
use crate::model::{Progress, QueueName, Task, TaskName};
use crate::policy::backoff::RETENTION;
use crate::store::encoding::{self, Unreadable};
use crate::store::{DeadLetter, Error, Page, Slice};

/// A task on disk.
pub(super) struct Stored {
    pub(super) created: u64,
    pub(super) named: bool,
    pub(super) task: Task,
}

/// The task of this place in the order of creation.
pub(super) fn by_creation(
    connection: &Connection,
    queue: &QueueName,
    created: u64,
) -> rusqlite::Result<Option<Stored>> {
    const SQL: &str = "SELECT created, named, id, create_time, schedule_time, progress, spec \
        FROM living WHERE created = ?1";
    connection.prepare_cached(SQL)?.query_row([created], |row| stored(row, queue)).optional()
}

pub(super) fn by_id(
    connection: &Connection,
    queue: i64,
    name: &TaskName,
) -> rusqlite::Result<Option<Stored>> {
    const SQL: &str = "SELECT created, named, id, create_time, schedule_time, progress, spec \
        FROM living WHERE queue = ?1 AND id = ?2";
    let mut statement = connection.prepare_cached(SQL)?;
    statement.query_row(params![queue, &*name.id], |row| stored(row, &name.queue)).optional()
}

/// Whether the id was a named task's that ended within the window.
pub(super) fn has_ended(
    connection: &Connection,
    queue: i64,
    id: &str,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    const SQL: &str = "SELECT 1 FROM ended WHERE queue = ?1 AND id = ?2 AND until > ?3";
    connection.prepare_cached(SQL)?.exists(params![queue, id, now.as_microsecond()])
}

pub(super) fn task(connection: &Connection, name: &TaskName, now: Timestamp) -> Result<Task, Failure> {
    let queue = queue(connection, &name.queue)?.ok_or(Error::NoTask)?;
    match by_id(connection, queue, name)? {
        Some(stored) => Ok(stored.task),
        None if has_ended(connection, queue, &name.id, now)? => Err(Error::TaskEnded.into()),
        None => Err(Error::NoTask.into()),
    }
}

pub(super) fn tasks(connection: &Connection, name: &QueueName, slice: &Slice) -> Result<Page<Task>, Failure> {
    const SQL: &str = "SELECT created, named, id, create_time, schedule_time, progress, spec \
        FROM living WHERE queue = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let queue = queue(connection, name)?.ok_or(Error::NoQueue)?;
    let mut statement = connection.prepare_cached(SQL)?;
    let rows = statement
        .query_map(params![queue, after(slice), one_more(slice)], |row| Ok(stored(row, name)?.task))?;
    Ok(page(rows.collect::<Result<_, _>>()?, slice.size, |task| &task.name.id))
}

pub(super) fn dead_letters(
    connection: &Connection,
    name: &QueueName,
    slice: &Slice,
    now: Timestamp,
) -> Result<Page<DeadLetter>, Failure> {
    const SQL: &str = "SELECT created, named, id, create_time, schedule_time, progress, spec, died_at \
        FROM dead WHERE queue = ?1 AND id > ?2 AND died_at > ?3 ORDER BY id LIMIT ?4";
    let queue = queue(connection, name)?.ok_or(Error::NoQueue)?;
    let mut statement = connection.prepare_cached(SQL)?;
    let letter = |row: &Row<'_>| Ok(DeadLetter { task: stored(row, name)?.task, died_at: time(row, 7)? });
    let rows = statement.query_map(params![queue, after(slice), too_old(now), one_more(slice)], letter)?;
    Ok(page(rows.collect::<Result<_, _>>()?, slice.size, |letter| &letter.task.name.id))
}

/// Who died at this time or before is forgotten.
pub(super) fn too_old(now: Timestamp) -> i64 {
    let retention = i64::try_from(RETENTION.as_micros()).unwrap_or(i64::MAX);
    now.as_microsecond().saturating_sub(retention)
}

fn queue(connection: &Connection, name: &QueueName) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM queue WHERE name = ?1")?;
    statement.query_row([name.as_str()], |row| row.get(0)).optional()
}

fn after(slice: &Slice) -> &str {
    slice.after.as_deref().unwrap_or("")
}

fn one_more(slice: &Slice) -> i64 {
    i64::try_from(slice.size).unwrap_or(i64::MAX).saturating_add(1)
}

/// `items` may be one more than fit, which shows that there are more.
pub(super) fn page<T>(mut items: Vec<T>, size: usize, id: impl Fn(&T) -> &str) -> Page<T> {
    let is_all = items.len() <= size;
    items.truncate(size);
    let next = if is_all { None } else { items.last().map(|last| id(last).to_owned()) };
    Page { items, next }
}

/// Of a row of created, named, id, `create_time`, `schedule_time`, progress, spec.
fn stored(row: &Row<'_>, queue: &QueueName) -> rusqlite::Result<Stored> {
    let task = Task {
        name: TaskName { queue: queue.clone(), id: Arc::from(row.get_ref(2)?.as_str()?) },
        create_time: time(row, 3)?,
        schedule_time: time(row, 4)?,
        progress: match row.get_ref(5)? {
            ValueRef::Null => Progress::default(),
            bytes => encoding::read_progress(bytes.as_blob()?).map_err(|error| unreadable(5, error))?,
        },
        spec: Arc::new(
            encoding::read_spec(row.get_ref(6)?.as_blob()?).map_err(|error| unreadable(6, error))?,
        ),
    };
    Ok(Stored { created: row.get(0)?, named: row.get(1)?, task })
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let micros = row.get(column)?;
    Timestamp::from_microsecond(micros)
        .map_err(|_range| rusqlite::Error::IntegralValueOutOfRange(column, micros))
}

pub(super) fn unreadable(column: usize, error: Unreadable) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
}
