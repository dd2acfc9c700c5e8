//! Sees that every queue has its lane, and shows the queues in numbers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use super::attempt::since;
use super::{Shared, lane};
use crate::model::QueueName;

/// Looks that often without being told: other processes may make queues.
const POLL: Duration = Duration::from_secs(2);

/// Between two looks when there is much to tell; a new queue's first task waits this long at most.
const SPACING: Duration = Duration::from_millis(200);

/// Queues served. Cloud Tasks has 1000 per region by default.
const LANES_MAX: usize = 10_000;

/// Between two looks at the store for metrics.
const SHOW_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn run(shared: Arc<Shared>) {
    let mut lanes = JoinSet::new();
    let mut names: HashMap<Id, QueueName> = HashMap::new();
    let mut changes = shared.store.changes();
    while !shared.stop.is_cancelled() {
        let looked_at = Instant::now();
        changes.mark_unchanged();
        match shared.store.queue_names().await {
            Ok(queues) => {
                let served: std::collections::HashSet<&QueueName> = names.values().collect();
                let new: Vec<_> = queues.into_iter().filter(|queue| !served.contains(queue)).collect();
                for queue in new {
                    if names.len() >= LANES_MAX {
                        tracing::error!(%queue, "too many queues: not served");
                        continue;
                    }
                    let lane = lanes.spawn(lane::run(Arc::clone(&shared), queue.clone()));
                    names.insert(lane.id(), queue);
                }
                shared.lanes.store(names.len(), Ordering::Relaxed);
            }
            Err(error) => {
                shared.metrics.store_failures.inc();
                tracing::warn!(%error, "cannot list queues, trying again");
            }
        }
        tokio::select! {
            () = shared.stop.cancelled() => break,
            Some(ended) = lanes.join_next_with_id() => {
                let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                if let Some(queue) = names.remove(&id) {
                    shared.metrics.forget(&queue);
                }
            }
            _ = changes.changed() => {}
            () = sleep(POLL) => {}
        }
        tokio::select! {
            () = shared.stop.cancelled() => {}
            () = sleep_until(looked_at + SPACING) => {}
        }
    }
    while lanes.join_next().await.is_some() {}
}

pub(super) async fn show(shared: Arc<Shared>) {
    while !shared.stop.is_cancelled() {
        match shared.store.stats().await {
            Ok(queues) => {
                for stats in &queues {
                    let oldest = stats.oldest_due.map(since).unwrap_or_default();
                    shared.metrics.show(stats, oldest);
                }
            }
            Err(error) => tracing::debug!(%error, "cannot look at the queues"),
        }
        shared.pause(SHOW_EVERY).await;
    }
}
