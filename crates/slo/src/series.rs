//! What was measured second by second, and what it says of a clause.

use crate::bootstrap::{Bootstrap, End, middle, prefix_sums, reaches};
use crate::events::{ceil, needed};
use crate::latencies::bucket_end;
use crate::{Clause, Events, Judgement, Latencies, Sparse, Tally, Verdict};

/// The requests of a measurement, by second. Judges clauses on all of them together.
#[derive(Clone, Debug)]
pub struct Series {
    seconds: Vec<Second>,
    tally: Tally,
    /// All latencies: microseconds and how many took at most that.
    all: Vec<(u64, u64)>,
    bootstrap: Bootstrap,
}

#[derive(Clone, Debug, Default)]
struct Second {
    tally: Tally,
    /// As [`Series::all`], of this second.
    latencies: Vec<(u64, u64)>,
}

impl Series {
    /// `seconds` holds every second's latencies (of several steps, say) and its tally. The same `seed` gives the same
    /// intervals.
    pub fn new<'a, L>(seconds: impl IntoIterator<Item = (L, Tally)>, seed: u64) -> Self
    where
        L: IntoIterator<Item = &'a Sparse>,
    {
        let mut sum = Tally::default();
        let mut all = Latencies::default();
        let mut second = |(latencies, tally): (L, Tally)| {
            sum.add(tally);
            let steps = latencies.into_iter().inspect(|sparse| all.add(sparse));
            Second {
                tally,
                latencies: cumulative(steps.flat_map(|sparse| sparse.0.iter().copied()).collect()),
            }
        };
        let seconds: Vec<Second> = seconds.into_iter().map(&mut second).collect();
        // Blocks of 10 s, shorter where there would be fewer than 20 of them.
        let block = if seconds.len() < 200 { 5 } else { 10 };
        let bootstrap = Bootstrap::new(seconds.len(), block, seed);
        Self { seconds, tally: sum, all: cumulative(all.sparse().0), bootstrap }
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Says whether the clause was kept, if the measurement is good enough to say so.
    ///
    /// PASS and FAIL need the whole 95 % interval of the share of good requests on their side of the target; between
    /// them it is INCONCLUSIVE, as it is without any request. The interval is the wider, at either end, of two: one
    /// for independent requests, which knows how little a few requests say (Wilson's; for a percentile that is the
    /// order-statistic interval), and the bootstrap's, which knows of bursts. A clause that allows nothing bad at all
    /// is kept or broken by what was seen, for no number of requests could prove it.
    pub fn judge(&self, clause: &Clause) -> Judgement {
        let events = events(clause, &self.all, self.tally);
        let Some(bad) = events.bad_ratio() else {
            let (clause, verdict) = (*clause, Verdict::Inconclusive);
            return Judgement { clause, measured: None, interval: None, requests: 0, verdict };
        };
        let target = clause.target();
        let (low, high) = self.share_interval(clause, events);
        let verdict = match events.meet(target) {
            true if low >= target || target >= 1.0 => Verdict::Pass,
            false if high < target || target >= 1.0 => Verdict::Fail,
            _ => Verdict::Inconclusive,
        };
        let (measured, interval) = match clause {
            Clause::Latency { .. } => (self.quantile(target), self.quantile_interval(target)),
            Clause::Errors { .. } => (Some(bad), Some((1.0 - high, 1.0 - low))),
            Clause::Availability { .. } => (Some(1.0 - bad), Some((low, high))),
        };
        Judgement { clause: *clause, measured, interval, requests: events.total, verdict }
    }

    /// In seconds.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let count = self.all.last()?.1;
        self.at_rank(needed(quantile, count))
    }

