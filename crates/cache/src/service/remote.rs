//! What other gateways have to say, where there are several: asked in Redis, see [`crate::redis`].
//!
//! An entry that has tags is served only after Redis confirmed, since its request came, that no purge has ended it.
//! Without Redis nobody knows, and the service is asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::fill::Fill;
use super::question::Question;
use super::{Cache, RouteState};
use crate::key::KeyBuffer;
use crate::memory::Entry;
use crate::metrics::redis::Second;
use crate::policy::{Refusal, Verdict};
use crate::redis::frozen::{self, Frozen};
use crate::redis::{Away, Begun, Redis};
use crate::tags::Number;

/// What comes of asking Redis before the service.
pub(super) enum Opening {
    /// Redis had an answer.
    Found(Arc<Entry>),
    /// The number to fill by; none if Redis is away.
    Fill(Option<Number>),
}

impl Cache {
    /// Whatever Redis forgot is worth nothing here either, tagged or not.
    pub(super) fn follow(&self, redis: &Redis) {
        let shared = Arc::downgrade(&self.shared);
        redis.on_epoch(Box::new(move || {
            if let Some(shared) = shared.upgrade() {
                shared.ledger.purge_all();
                shared.memory.clear();
            }
        }));
    }
}

impl RouteState {
    /// If an entry may be served to a request that is here: no gateway has ended it.
    pub(super) async fn confirms(&self, entry: &Entry) -> Result<bool, Away> {
        match (&self.shared.redis, entry.to_confirm()) {
            (Some(redis), Some(number)) => redis.is_live(redis.deadline(), number, entry.tags()).await,
            (Some(_) | None, None) | (None, Some(_)) => Ok(true),
        }
    }

    /// If all answers of this route have tags: each is somebody's.
    pub(super) fn is_tagged(&self) -> bool {
        self.caching.per_user
    }
}

impl Question {
    /// If what memory has may be served; what has ended is forgotten.
    pub(super) async fn confirm(&mut self, entry: &Arc<Entry>) -> bool {
        let confirmed = self.route.confirms(entry).await;
        if confirmed == Ok(false) {
            self.route.shared.memory.remove(&self.place, entry);
        }
        if confirmed != Ok(true) {
            self.old = None;
        }
        confirmed == Ok(true)
    }

    /// Takes the number to fill by, and looks whether another gateway has what is asked for.
    pub(super) async fn open(&mut self, redis: &Redis) -> Opening {
        let deadline = redis.deadline();
        // Before Redis is asked: what is purged here from now on ends what is found there.
        let local = self.route.shared.ledger.number();
        let tags = if self.route.is_tagged() { &self.implicit[..] } else { &[] };
        let old = self.old.as_deref().filter(|old| old.to_confirm().is_some());
        let key = (self.old.is_none() && !self.wishes.must_ask()).then_some(&*self.place);
        let Ok(begun) = redis.begin(deadline, tags, old, key).await else {
            // Nobody knows whether it may be confirmed, or served should the service fail.
            self.old = self.old.take().filter(|old| !old.is_tagged);
            return Opening::Fill(None);
        };
        let Begun { number, is_old_live, stored } = begun;
        if !is_old_live {
            self.old = None;
        }
        if key.is_some() {
            let found = self.find(redis, deadline, stored, local).await;
            redis.metrics().looked(found.as_ref().map_or_else(|&second| second, |_entry| Second::Hit));
            if let Ok(entry) = found {
                self.route.shared.memory.put(&self.primary, &self.headers, &entry);
                return Opening::Found(entry);
            }
        }
        Opening::Fill(Some(number))
    }

    /// Makes an entry of what Redis has, if it answers this request.
    async fn find(
        &self,
        redis: &Redis,
        deadline: Instant,
        stored: Option<Vec<u8>>,
        local: Number,
    ) -> Result<Arc<Entry>, Second> {
        let stored = stored.ok_or(Second::Nothing)?;
        let entry = match frozen::thaw(&stored, local).ok_or(Second::Nothing)? {
            Frozen::Answer(entry) => entry,
            Frozen::Varies(fields) => {
                let key = self.primary.variant(fields.iter(), &self.headers);
                let stored = redis.fetch(deadline, key.as_bytes()).await;
                let stored = stored.ok().flatten().ok_or(Second::Nothing)?;
                match frozen::thaw(&stored, local) {
                    Some(Frozen::Answer(entry)) => entry,
                    Some(Frozen::Varies(_)) | None => return Err(Second::Nothing),
                }
            }
        };
        if entry.stored.judge(&self.wishes, &self.headers, self.now()) != Verdict::Fresh {
            return Err(Second::Unusable);
        }
        // Tagged or not: a purge of its address that this gateway knows of may be older than what it knows of the entry.
        let number = entry.recorded.ok_or(Second::Unusable)?;
        match redis.is_live(deadline, number, entry.tags()).await {
            Ok(true) => Ok(entry),
            Ok(false) | Err(Away) => Err(Second::Unusable),
        }
    }
}

impl Fill {
    /// Keeps an entry once Redis has records of its tags, without which nobody could serve it; and gives it to the other
    /// gateways.
    pub(super) fn share(self, redis: &Redis, number: Number, entry: Arc<Entry>) {
        let redis = redis.clone();
        let sender = redis.clone();
        let mut pending = Pending(Some((self, entry)));
        // What there is no room for is dropped, and so settled.
        sender.send(Box::pin(async move {
            let Some((fill, entry)) = &pending.0 else { return };
            let stored = fill.frozen(entry);
            let recorded = redis.record(number, entry.tags(), &stored, fill.useful_for(entry)).await;
            if let Some((fill, entry)) = pending.0.take() {
                fill.settle(entry, recorded == Ok(true));
            }
        }));
    }

    fn settle(self, entry: Arc<Entry>, is_recorded: bool) {
        if is_recorded || !entry.is_tagged {
            self.keep_here(entry);
        } else {
            self.refused(Refusal::Unrecorded);
        }
    }

    /// By key. Nothing of what is too large, or must be revalidated at each use.
    fn frozen(&self, entry: &Entry) -> Vec<(KeyBuffer, Vec<u8>)> {
        let answer = if self.useful_for(entry).is_zero() { None } else { frozen::answer(entry) };
        let Some(answer) = answer else { return Vec::new() };
        let primary = &self.question.primary;
        if entry.vary().len() == 0 {
            return vec![(primary.clone(), answer)];
        }
        let variant = primary.variant(entry.vary(), &self.question.headers);
        vec![(variant, answer), (primary.clone(), frozen::sign(entry.vary()))]
    }

    fn useful_for(&self, entry: &Entry) -> Duration {
        Duration::from_millis(entry.stored.horizon().0.saturating_sub(self.question.now().0))
    }
}

/// An entry on its way. Given up, it is kept here if that needs nobody's word.
struct Pending(Option<(Fill, Arc<Entry>)>);

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some((fill, entry)) = self.0.take() {
            fill.settle(entry, false);
        }
    }
}
