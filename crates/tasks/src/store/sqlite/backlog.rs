use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;

use crate::model::Task;
use crate::policy::order::{Place, Ready};

/// What must be in memory of a task that waits: where it stands in the order.
#[derive(Debug)]
pub(super) struct Entry {
    schedule_time: Timestamp,
    priority: i16,
    key: Arc<str>,
    fresh: Option<Fresh>,
}

/// A task as it was just created, kept so that most are leased without a look into the file.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) task: Task,
    pub(super) named: bool,
    /// In the memory that all of them may take.
    pub(super) _room: OwnedSemaphorePermit,
}

/// The tasks of a queue that are not leased, due or not, by their order of creation.
#[derive(Debug)]
pub(super) struct Backlog {
    entries: HashMap<u64, Entry>,
    by_time: BTreeSet<Place>,
    /// Those scheduled until `seen`.
    ready: Ready,
    seen: Timestamp,
    /// The empty key, which most tasks have.
    no_key: Arc<str>,
}

impl Default for Backlog {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            by_time: BTreeSet::new(),
            ready: Ready::default(),
            seen: Timestamp::MIN,
            no_key: Arc::from(""),
        }
    }
}

impl Backlog {
    pub(super) fn insert(&mut self, created: u64, schedule_time: Timestamp, priority: i16, key: &str) {
        let key = if key.is_empty() { Arc::clone(&self.no_key) } else { Arc::from(key) };
        let place = Place { schedule_time, created };
        self.by_time.insert(place);
        if schedule_time <= self.seen {
            self.ready.insert(priority, &key, place);
        }
        self.entries.insert(created, Entry { schedule_time, priority, key, fresh: None });
    }

    /// Keeps the task with its place, until it leaves.
    pub(super) fn keep(&mut self, created: u64, fresh: Fresh) {
        if let Some(entry) = self.entries.get_mut(&created) {
            entry.fresh = Some(fresh);
        }
    }

    pub(super) fn remove(&mut self, created: u64) {
        if let Some(entry) = self.entries.remove(&created) {
            let place = Place { schedule_time: entry.schedule_time, created };
            self.by_time.remove(&place);
            self.ready.remove(entry.priority, &entry.key, place);
        }
    }

    /// Takes out the next due task.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<(u64, Option<Fresh>)> {
        self.advance(now);
        let place = self.ready.pop()?;
        self.by_time.remove(&place);
        let entry = self.entries.remove(&place.created);
        Some((place.created, entry.and_then(|entry| entry.fresh)))
    }

    /// Moves what became due until `now` to the ready.
    fn advance(&mut self, now: Timestamp) {
        let after = Place { schedule_time: self.seen, created: u64::MAX };
        let until = Place { schedule_time: now, created: u64::MAX };
        // A clock that went back makes nothing undue.
        if now <= self.seen {
            return;
        }
        for place in self.by_time.range(after..=until) {
            if let Some(entry) = self.entries.get(&place.created) {
                self.ready.insert(entry.priority, &entry.key, *place);
            }
        }
        self.seen = now;
    }

    /// Forgets the tasks, not the turns of their keys.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.by_time.clear();
        self.ready.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn due(&mut self, now: Timestamp) -> usize {
        self.advance(now);
        self.ready.len()
    }

    /// When the first is due, or since when.
    pub(super) fn first_due(&self) -> Option<Timestamp> {
        self.by_time.first().map(|place| place.schedule_time)
    }
}
