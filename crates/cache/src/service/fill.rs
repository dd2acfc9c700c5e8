//! One request to the service, and what its answer means for what is stored.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode, header};

use super::question::Question;
use super::recorder::Recorder;
use crate::flights::{Landing, Lead};
use crate::memory::Entry;
use crate::metrics::Outcome;
use crate::policy::{self, Exchange, Handling, Mismatch, Refreshed, Refusal, Stored, Time, Verdict};
use crate::tags::{Number, Tag};

/// How long nobody waits for anybody's answer after one that could not be shared.
pub const UNSHARED: Duration = Duration::from_secs(60);

/// The right to ask the service, and the duty to say what came of it. Dropped, it lets one who waits ask instead.
pub struct Fill {
    pub(super) question: Box<Question>,
    pub(super) lead: Option<Lead>,
    /// Taken before the service is asked, so that a purge while it answers ends the entry.
    pub(super) number: Number,
    /// The same, as all gateways count; none if Redis is away, or there is none.
    recorded: Option<Number>,
    sent: Time,
}

/// What is to be done with the service's answer.
pub enum Answered {
    /// Goes to the client instead of it: the service confirmed what is stored, or a stale answer replaces an error.
    Answer(Response<Bytes>),
    /// Goes to the client with this head; nothing of it is stored.
    Pass(Parts),
    /// Goes to the client with this head; the recorder gets the body along.
    Record(Parts, Recorder),
    /// The service confirmed something that is not stored: it is to be asked once more, by this.
    Again(Fill),
}

impl Fill {
    pub(super) fn new(mut question: Box<Question>, lead: Option<Lead>, recorded: Option<Number>) -> Self {
        let number = question.route.shared.ledger.number();
        // Purged since it was looked up, before this fill: what confirms it now would give it a number it must not have.
        question.old = question.old.take().filter(|old| question.route.shared.ledger.is_live(old));
        let sent = question.now();
        Self { question, lead, number, recorded, sent }
    }

    /// Makes a copy of the client's headers those of this fill: its conditions out, validators in.
    pub fn prepare(&self, headers: &mut HeaderMap) {
        match &self.question.old {
            Some(old) => old.stored.condition(headers),
            None => policy::unconditional(headers),
        }
    }

    /// The head of the service's answer is there.
    pub fn answered(self, mut head: Parts) -> Answered {
        let received = self.question.now();
        if head.status == StatusCode::NOT_MODIFIED {
            // Nobody asked: the client's conditions were taken out.
            let is_asked = self.question.old.is_some();
            return if is_asked { self.confirmed(&head, received) } else { Answered::Again(self) };
        }
        if policy::is_failure(head.status)
            && let Some(old) = self.question.usable_on_error()
        {
            return Answered::Answer(self.replaced(&old, Some(head.status)));
        }
        if self.question.wishes.head() {
            self.freshen(&head, received);
        }
        let kept = Stored::read(&self.exchange(&head, received), &self.question.route.caching)
            .and_then(|stored| if self.has_room(&head.headers) { Ok(stored) } else { Err(Refusal::Size) })
            .and_then(|stored| self.recordable(&stored).map(|()| stored));
        self.question.count(Outcome::Miss);
        let (why, status) = (self.question.forward, head.status);
        policy::strip(&mut head.headers);
        let is_kept = kept.as_ref().map(|_stored| ()).map_err(|&refusal| refusal);
        policy::mark(&mut head.headers, Handling::Forwarded { why, status, kept: is_kept });
        match kept {
            Ok(stored) => {
                let recorder = Recorder::new(self, stored, &head.headers);
                Answered::Record(head, recorder)
            }
            Err(refusal) => {
                // A status that is of the moment leaves what is stored for when it has passed.
                if refusal == Refusal::Status && !is_of_the_moment(head.status) {
                    self.forget();
                }
                self.refused(refusal);
                Answered::Pass(head)
            }
        }
    }

    /// There was no answer. `None`: the client gets the gateway's refusal.
    pub fn failed(self) -> Option<Response<Bytes>> {
        let Some(old) = self.question.usable_on_error() else {
            self.question.count(Outcome::Miss);
            return None;
        };
        Some(self.replaced(&old, None))
    }

    /// Puts an answer where those find it who ask next, and hands it to those who wait.
    pub(super) fn keep(self, entry: Arc<Entry>) {
        match (self.question.route.shared.redis.clone(), entry.recorded) {
            (Some(redis), Some(number)) => self.share(&redis, number, entry),
            (Some(_) | None, None) | (None, Some(_)) => self.keep_here(entry),
        }
    }

    pub(super) fn keep_here(self, entry: Arc<Entry>) {
        let shared = &self.question.route.shared;
        // A purge meanwhile: what is there already may be newer.
        if shared.ledger.is_live(&entry) {
            shared.memory.put(&self.question.primary, &self.question.headers, &entry);
        }
        if let Some(lead) = self.lead {
            lead.land(Landing::Filled(entry));
        }
    }

