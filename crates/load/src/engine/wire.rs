//! What threads and processes of the generator tell each other: once a second what they saw, as plain data.

use std::collections::{BTreeMap, VecDeque};

use mare_slo::Sparse;
use serde::{Deserialize, Serialize};

use crate::run::{Second, StepSecond};

/// How many kinds of failure are told apart, per step and second.
const KINDS_MAX: usize = 20;

/// What a thread or a process says to whoever started it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// It has read its job and waits for the start.
    Ready,
    /// One more second, in order, none left out.
    Tick(Box<Tick>),
    /// It cannot go on.
    Failed(String),
    /// It is through; so many requests were still unanswered, and left out.
    Done { unanswered: u64 },
}

/// A second of one thread, or of several together.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Tick {
    pub(crate) second: Second,
    /// The share of a core each thread used.
    pub(crate) threads: Vec<f64>,
    pub(crate) memory_bytes: u64,
    pub(crate) setups: Setups,
}

/// How many users got through the scenario's set-up, since the second before.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Setups {
    pub(crate) done: u64,
    /// They do nothing for the rest of the run.
    pub(crate) failed: u64,
    pub(crate) why: Option<String>,
}

impl Tick {
    /// Adds what another saw in the same second.
    fn add(&mut self, other: Self) {
        let Second { at: _, users, wanted, begun, lag, steps } = other.second;
        let into = &mut self.second;
        into.users += users;
        into.wanted += wanted;
        into.begun += begun;
        merge(&mut into.lag, &lag);
        into.steps.resize_with(into.steps.len().max(steps.len()), StepSecond::default);
        for (into, step) in into.steps.iter_mut().zip(steps) {
            into.tally.add(step.tally);
            merge(&mut into.response, &step.response);
            merge(&mut into.service, &step.service);
            into.bytes_in += step.bytes_in;
            for (kind, count) in step.failures {
                count_failure(&mut into.failures, &kind, count);
            }
        }
        self.threads.extend(other.threads);
        self.memory_bytes += other.memory_bytes;
        self.setups.add(other.setups);
    }
}

impl Setups {
    pub(crate) fn add(&mut self, other: Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.why = self.why.take().or(other.why);
    }
}

/// Counts failures of a kind, or as `other` when there are too many kinds.
pub(crate) fn count_failure(failures: &mut BTreeMap<String, u64>, kind: &str, count: u64) {
    if let Some(counted) = failures.get_mut(kind) {
        *counted += count;
        return;
    }
    let kind = if failures.len() < KINDS_MAX { kind } else { "other" };
    *failures.entry(kind.to_owned()).or_default() += count;
}

/// Both are sorted, and stay so.
fn merge(into: &mut Sparse, other: &Sparse) {
    if into.0.is_empty() {
        into.0.clone_from(&other.0);
        return;
    }
    let mut merged = Vec::with_capacity(into.0.len() + other.0.len());
    let mut others = other.0.iter().copied().peekable();
    for &(us, count) in &into.0 {
        while let Some(other) = others.next_if(|&(other, _)| other < us) {
            merged.push(other);
        }
        let same = others.next_if(|&(other, _)| other == us).map_or(0, |(_, count)| count);
        merged.push((us, count + same));
    }
    merged.extend(others);
    into.0 = merged;
}

/// Puts the seconds of several sources together, and gives each out once every source has told it.
#[derive(Debug)]
pub(crate) struct Merger {
    sources: Vec<Source>,
    next: u32,
}

#[derive(Debug, Default)]
struct Source {
    /// Told, not yet given out. At most as many as one source is ahead of another.
    told: VecDeque<Tick>,
    is_done: bool,
}

impl Merger {
    pub(crate) fn new(sources: usize) -> Self {
        Self { sources: (0..sources).map(|_| Source::default()).collect(), next: 0 }
    }

    pub(crate) fn add(&mut self, source: usize, tick: Tick) {
        self.sources[source].told.push_back(tick);
    }

    /// It tells no more seconds.
    pub(crate) fn end(&mut self, source: usize) {
        self.sources[source].is_done = true;
    }

    pub(crate) fn is_done(&self) -> bool {
        self.sources.iter().all(|source| source.is_done)
    }

    /// The next second that is complete.
    pub(crate) fn next(&mut self) -> Option<Tick> {
        let is_waited_for = |source: &Source| !source.is_done && source.told.is_empty();
        if self.sources.iter().any(is_waited_for) {
            return None;
        }
        let mut ticks = self.sources.iter_mut().filter_map(|source| source.told.pop_front());
        let mut merged = ticks.next()?;
        ticks.for_each(|tick| merged.add(tick));
        merged.second.at = self.next;
        self.next += 1;
        Some(merged)
    }
}

#[cfg(test)]
mod tests {
    use mare_slo::Tally;

    use super::*;

    fn tick(users: u32, latencies: &[(u64, u64)], failure: &str) -> Tick {
        let step = StepSecond {
            tally: Tally { total: 2, errors: 1, unavailable: 1 },
            response: Sparse(latencies.to_vec()),
            service: Sparse(latencies.to_vec()),
            bytes_in: 10,
            failures: [(failure.to_owned(), 1)].into(),
        };
        let second = Second { users, wanted: 3, begun: 2, steps: vec![step], ..Second::default() };
        Tick { second, threads: vec![0.5], memory_bytes: 7, ..Tick::default() }
    }

    #[test]
    fn a_merged_second_is_the_sum_of_its_parts() {
        let mut merger = Merger::new(2);
        merger.add(0, tick(5, &[(10, 1), (30, 2)], "timeout"));
        assert!(merger.next().is_none(), "the other source has not told it yet");
        merger.add(1, tick(6, &[(5, 1), (30, 3), (40, 4)], "connect"));
        let told = merger.next().expect("both told it");
        let step = &told.second.steps[0];
        assert_eq!((told.second.users, told.second.wanted, told.second.begun), (11, 6, 4));
        assert_eq!(step.response.0, [(5, 1), (10, 1), (30, 5), (40, 4)]);
        assert_eq!(step.tally, Tally { total: 4, errors: 2, unavailable: 2 });
        assert_eq!(step.failures.len(), 2);
        assert_eq!((told.threads.len(), told.memory_bytes), (2, 14));
    }

    #[test]
    fn a_source_that_is_through_is_not_waited_for() {
        let mut merger = Merger::new(2);
        merger.end(1);
        merger.add(0, tick(5, &[], "timeout"));
        merger.add(0, tick(4, &[], "timeout"));
        assert_eq!(merger.next().expect("only one source counts").second.at, 0);
        assert_eq!(merger.next().expect("only one source counts").second.at, 1);
        assert!(merger.next().is_none());
        assert!(!merger.is_done());
    }

    #[test]
    fn kinds_of_failures_are_bounded() {
        let mut failures = BTreeMap::new();
        (0..100).for_each(|number| count_failure(&mut failures, &format!("status {number}"), 1));
        assert_eq!(failures.len(), KINDS_MAX + 1);
        assert_eq!(failures["other"], 80);
    }
}
