//! What must last, and who may do what with it.
//!
//! Two stores, one contract: `sqlite` (one process; leases in memory, because a crash ends them anyway) and
//! `postgres` (several processes; leases in the database, settled only by the holder of the latest). A third, the
//! reference model, is for tests. The rules they share:
//!
//! - **Which task is next.** Of the tasks of a running queue that are due and not leased: highest priority first;
//!   within a priority fairness keys take turns (the key that was served longest ago first; keys never served
//!   first of all, the one whose first task is earliest before others); within a key by `schedule_time`, then by
//!   order of creation. `lease(queue, n)` is the same as `n` times `lease(queue, 1)`.
//! - **How many.** Never more than the queue's rate, burst and concurrency allow (`policy`), over all processes.
//! - **An attempt is counted before it begins**, and no process that ends can take that back: it is on disk, or, with
//!   PostgreSQL, committed there and on disk within a second. (A server of PostgreSQL that loses its memory in between
//!   forgets the lease, and the task is leased again.)
//! - **Fencing.** A settlement counts only with the token of the task's latest lease, also after that lease ended but
//!   before there is another; otherwise it is refused and changes nothing. A lease not settled until it ends (the
//!   dispatch deadline and [`LEASE_MARGIN`] later) makes the task due again at its old `schedule_time`, its attempt
//!   counted; `lease` finds those that have thereby used up their attempts, and makes them dead letters instead of
//!   leasing them. What was under way in a process that is gone has ended like this, too.
//! - **What does not reach its target never happened**: `NotDelivered` gives a task the progress it had before that
//!   lease. The turn its key had and the token it took stay used.
//! - **Names.** The id of a task that a client named stays taken for the window after the task has ended, be it by
//!   success, deletion, purge or death. Within it, what asks for the task is told `TaskEnded`; later `NoTask`, as for
//!   tasks nobody named. Ids we made are never checked against ended ones. Tasks of queues that do not exist do not
//!   exist; what is asked of such a queue as a whole is told `NoQueue`.
//! - **Dead letters** are kept for [`policy::backoff::RETENTION`], of a queue the latest `Options::dead_max`; what is
//!   forgotten so is counted. A second death under the same id replaces the first. A redriven task keeps its
//!   place in the order of creation and its `create_time`; one whose id is taken by a living task stays dead.
//! - **Queues.** What `mare.toml` declares may be put again only as declared (and then even if the name is blocked)
//!   until it is released, and not deleted: else `QueueIsDeclared`. A queue begins with a full bucket, and slow after it was resumed or when
//!   its store was opened over a backlog (`policy::pace`). A lease made by `run` takes a place, but no token or turn.
//! - **Time.** Times are whole microseconds.
//! - **Acknowledged is durable.** When a method that writes returns, a crash cannot take it back.

pub mod clock;
#[cfg(test)]
pub(crate) mod contract;
pub(crate) mod encoding;
pub mod postgres;
#[cfg(test)]
pub(crate) mod reference;
pub mod sqlite;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

pub use clock::Clock;
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;

use crate::model::{Outcome, Queue, QueueName, QueueSettings, Spec, State, Task, TaskName};
#[cfg(doc)]
use crate::policy;

/// A lease ends by itself so long after the deadline of its attempt: time enough to settle.
pub const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// Why a store did not do what was asked; nothing was written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("the queue does not exist")]
    NoQueue,
    #[error("the queue exists")]
    QueueExists,
    #[error("a queue of this name existed too recently")]
    QueueExistedRecently,
    #[error("the queue is declared in mare.toml")]
    QueueIsDeclared,
    #[error("the task does not exist")]
    NoTask,
    /// It ended within the window.
    #[error("the task no longer exists")]
    TaskEnded,
    #[error("a task of this name exists, or existed within the window")]
    TaskExists,
    /// More is waiting to be written than the bound allows, or the store is closing. Safe to repeat.
    #[error("the store is busy")]
    Busy,
    /// The database said no. It may have been written if a commit was under way: creation of a named task is safe
    /// to repeat.
    #[error("use the database: {0}")]
    Database(String),
}

/// How an existing queue of that name is met.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Put {
    /// It is an error.
    Create,
    /// It gets the settings; its state stays.
    Upsert,
    /// The same, also if it was declared and is not any more. For `mare` itself, when `mare.toml` has changed.
    Release,
}

/// A task to be created.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub queue: QueueName,
    /// The client's, checked by the caller; `None`: the store makes one.
    pub id: Option<String>,
    pub spec: Spec,
    /// `None`, or past: now.
    pub schedule_time: Option<Timestamp>,
}

/// A task this process may attempt now.
#[derive(Clone, Debug)]
pub struct Leased {
    /// With this attempt already counted, and its previous one still in `previous`.
    pub task: Task,
    /// What the previous attempt was answered, for `X-CloudTasks-TaskPreviousResponse`.
    pub previous: Option<Outcome>,
    pub token: LeaseToken,
}

/// Names one lease of one task. A later lease of the task has another.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct LeaseToken(pub u64);

/// What `lease` found.
#[derive(Clone, Debug, Default)]
pub struct Lease {
    pub tasks: Vec<Leased>,
    /// When asking again can bring more, if nothing changes; `None`: not before something does.
    pub again_at: Option<Timestamp>,
}

/// The end of an attempt.
#[derive(Clone, Debug)]
pub struct Settlement {
    pub name: TaskName,
    pub token: LeaseToken,
    pub end: End,
}

