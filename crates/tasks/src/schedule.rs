//! Schedules: one task per tick, even with several processes.
//!
//! - [`policy`] (pure): which ticks are to become tasks now.
//! - [`Service`]: the loop. The mark of the last tick is raised in the write that creates the tick's tasks, so a
//!   crash in between loses no tick and repeats none.

pub mod policy;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use mare_manifest::cron::Cron;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::model::{HttpRequest, QueueName, Spec};
use crate::store::{Error, NewTask, Store};
pub use policy::Missed;

/// The longest sleep between two looks: clocks are set, machines sleep.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// After the store refused.
const PAUSE: Duration = Duration::from_secs(1);

/// `[schedules.NAME]`
#[derive(Clone, Debug)]
pub struct Schedule {
    pub name: String,
    pub cron: Cron,
    pub missed: Missed,
    pub queue: QueueName,
    /// `http://SERVICE.mare.internal/path`
    pub url: String,
    pub deadline: Duration,
}

/// Turns ticks into tasks.
pub struct Service {
    store: Arc<dyn Store>,
    schedules: Vec<Schedule>,
    now: fn() -> Timestamp,
}

impl Service {
    pub fn new(store: Arc<dyn Store>, schedules: Vec<Schedule>) -> Self {
        Self { store, schedules, now: Timestamp::now }
    }

    /// Runs until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        if self.schedules.is_empty() {
            return;
        }
        loop {
            let wait = self.look().await;
            if shutdown.run_until_cancelled(sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    /// Does what is due and says how long nothing will be.
    async fn look(&self) -> Duration {
        let now = (self.now)();
        let mut wait = LOOK_EVERY;
        for schedule in &self.schedules {
            match self.tick(schedule, now).await {
                Ok(Some(next)) => {
                    let until = Duration::try_from(next.duration_since(now)).unwrap_or_default();
                    wait = wait.min(until);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(schedule = schedule.name, %error, "a schedule could not create its task");
                    wait = wait.min(PAUSE);
                }
            }
        }
        wait
    }

    /// Creates the tasks of the ticks that are due; returns the next one.
    async fn tick(&self, schedule: &Schedule, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let mark = format!("schedule/{}", schedule.name);
        let Some(last) = self.store.mark(&mark).await?.and_then(|at| Timestamp::from_microsecond(at).ok())
        else {
            // A schedule that is new has missed nothing.
            self.store.advance(&mark, now.as_microsecond(), Vec::new()).await?;
            return Ok(schedule.cron.after(now));
        };
        let due = policy::due(&schedule.cron, schedule.missed, last, now);
        if let Some(reached) = due.reached {
            let tasks = due.ticks.iter().map(|tick| schedule.task(*tick)).collect();
            let first = self.store.advance(&mark, reached.as_microsecond(), tasks).await?;
            tracing::info!(schedule = schedule.name, ticks = due.ticks.len(), first, "a schedule ticked");
        }
        Ok(due.next)
    }
}

impl Schedule {
    fn task(&self, tick: Timestamp) -> NewTask {
        let body = serde_json::json!({ "schedule": self.name, "tick": tick.to_string() }).to_string();
        NewTask {
            queue: self.queue.clone(),
            id: Some(format!("{}-{}", self.name, tick.strftime("%Y%m%dT%H%M%SZ"))),
            schedule_time: Some(tick),
            spec: Spec {
                request: HttpRequest {
                    method: http::Method::POST,
                    url: self.url.clone(),
                    headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
                    body: Bytes::from(body),
                    token: None,
                },
                dispatch_deadline: self.deadline,
                retry: None,
                priority: 0,
                fairness_key: String::new(),
            },
        }
    }
}
