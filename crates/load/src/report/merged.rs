//! Latencies of several seconds and steps as one, and the percentiles read from them.

use mare_slo::Sparse;
use serde::Serialize;

/// Histograms merged. What [`mare_slo::Latencies`] does with counters by the ten thousand this does with the few that
/// are not zero: a report reads percentiles thousands of times.
#[derive(Default)]
pub(super) struct Merged {
    /// Microseconds and count, sorted.
    recorded: Vec<(u64, u64)>,
    count: u64,
}

/// What is told of a set of latencies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "they are the keys of report.json, and name their unit")]
pub(super) struct Latency {
    pub(super) mean_ms: f64,
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) p999_ms: f64,
    pub(super) max_ms: f64,
}

impl Merged {
    pub(super) fn of<'a>(parts: impl IntoIterator<Item = &'a Sparse>) -> Self {
        let mut recorded: Vec<_> = parts.into_iter().flat_map(|part| part.0.iter().copied()).collect();
        recorded.sort_unstable();
        let count = recorded.iter().map(|(_, count)| count).sum();
        Self { recorded, count }
    }

    /// `None` without any record.
    pub(super) fn latency(&self) -> Option<Latency> {
        let max_ms = ms(self.recorded.last()?.0);
        let sum_ms: f64 = self.recorded.iter().map(|&(us, count)| ms(us) * count as f64).sum();
        Some(Latency {
            mean_ms: sum_ms / self.count as f64,
            p50_ms: ms(self.quantile_us(0.5)),
            p90_ms: ms(self.quantile_us(0.9)),
            p95_ms: ms(self.quantile_us(0.95)),
            p99_ms: ms(self.quantile_us(0.99)),
            p999_ms: ms(self.quantile_us(0.999)),
            max_ms,
        })
    }

    /// By the same rule as [`mare_slo::Latencies::quantile`]. 0 without any record.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, rounded up")]
    pub(super) fn quantile_us(&self, quantile: f64) -> u64 {
        let wanted = ((quantile * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let reached = self.recorded.iter().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        reached.map_or(0, |&(us, _)| us)
    }
}

fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mare_slo::Latencies;
    use proptest::prelude::*;

    use super::Merged;

    proptest! {
        #[test]
        fn merging_loses_nothing(seconds in prop::collection::vec(prop::collection::vec(1_u64..5_000_000, 1..40), 1..6)) {
            let seconds: Vec<Latencies> = seconds
                .into_iter()
                .map(|second| {
                    let mut latencies = Latencies::default();
                    latencies.extend(second.into_iter().map(Duration::from_micros));
                    latencies
                })
                .collect();
            let mut all = Latencies::default();
            for second in &seconds {
                all.merge(second);
            }

            let sparse: Vec<_> = seconds.iter().map(Latencies::sparse).collect();
            let merged = Merged::of(&sparse);
            for quantile in [0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
                let expected = all.quantile(quantile).unwrap();
                prop_assert_eq!(Duration::from_micros(merged.quantile_us(quantile)), expected);
            }
        }
    }

    #[test]
    fn nothing_recorded_has_no_latency() {
        assert_eq!(Merged::default().latency(), None);
    }
}
