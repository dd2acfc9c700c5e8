//! Counts of what `[objectives]` and `[alerts.slow]` are about, taken where clients are served: a request's time runs
//! from its head to the end of its answer, waiting and cold start included.
//!
//! ```text
//!   route ─OfRoute: which of its requests may be meant─► bits of one request ─► Pending ─end of the answer─► Shard
//! ```
//!
//! A request nothing is promised of costs one look at an empty list. One that is counted costs a binary search and two
//! to four relaxed additions per objective, on counters only its own worker writes: some 10 ns.
//!
//! A client that left before its answer was complete, or broke its upload off, is not counted: nobody knows how long
//! that answer would have taken.

mod counts;
mod exposition;
mod matching;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use mare_manifest::Manifest;
use mare_manifest::model::Route;
use mare_manifest::model::objective::Subject;

use crate::metrics::DURATIONS;
pub use counts::Counts;
use counts::{Cell, Sums};
pub(crate) use matching::OfRoute;

/// What is counted, and the counts; clones share them.
#[derive(Clone, Debug)]
pub struct Objectives(Arc<All>);

#[derive(Debug)]
struct All {
    /// Objectives first, then slow rules; the position is the bit.
    watched: Vec<Watched>,
    /// One of each worker.
    shards: Vec<Arc<Shard>>,
}

#[derive(Debug)]
struct Watched {
    name: String,
    kind: Kind,
    on: Subject,
    /// Of the histogram, rising; every limit is among them.
    bounds: Arc<[Duration]>,
}

#[derive(Debug)]
enum Kind {
    /// The latency limits, in the manifest's order.
    Objective(Vec<Duration>),
    Slow,
}

/// The counts of one worker, by bit. On cache lines of its own, because every request counts a reference to it.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Shard(Vec<Cell>);

/// What was counted since the start.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Snapshot {
    pub objectives: BTreeMap<String, Counts>,
    /// Of each rule, how many requests took longer.
    pub slow: BTreeMap<String, u64>,
}

impl Objectives {
    pub(crate) fn new(manifest: &Manifest, workers: usize) -> Self {
        let objectives = manifest.objectives.iter().map(|(name, objective)| {
            let limits: Vec<Duration> = objective.limits.latency.iter().map(|(_, limit)| *limit).collect();
            let mut bounds: Vec<Duration> = DURATIONS.map(Duration::from_secs_f64).to_vec();
            bounds.extend(&limits);
            bounds.sort_unstable();
            bounds.dedup();
            let (name, on) = (name.clone(), objective.on.clone());
            Watched { name, kind: Kind::Objective(limits), on, bounds: bounds.into() }
        });
        let slow = manifest.alerts.slow.iter().map(|(name, rule)| {
            let bounds = [rule.over].into();
            Watched { name: name.clone(), kind: Kind::Slow, on: rule.on.clone(), bounds }
        });
        let watched: Vec<Watched> = objectives.chain(slow).collect();
        let cells = || watched.iter().map(|one| Cell::new(Arc::clone(&one.bounds))).collect();
        let shards = (0..workers).map(|_| Arc::new(Shard(cells()))).collect();
        Self(Arc::new(All { watched, shards }))
    }

    /// What may be meant of the requests that take this route.
    pub(crate) fn of_route(&self, route: &Route) -> OfRoute {
        OfRoute::new(self.0.watched.iter().map(|one| &one.on), route)
    }

    /// Begins to count one request of this worker; `which` is what [`OfRoute::matching`] says of it.
    pub(crate) fn begin(&self, which: u64, worker: usize) -> Option<Pending> {
        let shard = || Arc::clone(&self.0.shards[worker]);
        (which != 0).then(|| Pending { shard: shard(), which, end: End::Open })
    }

    /// The objectives that are about something else than requests, for who counts it.
    pub fn of_queues(&self) -> Vec<(Subject, Recorder)> {
        let others = self.0.watched.iter().enumerate().filter_map(|(bit, watched)| match watched.on {
            Subject::Queue(_) | Subject::Backlog(_) => {
                Some((watched.on.clone(), Recorder { shard: Arc::clone(self.0.shards.first()?), bit }))
            }
            Subject::Requests { .. } | Subject::Service(_) => None,
        });
        others.collect()
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (watched, sums) in self.sums() {
            match &watched.kind {
                Kind::Objective(limits) => {
                    snapshot.objectives.insert(watched.name.clone(), sums.counts(&watched.bounds, limits));
                }
                Kind::Slow => {
                    snapshot.slow.insert(watched.name.clone(), sums.last_bucket());
                }
            }
        }
        snapshot
    }

    /// The counts over all workers.
    fn sums(&self) -> impl Iterator<Item = (&Watched, Sums)> {
        let shards = &self.0.shards;
        let sum = |bit: usize| shards.iter().fold(Sums::default(), |sums, shard| sums.and(&shard.0[bit]));
        self.0.watched.iter().enumerate().map(move |(bit, watched)| (watched, sum(bit)))
    }
}

/// Counts for one objective from outside of the gateway.
#[derive(Clone, Debug)]
pub struct Recorder {
    shard: Arc<Shard>,
    bit: usize,
}

impl Recorder {
    /// Counts one that went well, however long it took.
    pub fn good(&self, took: Duration) {
        self.shard.0[self.bit].add(Outcome::Good, took);
    }

    /// Counts one that failed.
    pub fn failed(&self, took: Duration) {
        self.shard.0[self.bit].add(Outcome::Unavailable, took);
    }
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// Not at all: whoever took it is gone.
    Open,
    Complete,
    /// The upstream broke off, or took too long.
    Broken,
}

/// One request on its way.
#[derive(Debug)]
pub(crate) struct Pending {
    shard: Arc<Shard>,
    which: u64,
    pub(crate) end: End,
}

impl Pending {
    pub(crate) fn record(&self, status: StatusCode, took: Duration) {
        let outcome = match self.end {
            End::Open => return,
            End::Broken => Outcome::Unavailable,
            End::Complete => Outcome::of(status),
        };
        let mut left = self.which;
        while left != 0 {
            self.shard.0[left.trailing_zeros() as usize].add(outcome, took);
            left &= left - 1;
        }
    }
}

/// What an answer means to who asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    Good,
    /// An answer, but of a service that had no room.
    Error,
    /// No answer of the service, or one that says that it failed.
    Unavailable,
}

impl Outcome {
    /// A 429 is the service's own here: the gateway refuses nobody for their rate.
    fn of(status: StatusCode) -> Self {
        match status {
            status if status.is_server_error() => Self::Unavailable,
            StatusCode::TOO_MANY_REQUESTS => Self::Error,
            _ => Self::Good,
        }
    }
}
