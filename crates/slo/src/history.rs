//! What the last days of an error budget were, in a bounded number of samples.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Events;

/// The cumulative counts of one clause over time, thinner the older they are.
///
/// Times are seconds on one clock that goes on after a restart, such as Unix time.
///
/// A window is answered with exact counts, from the newest sample that is at least as old as the window. So what is
/// inexact is only the window's length: it is longer by at most [`History::ERROR`] of itself, or by the time between
/// two calls of [`History::record`] where that is more. Nothing is interpolated, and no ratios are averaged.
///
/// Why the error holds: a sample is dropped only if the gap this makes is at most `ERROR` of the age of the gap's
/// younger end, and ages only grow. Why the number is bounded: a sample stays only if dropping it made a larger gap,
/// so the age grows by more than `ERROR` with every second sample; up to `KEPT` that is 2 · ln(91 d / 1 s) / ln(1.02),
/// about 1,600.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct History {
    /// By rising time; never empty. The first one's counts are what was before.
    samples: Vec<Sample>,
    /// What the counter said last. Not kept: the next process counts from zero.
    counter: Events,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
struct Sample {
    at: u64,
    good: u64,
    total: u64,
}

/// What is written to disk.
#[derive(Deserialize, Serialize)]
#[serde(tag = "version")]
enum Kept {
    #[serde(rename = "1")]
    V1 { samples: Vec<Sample> },
}

impl History {
    /// The most a window is longer than asked for, relative to itself. A burn rate within 2 % is far more exact than
    /// the factors it is compared with.
    pub const ERROR: f64 = 0.02;

    /// The longest window that can be answered: a quarter.
    pub const KEPT: Duration = Duration::from_secs(91 * 86_400);

    /// Begins now, with nothing seen.
    pub fn new(now: u64) -> Self {
        Self { samples: vec![Sample { at: now, good: 0, total: 0 }], counter: Events::default() }
    }

    /// Takes what a counter of this process says now; it began at zero with the process.
    ///
    /// A counter that went back began again at zero, and so does one after this history was read back from where it
    /// was kept: what it counted then comes on top. If the clock went back, what it had said in between is forgotten,
    /// but no count is.
    pub fn record(&mut self, now: u64, counter: Events) {
        let restarted = counter.total < self.counter.total || counter.good < self.counter.good;
        let new = if restarted { counter } else { counter.since(self.counter) };
        self.counter = counter;
        let sum = self.last().events().and(new);
        let later = self.samples.partition_point(|sample| sample.at < now);
        self.samples.truncate(later);
        self.samples.push(Sample { at: now, good: sum.good, total: sum.total });
        self.thin(now);
    }

    /// What happened within the last `window`; since the beginning, if that is later.
    pub fn counts(&self, window: Duration, now: u64) -> Events {
        let start = now.saturating_sub(window.as_secs());
        let older = self.samples.partition_point(|sample| sample.at <= start);
        self.last().events().since(self.samples[older.saturating_sub(1)].events())
    }

    /// How long this has been recorded.
    pub fn age(&self, now: u64) -> Duration {
        Duration::from_secs(now.saturating_sub(self.samples[0].at))
    }

    fn last(&self) -> Sample {
        *self.samples.last().expect("there is always one")
    }

    fn thin(&mut self, now: u64) {
        let oldest = now.saturating_sub(Self::KEPT.as_secs());
        // One sample older than that stays: the longest window starts from it.
        let too_old = self.samples.partition_point(|sample| sample.at <= oldest).saturating_sub(1);
        let mut kept: Vec<Sample> = Vec::with_capacity(self.samples.len());
        for (index, sample) in self.samples.iter().enumerate().skip(too_old) {
            let needed = match (kept.last(), self.samples.get(index + 1)) {
                (Some(before), Some(next)) => {
                    (next.at - before.at) as f64 > Self::ERROR * now.saturating_sub(next.at) as f64
                }
                _ => true,
            };
            if needed {
                kept.push(*sample);
            }
        }
        self.samples = kept;
    }
}

impl Sample {
    fn events(self) -> Events {
        Events { good: self.good, total: self.total }
    }
}

impl From<History> for Kept {
    fn from(history: History) -> Self {
        Self::V1 { samples: history.samples }
    }
}

impl TryFrom<Kept> for History {
    type Error = &'static str;

    fn try_from(kept: Kept) -> Result<Self, &'static str> {
        let Kept::V1 { samples } = kept;
        let rising = |pair: &[Sample]| {
            pair[0].at < pair[1].at && pair[0].good <= pair[1].good && pair[0].total <= pair[1].total
        };
        if samples.is_empty() || !samples.windows(2).all(rising) || samples.iter().any(|s| s.good > s.total) {
            return Err("the samples of an error budget do not rise");
        }
        Ok(Self { samples, counter: Events::default() })
    }
}

#[cfg(test)]
mod tests;
