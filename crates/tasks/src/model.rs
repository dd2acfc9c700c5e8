//! Queues and tasks, as every part of this crate sees them.
//!
//! The words are those of Cloud Tasks v2. Times are truncated to microseconds, as its tasks are.

mod name;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

pub use name::{BadName, QueueName, TaskName};

/// A queue: its settings and its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    pub settings: QueueSettings,
    pub state: State,
    /// Tasks created before this were purged.
    pub purged_at: Option<Timestamp>,
}

/// What a client, or `mare.toml`, may set of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueSettings {
    pub name: QueueName,
    pub limits: RateLimits,
    pub retry: Retry,
    /// Where all tasks of the queue go, whatever their own URL says (a queue-level `httpTarget`).
    pub target: Option<Target>,
    /// Declared in `mare.toml`: the API may not change or delete it.
    pub declared: bool,
}

/// How fast a queue is emptied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimits {
    /// Refill of the token bucket. Over 0; `f64::INFINITY` in `mare.toml` only: no limit.
    pub per_second: f64,
    /// Size of the token bucket, at least 1.
    pub burst: u32,
    /// Tasks under way at once, at least 1.
    pub concurrent: u32,
}

impl Default for RateLimits {
    /// The defaults an emulator of the real service records; Google documents none.
    fn default() -> Self {
        Self { per_second: 500.0, burst: 100, concurrent: 1000 }
    }
}

/// When a failed task is tried again, and when no more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// Attempts in all, the first included; `None`: no limit.
    pub attempts: Option<u32>,
    /// Since the first attempt; `None`: no limit. A task ends only when both limits are passed.
    pub duration: Option<Duration>,
    pub min: Duration,
    pub max: Duration,
    /// After so many doublings the interval grows linearly.
    pub doublings: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: Some(100),
            duration: None,
            min: Duration::from_millis(100),
            max: Duration::from_hours(1),
            doublings: 16,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    Running,
    /// Takes tasks, dispatches none.
    Paused,
}

/// Where the requests of a queue go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// `target = { service, path }` of `mare.toml`.
    Service { service: String, path: String },
    /// A queue-level `httpTarget` of the API, as its serialized message.
    Override(Bytes),
}

/// A task, from its creation to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub name: TaskName,
    pub spec: Arc<Spec>,
    /// When it is next to be tried.
    pub schedule_time: Timestamp,
    pub create_time: Timestamp,
    pub progress: Progress,
}

/// What a task is to do: set at creation, never changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    pub request: HttpRequest,
    /// How long an attempt may take.
    pub dispatch_deadline: Duration,
    /// Overrides the queue's.
    pub retry: Option<Retry>,
    /// Higher goes first; 0 is usual.
    pub priority: i16,
    /// Tasks of different keys take turns within a priority; the empty key is one of them.
    pub fairness_key: String,
}

impl Spec {
    /// A POST of JSON, of no priority over others.
    pub(crate) fn json(url: &str, body: Vec<u8>, dispatch_deadline: Duration) -> Self {
        Self {
            request: HttpRequest {
                method: http::Method::POST,
                url: url.to_owned(),
                headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
                body: Bytes::from(body),
                token: None,
            },
            dispatch_deadline,
            retry: None,
            priority: 0,
            fairness_key: String::new(),
        }
    }
}

/// The request a task makes.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    pub method: http::Method,
    /// As the client wrote it. The host `NAME.mare.internal` is the service NAME of the manifest.
    pub url: String,
    /// In the client's order and case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub token: Option<Token>,
}

/// The identity an attempt carries in its `Authorization` header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Token {
    /// Signed by us. The audience is the URL unless it is given.
    Oidc { email: String, audience: Option<String> },
    /// Kept for reading back; we have no Google access token to send.
    OAuth { email: String, scope: Option<String> },
}

/// What became of a task so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Attempts begun, those without an answer included.
    pub dispatched: u32,
    /// Answers received.
    pub answered: u32,
    /// Answers received that were not 5xx: `X-CloudTasks-TaskExecutionCount`.
    pub executed: u32,
    /// When the first attempt began.
    pub first_attempt: Option<Timestamp>,
    pub last_attempt: Option<Attempt>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub scheduled: Timestamp,
    pub dispatched: Timestamp,
    /// `None` while it is under way.
    pub outcome: Option<Outcome>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub at: Timestamp,
    pub answer: Answer,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    Status {
        status: u16,
        /// `Retry-After`, if the target sent one.
        retry_after: Option<Duration>,
    },
    /// The dispatch deadline passed.
    Deadline,
    /// No connection, or no answer to read: what happened, for people.
    Broken(String),
}

impl Answer {
    /// 200 to 299, and nothing else.
    pub fn is_success(&self) -> bool {
        matches!(self, Answer::Status { status: 200..=299, .. })
    }
}
