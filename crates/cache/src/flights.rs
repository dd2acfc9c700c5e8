//! One fill at a time for what many ask for.
//!
//! A flight is a fill under way. The first to ask leads it; the others wait for its landing, or, should the leader go away
//! without one, all ask again, and one of them leads.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::key::Key;
use crate::memory::Entry;

/// So that workers that miss rarely meet; a power of two.
const SHARDS: usize = 16;

pub(crate) struct Flights {
    hasher: RandomState,
    shards: [Mutex<HashMap<Key, watch::Receiver<Option<Landing>>>>; SHARDS],
}

/// How a fill ended.
#[derive(Clone)]
pub(crate) enum Landing {
    /// With an answer that may be shared.
    Filled(Arc<Entry>),
    /// With one that may not: nobody waits for the next one either.
    Unshared,
    /// The service failed, and a stale answer may replace what it said.
    Failed,
}

/// What comes of asking for a place in a flight.
pub(crate) enum Seat {
    Lead(Lead),
    Wait(watch::Receiver<Option<Landing>>),
}

/// The one who fills. Dropped without landing, it sends those who wait to ask again.
pub(crate) struct Lead {
    flights: Arc<Flights>,
    key: Key,
    sender: watch::Sender<Option<Landing>>,
    landing: Option<Landing>,
}

impl Flights {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: std::array::from_fn(|_shard| Mutex::default()) }
    }

    pub(crate) fn join(self: &Arc<Self>, key: &Key) -> Seat {
        match self.shard(key).lock().entry(key.clone()) {
            Place::Occupied(place) => Seat::Wait(place.get().clone()),
            Place::Vacant(place) => {
                let (sender, receiver) = watch::channel(None);
                place.insert(receiver);
                Seat::Lead(Lead { flights: Arc::clone(self), key: key.clone(), sender, landing: None })
            }
        }
    }

    /// As [`Flights::join`] for one who will not wait.
    pub(crate) fn lead(self: &Arc<Self>, key: &Key) -> Option<Lead> {
        match self.join(key) {
            Seat::Lead(lead) => Some(lead),
            Seat::Wait(_receiver) => None,
        }
    }

    fn shard(&self, key: &Key) -> &Mutex<HashMap<Key, watch::Receiver<Option<Landing>>>> {
        let hash = self.hasher.hash_one(key);
        &self.shards[usize::try_from(hash % SHARDS as u64).expect("a remainder of a small number")]
    }
}

impl Lead {
    pub(crate) fn is_of(&self, key: &Key) -> bool {
        self.key == *key
    }

    pub(crate) fn is_waited_for(&self) -> bool {
        // One stands in the table.
        self.sender.receiver_count() > 1
    }

    /// What is to be found in memory must be there by now: from here on, those who come do not wait.
    pub(crate) fn land(mut self, landing: Landing) {
        self.landing = Some(landing);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // Before the others hear of it, or they would join this flight again.
        self.flights.shard(&self.key).lock().remove(&self.key);
        if let Some(landing) = self.landing.take() {
            self.sender.send_replace(Some(landing));
        }
    }
}
