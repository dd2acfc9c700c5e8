//! One limit of an objective, as a share of events that must be good.

use std::fmt;
use std::time::Duration;

use mare_manifest::model::objective::{Limits, Percentile};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

/// One limit of an objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clause {
    /// This percentile of the response time is at most `limit`.
    Latency { percentile: Percentile, limit: Duration },
    /// At most this share of requests fails.
    Errors { max: f64 },
    /// At least this share of requests is answered.
    Availability { min: f64 },
}

/// How many requests there were and how many of them were bad, in two senses.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tally {
    pub total: u64,
    /// Failed in any way: no answer, a 5xx, or not the answer that was expected.
    pub errors: u64,
    /// Got no answer of the service: no connection, a timeout, a 5xx. Part of `errors`.
    pub unavailable: u64,
}

impl Clause {
    /// The clauses of an objective: latencies by rising percentile, then errors, then availability.
    pub fn of(limits: &Limits) -> Vec<Self> {
        let latencies = limits.latency.iter().map(|&(percentile, limit)| Self::Latency { percentile, limit });
        let errors = limits.errors.map(|max| Self::Errors { max });
        let availability = limits.availability.map(|min| Self::Availability { min });
        latencies.chain(errors).chain(availability).collect()
    }

    /// The share of events that must be good: 0.95 for a P95, 0.995 for at most 0.5 % of errors.
    pub fn target(&self) -> f64 {
        match self {
            Self::Latency { percentile, .. } => percentile.quantile(),
            Self::Errors { max } => 1.0 - max,
            Self::Availability { min } => *min,
        }
    }

    /// In seconds for a latency, else the ratio as the manifest has it.
    pub fn limit(&self) -> f64 {
        match self {
            Self::Latency { limit, .. } => limit.as_secs_f64(),
            Self::Errors { max } => *max,
            Self::Availability { min } => *min,
        }
    }

    /// `p95`, `errors` or `availability`: the manifest's key, and the label in metrics.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Latency { percentile, .. } => percentile.key(),
            Self::Errors { .. } => "errors",
            Self::Availability { .. } => "availability",
        }
    }
}

/// `P95 ≤ 300ms`, `errors ≤ 0.5%`, `availability ≥ 99.5%`
impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Three decimals tell 99.999 % from 100 %.
        let percent = |ratio: f64| (ratio * 100_000.0).round() / 1000.0;
        match self {
            Self::Latency { percentile, limit } => {
                write!(f, "{percentile} ≤ {}", mare_manifest::units::duration_text(*limit))
            }
            Self::Errors { max } => write!(f, "errors ≤ {}%", percent(*max)),
            Self::Availability { min } => write!(f, "availability ≥ {}%", percent(*min)),
        }
    }
}

/// `{"key": "p95", "limit": 0.3, "text": "P95 ≤ 300ms"}`, for reports; the limit as [`Clause::limit`].
impl Serialize for Clause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Clause", 3)?;
        fields.serialize_field("key", self.key())?;
        fields.serialize_field("limit", &self.limit())?;
        fields.serialize_field("text", &self.to_string())?;
        fields.end()
    }
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.total += other.total;
        self.errors += other.errors;
        self.unavailable += other.unavailable;
    }
}
