//! The JSON of `/api/tasks`. Times are RFC 3339, spans seconds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Answer, State, Task};
use crate::store::QueueStats;

#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub struct QueueDocument {
    /// The last part of the name; the whole name for those of another project or location.
    pub queue: String,
    /// `running` or `paused`.
    pub state: String,
    /// Declared in `mare.toml`.
    pub declared: bool,
    /// Waiting: due or scheduled for later.
    pub backlog: u64,
    pub due: u64,
    /// Attempts under way.
    pub running: u64,
    pub dead: u64,
    /// How long the longest waiting due task has been due.
    pub oldest_seconds: Option<f64>,
    /// `null`: no limit.
    pub rate_limit: Option<f64>,
    pub concurrency: u32,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct TasksDocument {
    pub tasks: Vec<TaskDocument>,
    pub next: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct DeadDocument {
    pub dead: Vec<TaskDocument>,
    pub next: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub struct TaskDocument {
    pub id: String,
    pub method: String,
    pub url: String,
    pub created: Timestamp,
    /// When it is, or was, next to be tried.
    pub scheduled: Timestamp,
    pub attempts: u32,
    /// How the last attempt ended, for people.
    pub last: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died: Option<Timestamp>,
}

/// How many were meant by what was done.
#[derive(Debug, Deserialize, Serialize)]
pub struct Done {
    pub count: u64,
}

impl QueueDocument {
    pub(super) fn of(stats: &QueueStats, parent: &str, now: Timestamp) -> Self {
        let settings = &stats.queue.settings;
        let name = &settings.name;
        let rate = settings.limits.per_second;
        Self {
            queue: if name.parent() == parent { name.id().to_owned() } else { name.to_string() },
            state: match stats.queue.state {
                State::Running => "running".to_owned(),
                State::Paused => "paused".to_owned(),
            },
            declared: settings.declared,
            backlog: stats.backlog,
            due: stats.due,
            running: stats.leased,
            dead: stats.dead,
            oldest_seconds: stats.oldest_due.map(|since| now.duration_since(since).as_secs_f64().max(0.0)),
            rate_limit: rate.is_finite().then_some(rate),
            concurrency: settings.limits.concurrent,
        }
    }
}

impl TaskDocument {
    pub(super) fn of(task: &Task) -> Self {
        let outcome = task.progress.last_attempt.as_ref().map(|attempt| match &attempt.outcome {
            None => "under way".to_owned(),
            Some(outcome) => match &outcome.answer {
                Answer::Status { status, .. } => status.to_string(),
                Answer::Deadline => "no answer in time".to_owned(),
                Answer::Broken(why) => why.clone(),
            },
        });
        Self {
            id: task.name.id.to_string(),
            method: task.spec.request.method.to_string(),
            url: task.spec.request.url.clone(),
            created: task.create_time,
            scheduled: task.schedule_time,
            attempts: task.progress.dispatched,
            last: outcome,
            died: None,
        }
    }

    pub(super) fn of_dead(task: &Task, died: Timestamp) -> Self {
        Self { died: Some(died), ..Self::of(task) }
    }
}
