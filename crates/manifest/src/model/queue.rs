//! Push tasks: `[queues.NAME]` and `[tasks]`.

use std::time::Duration;

use crate::defaults;

/// `[queues.NAME]`
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// Where all its tasks go; `None`: where their own URL says.
    pub target: Option<QueueTarget>,
    /// Tasks that begin per second; `f64::INFINITY`: no limit.
    pub rate: f64,
    /// How many may begin at once after a rest. At least 1.
    pub burst: u32,
    /// Tasks under way at once. At least 1.
    pub concurrency: u32,
    pub retry: QueueRetry,
    /// How long an attempt may take, of tasks that do not say so themselves.
    pub deadline: Duration,
}

/// `target = { … }` of a queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueueTarget {
    /// A key in [`super::Manifest::services`].
    pub service: String,
    /// Instead of the path of the task's URL.
    pub path: Option<String>,
}

/// `retry = { … }` of a queue. A task ends only when `attempts` and `duration` are both used up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QueueRetry {
    /// Attempts in all, the first included; `None`: no limit.
    pub attempts: Option<u32>,
    /// `for`: since the first attempt.
    pub duration: Option<Duration>,
    /// Before the first retry. Not above `max`.
    pub min: Duration,
    pub max: Duration,
    pub doublings: u32,
}

/// `[tasks]`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tasks {
    /// Of the names of queues: `projects/PROJECT/locations/LOCATION/queues/QUEUE`.
    pub project: String,
    pub location: String,
    /// Hosts, perhaps with a port, that a task's URL may name beside the services.
    pub external: Vec<String>,
    /// How long the name of a task stays taken after its end.
    pub window: Duration,
    /// Tasks that used up their attempts and are kept, per queue.
    pub dead: u32,
}

impl Tasks {
    /// What holds if the manifest says nothing; `app` is the application's name.
    pub(crate) fn of_app(app: &str) -> Self {
        Self {
            project: app.to_owned(),
            location: defaults::TASK_LOCATION.to_owned(),
            external: Vec::new(),
            window: defaults::TASK_WINDOW,
            dead: defaults::DEAD_LETTERS,
        }
    }

    /// `projects/PROJECT/locations/LOCATION`
    pub fn parent(&self) -> String {
        format!("projects/{}/locations/{}", self.project, self.location)
    }
}
