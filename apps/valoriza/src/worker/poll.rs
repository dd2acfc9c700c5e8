//! Without a platform: the worker reads the outbox itself, so that valoriza works alone.
//!
//! Events are handled in the order of their ids, each for every subscription, and marked when all have. One that
//! fails stays and does not hold up those after it: reading goes on behind it and begins again at the start.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Subscription, Worker};
use crate::actions::Error;
use crate::caching::Purger;
use crate::clock;
use crate::store::outbox;

/// Events read at once.
const BATCH: i64 = 50;

/// How long an empty outbox is left alone: a person who waits for a preview does not notice.
const IDLE: Duration = Duration::from_millis(500);

/// Longest pause after failures, of one event or of the database.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Failed events whose next try is put off; more than these are tried at every pass.
const RETRIES_MAX: usize = 10_000;

/// What a pass over the outbox came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    pub handled: usize,
    pub failed: usize,
}

/// When events that failed are tried again: each waits twice as long as before.
#[derive(Debug, Default)]
struct Retries(HashMap<Uuid, (Instant, Duration)>);

impl Retries {
    fn is_due(&self, id: Uuid) -> bool {
        self.0.get(&id).is_none_or(|(due, _)| *due <= Instant::now())
    }

    fn put_off(&mut self, id: Uuid) {
        let pause = self.0.get(&id).map_or(IDLE, |(_, pause)| (*pause * 2).min(BACKOFF_MAX));
        if self.0.len() < RETRIES_MAX || self.0.contains_key(&id) {
            self.0.insert(id, (Instant::now() + pause, pause));
        }
    }
}

impl Worker {
    /// Polls until `shutdown`; the event under way then is finished first.
    pub async fn poll(&self, purger: &Purger, shutdown: &CancellationToken) {
        let mut retries = Retries::default();
        let mut pause = IDLE;
        while !shutdown.is_cancelled() {
            pause = match self.pass_but(&mut retries, purger, shutdown).await {
                Ok(Pass { handled: 0, .. }) => IDLE,
                Ok(Pass { .. }) => continue,
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
        self.pass_but(&mut Retries::default(), &Purger::default(), shutdown).await
    }

    /// Handles every event there is now but for those put off.
    async fn pass_but(
        &self,
        retries: &mut Retries,
        purger: &Purger,
        shutdown: &CancellationToken,
    ) -> Result<Pass, Error> {
        let mut pass = Pass::default();
        let mut after = Uuid::nil();
        while !shutdown.is_cancelled() {
            let events = outbox::undispatched(&mut self.db.snapshot().await?, after, BATCH).await?;
            let Some((last, _)) = events.last() else { break };
            after = *last;
            let (mut done, mut changed) = (Vec::new(), BTreeSet::new());
            for (id, event) in events {
                if shutdown.is_cancelled() {
                    break;
                }
                if !retries.is_due(id) {
                    continue;
                }
                // Also by one that fails: of several steps some may be done.
                changed.insert(event.tenant);
                if let Err(error) = self.handle_for_all(&event).await {
                    let error = format!("{:#}", anyhow::Error::new(error));
                    tracing::warn!(error, event = event.id, topic = event.topic, "an event was not handled");
                    retries.put_off(id);
                    pass.failed += 1;
                } else {
                    retries.0.remove(&id);
                    done.push(id);
                }
            }
            purger.purge(&changed).await;
            if done.is_empty() {
                continue;
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
