//! What tasks measure: names, units, labels, meaning.
//!
//! The label `queue` is the queue's id where its parent is the one of `mare.toml`, else its full name. Series of a
//! queue go when the queue does.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::model::{Answer, QueueName};
use crate::store::{End, QueueStats, Settled};

/// From an answer out of memory to an import that waited an hour for its turn.
const DURATIONS: [f64; 18] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
    3600.0,
];

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Of {
    queue: Arc<str>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct WithOutcome {
    queue: Arc<str>,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct WithResult {
    queue: Arc<str>,
    result: &'static str,
}

/// Is told about one queue; see [`crate::service::Service::watch`].
pub type Tell = Arc<dyn Fn(Duration) + Send + Sync>;

/// Who wants to know what of a queue.
#[derive(Clone)]
pub enum Watch {
    /// A task succeeded, or used up its attempts, so long after it was first due.
    Ends { succeeded: Tell, failed: Tell },
    /// The longest waiting due task waits for so long; zero without one.
    Backlog(Tell),
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(match self {
            Watch::Ends { .. } => "Ends",
            Watch::Backlog(_) => "Backlog",
        })
    }
}

type Durations = Family<Of, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    parent: Arc<str>,
    backlog: Family<Of, Gauge>,
    due: Family<Of, Gauge>,
    leased: Family<Of, Gauge>,
    dead: Family<Of, Gauge>,
    oldest: Family<Of, Gauge<f64, std::sync::atomic::AtomicU64>>,
    attempts: Family<WithOutcome, Counter>,
    settlements: Family<WithResult, Counter>,
    durations: Durations,
    completions: Durations,
    lags: Durations,
    pub(crate) in_flight: Gauge,
    /// No place was left for attempts.
    pub(crate) full: Counter,
    pub(crate) store_failures: Counter,
    /// By label; set once, before anything is dispatched.
    watches: Arc<OnceLock<HashMap<String, Vec<Watch>>>>,
}

/// How an attempt ended, by the first digit of a status.
const OUTCOMES: [&str; 8] = ["1xx", "2xx", "3xx", "4xx", "5xx", "deadline", "broken", "not_delivered"];
const RESULTS: [&str; 4] = ["succeeded", "retrying", "dead", "fenced"];

/// The handles of one queue, looked up once.
#[derive(Debug)]
pub(crate) struct OfQueue {
    attempts: [Counter; OUTCOMES.len()],
    settlements: [Counter; RESULTS.len()],
    duration: Histogram,
    completion: Histogram,
    lag: Histogram,
    watches: Vec<Watch>,
}

impl Metrics {
    /// `parent` is `projects/P/locations/L` of `mare.toml`.
    pub(crate) fn register(parent: &str, registry: &mut Registry) -> Self {
        let durations = || Durations::new_with_constructor(|| Histogram::new(DURATIONS));
        let all = Self {
            parent: Arc::from(parent),
            backlog: Family::default(),
            due: Family::default(),
            leased: Family::default(),
            dead: Family::default(),
            oldest: Family::default(),
            attempts: Family::default(),
            settlements: Family::default(),
            durations: durations(),
            completions: durations(),
            lags: durations(),
            in_flight: Gauge::default(),
            full: Counter::default(),
            store_failures: Counter::default(),
            watches: Arc::default(),
        };
        let registry = registry.sub_registry_with_prefix("mare_tasks");
        registry.register("backlog", "Tasks due or scheduled, not under way", all.backlog.clone());
        registry.register("due", "Tasks that are due and wait for their turn", all.due.clone());
        registry.register("leased", "Tasks under way", all.leased.clone());
        registry.register("dead_letters", "Tasks that used up their attempts, kept", all.dead.clone());
        let age = "For how long the longest waiting task is due; 0 without one";
        registry.register_with_unit("oldest_due_age", age, Unit::Seconds, all.oldest.clone());
        registry.register("attempts", "Attempts ended, by outcome", all.attempts.clone());
        registry.register("settlements", "What became of tasks after an attempt", all.settlements.clone());
        let attempt = "From the request of an attempt to the end of its answer";
        registry.register_with_unit("attempt_duration", attempt, Unit::Seconds, all.durations.clone());
        let completion = "From when a task was first due to its success";
        registry.register_with_unit("completion", completion, Unit::Seconds, all.completions.clone());
        let lag = "From when an attempt was due to its request";
        registry.register_with_unit("dispatch_lag", lag, Unit::Seconds, all.lags.clone());
        registry.register("in_flight", "Attempts under way in this process", all.in_flight.clone());
        registry.register(
            "places_exhausted",
            "Times a queue found no place for an attempt",
            all.full.clone(),
        );
        registry.register("store_failures", "Calls of the store that failed", all.store_failures.clone());
        all
    }

