//! Whether what was measured is the target, or the generator.

use std::time::Duration;

use mare_slo::Latencies;

use super::words::{duration, percent};
use crate::run::{GeneratorSample, Limit, Promise, Run};

/// Why the load of some seconds was not what it should have been, in words.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    /// The generator's own doing, or its machine's.
    pub(super) generator: Vec<String>,
    /// The arrival rate was not reached: all users of the open model were busy, because they are too few or because the
    /// target is too slow for that rate.
    pub(super) rate: Option<String>,
}

/// The 99th percentile of the dispatch lag may be this share of the tightest latency limit; then a percentile at its
/// limit is off by less than the resolution at which one would act on it.
const LAG_SHARE: f64 = 0.1;

/// A lag below this is the timer's (tokio's wheel has steps of 1 ms), not overload's.
const LAG_FLOOR: Duration = Duration::from_millis(1);

/// A thread that is busier than this more than half of the time delays what it should send. The median, because
/// a short saturation is harmless unless it delays requests, which the lag shows by itself.
const CPU_MAX: f64 = 0.8;

/// The share of the machine that its host may take on average.
const STEAL_MAX: f64 = 0.05;

/// The share of the wanted flows that must begin.
const RATE_MIN: f64 = 0.99;

impl Health {
    pub(super) fn reasons(&self) -> Vec<String> {
        self.generator.iter().chain(&self.rate).cloned().collect()
    }
}

impl Run {
    pub(super) fn health(&self, from: u32, until: u32) -> Health {
        // A sample is about the time before it.
        let of_stage =
            |sample: &&GeneratorSample| f64::from(from) < sample.at && sample.at <= f64::from(until);
        let samples: Vec<&GeneratorSample> = self.generator.iter().filter(of_stage).collect();
        let generator = [self.lag(from, until), cpu(&samples), steal(&samples)];
        Health { generator: generator.into_iter().flatten().collect(), rate: self.rate(from, until) }
    }

    fn lag(&self, from: u32, until: u32) -> Option<String> {
        let (mut lag, mut response) = (Latencies::default(), Latencies::default());
        for second in self.between(from, until) {
            lag.add(&second.lag);
            second.steps.iter().for_each(|step| response.add(&step.response));
        }
        let (limit, of) = match self.tightest_limit() {
            Some(limit) => (limit, "the tightest limit"),
            None => (response.quantile(0.95)?, "the P95 response time"),
        };
        let allowed = limit.mul_f64(LAG_SHARE).max(LAG_FLOOR);
        let lag = lag.quantile(0.99).filter(|&lag| lag > allowed)?;
        Some(format!(
            "requests were sent late: the dispatch lag's P99 was {}, at most {} is allowed (10 % of {of})",
            duration(lag.as_secs_f64()),
            duration(allowed.as_secs_f64()),
        ))
    }

    fn tightest_limit(&self) -> Option<Duration> {
        let exercised = self.promises.iter().filter(|promise: &&Promise| !promise.steps.is_empty());
        let limits = exercised.flat_map(|promise| &promise.limits).filter_map(|limit| match *limit {
            Limit::Latency { limit_us, .. } => Some(Duration::from_micros(limit_us)),
            Limit::Errors { .. } | Limit::Availability { .. } => None,
        });
        limits.min()
    }

    fn rate(&self, from: u32, until: u32) -> Option<String> {
        let (wanted, begun) = self
            .between(from, until)
            .fold((0, 0), |(wanted, begun), second| (wanted + second.wanted, begun + second.begun));
        let short = self.open && (begun as f64) < RATE_MIN * wanted as f64;
        short.then(|| {
            let share = percent(begun as f64 / wanted as f64);
            format!("the arrival rate was not reached: {begun} of {wanted} flows ({share}) began; 99 % must")
        })
    }
}

fn cpu(samples: &[&GeneratorSample]) -> Option<String> {
    let threads = samples.iter().map(|sample| sample.threads.len()).max()?;
    let busy = (0..threads).filter_map(|thread| {
        let uses = samples.iter().filter_map(|sample| sample.threads.get(thread).copied());
        Some((thread, median(uses.collect())?))
    });
    let (thread, used) = busy.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|&(_, used)| used > CPU_MAX)?;
    let (used, most) = (percent(used), percent(CPU_MAX));
    Some(format!(
        "the generator's thread {thread} was busy {used} of the time (median), at most {most} is allowed"
    ))
}

fn steal(samples: &[&GeneratorSample]) -> Option<String> {
    let mean = samples.iter().map(|sample| sample.steal).sum::<f64>() / samples.len() as f64;
    let (taken, most) = (percent(mean), percent(STEAL_MAX));
    (mean > STEAL_MAX).then(|| {
        format!("the machine's host took {taken} of its CPU time (steal), at most {most} is allowed")
    })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