#[derive(Clone, Debug)]
pub enum End {
    /// It was answered, or was not in time: success ends the task, all else is tried again by the retry rules or
    /// makes it a dead letter.
    Attempted(Outcome),
    /// It never reached its target (the gateway refused, or we are shutting down): not an attempt. Due again after
    /// the wait.
    NotDelivered { wait: Duration },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settled {
    Succeeded,
    /// Due again at this time.
    Retrying(Timestamp),
    /// Out of attempts: it is among the dead letters.
    Dead,
    /// The lease was not the latest, or the task is gone: nothing was changed.
    Fenced,
}

/// A task that used up its attempts.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    pub task: Task,
    pub died_at: Timestamp,
}

/// A page of something ordered by name, byte by byte.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Ask for what comes after this; `None`: that was all.
    pub next: Option<String>,
}

/// What is asked of a listing: at most `size` items whose name is greater than `after`.
#[derive(Clone, Debug)]
pub struct Slice {
    pub after: Option<String>,
    pub size: usize,
}

/// A queue in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueStats {
    pub queue: Queue,
    /// Due or scheduled, not leased.
    pub backlog: u64,
    /// Of the backlog, what is due.
    pub due: u64,
    pub leased: u64,
    pub dead: u64,
    /// Dead letters that gave way to later ones or to their age, ever.
    pub forgotten: u64,
    /// Since when the longest waiting due task is due.
    pub oldest_due: Option<Timestamp>,
}

/// The stores' contract; see the module for its rules.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    async fn put_queue(&self, settings: QueueSettings, put: Put) -> Result<Queue, Error>;
    async fn queue(&self, name: &QueueName) -> Result<Queue, Error>;
    /// Those of `parent` (`projects/P/locations/L`), by name.
    async fn queues(&self, parent: &str, slice: Slice) -> Result<Page<Queue>, Error>;
    async fn set_state(&self, name: &QueueName, state: State) -> Result<Queue, Error>;
    /// Deletes the tasks created until now, leased ones too; dead letters stay.
    async fn purge(&self, name: &QueueName) -> Result<Queue, Error>;
    /// Deletes its tasks and dead letters too, and blocks the name for the configured time.
    async fn delete_queue(&self, name: &QueueName) -> Result<(), Error>;

    /// One durable write for all that can be created; the results are in the order of `tasks`.
    async fn create(&self, tasks: Vec<NewTask>) -> Vec<Result<Task, Error>>;
    async fn task(&self, name: &TaskName) -> Result<Task, Error>;
    async fn tasks(&self, queue: &QueueName, slice: Slice) -> Result<Page<Task>, Error>;
    async fn delete(&self, name: &TaskName) -> Result<(), Error>;
    /// Leases this task now, whatever the queue's state and limits, even if it is leased already: that lease is
    /// fenced from now on.
    async fn run(&self, name: &TaskName) -> Result<Leased, Error>;

    /// Leases at most `max` tasks of the queue.
    async fn lease(&self, queue: &QueueName, max: usize) -> Result<Lease, Error>;
    /// How far apart the looks for tasks should be while there is something to do, so that each finds more. None for a
    /// store that finds them for nothing.
    fn lease_spacing(&self) -> Duration {
        Duration::ZERO
    }
    /// Ends attempts; the results are in the order of `settlements`, written together.
    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<Settled>, Error>;
    /// Ticks when something may have become leasable that was not: a task created, a queue resumed, a place freed.
    /// Coalesced; with several processes also for their doings, sooner or later.
    fn changes(&self) -> watch::Receiver<u64>;

    async fn dead_letters(&self, queue: &QueueName, slice: Slice) -> Result<Page<DeadLetter>, Error>;
    /// Makes dead letters tasks again, due now, no attempt used; those named, or all. Returns how many.
    async fn redrive(&self, queue: &QueueName, ids: Option<Vec<String>>) -> Result<u64, Error>;
    /// Forgets dead letters; those named, or all. Returns how many.
    async fn forget_dead(&self, queue: &QueueName, ids: Option<Vec<String>>) -> Result<u64, Error>;

    /// How far `key` has come; `None`: nowhere yet.
    async fn mark(&self, key: &str) -> Result<Option<i64>, Error>;
    /// Raises the mark of `key` to `to` and creates `tasks`, in one durable write: all, or nothing at all. Says no,
    /// and does nothing, if the mark is there already or beyond. A task whose name is taken counts as created.
    async fn advance(&self, key: &str, to: i64, tasks: Vec<NewTask>) -> Result<bool, Error>;

    /// All queues, by name.
    async fn stats(&self) -> Result<Vec<QueueStats>, Error>;
    /// The names of all queues. The dispatcher asks several times a second: a store that counts slowly has its own.
    async fn queue_names(&self) -> Result<Vec<QueueName>, Error> {
        Ok(self.stats().await?.into_iter().map(|stats| stats.queue.settings.name).collect())
    }
    /// Finishes what was asked before, then lets go of the database. What is asked later is refused as busy.
    async fn close(&self);
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    pub clock: Clock,
    pub windows: Windows,
    /// Dead letters kept per queue, at least 1.
    pub dead_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Clock::System, windows: Windows::default(), dead_max: 10_000 }
    }
}

/// How long names stay taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Windows {
    /// Of tasks named by clients, after their end.
    pub task_name: Duration,
    /// Of deleted queues.
    pub queue_name: Duration,
}

impl Default for Windows {
    fn default() -> Self {
        Self { task_name: Duration::from_hours(1), queue_name: Duration::ZERO }
    }
}
