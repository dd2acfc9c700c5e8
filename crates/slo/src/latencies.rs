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
        self.0.saturating_record(recordable(latency));
    }

    /// Adds all of `other`; loses nothing.
    pub fn add(&mut self, other: &Sparse) {
        for &(us, count) in &other.0 {
            self.0.saturating_record_n(us.clamp(1, Self::MAX_US), count);
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
        self.0.count_between(0, recordable(limit))
    }

    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.0.max()))
    }

    pub fn mean(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_secs_f64(self.0.mean() / 1e6))
    }
}

impl Sparse {
    /// As [`Latencies::within`].
    pub fn within(&self, limit: Duration) -> u64 {
        let end = bucket_end(limit);
        self.0.iter().take_while(|&&(us, _)| us <= end).map(|&(_, count)| count).sum()
    }

    pub fn count(&self) -> u64 {
        self.0.iter().map(|&(_, count)| count).sum()
    }
}

/// In microseconds, within the histogram's bounds.
fn recordable(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(Latencies::MAX_US).clamp(1, Latencies::MAX_US)
}

/// The last microsecond of the bucket this latency is counted in: what a [`Sparse`] names it by. Buckets are 1 µs wide
/// below 2,048 µs, and twice as wide with each doubling from there.
pub(crate) fn bucket_end(latency: Duration) -> u64 {
    let us = recordable(latency);
    us | ((us >> 11).checked_ilog2().map_or(0, |doublings| (2 << doublings) - 1))
}

impl Extend<Duration> for Latencies {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, latencies: T) {
        latencies.into_iter().for_each(|latency| self.record(latency));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::events::needed;

    fn of(us: &[u64]) -> Latencies {
        let mut latencies = Latencies::default();
        latencies.extend(us.iter().copied().map(Duration::from_micros));
        latencies
    }

    /// Orders of magnitude alike: from microseconds to beyond the histogram's end.
    fn some_us() -> impl Strategy<Value = Vec<u64>> {
        let us = (0_u32..33, any::<u64>()).prop_map(|(bits, us)| (1 << bits) | (us & ((1 << bits) - 1)));
        proptest::collection::vec(us, 1..300)
    }

    proptest! {
        // Walking a histogram's buckets is slow without optimisation.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_percentile_is_the_order_statistic_or_up_to_the_stated_error_above(mut us in some_us()) {
            let latencies = of(&us);
            us.sort_unstable();
            for percentile in Percentile::ALL {
                let rank = usize::try_from(needed(percentile.quantile(), us.len() as u64)).unwrap();
                let exact = us[rank - 1].clamp(1, Latencies::MAX_US) as f64;
                let got = latencies.percentile(percentile).unwrap().as_micros() as f64;
                prop_assert!(exact <= got && got <= exact * (1.0 + Latencies::ERROR), "{percentile}: {got}, not {exact}");
            }
        }

        #[test]
        fn merging_is_recording_all(left in some_us(), right in some_us()) {
            let mut merged = of(&left);
            merged.merge(&of(&right));
            let all = of(&[left, right].concat());
            prop_assert_eq!(merged.sparse(), all.sparse());
        }

        #[test]
        fn the_sparse_form_loses_nothing(us in some_us(), limit in 0_u64..4_000_000_000) {
            let latencies = of(&us);
            let mut again = Latencies::default();
            again.add(&latencies.sparse());
            prop_assert_eq!(again.sparse(), latencies.sparse());
            prop_assert_eq!(again.sparse().count(), us.len() as u64);
            for percentile in Percentile::ALL {
                prop_assert_eq!(again.percentile(percentile), latencies.percentile(percentile));
            }
            let limit = Duration::from_micros(limit);
            prop_assert_eq!(latencies.sparse().within(limit), latencies.within(limit));
        }

        #[test]
        fn bucket_ends_are_the_histograms(us in 1_u64..=Latencies::MAX_US) {
            let latencies = of(&[us]);
            prop_assert_eq!(latencies.sparse().0[0].0, bucket_end(Duration::from_micros(us)));
        }
    }

    #[test]
    fn what_takes_longer_than_an_hour_counts_as_an_hour() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_secs(86_400));
        let hour = 3600.0;
        let longest = latencies.max().unwrap().as_secs_f64();
        assert!((hour..hour * (1.0 + Latencies::ERROR)).contains(&longest), "{longest}");
    }

    #[test]
    fn nothing_recorded_has_no_percentile() {
        assert_eq!(Latencies::default().percentile(Percentile::P95), None);
        assert_eq!(Latencies::default().max(), None);
    }
}
