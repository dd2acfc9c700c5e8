//! Which task is next.
//!
//! Highest priority first; within a priority fairness keys take turns; within a key first come, first served. As
//! turns are numbered and no two keys of a priority share one, all of this is one comparison: the next task is the
//! one of least [`Rank`].

mod ready;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

pub use ready::Ready;

/// Keys of a queue whose turns are remembered; of more, the one served longest ago counts as never served again.
const TURNS_MAX: usize = 10_000;

/// A task's place among those of its fairness key: by time, then by order of creation.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Place {
    pub schedule_time: Timestamp,
    pub created: u64,
}

/// A due task's place among all of its queue; the least is next.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Rank {
    pub priority: Reverse<i16>,
    /// When its key was last served; 0 is never.
    pub turn: u64,
    pub place: Place,
}

/// When keys were last served, by count.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    latest: u64,
    by_key: HashMap<(i16, Arc<str>), u64>,
    by_turn: BTreeMap<u64, (i16, Arc<str>)>,
}

impl Turns {
    /// When the key was last served at this priority; 0 is never.
    pub fn of(&self, priority: i16, key: &Arc<str>) -> u64 {
        self.by_key.get(&(priority, Arc::clone(key))).copied().unwrap_or(0)
    }

    /// The key is served now.
    pub fn serve(&mut self, priority: i16, key: &Arc<str>) -> u64 {
        self.latest += 1;
        let key = (priority, Arc::clone(key));
        if let Some(before) = self.by_key.insert(key.clone(), self.latest) {
            self.by_turn.remove(&before);
        }
        self.by_turn.insert(self.latest, key);
        if self.by_turn.len() > TURNS_MAX
            && let Some((_, forgotten)) = self.by_turn.pop_first()
        {
            self.by_key.remove(&forgotten);
        }
        self.latest
    }
}