    /// The 95 % interval of a quantile, in seconds. `None` when there are too few requests for an upper end: below
    /// 3.84 q / (1 - q), 73 for a P95 and 381 for a P99.
    pub fn quantile_interval(&self, quantile: f64) -> Option<(f64, f64)> {
        let count = self.all.last()?.1;
        let mean = count as f64 * quantile;
        let deviation = Z * (mean * (1.0 - quantile)).sqrt();
        let rank = |rank: f64| self.at_rank(ceil(rank));
        let (low, high) = (rank(mean - deviation)?, rank(mean + deviation)?);
        let (resampled_low, resampled_high) = self.resampled_quantiles(quantile)?;
        Some((low.min(resampled_low), high.max(resampled_high)))
    }

    fn at_rank(&self, rank: u64) -> Option<f64> {
        let index = self.all.partition_point(|&(_, within)| within < rank.max(1));
        self.all.get(index).map(|&(us, _)| us as f64 / 1e6)
    }

    /// The ends of the middle 95 % of the resamples' quantiles. A resample's quantile is at most `v` exactly if enough
    /// of its requests took at most `v`; so an end is the least `v` for which enough resamples say so.
    fn resampled_quantiles(&self, quantile: f64) -> Option<(f64, f64)> {
        let totals = prefix_sums(self.seconds.iter().map(|second| within(&second.latencies, u64::MAX)));
        let totals: Vec<u64> = self.bootstrap.sums(&totals).collect();
        let below = |us: u64| {
            let good = prefix_sums(self.seconds.iter().map(|second| within(&second.latencies, us)));
            let enough =
                self.bootstrap.sums(&good).zip(&totals).filter(|&(good, &n)| good >= needed(quantile, n));
            enough.count()
        };
        let end = |end: End| {
            let index = self.all.partition_point(|&(us, _)| !reaches(end, below(us)));
            self.all.get(index).map(|&(us, _)| us as f64 / 1e6)
        };
        Some((end(End::Low)?, end(End::High)?))
    }

    /// Of the share of good events; `all` of them are not none.
    fn share_interval(&self, clause: &Clause, all: Events) -> (f64, f64) {
        let (low, high) = wilson(all);
        let by_second = self.seconds.iter().map(|second| events(clause, &second.latencies, second.tally));
        let (good, total): (Vec<u64>, Vec<u64>) = by_second.map(|events| (events.good, events.total)).unzip();
        let (good, total) = (prefix_sums(good.into_iter()), prefix_sums(total.into_iter()));
        let resamples = self.bootstrap.sums(&good).zip(self.bootstrap.sums(&total));
        let shares = resamples.filter(|&(_, n)| n > 0).map(|(good, n)| good as f64 / n as f64).collect();
        middle(shares).map_or((low, high), |(lowest, highest)| (low.min(lowest), high.max(highest)))
    }
}

/// 95 % of a normal distribution lie within so many standard deviations.
const Z: f64 = 1.959_964;

/// Wilson's score interval (1927) of the share of good events: it stays within 0 to 1 and is right near both.
fn wilson(events: Events) -> (f64, f64) {
    let (n, share) = (events.total as f64, events.good as f64 / events.total as f64);
    let z2 = Z * Z;
    let centre = share + z2 / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
}

fn cumulative(mut pairs: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    pairs.sort_unstable();
    let mut sum = 0;
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(pairs.len());
    for (us, count) in pairs {
        sum += count;
        match merged.last_mut() {
            Some(last) if last.0 == us => last.1 = sum,
            _ => merged.push((us, sum)),
        }
    }
    merged
}

fn within(cumulative: &[(u64, u64)], us: u64) -> u64 {
    let above = cumulative.partition_point(|&(at, _)| at <= us);
    above.checked_sub(1).map_or(0, |last| cumulative[last].1)
}

fn events(clause: &Clause, latencies: &[(u64, u64)], tally: Tally) -> Events {
    match *clause {
        Clause::Latency { limit, .. } => {
            Events { good: within(latencies, bucket_end(limit)), total: within(latencies, u64::MAX) }
        }
        Clause::Errors { .. } => {
            Events { good: tally.total.saturating_sub(tally.errors), total: tally.total }
        }
        Clause::Availability { .. } => {
            Events { good: tally.total.saturating_sub(tally.unavailable), total: tally.total }
        }
    }
}

#[cfg(test)]
mod tests;
