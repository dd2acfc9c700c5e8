//! Without a platform: the worker reads the outbox itself, so that valoriza works alone.
//!
//! Events are handled in the order of their ids, each for every subscription, and marked when all have. One that
//! fails stays and does not hold up those after it: reading goes on behind it and begins again at the start.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Subscription, Worker};
use crate::actions::Error;
use crate::clock;
use crate::store::outbox;

/// Events read at once.
const BATCH: i64 = 50;

/// How long an empty outbox is left alone: a person who waits for a preview does not notice.
const IDLE: Duration = Duration::from_millis(500);

/// Longest pause after failures.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// What a pass over the outbox came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    pub handled: usize,
    pub failed: usize,
}

impl Worker {
    /// Polls until `shutdown`; the event under way then is finished first.
    pub async fn poll(&self, shutdown: &CancellationToken) {
        let mut pause = IDLE;
        while !shutdown.is_cancelled() {
            pause = match self.pass(shutdown).await {
                Ok(Pass { failed: 0, handled: 0 }) => IDLE,
                Ok(Pass { failed: 0, .. }) => continue,
                Ok(Pass { failed, .. }) => {
                    tracing::warn!(failed, "events were not handled");
                    (pause * 2).min(BACKOFF_MAX)
                }
                Err(error) => {
                    tracing::warn!(error = %format!("{:#}", anyhow::Error::new(error)), "the outbox cannot be read");
                    (pause * 2).min(BACKOFF_MAX)
                }
            };
            shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    /// Handles every event there is now, once.
    pub async fn pass(&self, shutdown: &CancellationToken) -> Result<Pass, Error> {
        let mut pass = Pass::default();
        let mut after = Uuid::nil();
        while !shutdown.is_cancelled() {
            let events = outbox::undispatched(&mut self.db.snapshot().await?, after, BATCH).await?;
            let Some((last, _)) = events.last() else { break };
            after = *last;
            let mut done = Vec::new();
            for (id, event) in events {
                if shutdown.is_cancelled() {
                    break;
                }
                match self.handle_for_all(&event).await {
                    Ok(()) => done.push(id),
                    Err(error) => {
                        let error = format!("{:#}", anyhow::Error::new(error));
                        tracing::warn!(
                            error,
                            event = event.id,
                            topic = event.topic,
                            "an event was not handled"
                        );
                        pass.failed += 1;
                    }
                }
            }
            pass.handled += done.len();
            // Those handled and not marked, if we end before, are handled again to no effect.
            let mut tx = self.db.write().await?;
            outbox::mark_dispatched(&mut tx, &done, clock::now()).await?;
            tx.commit().await?;
        }
        Ok(pass)
    }

    async fn handle_for_all(&self, event: &super::Event) -> Result<(), Error> {
        for subscription in Subscription::ALL {
            self.handle(subscription, event).await?;
        }
        Ok(())
    }
}
