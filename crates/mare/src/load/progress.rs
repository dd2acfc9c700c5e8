//! What is said while it runs: one line that changes at a terminal, otherwise a line every so often.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;

use mare_load::engine::{Config, Seen};
use mare_load::run::{PlatformSample, Second};
use mare_slo::{Latencies, Tally};

/// A live line is of the last seconds, to be readable and still quick.
const LIVE_SECONDS: usize = 5;

pub(crate) struct Progress {
    is_live: bool,
    /// Of the run; `None` when nobody knows.
    total: Option<Duration>,
    /// The last seconds, as many as a line is about.
    seconds: VecDeque<Second>,
    keep: usize,
    instances: Option<u32>,
}

impl Progress {
    pub(crate) fn new(config: &Config, interval: Duration) -> Self {
        let is_live = std::io::stderr().is_terminal();
        let keep =
            if is_live { LIVE_SECONDS } else { usize::try_from(interval.as_secs()).unwrap_or(1).max(1) };
        let total = config.seek.is_none().then(|| config.scenario.duration());
        Self { is_live, total, seconds: VecDeque::new(), keep, instances: None }
    }

    pub(crate) fn see(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Platform(sample) => self.instances = Some(instances(sample)),
            Seen::Second(second) => {
                self.seconds.push_back(second.clone());
                if self.seconds.len() > self.keep {
                    self.seconds.pop_front();
                }
                let is_due = (second.at as usize + 1).is_multiple_of(self.keep);
                if self.is_live {
                    say(&format!("\r\x1b[2K{}", self.line()));
                } else if is_due {
                    say(&format!("{}\n", self.line()));
                }
            }
        }
    }

    /// Leaves the terminal on a line of its own.
    pub(crate) fn finish(&self) {
        if self.is_live {
            say("\r\x1b[2K");
        }
    }

    fn line(&self) -> String {
        let (mut response, mut tally) = (Latencies::default(), Tally::default());
        for step in self.seconds.iter().flat_map(|second| &second.steps) {
            response.add(&step.response);
            tally.add(step.tally);
        }
        let last = self.seconds.back();
        let elapsed = last.map_or(0, |second| second.at + 1);
        let of = self.total.map(|total| format!("/{}", clock(total.as_secs()))).unwrap_or_default();
        let users = last.map_or(0, |second| second.users);
        let rate = tally.total as f64 / self.seconds.len().max(1) as f64;
        let mut line = format!("{}{of}  {users} users  {rate:.0} req/s", clock(u64::from(elapsed)));
        for (name, quantile) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            let value = response
                .quantile(quantile)
                .map_or("-".to_owned(), |value| format!("{:.1} ms", value.as_secs_f64() * 1000.0));
            let _ = write!(line, "  {name} {value}");
        }
        let errors = 100.0 * tally.errors as f64 / tally.total.max(1) as f64;
        let _ = write!(line, "  errors {errors:.2}%");
        if let Some(instances) = self.instances {
            let _ = write!(line, "  {instances} instances");
        }
        line
    }
}

fn instances(sample: &PlatformSample) -> u32 {
    sample.services.values().map(|service| service.ready).sum()
}

fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Nobody to tell is no reason to stop.
fn say(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use mare_load::run::StepSecond;
    use mare_slo::Sparse;

    use super::*;

    #[test]
    fn a_line_is_about_the_last_seconds() {
        let total = Some(Duration::from_secs(90));
        let mut progress =
            Progress { is_live: false, total, seconds: VecDeque::new(), keep: 2, instances: Some(3) };
        for at in 0..3 {
            let step = StepSecond {
                tally: Tally { total: 100, errors: u64::from(at), unavailable: 0 },
                response: Sparse(vec![(1000 * (u64::from(at) + 1), 100)]),
                ..StepSecond::default()
            };
            progress.see(Seen::Second(&Second { at, users: 7, steps: vec![step], ..Second::default() }));
        }
        let expected =
            "0:03/1:30  7 users  100 req/s  p50 2.0 ms  p95 3.0 ms  p99 3.0 ms  errors 1.50%  3 instances";
        assert_eq!(progress.line(), expected);
    }
}
