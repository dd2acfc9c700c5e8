use std::ops::Deref;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::{Progress, Queue, State, Task};
use crate::store::encoding;

use super::rows;

type Result<T> = rusqlite::Result<T>;

/// The writing connection: one statement per method, all within one transaction from the first that writes until
/// `commit`. Reading goes through to the connection.
pub(super) struct Disk {
    connection: Connection,
    writing: bool,
}

/// A task to be written; the queue is its number.
pub(super) struct NewRow<'a> {
    pub(super) created: u64,
    pub(super) queue: i64,
    pub(super) named: bool,
    pub(super) task: &'a Task,
    /// Of the task, encoded.
    pub(super) spec: &'a [u8],
}

/// A dead letter that became a task again.
pub(super) struct Redriven {
    pub(super) created: u64,
    pub(super) priority: i16,
    pub(super) fairness_key: String,
}

impl Deref for Disk {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Disk {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, writing: false }
    }

    /// Whether anything was written since the last commit.
    pub(super) fn is_writing(&self) -> bool {
        self.writing
    }

    /// When this returns, what was written stays if the process ends; if the power fails, once the log was synced.
    pub(super) fn commit(&mut self) -> Result<()> {
        if self.writing {
            self.connection.prepare_cached("COMMIT")?.execute(())?;
            self.writing = false;
        }
        Ok(())
    }

    /// Forgets what was written since the last commit.
    pub(super) fn roll_back(&mut self) -> Result<()> {
        self.writing = false;
        // SQLite may have done it itself, as after a full disk.
        if self.connection.is_autocommit() { Ok(()) } else { self.connection.execute_batch("ROLLBACK") }
    }

    /// Rows changed. The statement stays prepared.
    fn write(&mut self, sql: &'static str, params: impl rusqlite::Params) -> Result<usize> {
        self.begin()?;
        self.connection.prepare_cached(sql)?.execute(params)
    }

    fn begin(&mut self) -> Result<()> {
        if !self.writing {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
            self.writing = true;
        }
        Ok(())
    }

    pub(super) fn insert_queue(&mut self, queue: &Queue) -> Result<i64> {
        const SQL: &str =
            "INSERT INTO queue (name, settings, paused, purged_at, forgotten) VALUES (?1, ?2, ?3, ?4, 0)";
        let name = queue.settings.name.as_str();
        self.write("DELETE FROM blocked WHERE name = ?1", [name])?;
        let settings = encoding::write_settings(&queue.settings);
        let purged_at = queue.purged_at.map(Timestamp::as_microsecond);
        self.write(SQL, params![name, settings, queue.state == State::Paused, purged_at])?;
        Ok(self.connection.last_insert_rowid())
    }

    pub(super) fn update_queue(&mut self, id: i64, queue: &Queue) -> Result<()> {
        const SQL: &str = "UPDATE queue SET settings = ?2, paused = ?3, purged_at = ?4 WHERE id = ?1";
        let settings = encoding::write_settings(&queue.settings);
        let purged_at = queue.purged_at.map(Timestamp::as_microsecond);
        self.write(SQL, params![id, settings, queue.state == State::Paused, purged_at])?;
        Ok(())
    }

    /// With everything that belongs to it.
    pub(super) fn delete_queue(&mut self, id: i64) -> Result<()> {
        self.delete_tasks(id)?;
        self.write("DELETE FROM ended WHERE queue = ?1", [id])?;
        self.write("DELETE FROM dead WHERE queue = ?1", [id])?;
        self.write("DELETE FROM queue WHERE id = ?1", [id])?;
        Ok(())
    }

    pub(super) fn block(&mut self, name: &str, until: Timestamp) -> Result<()> {
        self.write("INSERT OR REPLACE INTO blocked VALUES (?1, ?2)", params![name, until.as_microsecond()])?;
        Ok(())
    }

    pub(super) fn unblock(&mut self, now: Timestamp) -> Result<()> {
        self.write("DELETE FROM blocked WHERE until <= ?1", [now.as_microsecond()])?;
        Ok(())
    }

    /// False if a living task has the id; then nothing was written.
    pub(super) fn insert_task(&mut self, row: &NewRow<'_>) -> Result<bool> {
        const SQL: &str =
            "INSERT INTO task VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
        let NewRow { created, queue, named, task, spec } = row;
        let inserted = self.write(
            SQL,
            params![
                created,
                queue,
                &*task.name.id,
                named,
                task.create_time.as_microsecond(),
                task.schedule_time.as_microsecond(),
                task.spec.priority,
                task.spec.fairness_key,
                spec
            ],
        )?;
        Ok(inserted == 1)
    }

    pub(super) fn write_progress(&mut self, created: u64, due: Timestamp, progress: &Progress) -> Result<()> {
        const SQL: &str = "INSERT OR REPLACE INTO progress VALUES (?1, ?2, ?3)";
        self.write(SQL, params![created, due.as_microsecond(), encoding::write_progress(progress)])?;
        Ok(())
    }

    pub(super) fn delete_task(&mut self, created: u64) -> Result<()> {
        self.write("DELETE FROM task WHERE created = ?1", [created])?;
        self.write("DELETE FROM progress WHERE created = ?1", [created])?;
        Ok(())
    }

    pub(super) fn mark(&self, key: &str) -> Result<Option<i64>> {
        let mut statement = self.prepare_cached("SELECT at FROM mark WHERE key = ?1")?;
        statement.query_row([key], |row| row.get(0)).optional()
    }

    pub(super) fn raise(&mut self, key: &str, to: i64) -> Result<()> {
        self.write("INSERT OR REPLACE INTO mark VALUES (?1, ?2)", params![key, to])?;
        Ok(())
    }

    /// The id is taken until then.
    pub(super) fn insert_ended(&mut self, queue: i64, id: &str, until: Timestamp) -> Result<()> {
        const SQL: &str = "INSERT OR REPLACE INTO ended (queue, id, until) VALUES (?1, ?2, ?3)";
        self.write(SQL, params![queue, id, until.as_microsecond()])?;
        Ok(())
    }

    /// The ids of all named tasks of the queue are taken until then.
    pub(super) fn insert_all_ended(&mut self, queue: i64, until: Timestamp) -> Result<()> {
        const SQL: &str = "INSERT OR REPLACE INTO ended (queue, id, until) \
            SELECT queue, id, ?2 FROM task WHERE queue = ?1 AND named";
        self.write(SQL, params![queue, until.as_microsecond()])?;
        Ok(())
    }

    /// Looks at the `max` oldest and forgets those whose ids are free again; how many that were.
    pub(super) fn forget_ended(&mut self, now: Timestamp, max: usize) -> Result<usize> {
        const SQL: &str = "DELETE FROM ended WHERE until <= ?1 AND number IN \
            (SELECT number FROM ended ORDER BY number LIMIT ?2)";
        self.write(SQL, params![now.as_microsecond(), max])
    }

    pub(super) fn delete_tasks(&mut self, queue: i64) -> Result<()> {
        const PROGRESS: &str =
            "DELETE FROM progress WHERE created IN (SELECT created FROM task WHERE queue = ?1)";
        self.write(PROGRESS, [queue])?;
        self.write("DELETE FROM task WHERE queue = ?1", [queue])?;
        Ok(())
    }

    /// Makes the task a dead letter. True if another one of its id gave way.
    pub(super) fn bury(&mut self, created: u64, queue: i64, task: &Task, now: Timestamp) -> Result<bool> {
        const SQL: &str = "INSERT INTO dead (created, queue, id, named, create_time, schedule_time, priority, \
            fairness_key, died_at, progress, spec) SELECT created, queue, id, named, create_time, ?2, priority, \
            fairness_key, ?3, ?4, spec FROM task WHERE created = ?1";
        let replaced = self.forget_dead(queue, &task.name.id)?;
        let progress = encoding::write_progress(&task.progress);
        self.write(
            SQL,
            params![created, task.schedule_time.as_microsecond(), now.as_microsecond(), progress],
        )?;
        self.delete_task(created)?;
        Ok(replaced)
    }

    /// Whether there was one.
    pub(super) fn forget_dead(&mut self, queue: i64, id: &str) -> Result<bool> {
        Ok(self.write("DELETE FROM dead WHERE queue = ?1 AND id = ?2", params![queue, id])? > 0)
    }

    pub(super) fn forget_all_dead(&mut self, queue: i64) -> Result<usize> {
        self.write("DELETE FROM dead WHERE queue = ?1", [queue])
    }

    /// Forgets the `count` who died first.
    pub(super) fn forget_oldest_dead(&mut self, queue: i64, count: usize) -> Result<usize> {
        const SQL: &str = "DELETE FROM dead WHERE created IN \
            (SELECT created FROM dead WHERE queue = ?1 ORDER BY died_at, created LIMIT ?2)";
        self.write(SQL, params![queue, count])
    }

    pub(super) fn forget_old_dead(&mut self, queue: i64, now: Timestamp) -> Result<usize> {
        self.write("DELETE FROM dead WHERE queue = ?1 AND died_at <= ?2", params![queue, rows::too_old(now)])
    }

    pub(super) fn count_forgotten(&mut self, queue: i64, total: u64) -> Result<()> {
        self.write("UPDATE queue SET forgotten = ?2 WHERE id = ?1", params![queue, total])?;
        Ok(())
    }

    pub(super) fn dead_ids(&self, queue: i64) -> Result<Vec<String>> {
        let mut statement = self.prepare_cached("SELECT id FROM dead WHERE queue = ?1")?;
        statement.query_map([queue], |row| row.get(0))?.collect()
    }

    /// Makes a dead letter a task again, unless there is none or a living task has its id.
    pub(super) fn redrive(&mut self, queue: i64, id: &str, now: Timestamp) -> Result<Option<Redriven>> {
        const SQL: &str = "INSERT INTO task SELECT created, queue, id, named, create_time, ?3, priority, \
            fairness_key, spec FROM dead WHERE queue = ?1 AND id = ?2 ON CONFLICT DO NOTHING \
            RETURNING created, priority, fairness_key";
        self.begin()?;
        let read = |row: &Row<'_>| {
            Ok(Redriven { created: row.get(0)?, priority: row.get(1)?, fairness_key: row.get(2)? })
        };
        let mut statement = self.connection.prepare_cached(SQL)?;
        let redriven = statement.query_row(params![queue, id, now.as_microsecond()], read).optional()?;
        drop(statement);
        if redriven.is_some() {
            self.forget_dead(queue, id)?;
            self.write("DELETE FROM ended WHERE queue = ?1 AND id = ?2", params![queue, id])?;
        }
        Ok(redriven)
    }
}
