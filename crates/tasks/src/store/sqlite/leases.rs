use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::model::{Progress, Task};
use crate::store::LeaseToken;

/// The latest lease of a task, until it is settled or the task is gone.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) token: LeaseToken,
    pub(super) ends: Timestamp,
    /// The task's progress when the lease was made.
    pub(super) before: Progress,
    pub(super) task: Task,
    pub(super) named: bool,
}

/// The leases of a queue, by the order of their tasks' creation. Those that have ended are kept: their holder may
/// still settle as long as nobody else has one.
#[derive(Debug, Default)]
pub(super) struct Leases {
    held: HashMap<u64, Held>,
    by_token: HashMap<LeaseToken, u64>,
    /// When those under way end.
    ends: BTreeSet<(Timestamp, u64)>,
    ended: BTreeSet<u64>,
}

impl Leases {
    pub(super) fn insert(&mut self, created: u64, held: Held) {
        self.by_token.insert(held.token, created);
        self.ends.insert((held.ends, created));
        self.held.insert(created, held);
    }

    /// Whose task is waiting already.
    pub(super) fn insert_ended(&mut self, created: u64, held: Held) {
        self.by_token.insert(held.token, created);
        self.ended.insert(created);
        self.held.insert(created, held);
    }

    pub(super) fn remove(&mut self, created: u64) -> Option<Held> {
        let held = self.held.remove(&created)?;
        self.by_token.remove(&held.token);
        self.ends.remove(&(held.ends, created));
        self.ended.remove(&created);
        Some(held)
    }

    pub(super) fn of(&self, token: LeaseToken) -> Option<(u64, &Held)> {
        let created = *self.by_token.get(&token)?;
        Some((created, self.held.get(&created)?))
    }

    /// The next lease to have ended by `now`; it counts as ended from then on, its task as waiting.
    pub(super) fn pop_ended(&mut self, now: Timestamp) -> Option<(u64, &Held)> {
        let (ends, created) = *self.ends.first()?;
        if ends > now {
            return None;
        }
        self.ends.pop_first();
        self.ended.insert(created);
        Some((created, self.held.get(&created)?))
    }

    /// Leases that have ended and were followed by no other.
    pub(super) fn ended(&self) -> impl Iterator<Item = (u64, &Held)> {
        self.ended.iter().filter_map(|created| Some((*created, self.held.get(created)?)))
    }

    pub(super) fn under_way(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn first_end(&self) -> Option<Timestamp> {
        self.ends.first().map(|(ends, _)| *ends)
    }

    pub(super) fn into_held(self) -> HashMap<u64, Held> {
        self.held
    }
}
