//! What a service promises: `[objectives.NAME]`.

use std::fmt;
use std::time::Duration;

use super::{PathPattern, Route, Target};

/// Objectives and slow rules of one manifest: a request's matches are a word of bits.
pub const WATCHED_MAX: usize = 64;

/// `[objectives.NAME]`: what is promised of which requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    pub on: Subject,
    pub limits: Limits,
    /// What the error budget is counted over.
    pub window: Duration,
}

/// Whose requests an objective is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// `route = "GET /api/transactions"`: requests of this shape, whichever route carries them. `method` is upper
    /// case; without one, all methods count.
    Requests { method: Option<String>, path: PathPattern },
    /// `service = "api"`: every request a route leads to this service.
    Service(String),
    /// `queue = "imports"`: every task of this queue that came to its end; how long that took since it was first due.
    Queue(String),
    /// `backlog = "imports"`: how long the oldest due task of this queue has been waiting, looked at every five seconds.
    Backlog(String),
}

impl Subject {
    /// Whether a request that takes this route can be meant.
    pub fn may_take(&self, route: &Route) -> bool {
        match self {
            Self::Service(name) => matches!(&route.target, Target::Service(target) if target == name),
            Self::Requests { method, path } => {
                let same = |one: &String, other: &String| one == other || (one == "GET" && other == "HEAD");
                // A GET route serves HEAD too.
                let methods = match (&route.method, method) {
                    (Some(route), Some(wanted)) => same(route, wanted),
                    (None, _) | (_, None) => true,
                };
                methods && route.path.overlaps(path)
            }
            Self::Queue(_) | Self::Backlog(_) => false,
        }
    }
}

/// `GET /api/transactions`, `/img*`, `service api`, `queue imports` or `backlog imports`
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => write!(f, "service {name}"),
            Self::Queue(name) => write!(f, "queue {name}"),
            Self::Backlog(name) => write!(f, "backlog {name}"),
            Self::Requests { method, path } => {
                if let Some(method) = method {
                    write!(f, "{method} ")?;
                }
                match path {
                    PathPattern::Exact(path) => f.write_str(path),
                    PathPattern::Below(path) => write!(f, "{path}/*"),
                    PathPattern::Prefix(path) => write!(f, "{path}*"),
                }
            }
        }
    }
}

/// The limits of an objective, or of a scenario's threshold. At least one is set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// By rising percentile, none twice.
    pub latency: Vec<(Percentile, Duration)>,
    /// The share of requests that may fail, in any way: 0.005 is 0.5 %.
    pub errors: Option<f64>,
    /// The share of requests that must get an answer of the service: 0.995 is 99.5 %.
    pub availability: Option<f64>,
}

/// One of the percentiles an objective may name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Percentile {
    P50,
    P75,
    P90,
    P95,
    P99,
    P999,
}

impl Percentile {
    pub const ALL: [Self; 6] = [Self::P50, Self::P75, Self::P90, Self::P95, Self::P99, Self::P999];

    /// 0.95 for the 95th.
    pub fn quantile(self) -> f64 {
        match self {
            Self::P50 => 0.5,
            Self::P75 => 0.75,
            Self::P90 => 0.9,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
            Self::P999 => 0.999,
        }
    }

    /// The key of the manifest: `p999` is the 99.9th percentile.
    pub fn key(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P75 => "p75",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::P999 => "p999",
        }
    }
}

/// As people write it: `P99.9`.
impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", (self.quantile() * 1000.0).round() / 10.0)
    }
}
