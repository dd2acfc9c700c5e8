//! Schedules: one task per tick, even with several processes.
//!
//! - [`policy`] (pure): which ticks are to become tasks now.
//! - [`Service`]: the loop. The mark of the last tick is raised in the write that creates the tick's tasks, so a
//!   crash in between loses no tick and repeats none.

pub mod policy;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mare_manifest::cron::Cron;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::model::{QueueName, Spec};
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
            spec: Spec::json(&self.url, body.into_bytes(), self.deadline),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{QueueSettings, RateLimits, Retry};
    use crate::store::reference::Reference;
    use crate::store::{Options, Put, Slice};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[tokio::test]
    async fn a_tick_becomes_one_task_however_many_processes_there_are() {
        let store: Arc<dyn Store> = Arc::new(Reference::new(&Options::default()));
        let queue = QueueName::below("projects/p/locations/l", "reports").expect("a name");
        let settings = QueueSettings {
            name: queue.clone(),
            limits: RateLimits::default(),
            retry: Retry::default(),
            target: None,
            declared: true,
        };
        store.put_queue(settings, Put::Create).await.expect("a new queue");
        let schedule = Schedule {
            name: "hourly".to_owned(),
            cron: Cron::parse("0 * * * *", "UTC").expect("a schedule"),
            missed: Missed::Once,
            queue: queue.clone(),
            url: "http://worker.mare.internal/tasks/report".to_owned(),
            deadline: Duration::from_secs(600),
        };
        let process = || Service::new(Arc::clone(&store), vec![schedule.clone()]);
        let processes = [process(), process()];
        let ids = async || {
            let page =
                store.tasks(&queue, Slice { after: None, size: 100 }).await.expect("the queue is there");
            page.items.into_iter().map(|task| task.name.id.to_string()).collect::<Vec<_>>()
        };
        for now in ["2026-11-21T10:30:00Z", "2026-11-21T10:59:59Z"] {
            for service in &processes {
                let next = service.tick(&schedule, at(now)).await.expect("a tick");
                assert_eq!(next, Some(at("2026-11-21T11:00:00Z")));
            }
            assert_eq!(ids().await, [] as [&str; 0], "a new schedule has missed nothing");
        }
        for now in ["2026-11-21T11:00:00.2Z", "2026-11-21T11:00:01Z", "2026-11-21T14:10:00Z"] {
            for service in &processes {
                service.tick(&schedule, at(now)).await.expect("a tick");
            }
        }
        assert_eq!(ids().await, ["hourly-20261121T110000Z", "hourly-20261121T140000Z"]);
        let name = queue.task("hourly-20261121T110000Z").expect("a name");
        let task = store.task(&name).await.expect("it is there");
        let body: serde_json::Value = serde_json::from_slice(&task.spec.request.body).expect("JSON");
        assert_eq!(body, serde_json::json!({ "schedule": "hourly", "tick": "2026-11-21T11:00:00Z" }));
    }
}
