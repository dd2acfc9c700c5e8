//! A request that memory could not answer, in a form that may wait.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};
use smallvec::SmallVec;
use tokio::time::Instant;

use super::sight::{Seen, Sight};
use super::{Asked, RouteState};
use crate::key::{Key, KeyBuffer};
use crate::memory::Entry;
use crate::metrics::Outcome;
use crate::policy::{Forward, Handling, Time, Verdict, Wishes};
use crate::purge;
use crate::tags::Tag;

/// An address, its path, a subject.
const IMPLICIT: usize = 3;

pub(super) struct Question {
    pub(super) route: Arc<RouteState>,
    pub(super) wishes: Wishes,
    /// As the client sent them.
    pub(super) headers: HeaderMap,
    /// The key all variants share.
    pub(super) primary: KeyBuffer,
    /// Where its answer was looked for: the key of a variant, if there are any.
    pub(super) place: Key,
    /// Tags of every answer to it.
    pub(super) implicit: SmallVec<[Tag; IMPLICIT]>,
    /// What is revalidated.
    pub(super) old: Option<Arc<Entry>>,
    /// Why the service is asked.
    pub(super) forward: Forward,
    /// If waiting for somebody else's answer may help.
    pub(super) is_shared: bool,
    /// If a client waits for the answer, rather than having got a stale one.
    pub(super) is_counted: bool,
    asked: Time,
    asked_at: Instant,
}

impl Question {
    pub(super) fn new(
        route: &Arc<RouteState>,
        asked: &Asked<'_>,
        wishes: Wishes,
        primary: KeyBuffer,
        seen: Seen,
    ) -> Box<Self> {
        let path = asked.target.split('?').next().unwrap_or_default();
        let mut implicit = SmallVec::new();
        implicit.push(purge::address(asked.scheme, asked.authority, path));
        implicit.push(Tag::path(path));
        if route.caching.per_user {
            implicit.extend(asked.subject.map(Tag::subject));
        }
        let mut question = Self {
            route: Arc::clone(route),
            wishes,
            headers: asked.headers.clone(),
            place: Key::default(),
            primary,
            implicit,
            old: None,
            forward: Forward::UriMiss,
            is_shared: true,
            is_counted: true,
            asked: asked.now,
            asked_at: Instant::now(),
        };
        question.note(seen);
        Box::new(question)
    }

    /// The time, as the one who asked counts it.
    pub(super) fn now(&self) -> Time {
        self.later(Duration::ZERO)
    }

    pub(super) fn later(&self, duration: Duration) -> Time {
        let passed = self.asked_at.elapsed().saturating_add(duration).as_millis();
        Time(self.asked.0.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX)))
    }

    /// Looks again: others may have filled meanwhile. Returns what is fresh.
    pub(super) fn look_again(&mut self) -> Option<Arc<Entry>> {
        let seen = self.route.see(&self.primary, &self.wishes, &self.headers, self.now());
        self.note(seen)
    }

    /// What memory has, if other gateways must be asked about it, and whether it is fresh.
    pub(super) fn remembered(&mut self) -> Option<(Arc<Entry>, bool)> {
        let seen = self.route.see(&self.primary, &self.wishes, &self.headers, self.now());
        let (entry, is_fresh) = match &seen.sight {
            Sight::Fresh(entry) => (entry, true),
            Sight::Stale(entry) => (entry, false),
            Sight::Revalidate(_) | Sight::Unshared(_) | Sight::Nothing(_) => return None,
        };
        entry.to_confirm()?;
        let remembered = Some((Arc::clone(entry), is_fresh));
        self.note(seen);
        remembered
    }

    pub(super) fn answer(&self, entry: &Entry, handling: Handling) -> Response<Bytes> {
        entry.stored.answer(&self.wishes, &self.headers, &entry.body, handling, self.now())
    }

    /// If somebody else's answer may do. Nobody else's was made for one that insists on being asked; a HEAD's has no body.
    pub(super) fn may_wait(&self) -> bool {
        self.is_shared && !self.wishes.head() && !self.wishes.must_ask()
    }

    /// What is stored, if it may be served because the service failed.
    pub(super) fn usable_on_error(&self) -> Option<Arc<Entry>> {
        let old = self.old.as_ref()?;
        // It may have been purged since.
        let is_usable = self.route.shared.ledger.is_live(old)
            && old.stored.on_error(&self.wishes, &self.headers, self.now());
        is_usable.then(|| Arc::clone(old))
    }

    pub(super) fn count(&self, outcome: Outcome) {
        if self.is_counted {
            self.route.metrics.answered(outcome);
        }
    }

    fn note(&mut self, seen: Seen) -> Option<Arc<Entry>> {
        self.place = seen.place(&self.primary);
        (self.old, self.forward, self.is_shared) = match seen.sight {
            Sight::Fresh(entry) => return Some(entry),
            Sight::Stale(entry) | Sight::Revalidate(entry) => {
                let plain = entry.stored.judge(&self.wishes.plain(), &self.headers, self.now());
                let why = if plain == Verdict::Fresh { Forward::Request } else { Forward::Stale };
                let is_shared = entry.is_shared;
                (Some(entry), why, is_shared)
            }
            Sight::Unshared(why) => (None, why, false),
            Sight::Nothing(why) => (None, why, true),
        };
        None
    }
}