    fn label(&self, queue: &QueueName) -> Arc<str> {
        Arc::from(if queue.parent() == &*self.parent { queue.id() } else { queue.as_str() })
    }

    pub(crate) fn watch(&self, watches: HashMap<String, Vec<Watch>>) {
        self.watches.set(watches).expect("set once");
    }

    fn watches_of(&self, label: &str) -> &[Watch] {
        self.watches.get().and_then(|all| all.get(label)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn of(&self, queue: &QueueName) -> OfQueue {
        let queue = self.label(queue);
        let of = Of { queue: Arc::clone(&queue) };
        OfQueue {
            attempts: OUTCOMES.map(|outcome| {
                self.attempts.get_or_create_owned(&WithOutcome { queue: Arc::clone(&queue), outcome })
            }),
            settlements: RESULTS.map(|result| {
                self.settlements.get_or_create_owned(&WithResult { queue: Arc::clone(&queue), result })
            }),
            duration: self.durations.get_or_create_owned(&of),
            completion: self.completions.get_or_create_owned(&of),
            lag: self.lags.get_or_create_owned(&of),
            watches: self.watches_of(&of.queue).to_vec(),
        }
    }

    pub(crate) fn forget(&self, queue: &QueueName) {
        let queue = self.label(queue);
        let of = Of { queue: Arc::clone(&queue) };
        for gauges in [&self.backlog, &self.due, &self.leased, &self.dead] {
            gauges.remove(&of);
        }
        self.oldest.remove(&of);
        for durations in [&self.durations, &self.completions, &self.lags] {
            durations.remove(&of);
        }
        for outcome in OUTCOMES {
            self.attempts.remove(&WithOutcome { queue: Arc::clone(&queue), outcome });
        }
        for result in RESULTS {
            self.settlements.remove(&WithResult { queue: Arc::clone(&queue), result });
        }
    }

    /// Shows what the store says of a queue; `oldest` is the age of its longest waiting due task.
    pub(crate) fn show(&self, stats: &QueueStats, oldest: Duration) {
        let of = Of { queue: self.label(&stats.queue.settings.name) };
        let counts = [
            (&self.backlog, stats.backlog),
            (&self.due, stats.due),
            (&self.leased, stats.leased),
            (&self.dead, stats.dead),
        ];
        for (gauges, count) in counts {
            gauges.get_or_create(&of).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.oldest.get_or_create(&of).set(oldest.as_secs_f64());
        for watch in self.watches_of(&of.queue) {
            match watch {
                Watch::Backlog(tell) => tell(oldest),
                Watch::Ends { .. } => {}
            }
        }
    }
}

impl OfQueue {
    pub(crate) fn began(&self, lag: Duration) {
        self.lag.observe(lag.as_secs_f64());
    }

    pub(crate) fn ended(&self, end: &End, took: Duration) {
        let index = match end {
            End::NotDelivered { .. } => 7,
            End::Attempted(outcome) => match &outcome.answer {
                Answer::Status { status, .. } => usize::from(status / 100).clamp(1, 5) - 1,
                Answer::Deadline => 5,
                Answer::Broken(_) => 6,
            },
        };
        self.attempts[index].inc();
        self.duration.observe(took.as_secs_f64());
    }

    /// `age`: since the task was first due.
    pub(crate) fn settled(&self, settled: &Settled, age: Duration) {
        let index = match settled {
            Settled::Succeeded => {
                self.completion.observe(age.as_secs_f64());
                0
            }
            Settled::Retrying(_) => 1,
            Settled::Dead => 2,
            Settled::Fenced => 3,
        };
        self.settlements[index].inc();
        for watch in &self.watches {
            match (watch, settled) {
                (Watch::Ends { succeeded, .. }, Settled::Succeeded) => succeeded(age),
                (Watch::Ends { failed, .. }, Settled::Dead) => failed(age),
                (Watch::Ends { .. }, Settled::Retrying(_) | Settled::Fenced) | (Watch::Backlog(_), _) => {}
            }
        }
    }
}
