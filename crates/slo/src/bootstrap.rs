//! How far a measured ratio may be from the true one, when neighbouring seconds are alike.
//!
//! The moving-block bootstrap (Künsch 1989): a resample is put together from blocks of neighbouring seconds drawn at
//! random with replacement, so what comes in bursts stays in bursts; the middle 95 % of what the resamples yield is
//! the interval. A formula for independent requests would be too narrow: one slow second holds many slow requests.
//!
//! It needs no histogram per resample. All a resample must tell is how many of its events were good, in the sense of
//! "took at most this long"; prefix sums over the seconds give that in one subtraction per block. A percentile's
//! interval is found by asking so for one latency after another, by bisection.

use fastrand::Rng;

/// The same random blocks for every question, so that answers agree with one another.
#[derive(Clone, Debug)]
pub(crate) struct Bootstrap {
    /// Where each block begins; as many per resample as cover all seconds.
    starts: Vec<usize>,
    per_resample: usize,
    block: usize,
}

/// Enough for the ends of a 95 % interval to be told by the 13th of either side.
const RESAMPLES: usize = 500;

/// What is outside of a 95 % interval on each side, as one of so many.
const TAIL: usize = 40;

impl Bootstrap {
    /// Of so many seconds, in blocks of so many.
    pub(crate) fn new(seconds: usize, block: usize, seed: u64) -> Self {
        let block = block.clamp(1, seconds.max(1));
        let per_resample = seconds.div_ceil(block);
        let mut rng = Rng::with_seed(seed);
        let starts = (0..RESAMPLES * per_resample).map(|_| rng.usize(..=seconds - block)).collect();
        Self { starts, per_resample, block }
    }

    /// For each resample the sum of a number that every second has. `prefix[i]` is the sum of the first `i` seconds.
    pub(crate) fn sums(&self, prefix: &[u64]) -> impl Iterator<Item = u64> {
        let sum = |starts: &[usize]| starts.iter().map(|&at| prefix[at + self.block] - prefix[at]).sum();
        self.starts.chunks(self.per_resample.max(1)).map(sum)
    }
}

/// The ends of the middle 95 %. `None` without values.
pub(crate) fn middle(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.sort_unstable_by(f64::total_cmp);
    let outside = values.len() / TAIL;
    Some((*values.get(outside)?, values[values.len() - 1 - outside]))
}

/// Whether so many of the resamples reach the low end, or the high end, of their middle 95 %.
pub(crate) fn reaches(end: End, count: usize) -> bool {
    match end {
        End::Low => count > RESAMPLES / TAIL,
        End::High => count >= RESAMPLES - RESAMPLES / TAIL,
    }
}

#[derive(Clone, Copy)]
pub(crate) enum End {
    Low,
    High,
}

/// 0, then the sum so far after each number.
pub(crate) fn prefix_sums(numbers: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut sums = vec![0];
    let mut sum = 0;
    sums.extend(numbers.map(|number| {
        sum += number;
        sum
    }));
    sums
}

#[cfg(test)]
impl Bootstrap {
    /// The seconds of each resample, as they are drawn.
    pub(crate) fn resamples(&self) -> impl Iterator<Item = impl Iterator<Item = usize>> {
        self.starts.chunks(self.per_resample).map(|starts| starts.iter().flat_map(|&at| at..at + self.block))
    }
}
