//! Latencies as a histogram, and the small form of one that is kept per second.

use std::time::Duration;

use hdrhistogram::Histogram;
use mare_manifest::model::objective::Percentile;
use serde::{Deserialize, Serialize};

/// A mergeable histogram of latencies, 1 µs to 1 h; longer ones count as 1 h.
///
/// Three significant digits: a percentile is at most [`Latencies::ERROR`] above the true one, never below.
/// One takes about 180 kB, whatever is recorded.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

/// What a [`Latencies`] holds, as pairs of microseconds and count by rising time. Small when little was recorded.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sparse(pub Vec<(u64, u64)>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, Self::MAX_US, 3).expect("the bounds are constants"))
    }
}

impl Latencies {
    /// The relative error of every percentile.
    pub const ERROR: f64 = 0.001;

    const MAX_US: u64 = 3_600_000_000;

    pub fn record(&mut self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(Self::MAX_US);
        self.0.saturating_record(us.max(1));
    }

    /// Adds all of `other`; loses nothing.
    pub fn add(&mut self, other: &Sparse) {
        for &(us, count) in &other.0 {
            self.0.saturating_record_n(us.max(1), count);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("both have the same bounds");
    }

    pub fn clear(&mut self) {
        self.0.reset();
    }

    pub fn sparse(&self) -> Sparse {
        Sparse(self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect())
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// `None` without any record.
    pub fn percentile(&self, percentile: Percentile) -> Option<Duration> {
        self.quantile(percentile.quantile())
    }

    /// `None` without any record.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.0.value_at_quantile(quantile)))
    }

    /// How many took at most `limit`, within the histogram's error at the limit itself.
    pub fn within(&self, limit: Duration) -> u64 {
        self.0.count_between(0, u64::try_from(limit.as_micros()).unwrap_or(Self::MAX_US))
    }

    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.0.max()))
    }

    pub fn mean(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_secs_f64(self.0.mean() / 1e6))
    }
}

impl Extend<Duration> for Latencies {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, latencies: T) {
        latencies.into_iter().for_each(|latency| self.record(latency));
    }
}
