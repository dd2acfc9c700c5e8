//! What a key means when the manifest does not mention it, and why that number.

use std::time::Duration;

use crate::model::alert::Alerts;
use crate::model::guard::Cache;
use crate::model::{Health, Limits, Resources, Scale, Service, Text};

/// Docker and systemd give 10 s and 90 s to stop; this is time for requests of a few seconds to end,
/// and it is also Kubernetes' default `terminationGracePeriodSeconds`.
pub const DRAIN: Duration = Duration::from_secs(30);

/// Cloudflare's limit for uploads on its free and pro plans (nginx: 1 MiB, too little for an import).
pub const BODY: u64 = 100 << 20;
/// A head is a few packets. hyper allows 30 s and nginx 60 s, and Slowloris lives from such generosity.
pub const HEADER_TIME: Duration = Duration::from_secs(10);
/// nginx's `keepalive_timeout`. Longer than the 60 s of most load balancers, so that they hang up first.
pub const IDLE: Duration = Duration::from_secs(75);
/// Half of nginx's `client_body_timeout` and `send_timeout`: a mobile network that changes cell is back by then.
pub const STALL: Duration = Duration::from_secs(30);
/// Cookies and tokens fit; nginx's `large_client_header_buffers` (4 of 8 KiB).
pub const HEAD: u64 = 32 << 10;
/// At some 20 KiB of buffers each this is 200 MiB; systemd's hard limit of open files (524 288) is far.
pub const CONNECTIONS: u32 = 10_000;

/// Ten thousand answers of a few KiB, and little beside the services' own memory.
pub const CACHE_MEMORY: u64 = 64 << 20;
/// Caddy's and Varnish's objects may be larger, but one of them would push out a thousand others here.
pub const CACHE_SIZE: u64 = 1 << 20;
/// Redis next door answers in under a millisecond; what takes this long is better asked of the service.
pub const CACHE_REDIS_TIMEOUT: Duration = Duration::from_millis(50);

/// From zero: what costs nothing when nobody comes is what the platform is for (Cloud Run, Knative).
pub const SCALE_MIN: u32 = 0;
/// A laptop survives it, and on a cluster it bounds the bill until somebody says a number.
pub const SCALE_MAX: u32 = 10;
/// Cloud Run's default `concurrency`.
pub const CONCURRENCY: u32 = 80;
/// Knative's `stable-window`, after which it goes to zero.
pub const SCALE_IDLE: Duration = Duration::from_mins(1);
/// Knative's `stable-window` again: bursts a minute apart do not stop and start instances.
pub const HOLD: Duration = Duration::from_mins(1);
/// Starting is CPU-heavy; more at once than the cores of a small machine start slower, not sooner.
pub const STARTS: u32 = 4;
/// One waiting request is a few KiB; at a thousand answers per second the last is served within `WAIT`.
pub const WAITING: u32 = 10_000;
/// Load balancers in front give up then (AWS, nginx: 60 s without a byte); a cold start takes less.
pub const WAIT: Duration = Duration::from_mins(1);

/// Slow enough not to matter, fast enough that three failures are noticed in a minute and a half.
pub const HEALTH_EVERY: Duration = Duration::from_secs(30);
/// A health endpoint that needs longer is in trouble (Kubernetes: 1 s, too short on a busy machine).
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
/// Kubernetes' `failureThreshold`.
pub const HEALTH_FAILURES: u32 = 3;
/// A JVM with a framework starts within it; a longer one only delays the bad news.
pub const STARTUP: Duration = Duration::from_mins(1);

/// Cloud Run's default request timeout.
pub const TIMEOUT: Duration = Duration::from_mins(5);
/// `docker stop`, and Cloud Run's time between SIGTERM and SIGKILL.
pub const GRACE: Duration = Duration::from_secs(10);

/// What Cloud Tasks gives a queue that says nothing, as an emulator of it records; Google documents no numbers.
pub const QUEUE_RATE: f64 = 500.0;
pub const QUEUE_CONCURRENCY: u32 = 1000;
pub const QUEUE_ATTEMPTS: u32 = 100;
pub const QUEUE_BACKOFF_MIN: Duration = Duration::from_millis(100);
pub const QUEUE_BACKOFF_MAX: Duration = Duration::from_hours(1);
pub const QUEUE_DOUBLINGS: u32 = 16;
/// Cloud Tasks' `dispatchDeadline`.
pub const QUEUE_DEADLINE: Duration = Duration::from_mins(10);
/// A few MiB of usual tasks per queue; whoever looks at more looks at numbers.
pub const DEAD_LETTERS: u32 = 10_000;
/// What older texts of Cloud Tasks say (newer: up to 24 h).
pub const TASK_WINDOW: Duration = Duration::from_hours(1);
pub const TASK_LOCATION: &str = "local";

/// What a fifth of a second brings, at least one: 100 at 500/s, as Cloud Tasks has it.
pub fn queue_burst(per_second: f64) -> u32 {
    // Saturates, and where there is no limit it means nothing.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    let burst = (per_second / 5.0).ceil() as u32;
    burst.clamp(1, 1_000_000)
}

/// The window the SRE Workbook's burn-rate alerts are computed for.
pub const WINDOW: Duration = Duration::from_hours(30 * 24);
/// Fast enough that a person told by it is not told late; one look takes microseconds.
pub const EVALUATE_EVERY: Duration = Duration::from_secs(10);
/// Shorter, and an alert about something that comes and goes would come and go with it.
pub const CLEAR: Duration = Duration::from_mins(5);
/// Prometheus Alertmanager's `repeat_interval`.
pub const REPEAT: Duration = Duration::from_hours(4);

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: BODY,
            header_time: HEADER_TIME,
            idle: IDLE,
            stall: STALL,
            connections: CONNECTIONS,
            head: HEAD,
            trusted: Vec::new(),
        }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self { memory: CACHE_MEMORY, redis_timeout: CACHE_REDIS_TIMEOUT }
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            min: SCALE_MIN,
            max: SCALE_MAX,
            concurrency: CONCURRENCY,
            idle: SCALE_IDLE,
            hold: HOLD,
            starts: STARTS,
            waiting: WAITING,
            wait: WAIT,
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            path: None,
            every: HEALTH_EVERY,
            timeout: HEALTH_TIMEOUT,
            failures: HEALTH_FAILURES,
            startup: STARTUP,
        }
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            webhook: None,
            slack: None,
            email: None,
            every: EVALUATE_EVERY,
            clear: CLEAR,
            repeat: REPEAT,
            slow: std::collections::BTreeMap::new(),
        }
    }
}

impl Service {
    /// A service that only says what to run.
    pub fn running(run: Vec<Text>) -> Self {
        Self {
            run,
            image: None,
            database: None,
            scale: Scale::default(),
            resources: Resources::default(),
            health: Health::default(),
            timeout: TIMEOUT,
            grace: GRACE,
            internal: false,
            env: std::collections::BTreeMap::new(),
        }
    }
}
