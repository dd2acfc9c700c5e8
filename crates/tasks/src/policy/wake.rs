//! When asking for tasks again can bring more.

use jiff::Timestamp;

/// A running queue after a lease, in what matters for the next one.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// When the first of its tasks that are not leased is due; it may be past.
    pub due: Option<Timestamp>,
    /// When the first lease ends by itself: its task is due then, its place free.
    pub lease_ends: Option<Timestamp>,
    /// Whether fewer tasks are leased than may be.
    pub has_place: bool,
    /// When the next attempt may begin by the queue's pace.
    pub token: Timestamp,
}

impl Waiting {
    /// `None`: not before a task is created, settled or the like.
    pub fn again_at(&self, now: Timestamp) -> Option<Timestamp> {
        let first = match (self.due.filter(|_due| self.has_place), self.lease_ends) {
            (Some(due), Some(ends)) => Some(due.min(ends)),
            (due, ends) => due.or(ends),
        };
        first.map(|at| at.max(self.token).max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_again_waits_for_what_is_missing() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let check = |due: Option<i64>, lease_ends: Option<i64>, has_place, token, expected: Option<i64>| {
            let (due, lease_ends) = (due.map(at), lease_ends.map(at));
            let waiting = Waiting { due, lease_ends, has_place, token: at(token) };
            assert_eq!(waiting.again_at(at(10)), expected.map(at), "{waiting:?}");
        };
        check(None, None, true, 10, None);
        check(Some(5), None, true, 10, Some(10));
        check(Some(5), None, true, 12, Some(12));
        check(Some(20), None, true, 12, Some(20));
        check(Some(5), None, false, 10, None);
        check(Some(5), Some(30), false, 10, Some(30));
        check(Some(40), Some(30), true, 10, Some(30));
        check(Some(40), Some(30), true, 99, Some(99));
    }
}
