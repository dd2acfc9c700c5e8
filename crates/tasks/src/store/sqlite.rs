//! The store of one process: a file of SQLite.
//!
//! ```text
//!   create, settle, lease …  ──► bounded line ──► writer thread: Engine ── one transaction per batch ──► file
//!        ▲                                            │ committed                                          │
//!        └──────────────────── answers ◄── syncer thread: fsync of the log                                 │
//!   task, tasks, dead_letters ─► bounded queue ──► reader thread: rows ◄───────────────────────────────────┘
//! ```
//!
//! Whatever comes while a batch is on its way to the disk becomes the next one, so that many callers share one sync; it
//! is performed meanwhile, and committed after it. (So SQLite itself syncs only where its file would break otherwise,
//! `synchronous = NORMAL`: what it has committed is in the log, and the syncer syncs that before anybody is told. What
//! only reads may show a task some milliseconds before it is durable.) The order of tasks, the leases and the counts are in the writer's memory and are rebuilt from the file at opening;
//! leases are never written, for no process but this one could hold any. Start reading in `engine`.
//!
//! The caller sees to it that no other process opens the file.

mod backlog;
mod disk;
mod engine;
mod leases;
mod line;
mod rows;
mod schema;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use self::disk::Disk;
use self::engine::Engine;
use self::line::Line;
use self::writer::{Command, Performed, Reply};
use super::{
    Clock, DeadLetter, Error, Lease, Leased, NewTask, Options, Page, Put, QueueStats, Settled, Settlement,
    Slice, Store, encoding,
};
use crate::model::{Queue, QueueName, QueueSettings, State, Task, TaskName};

/// Commands that wait for the writer or the reader; more are refused as busy.
const WAITING_MAX: usize = 4096;

/// What waits to be created may take so much memory, in KiB; more is refused as busy.
const WAITING_KIB_MAX: usize = 256 * 1024;

/// Why a command did not do what it was asked.
#[derive(Debug)]
enum Failure {
    /// By the rules. Nothing was changed.
    Refused(Error),
    /// The file cannot be used. What its batch did is to be undone.
    Broken(rusqlite::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error)
    }
}

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// The ways to the threads; a thread ends when its way is gone and everything asked before is done.
struct Ways {
    writes: Arc<Line>,
    reads: mpsc::Sender<Read>,
}

impl Drop for Ways {
    fn drop(&mut self) {
        self.writes.close();
    }
}

/// A store in a file. See the module.
pub struct SqliteStore {
    /// Until it is closed.
    ways: RwLock<Option<Ways>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    clock: Clock,
    changes: watch::Sender<u64>,
    /// KiB that may still wait to be created.
    room: Arc<Semaphore>,
}

impl SqliteStore {
    /// Opens the file, or makes it; its directory exists. Takes time in proportion to the tasks in it.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let clock = options.clock.clone();
        let (connection, log) = schema::open(path)?;
        let engine = Engine::open(Disk::new(connection), options)?;
        let reader = schema::connect(path)?;
        let writes = Arc::new(Line::default());
        let (reads, questions) = mpsc::channel(WAITING_MAX);
        let (to_disk, committed) = sync_channel(1);
        let changes = watch::Sender::new(0);
        let (line, of_syncer, news) = (Arc::clone(&writes), Arc::clone(&writes), changes.clone());
        let threads = vec![
            spawn("task-writer", move || writer::run(engine, &line, &to_disk))?,
            spawn("task-syncer", move || writer::sync(&log, &committed, &of_syncer, &news))?,
            spawn("task-reader", move || answer(&reader, questions))?,
        ];
        Ok(Self {
            ways: RwLock::new(Some(Ways { writes, reads })),
            threads: Mutex::new(threads),
            clock,
            changes,
            room: Arc::new(Semaphore::new(WAITING_KIB_MAX)),
        })
    }

    /// Has the writer do it, and waits until it is durable.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        self.write_or(work, |_unheard| None).await
    }

    /// `unheard` makes another command of an answer that nobody waits for any more.
    async fn write_or<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine) -> Result<T, Failure> + Send + 'static,
        unheard: impl FnOnce(T) -> Option<Command> + Send + 'static,
    ) -> Result<T, Error> {
        let (to, answer) = oneshot::channel();
        let command: Command = Box::new(move |engine| {
            let (result, broken) = match work(engine) {
                Ok(done) => (Ok(done), None),
                Err(Failure::Refused(error)) => (Err(error), None),
                Err(Failure::Broken(error)) => {
                    let error = schema::database(&error);
                    (Err(error.clone()), Some(error))
                }
            };
            let reply: Reply = Box::new(move |committed| match to.send(committed.and(result)) {
                Err(Ok(nobody_waits)) => unheard(nobody_waits),
                Ok(()) | Err(Err(_)) => None,
            });
            Performed { reply, broken }
        });
        self.command(command)?;
        answer.await.map_err(|_gone| Error::Busy)?
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, Timestamp) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let (to, answer) = oneshot::channel();
        let now = self.clock.now();
        let question: Read = Box::new(move |connection| {
            let result = read(connection, now).map_err(|failure| match failure {
                Failure::Refused(error) => error,
                Failure::Broken(error) => schema::database(&error),
            });
            let _nobody_waits = to.send(result);
        });
        self.ways
            .read()
            .as_ref()
            .ok_or(Error::Busy)?
            .reads
            .try_send(question)
            .map_err(|_full| Error::Busy)?;
        answer.await.map_err(|_gone| Error::Busy)?
    }

    fn command(&self, command: Command) -> Result<(), Error> {
        self.ways.read().as_ref().ok_or(Error::Busy)?.writes.push(command)
    }
}

