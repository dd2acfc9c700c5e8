//! One attempt, as a task of its own.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Shared;
use super::places::Place;
use super::settling::Done;
use crate::metrics::OfQueue;
use crate::model::{Target, Task};
use crate::store::{End, Leased, Settlement};

/// A task this process has leased, and all it takes to make the attempt.
pub(super) struct Job {
    pub(super) leased: Leased,
    /// The queue's.
    pub(super) target: Option<Arc<Target>>,
    pub(super) place: Place,
    pub(super) metrics: Arc<OfQueue>,
}

impl Shared {
    pub(super) fn begin(self: &Arc<Self>, job: Job) {
        let shared = Arc::clone(self);
        self.attempts.spawn(async move { shared.attempt(job).await });
    }

    async fn attempt(&self, job: Job) {
        let Job { leased, target, place, metrics } = job;
        // Leased just before the end: it goes back unsent.
        let end = if self.stop.is_cancelled() {
            given_back()
        } else {
            let started = Instant::now();
            metrics.began(since(scheduled(&leased.task)));
            self.metrics.in_flight.inc();
            let end = tokio::select! {
                biased;
                end = self.sender.attempt(&leased, target.as_deref()) => end,
                () = self.cut.cancelled() => given_back(),
            };
            self.metrics.in_flight.dec();
            metrics.ended(&end, started.elapsed());
            end
        };
        log(&leased.task, &end);
        let done = Done {
            first_due: first_due(&leased.task),
            settlement: Settlement { name: leased.task.name, token: leased.token, end },
            metrics,
            _place: place,
        };
        // The settlers end only when nobody can send any more.
        let _ = self.done.send(done).await;
    }
}

fn given_back() -> End {
    End::NotDelivered { wait: Duration::ZERO }
}

/// When this attempt was due.
fn scheduled(task: &Task) -> Timestamp {
    task.progress.last_attempt.as_ref().map_or(task.schedule_time, |attempt| attempt.scheduled)
}

/// When the task was first due, as far as it still says: a task that is tried again says when it was first tried.
fn first_due(task: &Task) -> Timestamp {
    match task.progress.first_attempt {
        Some(first) if task.progress.dispatched > 1 => first,
        Some(_) | None => scheduled(task),
    }
}

pub(super) fn since(then: Timestamp) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(then)).unwrap_or_default()
}

fn log(task: &Task, end: &End) {
    match end {
        End::Attempted(outcome) => {
            tracing::debug!(task = %task.name, attempt = task.progress.dispatched, answer = ?outcome.answer, "attempt");
        }
        End::NotDelivered { wait } => tracing::debug!(task = %task.name, ?wait, "not delivered"),
    }
}
