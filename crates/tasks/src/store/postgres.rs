//! The store on PostgreSQL, shared by several processes.
//!
//! Everything is in a schema of its own, `mare_tasks`; nothing that matters is in a process. What the database sees:
//!
//! ```text
//!   create ─► batch ─► one INSERT for all callers ─► tasks: waiting ─┐ when their time comes
//!                                                      due ◄─────────┘
//!   lease ──► lock the queue's pace, decide how many (policy::pace), take them ─► leased, with a token
//!   settle ─► batch ─► DELETE where the token is the latest; failures read, decided (policy::attempt), written
//! ```
//!
//! - Leasing of a queue goes one after the other, behind a short lock on the row of its pace; creating and settling
//!   never wait for it. So rate, burst, concurrency, order and turns hold over all processes.
//! - All times are the database's, but in tests.
//! - A lease is an end and a token in the task's row. A process that comes back late finds another token there.
//! - The table of tasks holds only what has not ended; see `schema/0001_tables.sql` for how it is kept small.
//! - News travels as `wake` says; whoever misses it finds out half a second later.

mod batch;
mod create;
mod dead;
mod error;
mod lease;
mod marks;
mod pace;
mod page;
mod pool;
mod presence;
mod queues;
mod row;
mod schema;
mod settle;
mod stats;
mod sweep;
mod tasks;
mod wake;

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::batch::Batcher;
use self::create::{Creation, Creator};
use self::dead::Dead;
use self::pool::Pool;
use self::settle::Settler;
use self::wake::Wake;
use super::{
    DeadLetter, Error, Lease, Leased, NewTask, Options, Page, Put, QueueStats, Settled, Settlement, Slice,
    Store, Windows,
};
use crate::model::{Queue, QueueName, QueueSettings, State, Task, TaskName};

/// A lease is four round trips, whether it finds one task or fifty.
const LEASE_SPACING: Duration = Duration::from_millis(3);

/// The store. Closed, or dropped, it lets go of its connections.
pub struct PostgresStore {
    pool: Pool,
    windows: Windows,
    dead: Dead,
    wake: Wake,
    creations: Batcher<Creator>,
    settlements: Batcher<Settler>,
    /// The writers.
    writers: Mutex<JoinSet<()>>,
    /// What goes on in the background until it is stopped.
    background: Mutex<JoinSet<()>>,
    stop: CancellationToken,
}

impl PostgresStore {
    /// Connects to the database at `url`, whose user may create a schema there, and brings the schema up to date.
    pub async fn open(url: &str, options: Options) -> Result<Self, Error> {
        let dead = Dead::new(&options);
        let Options { clock, windows, dead_max: _ } = options;
        let pool = Pool::connect(url, clock).await?;
        schema::migrate(&pool.pool).await?;
        let (wake, stop) = (Wake::new(), CancellationToken::new());
        let (mut writers, mut background) = (JoinSet::new(), JoinSet::new());
        let creations = Batcher::start(Creator { pool: pool.clone(), wake: wake.clone() }, &mut writers);
        let settler = Settler { pool: pool.clone(), dead, wake: wake.clone(), windows };
        let settlements = Batcher::start(settler, &mut writers);
        let presence = presence::Presence::enter(&pool).await?;
        background.spawn(presence.keep(pool.clone(), stop.clone()));
        background.spawn(wake.clone().notify(pool.clone(), stop.clone()));
        background.spawn(wake.clone().listen(pool.clone(), stop.clone()));
        background.spawn(wake.clone().poll(pool.clone(), stop.clone()));
        background.spawn(sweep::keep_clean(pool.clone(), stop.clone()));
        Ok(Self {
            pool,
            windows,
            dead,
            wake,
            creations,
            settlements,
            writers: Mutex::new(writers),
            background: Mutex::new(background),
            stop,
        })
    }

    /// Tells everybody if it went well.
    fn told<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if result.is_ok() {
            self.wake.tell();
        }
        result
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn put_queue(&self, settings: QueueSettings, put: Put) -> Result<Queue, Error> {
        self.told(queues::put(&self.pool, &settings, put).await)
    }

    async fn queue(&self, name: &QueueName) -> Result<Queue, Error> {
        queues::get_one(&self.pool, name).await
    }

    async fn queues(&self, parent: &str, slice: Slice) -> Result<Page<Queue>, Error> {
        queues::list(&self.pool, parent, &slice).await
    }

    async fn set_state(&self, name: &QueueName, state: State) -> Result<Queue, Error> {
        self.told(queues::set_state(&self.pool, name, state).await)
    }

    async fn purge(&self, name: &QueueName) -> Result<Queue, Error> {
        self.told(queues::purge(&self.pool, name, self.windows.task_name).await)
    }

    async fn delete_queue(&self, name: &QueueName) -> Result<(), Error> {
        self.told(queues::delete(&self.pool, name, self.windows).await)
    }

    async fn create(&self, tasks: Vec<NewTask>) -> Vec<Result<Task, Error>> {
        let count = tasks.len();
        match self.creations.submit(tasks.into_iter().map(Creation::new).collect()).await {
            Ok(created) => created,
            Err(error) => vec![Err(error); count],
        }
    }

    async fn task(&self, name: &TaskName) -> Result<Task, Error> {
        tasks::task(&self.pool, name).await
    }

    async fn tasks(&self, queue: &QueueName, slice: Slice) -> Result<Page<Task>, Error> {
        tasks::list(&self.pool, queue, &slice).await
    }

    async fn delete(&self, name: &TaskName) -> Result<(), Error> {
        self.told(tasks::delete(&self.pool, name, self.windows.task_name).await)
    }

    async fn run(&self, name: &TaskName) -> Result<Leased, Error> {
        tasks::run(&self.pool, name).await
    }

    async fn lease(&self, queue: &QueueName, max: usize) -> Result<Lease, Error> {
        lease::lease(&self.pool, queue, max, &self.dead).await
    }

    fn lease_spacing(&self) -> Duration {
        LEASE_SPACING
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<Settled>, Error> {
        self.settlements.submit(settlements).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.wake.changes()
    }

    async fn dead_letters(&self, queue: &QueueName, slice: Slice) -> Result<Page<DeadLetter>, Error> {
        dead::letters(&self.pool, queue, &slice).await
    }

    async fn redrive(&self, queue: &QueueName, ids: Option<Vec<String>>) -> Result<u64, Error> {
        self.told(dead::redrive(&self.pool, queue, ids.as_deref()).await)
    }

    async fn forget_dead(&self, queue: &QueueName, ids: Option<Vec<String>>) -> Result<u64, Error> {
        dead::forget(&self.pool, queue, ids.as_deref()).await
    }

    async fn mark(&self, key: &str) -> Result<Option<i64>, Error> {
        marks::get(&self.pool, key).await
    }

    async fn advance(&self, key: &str, to: i64, tasks: Vec<NewTask>) -> Result<bool, Error> {
        marks::advance(&self.pool, &self.wake, key, to, tasks).await
    }

    async fn queue_names(&self) -> Result<Vec<QueueName>, Error> {
        queues::names(&self.pool).await
    }

    async fn stats(&self) -> Result<Vec<QueueStats>, Error> {
        stats::stats(&self.pool).await
    }

    async fn close(&self) {
        self.creations.close();
        self.settlements.close();
        let writers = std::mem::take(&mut *self.writers.lock());
        writers.join_all().await;
        self.stop.cancel();
        let background = std::mem::take(&mut *self.background.lock());
        background.join_all().await;
        self.pool.pool.close().await;
    }
}
