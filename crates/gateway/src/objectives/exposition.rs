//! The counts as Prometheus scrapes them, encoded from the counters themselves.

use mare_manifest::units::seconds;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{Kind, Objectives, Sums, Watched};

impl Collector for Objectives {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let (objectives, slow): (Vec<_>, Vec<_>) =
            self.sums().partition(|(watched, _)| matches!(watched.kind, Kind::Objective(_)));
        let mut counter = |name, help, label, of: &[(&Watched, Sums)], value: fn(&Sums) -> u64| {
            if of.is_empty() {
                return Ok::<(), std::fmt::Error>(());
            }
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (watched, sums) in of {
                let labels = [(label, watched.name.as_str())];
                let mut series = metric.encode_family(&labels)?;
                series.encode_counter::<NoLabelSet, _, u64>(&value(sums), None)?;
            }
            Ok(())
        };
        let on = "objective";
        counter("mare_objective_requests", "Requests an objective is about", on, &objectives, Sums::total)?;
        counter("mare_objective_errors", "Those that failed in any way", on, &objectives, |sums| {
            sums.errors
        })?;
        counter("mare_objective_unavailable", "Those the service did not answer", on, &objectives, |sums| {
            sums.unavailable
        })?;
        let help = "Requests that took longer than a rule of [alerts.slow] allows";
        counter("mare_slow_requests", help, "alert", &slow, Sums::last_bucket)?;
        if objectives.is_empty() {
            return Ok(());
        }
        let mut histogram = encoder.encode_descriptor(
            "mare_objective_duration",
            "From a request's head to the end of its answer; every latency limit is a bucket's bound",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (watched, sums) in &objectives {
            let bounds = watched.bounds.iter().map(|bound| seconds(*bound)).chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(sums.buckets.iter().copied()).collect();
            let labels = [(on, watched.name.as_str())];
            let mut series = histogram.encode_family(&labels)?;
            series.encode_histogram::<NoLabelSet>(sums.sum_ns as f64 / 1e9, sums.total(), &buckets, None)?;
        }
        Ok(())
    }
}
