//! One fill at a time for what many ask for.
//!
//! A flight is a fill under way. The first to ask leads it; the others wait for its landing, or, should the leader go away
//! without one, all ask again, and one of them leads.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::key::Key;
use crate::memory::Entry;

/// So that workers that miss rarely meet; a power of two.
const SHARDS: usize = 16;

/// How long a body may take from its head on, for those who wait. A service that has begun sends what is small enough to
/// keep in less; a copy that takes longer belongs to a client that reads slowly, perhaps on purpose.
const BODY: Duration = Duration::from_secs(1);

pub(crate) struct Flights {
    hasher: RandomState,
    shards: [Mutex<HashMap<Key, watch::Receiver<Progress>>>; SHARDS],
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

/// How far a fill is.
enum Progress {
    Asked,
    /// The head is there, and since when.
    Answering(Instant),
    Landed(Landing),
}

/// What comes of asking for a place in a flight.
pub(crate) enum Seat {
    Lead(Lead),
    Wait(Wait),
}

/// One who waits for somebody else's fill.
pub(crate) struct Wait {
    flights: Arc<Flights>,
    key: Key,
    progress: watch::Receiver<Progress>,
}

/// Why one waited in vain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InVain {
    /// The one who fills is gone without an answer, or its client reads slowly: somebody else may lead.
    Leaderless,
    TooLong,
}

impl Wait {
    /// Waits until the deadline, but no longer than [`BODY`] for a body.
    pub(crate) async fn landing(mut self, deadline: Instant) -> Result<Landing, InVain> {
        loop {
            let until = match &*self.progress.borrow_and_update() {
                Progress::Asked => deadline,
                Progress::Answering(since) => deadline.min(*since + BODY),
                Progress::Landed(landing) => return Ok(landing.clone()),
            };
            match timeout_at(until, self.progress.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_gone)) => return Err(InVain::Leaderless),
                Err(_elapsed) if until < deadline => {
                    self.flights.forget(&self.key, |progress| progress.same_channel(&self.progress));
                    return Err(InVain::Leaderless);
                }
                Err(_elapsed) => return Err(InVain::TooLong),
            }
        }
    }
}

/// The one who fills. Dropped without landing, it sends those who wait to ask again.
pub(crate) struct Lead {
    flights: Arc<Flights>,
    key: Key,
    sender: watch::Sender<Progress>,
    landing: Option<Landing>,
}

impl Flights {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: std::array::from_fn(|_shard| Mutex::default()) }
    }

    pub(crate) fn join(self: &Arc<Self>, key: &Key) -> Seat {
        match self.shard(key).lock().entry(key.clone()) {
            Place::Occupied(place) => {
                let (flights, key, progress) = (Arc::clone(self), key.clone(), place.get().clone());
                Seat::Wait(Wait { flights, key, progress })
            }
            Place::Vacant(place) => {
                let (sender, receiver) = watch::channel(Progress::Asked);
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

    /// From here on, those who come begin another flight. Only if it is still this one that stands there.
    fn forget(&self, key: &Key, is_this: impl FnOnce(&watch::Receiver<Progress>) -> bool) {
        let mut shard = self.shard(key).lock();
        if shard.get(key).is_some_and(is_this) {
            shard.remove(key);
        }
    }

    fn shard(&self, key: &Key) -> &Mutex<HashMap<Key, watch::Receiver<Progress>>> {
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

    /// The head of the answer is there, and its body is on its way.
    pub(crate) fn answers(&self) {
        self.sender.send_replace(Progress::Answering(Instant::now()));
    }

    /// What is to be found in memory must be there by now: from here on, those who come do not wait.
    pub(crate) fn land(mut self, landing: Landing) {
        self.landing = Some(landing);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // Before the others hear of it, or they would join this flight again.
        let own = self.sender.subscribe();
        self.flights.forget(&self.key, |progress| progress.same_channel(&own));
        if let Some(landing) = self.landing.take() {
            self.sender.send_replace(Progress::Landed(landing));
        }
    }
}