/// Encoded by the caller, for the writer has enough to do.
fn with_specs(tasks: Vec<NewTask>) -> Vec<(NewTask, Vec<u8>)> {
    let encoded = |task: NewTask| {
        let spec = encoding::write_spec(&task.spec);
        (task, spec)
    };
    tasks.into_iter().map(encoded).collect()
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(|error| Error::Database(format!("start a thread: {error}")))
}

fn answer(connection: &Connection, mut questions: mpsc::Receiver<Read>) {
    while let Some(question) = questions.blocking_recv() {
        question(connection);
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn put_queue(&self, settings: QueueSettings, put: Put) -> Result<Queue, Error> {
        self.write(move |engine| engine.put_queue(settings, put)).await
    }

    async fn queue(&self, name: &QueueName) -> Result<Queue, Error> {
        let name = name.clone();
        self.write(move |engine| engine.queue(&name)).await
    }

    async fn queues(&self, parent: &str, slice: Slice) -> Result<Page<Queue>, Error> {
        let parent = parent.to_owned();
        self.write(move |engine| engine.queues(&parent, &slice)).await
    }

    async fn set_state(&self, name: &QueueName, state: State) -> Result<Queue, Error> {
        let name = name.clone();
        self.write(move |engine| engine.set_state(&name, state)).await
    }

    async fn purge(&self, name: &QueueName) -> Result<Queue, Error> {
        let name = name.clone();
        self.write(move |engine| engine.purge(&name)).await
    }

    async fn delete_queue(&self, name: &QueueName) -> Result<(), Error> {
        let name = name.clone();
        self.write(move |engine| engine.delete_queue(&name)).await
    }

    async fn create(&self, tasks: Vec<NewTask>) -> Vec<Result<Task, Error>> {
        let count = tasks.len();
        let tasks = with_specs(tasks);
        let bytes: usize = tasks.iter().map(|(_, spec)| spec.len()).sum();
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        let created = match Arc::clone(&self.room).try_acquire_many_owned(kib) {
            Ok(room) => {
                let work = move |engine: &mut Engine| {
                    let created = engine.create(tasks);
                    drop(room);
                    created
                };
                self.write(work).await
            }
            Err(_full) => Err(Error::Busy),
        };
        created.unwrap_or_else(|error| vec![Err(error); count])
    }

    async fn task(&self, name: &TaskName) -> Result<Task, Error> {
        let name = name.clone();
        self.read(move |connection, now| rows::task(connection, &name, now)).await
    }

    async fn tasks(&self, queue: &QueueName, slice: Slice) -> Result<Page<Task>, Error> {
        let queue = queue.clone();
        self.read(move |connection, _now| rows::tasks(connection, &queue, &slice)).await
    }

    async fn delete(&self, name: &TaskName) -> Result<(), Error> {
        let name = name.clone();
        self.write(move |engine| engine.delete(&name)).await
    }

    async fn run(&self, name: &TaskName) -> Result<Leased, Error> {
        let name = name.clone();
        self.write_or(move |engine| engine.run(&name), |leased| Some(writer::give_back(vec![leased]))).await
    }

    async fn lease(&self, queue: &QueueName, max: usize) -> Result<Lease, Error> {
        let queue = queue.clone();
        let unheard = |lease: Lease| Some(writer::give_back(lease.tasks));
        self.write_or(move |engine| engine.lease(&queue, max), unheard).await
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<Settled>, Error> {
        self.write(move |engine| engine.settle(settlements)).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn dead_letters(&self, queue: &QueueName, slice: Slice) -> Result<Page<DeadLetter>, Error> {
        let queue = queue.clone();
        self.read(move |connection, now| rows::dead_letters(connection, &queue, &slice, now)).await
    }

    async fn redrive(&self, queue: &QueueName, ids: Option<Vec<String>>) -> Result<u64, Error> {
        let queue = queue.clone();
        self.write(move |engine| engine.redrive(&queue, ids)).await
    }

    async fn forget_dead(&self, queue: &QueueName, ids: Option<Vec<String>>) -> Result<u64, Error> {
        let queue = queue.clone();
        self.write(move |engine| engine.forget_dead(&queue, ids)).await
    }

    async fn mark(&self, key: &str) -> Result<Option<i64>, Error> {
        let key = key.to_owned();
        self.write(move |engine| engine.mark(&key)).await
    }

    async fn advance(&self, key: &str, to: i64, tasks: Vec<NewTask>) -> Result<bool, Error> {
        let (key, tasks) = (key.to_owned(), with_specs(tasks));
        self.write(move |engine| engine.advance(&key, to, tasks)).await
    }

    async fn stats(&self) -> Result<Vec<QueueStats>, Error> {
        self.write(Engine::stats).await
    }

    async fn close(&self) {
        self.ways.write().take();
        let threads = std::mem::take(&mut *self.threads.lock());
        let join = move || threads.into_iter().map(JoinHandle::join).all(|joined| joined.is_ok());
        if !tokio::task::spawn_blocking(join).await.unwrap_or(false) {
            tracing::error!("a thread of the task store panicked");
        }
    }
}

#[cfg(test)]
mod tests;
