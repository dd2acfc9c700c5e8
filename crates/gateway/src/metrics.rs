//! What the gateway measures: names, units, labels, meaning.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::problem::Code;

/// From a cached file to the longest request a client waits for.
pub(crate) const DURATIONS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Answered {
    route: String,
    target: String,
    status: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Route {
    route: String,
    target: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct WithCode {
    code: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct On {
    listener: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct To {
    target: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfRoute {
    route: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Because {
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Ended {
    result: &'static str,
}

#[derive(Debug)]
pub(crate) struct Metrics {
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    refusals: Family<WithCode, Counter>,
    connections: Family<On, Gauge>,
    retries: Family<To, Counter>,
    connects: Family<To, Counter>,
    buckets_forgotten: Family<OfRoute, Counter>,
    limits_unshared: Family<OfRoute, Counter>,
}

/// The handles of one route, looked up once.
#[derive(Debug)]
pub(crate) struct RouteMetrics {
    by_class: [Counter; 5],
    duration: Histogram,
}

/// The handles of one upstream, looked up once.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamMetrics {
    pub(crate) retries: Counter,
    pub(crate) connects: Counter,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            refusals: Family::default(),
            connections: Family::default(),
            retries: Family::default(),
            connects: Family::default(),
            buckets_forgotten: Family::default(),
            limits_unshared: Family::default(),
        };
        registry.register("mare_requests", "Answered requests, by class of status", metrics.requests.clone());
        registry.register_with_unit(
            "mare_request_duration",
            "From a request's head to the end of its answer",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register("mare_refusals", "Requests the gateway answered itself", metrics.refusals.clone());
        registry.register("mare_connections", "Open client connections", metrics.connections.clone());
        registry.register("mare_upstream_retries", "Attempts made again", metrics.retries.clone());
        registry.register("mare_upstream_connects", "Connections opened", metrics.connects.clone());
        registry.register(
            "mare_limit_buckets_forgotten",
            "Clients whose use of a rate limit was forgotten because there were too many",
            metrics.buckets_forgotten.clone(),
        );
        registry.register(
            "mare_limit_unshared",
            "Requests that only this gateway counted against their rate limit, because Redis was away",
            metrics.limits_unshared.clone(),
        );
        metrics
    }

    pub(crate) fn route(&self, route: &str, target: &str) -> RouteMetrics {
        let (route, target) = (route.to_owned(), target.to_owned());
        RouteMetrics {
            by_class: CLASSES.map(|status| {
                self.requests.get_or_create_owned(&Answered {
                    route: route.clone(),
                    target: target.clone(),
                    status,
                })
            }),
            duration: self.durations.get_or_create_owned(&Route { route, target }),
        }
    }

    pub(crate) fn upstream(&self, target: &str) -> UpstreamMetrics {
        let to = To { target: target.to_owned() };
        UpstreamMetrics {
            retries: self.retries.get_or_create_owned(&to),
            connects: self.connects.get_or_create_owned(&to),
        }
    }

    pub(crate) fn buckets_forgotten(&self, route: &str) -> Counter {
        self.buckets_forgotten.get_or_create_owned(&OfRoute { route: route.to_owned() })
    }

    pub(crate) fn limits_unshared(&self, route: &str) -> Counter {
        self.limits_unshared.get_or_create_owned(&OfRoute { route: route.to_owned() })
    }

    pub(crate) fn refused(&self, code: Code) {
        self.refusals.get_or_create(&WithCode { code: code.as_str() }).inc();
    }

    pub(crate) fn connections(&self, listener: &'static str) -> Gauge {
        self.connections.get_or_create_owned(&On { listener })
    }
}

/// Of credentials, and of the keys that verify them.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuthMetrics {
    refusals: Family<Because, Counter>,
    fetches: Family<Ended, Counter>,
    fetched: Gauge,
}

impl AuthMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("mare_auth_refusals", "Credentials refused, by reason", metrics.refusals.clone());
        registry.register("mare_auth_key_fetches", "Key sets fetched, by result", metrics.fetches.clone());
        registry.register_with_unit(
            "mare_auth_keys_fetched_timestamp",
            "When the keys that are known were fetched; 0: there are none",
            Unit::Seconds,
            metrics.fetched.clone(),
        );
        metrics
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Because { reason }).inc();
    }

    pub(crate) fn fetch(&self, result: &'static str) {
        self.fetches.get_or_create(&Ended { result }).inc();
    }

    pub(crate) fn fetched_at(&self, time: SystemTime) {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.fetched.set(since_epoch.try_into().unwrap_or(i64::MAX));
    }
}

impl RouteMetrics {
    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.by_class[class].inc();
        self.duration.observe(took.as_secs_f64());
    }
}
