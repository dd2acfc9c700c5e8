//! The buckets of one limit, by key.
//!
//! A full bucket is as good as none, so only those in use take memory, and at most a fixed number. When there are
//! more, those nearest to being full are forgotten, which gives their owners the least too much: a flood of addresses
//! neither shuts others out nor takes the memory.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;

use super::pace::{Pace, Quota, seconds};

/// Some 10 MB for each limited route, when all are in use.
pub(crate) const BUCKETS_MAX: usize = 1 << 18;

/// More than workers, so that two seldom want the same at once.
const SHARDS: usize = 64;

/// When a shard is full, one part of so many is forgotten, so that this is not needed for every newcomer.
const FORGOTTEN_PART: usize = 16;

pub(crate) struct Buckets {
    shards: [Shard; SHARDS],
    hasher: RandomState,
    shard_max: usize,
    forgotten: Counter,
}

/// On cache lines of its own, like [`crate::upstream::Idle`].
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<State>);

#[derive(Default)]
struct State {
    /// The moment each bucket is full.
    full_at: HashMap<u128, u64, RandomState>,
    /// Workers read the clock before they come here, not always in their order here; time must not go back.
    latest: u64,
}

/// What came of taking a request out of a bucket.
pub(crate) struct Taken {
    pub(crate) quota: Quota,
    /// It was not there: seconds until it would be.
    pub(crate) wait_s: Option<u64>,
}

impl Buckets {
    pub(crate) fn new(max: usize, forgotten: Counter) -> Self {
        Self {
            shards: std::array::from_fn(|_| Shard::default()),
            hasher: RandomState::new(),
            shard_max: max.div_ceil(SHARDS),
            forgotten,
        }
    }

    pub(crate) fn take(&self, key: u128, now: u64, pace: &Pace) -> Taken {
        let shard = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or_default();
        let mut state = self.shards[shard].0.lock();
        let now = state.latest.max(now);
        state.latest = now;
        if let Some(full_at) = state.full_at.get_mut(&key) {
            let taken = pace.take(*full_at, now);
            *full_at = taken.unwrap_or(*full_at);
            return Taken { quota: pace.quota(*full_at, now), wait_s: taken.err().map(seconds) };
        }
        if state.full_at.len() >= self.shard_max {
            self.forgotten.inc_by(state.make_room(now));
        }
        // A full bucket has room for one at least.
        let full_at = pace.take(0, now).unwrap_or(now);
        state.full_at.insert(key, full_at);
        Taken { quota: pace.quota(full_at, now), wait_s: None }
    }
}

impl State {
    /// Drops all full buckets, and others if these are too few; returns how many others.
    fn make_room(&mut self, now: u64) -> u64 {
        let wanted = self.full_at.len().div_ceil(FORGOTTEN_PART);
        let mut moments: Vec<u64> = self.full_at.values().copied().collect();
        let (_, &mut newest, _) = moments.select_nth_unstable(wanted - 1);
        let (mut left, mut others) = (wanted, 0);
        self.full_at.retain(|_, full_at| {
            if *full_at <= now {
                left = left.saturating_sub(1);
                return false;
            }
            if *full_at > newest || left == 0 {
                return true;
            }
            left -= 1;
            others += 1;
            false
        });
        others
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn passes(buckets: &Buckets, key: u128, now: u64, pace: &Pace) -> bool {
        buckets.take(key, now, pace).wait_s.is_none()
    }

    fn held(buckets: &Buckets) -> usize {
        buckets.shards.iter().map(|shard| shard.0.lock().full_at.len()).sum()
    }

    #[test]
    fn at_one_moment_exactly_the_burst_passes_however_many_ask_at_once() {
        let (buckets, pace) = (Buckets::new(BUCKETS_MAX, Counter::default()), Pace::new(5.0, 100));
        let ask = || (0..50).filter(|_| passes(&buckets, 7, SECOND, &pace)).count();
        let passed: usize = thread::scope(|scope| {
            let clients: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            clients.into_iter().map(|client| client.join().expect("it does not panic")).sum()
        });
        assert_eq!(passed, 100);
        assert!(!passes(&buckets, 7, SECOND, &pace));
        assert!(passes(&buckets, 8, SECOND, &pace), "another has a bucket of his own");
    }

    #[test]
    fn a_clock_read_too_early_gives_nothing_back() {
        let (buckets, pace) = (Buckets::new(SHARDS, Counter::default()), Pace::new(1.0, 1));
        assert!(passes(&buckets, 7, 5 * SECOND, &pace));
        assert!(!passes(&buckets, 7, 4 * SECOND, &pace));
        assert!(passes(&buckets, 7, 6 * SECOND, &pace));
    }

    #[test]
    fn full_buckets_make_room_before_others_do() {
        let forgotten = Counter::default();
        let (buckets, pace) = (Buckets::new(64 * SHARDS, forgotten.clone()), Pace::new(1.0, 1));
        (0..100_000).for_each(|key| assert!(passes(&buckets, key.into(), key * SECOND / 100, &pace)));
        assert!(held(&buckets) <= 64 * SHARDS);
        assert_eq!(forgotten.get(), 0, "of 100 in a second all but the last 100 are full");
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_counted_and_costs_the_newest_nothing() {
        let forgotten = Counter::default();
        let (buckets, pace) = (Buckets::new(64 * SHARDS, forgotten.clone()), Pace::new(1.0 / 3600.0, 1));
        for key in 0..100_000_u64 {
            assert!(passes(&buckets, key.into(), key, &pace));
            assert!(!passes(&buckets, key.into(), key, &pace), "the newest is never the forgotten one");
        }
        let held = held(&buckets);
        assert!(held <= 64 * SHARDS && held > 56 * SHARDS, "{held}");
        assert_eq!(forgotten.get(), 100_000 - held as u64);
    }

    #[test]
    fn of_buckets_that_are_full_at_the_same_moment_not_all_are_forgotten() {
        let (buckets, pace) = (Buckets::new(64 * SHARDS, Counter::default()), Pace::new(1.0, 1));
        (0..10_000).for_each(|key| assert!(passes(&buckets, key, 0, &pace)));
        assert!(held(&buckets) > 56 * SHARDS);
    }
}