    pub(super) fn entry(&self, stored: Stored, body: Bytes) -> Arc<Entry> {
        let now = self.question.now();
        let is_shared =
            stored.judge(&self.question.wishes.plain(), &self.question.headers, now) != Verdict::Revalidate;
        let named = stored.tags().iter().map(|name| Tag::named(name));
        let tags = self.question.implicit.iter().copied().chain(named).collect();
        let is_tagged = self.is_tagged(&stored);
        let entry = Entry::new(stored, body, self.number, tags, is_shared);
        Arc::new(entry.recorded(self.recorded, is_tagged))
    }

    fn is_tagged(&self, stored: &Stored) -> bool {
        self.question.route.is_tagged() || !stored.tags().is_empty()
    }

    /// Where there are several gateways, what has tags is kept only if Redis is there to tell all of its purges.
    fn recordable(&self, stored: &Stored) -> Result<(), Refusal> {
        let is_known = self.question.route.shared.redis.is_none() || self.recorded.is_some();
        if is_known || !self.is_tagged(stored) { Ok(()) } else { Err(Refusal::Unrecorded) }
    }

    /// The answer is not kept.
    pub(super) fn refused(self, refusal: Refusal) {
        let route = &self.question.route;
        route.metrics.unstored(refusal);
        if !matches!(refusal, Refusal::Method | Refusal::Status) {
            self.forget();
        }
        let Some(lead) = self.lead else { return };
        // Where nobody waited there is nothing to spare anybody.
        if lead.is_waited_for() {
            route.shared.memory.unshare(&self.question.place, self.question.later(UNSHARED));
        }
        lead.land(Landing::Unshared);
    }

    /// There is a newer answer than what is stored.
    fn forget(&self) {
        let Some(old) = &self.question.old else { return };
        let (shared, place) = (&self.question.route.shared, &self.question.place);
        shared.memory.remove(place, old);
        if let (Some(redis), Some(_)) = (&shared.redis, old.recorded) {
            redis.forget(place.clone());
        }
    }

    /// A 304 came.
    fn confirmed(mut self, head: &Parts, received: Time) -> Answered {
        let Some(old) = self.question.old.take() else { return Answered::Again(self) };
        let refreshed = old.stored.refresh(&self.exchange(head, received), &self.question.route.caching);
        let Ok(Refreshed { stored, kept, once }) = refreshed else {
            self.question.route.shared.memory.remove(&self.question.place, &old);
            return Answered::Again(self);
        };
        let entry = self.entry(stored, old.body.clone());
        self.question.count(Outcome::Revalidated);
        let mut response = self.question.answer(&entry, Handling::Revalidated(self.question.forward));
        response.headers_mut().extend(once);
        match kept.and_then(|()| self.recordable(&entry.stored)) {
            Ok(()) => self.keep(entry),
            Err(refusal) => {
                self.question.old = Some(old);
                self.refused(refusal);
            }
        }
        Answered::Answer(response)
    }

    /// A HEAD's answer tells whether the stored answer to GET is still current (RFC 9111 4.3.5).
    fn freshen(&self, head: &Parts, received: Time) {
        let Some(old) = &self.question.old else { return };
        let shared = &self.question.route.shared;
        let exchange = self.exchange(head, received);
        match old.stored.freshen(&exchange, &self.question.route.caching, old.body.len()) {
            // It says nothing of it.
            None => {}
            Some(Ok(Refreshed { stored, kept: Ok(()), once: _ })) if self.recordable(&stored).is_ok() => {
                let entry = self.entry(stored, old.body.clone());
                if shared.ledger.is_live(&entry) {
                    shared.memory.put(&self.question.primary, &self.question.headers, &entry);
                }
            }
            Some(Ok(_) | Err(Mismatch)) => {
                shared.memory.remove(&self.question.place, old);
            }
        }
    }

    /// The service failed, and what is stored takes the place of its answer.
    fn replaced(self, old: &Entry, status: Option<StatusCode>) -> Response<Bytes> {
        self.question.count(Outcome::Stale);
        let response = self.question.answer(old, Handling::Failed(status));
        if let Some(lead) = self.lead {
            lead.land(Landing::Failed);
        }
        response
    }

    fn exchange<'a>(&'a self, head: &'a Parts, received: Time) -> Exchange<'a> {
        Exchange {
            wishes: &self.question.wishes,
            request: &self.question.headers,
            status: head.status,
            response: &head.headers,
            sent: self.sent,
            received,
        }
    }

    /// The largest body that is kept.
    pub(super) fn body_max(&self) -> u64 {
        let route = &self.question.route;
        route.caching.size.min(route.shared.memory.largest())
    }

    fn has_room(&self, headers: &HeaderMap) -> bool {
        content_length(headers).is_none_or(|length| length <= self.body_max())
    }
}

fn is_of_the_moment(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
