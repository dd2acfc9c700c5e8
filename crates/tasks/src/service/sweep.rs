//! Forgets dead letters that were kept long enough.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Shared;
use crate::model::QueueName;
use crate::store::{Error, Slice};

const EVERY: Duration = Duration::from_hours(1);

/// Dead letters looked at together.
const PAGE: usize = 500;

pub(super) async fn run(shared: Arc<Shared>, kept: HashMap<QueueName, Duration>, of_others: Duration) {
    while !shared.stop.is_cancelled() {
        let queues = shared.store.queue_names().await.unwrap_or_default();
        for queue in queues {
            let kept = kept.get(&queue).copied().unwrap_or(of_others);
            if let Err(error) = forget(&shared, &queue, kept).await {
                tracing::warn!(%error, %queue, "cannot forget old dead letters");
            }
        }
        shared.pause(EVERY).await;
    }
}

async fn forget(shared: &Shared, queue: &QueueName, kept: Duration) -> Result<(), Error> {
    let Ok(oldest) = Timestamp::now().checked_sub(kept) else { return Ok(()) };
    let mut after = None;
    while !shared.stop.is_cancelled() {
        let page = shared.store.dead_letters(queue, Slice { after, size: PAGE }).await?;
        let old: Vec<String> = page
            .items
            .iter()
            .filter(|letter| letter.died_at < oldest)
            .map(|letter| letter.task.name.id.to_string())
            .collect();
        if !old.is_empty() {
            let count = shared.store.forget_dead(queue, Some(old)).await?;
            tracing::info!(%queue, count, "old dead letters are forgotten");
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(())
}
