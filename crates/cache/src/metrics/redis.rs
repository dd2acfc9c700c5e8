//! What is measured of the way to Redis.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Because {
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Found {
    result: &'static str,
}

pub(crate) struct RedisMetrics {
    pub(crate) up: Gauge,
    pub(crate) exchanges: Counter,
    failures: Family<Because, Counter>,
    pub(crate) purges_lost: Counter,
    pub(crate) errands_dropped: Counter,
    looks: Family<Found, Counter>,
}

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Failure {
    Timeout,
    /// The connection ended.
    Broken,
    /// Redis answered with an error, or with what cannot be.
    Refused,
}

/// What was stored in Redis for a request that memory had nothing for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Second {
    /// What answers it.
    Hit,
    Nothing,
    /// What was purged, is no longer fresh, or was made for other requests.
    Unusable,
}

impl RedisMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            up: Gauge::default(),
            exchanges: Counter::default(),
            failures: Family::default(),
            purges_lost: Counter::default(),
            errands_dropped: Counter::default(),
            looks: Family::default(),
        };
        registry.register("mare_redis_up", "1 while Redis is used, 0 while it is away", metrics.up.clone());
        let exchanges = "Commands sent to Redis, each time any number at once";
        registry.register("mare_redis_exchanges", exchanges, metrics.exchanges.clone());
        registry.register(
            "mare_redis_failures",
            "Exchanges with Redis that failed, and why",
            metrics.failures.clone(),
        );
        let lost = "Purges that could not be recorded in Redis before the answer went out";
        registry.register("mare_cache_purges_unrecorded", lost, metrics.purges_lost.clone());
        let dropped = "Answers not shared with other gateways, because too many were on their way to Redis";
        registry.register("mare_cache_unshared", dropped, metrics.errands_dropped.clone());
        let looks = "What Redis had for requests that memory had nothing for: hit, nothing, unusable";
        registry.register("mare_cache_second_tier", looks, metrics.looks.clone());
        metrics
    }

    pub(crate) fn failed(&self, failure: Failure) {
        let reason = match failure {
            Failure::Timeout => "timeout",
            Failure::Broken => "broken",
            Failure::Refused => "refused",
        };
        self.failures.get_or_create(&Because { reason }).inc();
    }

    pub(crate) fn looked(&self, second: Second) {
        let result = match second {
            Second::Hit => "hit",
            Second::Nothing => "nothing",
            Second::Unusable => "unusable",
        };
        self.looks.get_or_create(&Found { result }).inc();
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn every_metric_is_exposed_and_documented() {
        let mut registry = Registry::default();
        let metrics = RedisMetrics::register(&mut registry);
        metrics.failed(Failure::Timeout);
        metrics.looked(Second::Nothing);
        let mut text = String::new();
        encode(&mut text, &registry).expect("text");
        let docs = include_str!("../../../../docs/caching.md");
        for line in [
            "mare_redis_up 0",
            "mare_redis_exchanges_total 0",
            "mare_redis_failures_total{reason=\"timeout\"} 1",
            "mare_cache_purges_unrecorded_total 0",
            "mare_cache_unshared_total 0",
            "mare_cache_second_tier_total{result=\"nothing\"} 1",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in\n{text}");
            let name = line.split(['{', ' ']).next().expect("a name");
            assert!(docs.contains(&format!("`{name}`")), "{name} is not in docs/caching.md");
        }
    }
}
