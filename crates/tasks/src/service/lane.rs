//! One queue: asks the store for what is due, and begins the attempts.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::Shared;
use super::attempt::Job;
use super::places::{Held, Taken};
use crate::metrics::OfQueue;
use crate::model::{QueueName, Target};
use crate::store::{Error, Lease, Leased};

/// Tasks leased at once: enough for one commit to carry the load of a thousand a second many times over, few enough
/// that their attempts begin at about the same time.
const LEASE_MAX: usize = 256;

/// Looks that often without being told anything, with so few lanes that [`POLL_EACH`] does not matter.
const POLL: Duration = Duration::from_secs(1);

/// All lanes together look at most 200 times a second without being told.
const POLL_EACH: Duration = Duration::from_millis(5);

/// All lanes together look at most 4000 times a second when they are told: a tick does not say which queue it means.
const SPACING_EACH: Duration = Duration::from_micros(250);

/// Timers are no finer.
const SPACING_MIN: Duration = Duration::from_millis(2);

/// Between two tries to ask a store that fails, from and to.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How long a change of the queue's target may go unseen.
const TARGET_AGE_MAX: Duration = Duration::from_secs(1);

/// A queue's target, as it was lately.
#[derive(Default)]
struct Known {
    target: Option<Arc<Target>>,
    at: Option<Instant>,
}

/// Serves a queue until it is gone, or until the end.
pub(super) async fn run(shared: Arc<Shared>, queue: QueueName) {
    let mut changes = shared.store.changes();
    let metrics = Arc::new(shared.metrics.of(&queue));
    let (held, mut known) = (Held::default(), Known::default());
    let mut failing = RETRY.0;
    while !shared.stop.is_cancelled() {
        let looked_at = Instant::now();
        let taken = tokio::select! {
            () = shared.stop.cancelled() => return,
            taken = shared.places.take(&held, LEASE_MAX) => taken,
        };
        // Everything until here is seen by this look; what comes later wakes us.
        changes.mark_unchanged();
        let found = match known.refresh(&shared, &queue).await {
            Ok(()) => shared.store.lease(&queue, taken.count()).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(Lease { tasks, again_at }) => {
                failing = RETRY.0;
                let may_be_more = tasks.len() == taken.count();
                shared.begin_all(tasks, taken, &known, &metrics);
                if !may_be_more {
                    shared.rest(&mut changes, looked_at, again_at).await;
                }
            }
            Err(Error::NoQueue) => return,
            Err(error) => {
                drop(taken);
                shared.metrics.store_failures.inc();
                if failing == RETRY.0 {
                    tracing::warn!(%error, %queue, "cannot lease tasks, trying again");
                }
                shared.pause(failing).await;
                failing = (failing * 2).min(RETRY.1);
            }
        }
    }
}

/// Sends what `RunTask` leased; at the end gives back what nobody has sent yet.
pub(super) async fn forced(shared: Arc<Shared>, mut forced: mpsc::Receiver<Leased>) {
    let held = Held::default();
    loop {
        let leased = tokio::select! {
            biased;
            () = shared.stop.cancelled() => break,
            leased = forced.recv() => leased,
        };
        let Some(leased) = leased else { break };
        shared.force(leased, &held).await;
    }
    forced.close();
    while let Some(leased) = forced.recv().await {
        shared.force(leased, &held).await;
    }
}

impl Shared {
    fn begin_all(
        self: &Arc<Self>,
        tasks: Vec<Leased>,
        mut taken: Taken,
        known: &Known,
        metrics: &Arc<OfQueue>,
    ) {
        for leased in tasks {
            self.begin(Job {
                leased,
                target: known.target.clone(),
                place: taken.one(),
                metrics: Arc::clone(metrics),
            });
        }
    }

    async fn force(self: &Arc<Self>, leased: Leased, held: &Held) {
        let queue = &leased.task.name.queue;
        let mut known = Known::default();
        if let Err(error) = known.refresh(self, queue).await {
            // Its lease ends by itself.
            tracing::warn!(%error, task = %leased.task.name, "cannot run a task now");
            return;
        }
        let metrics = Arc::new(self.metrics.of(queue));
        let taken = self.places.take(held, 1).await;
        self.begin_all(vec![leased], taken, &known, &metrics);
    }

    /// Waits until there may be more.
    async fn rest(
        &self,
        changes: &mut watch::Receiver<u64>,
        looked_at: Instant,
        again_at: Option<Timestamp>,
    ) {
        let lanes = u32::try_from(self.lanes.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let poll = POLL.max(POLL_EACH * lanes);
        let again = again_at.map_or(poll, |at| {
            Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default().min(poll)
        });
        tokio::select! {
            () = self.stop.cancelled() => return,
            // An error says that the store is gone; the next look finds out.
            _ = changes.changed() => {}
            () = sleep(again) => {}
        }
        let spacing = self.store.lease_spacing().max(SPACING_EACH * lanes);
        if spacing >= SPACING_MIN {
            sleep_until(looked_at + spacing).await;
        }
    }

    pub(super) async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep(wait) => {}
        }
    }
}

impl Known {
    async fn refresh(&mut self, shared: &Shared, queue: &QueueName) -> Result<(), Error> {
        if self.at.is_some_and(|at| at.elapsed() < TARGET_AGE_MAX) {
            return Ok(());
        }
        let target = shared.store.queue(queue).await?.settings.target;
        if self.target.as_deref() != target.as_ref() {
            self.target = target.map(Arc::new);
        }
        self.at = Some(Instant::now());
        Ok(())
    }
}
