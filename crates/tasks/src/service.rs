//! The dispatcher: leases what is due, makes the attempts, settles them.
//!
//! ```text
//!   Store ──changes──► lane (one per queue) ──lease──► attempt (a task each) ──► settlers (in batches) ──► Store
//!                        ▲ takes places                     │ Sender: HTTP
//!   RunTask ──forced──►  lane of its own                    ▼
//!                                              the gateway's way to a service, or a server outside
//! ```
//!
//! - A lane waits for nothing but its own queue: places are shared so that no queue can take the last ones.
//! - What the store ticks is a hint; a lane also looks by itself, so a tick that got lost costs a second.
//! - An attempt holds its place until its outcome is on disk.
//! - At the end: leasing stops, attempts get the drain, the rest is given back as not delivered.

mod attempt;
mod keeper;
mod lane;
mod places;
mod settling;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::identity::Identity;
use crate::metrics::Metrics;
pub use crate::metrics::{Tell, Watch};
use crate::send::Sender;
pub use crate::send::{Answering, Call};
use crate::store::{Leased, Store};
use crate::targets::Targets;
use places::Places;
use settling::Done;

/// Attempts under way at once in one process: a socket each, with room below the 65 536 that mare asks the system for. A queue alone may take half of them.
pub const IN_FLIGHT_MAX: usize = 10_000;

/// Tasks that `RunTask` leased and nobody has sent yet; Cloud Tasks takes 60 a minute.
const FORCED_MAX: usize = 64;

/// Batches of settlements on their way to the store: while one is being written, the next can queue for the commit
/// after it.
const SETTLERS: usize = 2;

/// The gateway cuts its connections when the drain ends. Attempts are given back before, so that they are not
/// mistaken for broken ones.
const GIVE_BACK_BEFORE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub struct Config {
    pub targets: Targets,
    /// The address of each service's own listener.
    pub services: Vec<(Arc<str>, SocketAddr)>,
    /// How long attempts may take to end at shutdown.
    pub drain: Duration,
    pub in_flight_max: usize,
    /// `projects/P/locations/L` of `mare.toml`, for metrics.
    pub parent: String,
}

pub struct Service {
    store: Arc<dyn Store>,
    identity: Arc<Identity>,
    metrics: Metrics,
    attempts: TaskTracker,
    forced: mpsc::Receiver<Leased>,
    config: Config,
}

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    forced: mpsc::Sender<Leased>,
    attempts: TaskTracker,
}

impl Handle {
    /// Takes what `Store::run` leased; it is sent whatever its queue says.
    pub fn forced(&self) -> mpsc::Sender<Leased> {
        self.forced.clone()
    }

    /// Attempts under way in this process.
    pub fn in_flight(&self) -> usize {
        self.attempts.len()
    }
}

/// What lanes and attempts need.
struct Shared {
    store: Arc<dyn Store>,
    sender: Sender,
    metrics: Metrics,
    places: Arc<Places>,
    attempts: TaskTracker,
    done: mpsc::Sender<Done>,
    /// How many lanes there are: the more, the less often each one looks.
    lanes: AtomicUsize,
    /// Nothing is leased any more.
    stop: CancellationToken,
    /// Nothing is waited for any more.
    cut: CancellationToken,
}

impl Service {
    pub fn new(
        store: Arc<dyn Store>,
        identity: Arc<Identity>,
        config: Config,
        registry: &mut Registry,
    ) -> (Self, Handle) {
        let (forced_in, forced) = mpsc::channel(FORCED_MAX);
        let metrics = Metrics::register(&config.parent, registry);
        let attempts = TaskTracker::new();
        let handle = Handle { forced: forced_in, attempts: attempts.clone() };
        (Self { store, identity, metrics, attempts, forced, config }, handle)
    }

    /// Tells others about queues, by their label in metrics. At most once.
    pub fn watch(&self, watches: HashMap<String, Vec<Watch>>) {
        self.metrics.watch(watches);
    }

    /// Dispatches until `shutdown`, then drains. All is settled when it returns; the store is still open.
    pub async fn run(self, call: Call, shutdown: CancellationToken) {
        let Self { store, identity, metrics, attempts, forced, config } = self;
        // Whoever has a place finds room here, and gives the place back only when its settlement is out again.
        let (done_in, done) = mpsc::channel(config.in_flight_max.max(1));
        let shared = Arc::new(Shared {
            store,
            sender: Sender::new(config.targets, config.services, call, identity),
            places: Arc::new(Places::new(config.in_flight_max, metrics.full.clone())),
            metrics,
            attempts,
            done: done_in,
            lanes: AtomicUsize::new(0),
            stop: CancellationToken::new(),
            cut: CancellationToken::new(),
        });
        let mut settlers = JoinSet::new();
        let done = Arc::new(Mutex::new(done));
        for _ in 0..SETTLERS {
            settlers.spawn(settling::run(
                Arc::clone(&done),
                Arc::clone(&shared.store),
                shared.metrics.store_failures.clone(),
            ));
        }
        let mut leasing = JoinSet::new();
        leasing.spawn(keeper::run(Arc::clone(&shared)));
        leasing.spawn(keeper::show(Arc::clone(&shared)));
        leasing.spawn(lane::forced(Arc::clone(&shared), forced));
        shutdown.cancelled().await;

        shared.stop.cancel();
        shared.attempts.close();
        tracing::info!(in_flight = shared.attempts.len(), "leasing stops");
        let drained = async {
            while leasing.join_next().await.is_some() {}
            shared.attempts.wait().await;
        };
        if timeout(config.drain.saturating_sub(GIVE_BACK_BEFORE), drained).await.is_err() {
            tracing::warn!(
                left = shared.attempts.len(),
                "attempts under way at the end of the drain are given back"
            );
        }
        shared.cut.cancel();
        while leasing.join_next().await.is_some() {}
        shared.attempts.wait().await;
        // The last sender goes with it, and with that the settlers end.
        drop(shared);
        while settlers.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests;
