//! What the cache measures: names, units, labels, meaning.

pub(crate) mod redis;

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use crate::memory::Memory;
use crate::policy::{Bypass, Refusal};

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct WithOutcome {
    route: Arc<str>,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct WithReason {
    route: Arc<str>,
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfRoute {
    route: Arc<str>,
}

pub(crate) struct Metrics {
    requests: Family<WithOutcome, Counter>,
    passed: Family<WithReason, Counter>,
    unstored: Family<WithReason, Counter>,
    gave_up: Family<OfRoute, Counter>,
    waiting: Gauge,
    pub(crate) purges: Counter,
}

/// How a request was answered. Each is one of these.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// From memory, fresh.
    Hit,
    /// From memory, stale: while revalidated, or in place of an error.
    Stale,
    /// From memory, after the service said that it is still so.
    Revalidated,
    /// By another request's fill.
    Collapsed,
    /// By the service.
    Miss,
    /// By the service, past the cache.
    Passed,
}

const OUTCOMES: [Outcome; 6] =
    [Outcome::Hit, Outcome::Stale, Outcome::Revalidated, Outcome::Collapsed, Outcome::Miss, Outcome::Passed];

pub(crate) struct Waits(Gauge);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The handles of one route, looked up once.
pub(crate) struct RouteMetrics {
    route: Arc<str>,
    outcomes: [Counter; OUTCOMES.len()],
    passed: Family<WithReason, Counter>,
    unstored: Family<WithReason, Counter>,
    /// Waited for a fill as long as one may.
    pub(crate) gave_up: Counter,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry, memory: &Arc<Memory>) -> Self {
        let metrics = Self {
            requests: Family::default(),
            passed: Family::default(),
            unstored: Family::default(),
            gave_up: Family::default(),
            waiting: Gauge::default(),
            purges: Counter::default(),
        };
        let outcome =
            "Requests of cached routes, by who answered: hit, stale, revalidated, collapsed, miss, passed";
        registry.register("mare_cache_requests", outcome, metrics.requests.clone());
        registry.register(
            "mare_cache_passed",
            "Requests that were not looked up, and why",
            metrics.passed.clone(),
        );
        registry.register(
            "mare_cache_unstored",
            "Answers that were not stored, and why",
            metrics.unstored.clone(),
        );
        let gave_up = "Requests that waited for another's fill in vain, and asked the service themselves";
        registry.register("mare_cache_wait_timeouts", gave_up, metrics.gave_up.clone());
        let waiting = "Requests that wait for another's fill now";
        registry.register("mare_cache_waiting", waiting, metrics.waiting.clone());
        registry.register("mare_cache_purges", "Purges, each of any number of tags", metrics.purges.clone());
        let evicted = "Entries that made room for others";
        registry.register("mare_cache_evictions", evicted, memory.evictions().clone());
        registry.register_collector(Box::new(Room(Arc::clone(memory))));
        metrics
    }

    /// Counts one who waits for another's fill, until it is dropped.
    pub(crate) fn waits(&self) -> Waits {
        self.waiting.inc();
        Waits(self.waiting.clone())
    }

    pub(crate) fn route(&self, route: &str) -> RouteMetrics {
        let route: Arc<str> = route.into();
        let counter = |outcome: Outcome| {
            let labels = WithOutcome { route: Arc::clone(&route), outcome: outcome.as_str() };
            self.requests.get_or_create_owned(&labels)
        };
        RouteMetrics {
            outcomes: OUTCOMES.map(counter),
            passed: self.passed.clone(),
            unstored: self.unstored.clone(),
            gave_up: self.gave_up.get_or_create_owned(&OfRoute { route: Arc::clone(&route) }),
            route,
        }
    }
}

impl RouteMetrics {
    pub(crate) fn answered(&self, outcome: Outcome) {
        self.outcomes[outcome as usize].inc();
    }

    pub(crate) fn passed(&self, bypass: Bypass) {
        self.answered(Outcome::Passed);
        self.passed.get_or_create(&self.because(bypass.label())).inc();
    }

    pub(crate) fn unstored(&self, refusal: Refusal) {
        self.unstored.get_or_create(&self.because(refusal.label())).inc();
    }

    /// How many had this outcome.
    pub(crate) fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize].get()
    }

    fn because(&self, reason: &'static str) -> WithReason {
        WithReason { route: Arc::clone(&self.route), reason }
    }
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Revalidated => "revalidated",
            Self::Collapsed => "collapsed",
            Self::Miss => "miss",
            Self::Passed => "passed",
        }
    }
}

/// How full the memory is, read when somebody scrapes.
struct Room(Arc<Memory>);

impl std::fmt::Debug for Room {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Room").finish_non_exhaustive()
    }
}

impl Collector for Room {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let gauges = [
            ("mare_cache_memory", "Memory taken by what is stored", Some(Unit::Bytes), self.0.bytes()),
            ("mare_cache_memory_limit", "Memory there is for it", Some(Unit::Bytes), self.0.capacity()),
            ("mare_cache_entries", "Answers stored, and notes about them", None, self.0.entries() as u64),
        ];
        for (name, help, unit, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn every_metric_is_exposed_and_documented() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry, &Arc::new(Memory::new(1 << 20)));
        let route = metrics.route("/a");
        route.passed(Bypass::Range);
        route.unstored(Refusal::Size);
        let mut text = String::new();
        encode(&mut text, &registry).expect("text");
        for line in [
            "mare_cache_requests_total{route=\"/a\",outcome=\"hit\"} 0",
            "mare_cache_requests_total{route=\"/a\",outcome=\"passed\"} 1",
            "mare_cache_passed_total{route=\"/a\",reason=\"range\"} 1",
            "mare_cache_unstored_total{route=\"/a\",reason=\"size\"} 1",
            "mare_cache_wait_timeouts_total{route=\"/a\"} 0",
            "mare_cache_purges_total 0",
            "mare_cache_evictions_total 0",
            "mare_cache_entries 0",
            "mare_cache_memory_bytes 0",
            "mare_cache_memory_limit_bytes 1048576",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
            let name = line.split(['{', ' ']).next().expect("a name");
            let docs = include_str!("../../../docs/caching.md");
            assert!(docs.contains(&format!("`{name}`")), "{name} is not in docs/caching.md");
        }
    }
}
