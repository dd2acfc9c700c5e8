//! What the store's writing thread owns: the file, and in memory what must be decided without looking into it.
//!
//! Every method checks first and changes then: a refusal leaves no trace. What breaks in the file ends the whole
//! batch of commands; the file is rolled back and the memory built anew from it, with the leases as they were.

mod dead;
mod load;
mod queues;
mod settle;
mod tasks;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::Failure;
use super::backlog::Backlog;
use super::disk::Disk;
use super::leases::{Held, Leases};
use crate::model::{Progress, Queue, QueueName, Task};
use crate::policy::pace::Pace;
use crate::policy::{attempt, later};
use crate::store::{Clock, Error, LEASE_MARGIN, LeaseToken, Leased, Options, QueueStats, Windows};

/// Ended names looked at in one batch, and how long until they are looked at again if few were free.
const FORGET_MAX: usize = 2048;
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// Tasks kept in memory since they were created, in KiB: some 16 000 small ones, which is what waits in front of
/// dispatchers that keep up.
const FRESH_KIB_MAX: usize = 16 * 1024;

/// How often dead letters are looked through for old ones.
const BURY_EVERY: Duration = Duration::from_secs(60);

pub(super) struct Engine {
    disk: Disk,
    clock: Clock,
    windows: Windows,
    dead_max: usize,
    queues: BTreeMap<QueueName, Kept>,
    /// Names of deleted queues, and until when they are blocked.
    blocked: HashMap<QueueName, Timestamp>,
    /// The last in the order of creation.
    created: u64,
    /// The last token given out. The first is random: no lease of an earlier opening settles here.
    token: u64,
    /// KiB that [`Fresh`](super::backlog::Fresh) tasks may still take.
    fresh: Arc<Semaphore>,
    /// What this batch did to leases, for undoing it.
    leasing: Vec<Leasing>,
    /// Leases of a time when the memory was not stale, while it is.
    held: HashMap<QueueName, HashMap<u64, Held>>,
    /// The file was rolled back and could not be read since.
    is_stale: bool,
    /// Something may have become leasable in this batch.
    has_news: bool,
    ended_looked_at: Timestamp,
    dead_looked_at: Timestamp,
}

/// A batch that was committed.
pub(super) struct Commit {
    /// It must reach the disk before anybody is told.
    pub(super) has_written: bool,
    /// Something may have become leasable.
    pub(super) has_news: bool,
}

/// One queue.
struct Kept {
    /// Its number on disk.
    id: i64,
    queue: Queue,
    pace: Pace,
    backlog: Backlog,
    leases: Leases,
    dead: usize,
    forgotten: u64,
}

/// Something a batch did to a lease of the queue's task.
enum Leasing {
    Made(QueueName, u64),
    Removed(QueueName, u64, Box<Held>),
}

impl Engine {
    /// Reads the memory's part from the file.
    pub(super) fn open(disk: Disk, options: Options) -> Result<Self, Error> {
        let Options { clock, windows, dead_max } = options;
        let mut engine = Self {
            disk,
            clock,
            windows,
            dead_max,
            queues: BTreeMap::new(),
            blocked: HashMap::new(),
            created: 0,
            token: fastrand::u64(..u64::MAX / 2),
            fresh: Arc::new(Semaphore::new(FRESH_KIB_MAX)),
            leasing: Vec::new(),
            held: HashMap::new(),
            is_stale: true,
            has_news: false,
            ended_looked_at: Timestamp::MIN,
            dead_looked_at: Timestamp::MIN,
        };
        engine.load().map_err(|error| super::schema::database(&error))?;
        engine.start_slowly();
        Ok(engine)
    }

    /// The file, for tests to break.
    #[cfg(test)]
    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Before each batch.
    pub(super) fn refresh(&mut self) -> Result<(), Error> {
        if self.is_stale {
            let error = |error| super::schema::database(&error);
            self.disk.roll_back().map_err(error)?;
            self.load_again().map_err(error)?;
        }
        Ok(())
    }

    /// Ends a batch.
    pub(super) fn commit(&mut self) -> Result<Commit, Error> {
        let has_written = self.disk.is_writing();
        let committed = self.tidy().and_then(|()| self.disk.commit());
        if let Err(error) = committed {
            self.give_up();
            return Err(super::schema::database(&error));
        }
        self.leasing.clear();
        Ok(Commit { has_written, has_news: std::mem::take(&mut self.has_news) })
    }

    /// Ends a batch of which nothing shall stay.
    pub(super) fn give_up(&mut self) {
        self.is_stale = true;
        self.has_news = false;
        if let Err(error) = self.refresh() {
            tracing::error!(%error, "the task store cannot read its file");
        }
    }

    /// Forgets ended names that are free again, if the batch writes anyway.
    fn tidy(&mut self) -> rusqlite::Result<()> {
        let now = self.clock.now();
        if self.disk.is_writing() && now >= later(self.ended_looked_at, FORGET_EVERY) {
            let forgotten = self.disk.forget_ended(now, FORGET_MAX)?;
            if forgotten < FORGET_MAX {
                self.ended_looked_at = now;
            }
        }
        Ok(())
    }

    fn kept(&mut self, name: &QueueName) -> Result<&mut Kept, Failure> {
        Ok(self.queues.get_mut(name).ok_or(Error::NoQueue)?)
    }

    /// Until when a name stays taken that ends now; `None`: it does not.
    fn taken_until(&self, now: Timestamp) -> Option<Timestamp> {
        (!self.windows.task_name.is_zero()).then(|| later(now, self.windows.task_name))
    }

    fn next_token(&mut self) -> LeaseToken {
        self.token += 1;
        LeaseToken(self.token)
    }

    pub(super) fn stats(&mut self) -> Result<Vec<QueueStats>, Failure> {
        let now = self.clock.now();
        self.forget_old_dead(now)?;
        Ok(self.queues.values_mut().map(|kept| kept.stats(now)).collect())
    }
}

impl Kept {
    /// Tasks whose lease has ended wait again.
    fn end_leases(&mut self, now: Timestamp) {
        while let Some((created, held)) = self.leases.pop_ended(now) {
            let Task { spec, schedule_time, .. } = &held.task;
            self.backlog.insert(created, *schedule_time, spec.priority, &spec.fairness_key);
        }
    }

    /// Leases a task that is neither waiting nor leased; the caller wrote `progress` to the disk.
    fn hold(&mut self, created: u64, named: bool, task: Task, begun: Begun) -> Leased {
        let Begun { progress, token, now } = begun;
        let previous = attempt::previous(&task.progress);
        let ends = later(now, task.spec.dispatch_deadline.saturating_add(LEASE_MARGIN));
        let before = task.progress;
        let task = Task { progress, ..task };
        self.leases.insert(created, Held { token, ends, before, task: task.clone(), named });
        Leased { task, previous, token }
    }

    /// The task is no longer waiting nor leased; its lease, if it had one.
    fn take(&mut self, created: u64) -> Option<Held> {
        self.backlog.remove(created);
        self.leases.remove(created)
    }

    fn stats(&mut self, now: Timestamp) -> QueueStats {
        self.end_leases(now);
        QueueStats {
            queue: self.queue.clone(),
            backlog: self.backlog.len() as u64,
            due: self.backlog.due(now) as u64,
            leased: self.leases.under_way() as u64,
            dead: self.dead as u64,
            forgotten: self.forgotten,
            oldest_due: self.backlog.first_due().filter(|due| *due <= now),
        }
    }
}

/// An attempt that begins.
struct Begun {
    progress: Progress,
    token: LeaseToken,
    now: Timestamp,
}
