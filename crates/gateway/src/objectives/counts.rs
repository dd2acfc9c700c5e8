//! The counters of one objective on one worker, and their sums.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Outcome;

/// How many requests an objective saw since the start.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    pub total: u64,
    /// 5xx, 429, and answers that broke off.
    pub errors: u64,
    /// 5xx and answers that broke off; part of `errors`.
    pub unavailable: u64,
    /// Of each latency limit, in the objective's order: how many took at most that long.
    pub within: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct Cell {
    bounds: Arc<[Duration]>,
    /// One more than bounds: the last is for what took longer.
    buckets: Box<[AtomicU64]>,
    sum_ns: AtomicU64,
    errors: AtomicU64,
    unavailable: AtomicU64,
}

/// [`Cell`]s added up. The total is the sum of the buckets, so the two never disagree.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) buckets: Vec<u64>,
    pub(super) sum_ns: u64,
    pub(super) errors: u64,
    pub(super) unavailable: u64,
}

impl Cell {
    pub(super) fn new(bounds: Arc<[Duration]>) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        let zero = || AtomicU64::new(0);
        Self { bounds, buckets, sum_ns: zero(), errors: zero(), unavailable: zero() }
    }

    pub(super) fn add(&self, outcome: Outcome, took: Duration) {
        let bucket = self.bounds.partition_point(|bound| *bound < took);
        // Errors first: a reader may see one too many of them for a moment, but no error that never was a request
        // stays. Nothing else depends on the order.
        match outcome {
            Outcome::Good => {}
            Outcome::Error => count(&self.errors),
            Outcome::Unavailable => {
                count(&self.errors);
                count(&self.unavailable);
            }
        }
        // 584 years of waiting fit.
        self.sum_ns.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        count(&self.buckets[bucket]);
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Sums {
    pub(super) fn and(mut self, cell: &Cell) -> Self {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.buckets.resize(cell.buckets.len(), 0);
        for (sum, bucket) in self.buckets.iter_mut().zip(&cell.buckets) {
            *sum += read(bucket);
        }
        self.sum_ns = self.sum_ns.wrapping_add(read(&cell.sum_ns));
        self.errors += read(&cell.errors);
        self.unavailable += read(&cell.unavailable);
        self
    }

    pub(super) fn total(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Those above the highest bound.
    pub(super) fn last_bucket(&self) -> u64 {
        self.buckets.last().copied().unwrap_or(0)
    }

    pub(super) fn counts(&self, bounds: &[Duration], limits: &[Duration]) -> Counts {
        let total = self.total();
        let within = |limit: &Duration| {
            let until = bounds.partition_point(|bound| bound <= limit);
            self.buckets.iter().take(until).sum()
        };
        Counts {
            total,
            // Being read while it is written, it may be ahead by the requests of this moment.
            errors: self.errors.min(total),
            unavailable: self.unavailable.min(total),
            within: limits.iter().map(within).collect(),
        }
    }
}
