//! What a stored response is good for, now and for this request (RFC 9111 4.2, RFC 5861).

use http::{HeaderMap, StatusCode};

use super::stored::Terms;
use super::{Stored, Time, Wishes};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Is served.
    Fresh,
    /// Is served, and revalidated in the background (RFC 5861 3, RFC 9111 5.2.1.2).
    Stale,
    /// Is served only once the origin has confirmed it (or, if it fails: [`Stored::on_error`]).
    Revalidate,
    /// Is not for this request: other `Vary` fields, or credentials the answer was not made for.
    Unusable,
}

impl Stored {
    /// Allocates nothing. The caller knows that the key matches and that no purge ended the entry.
    pub fn judge(&self, wishes: &Wishes, request: &HeaderMap, now: Time) -> Verdict {
        if !self.is_for(wishes, request) {
            return Verdict::Unusable;
        }
        let terms = &self.terms;
        let age = terms.age(now);
        if terms.no_cache || wishes.must_ask() || age > wishes.age_max() {
            return Verdict::Revalidate;
        }
        if age < terms.lifetime {
            let enough = terms.lifetime - age >= wishes.min_fresh();
            return if enough { Verdict::Fresh } else { Verdict::Revalidate };
        }
        let by_origin = if wishes.takes_stale() { terms.while_revalidate } else { 0 };
        if terms.is_stale_within(age, by_origin, wishes.max_stale()) {
            Verdict::Stale
        } else {
            Verdict::Revalidate
        }
    }

    /// Whether it may be served although the origin failed (`stale-if-error`, RFC 5861 4).
    pub fn on_error(&self, wishes: &Wishes, request: &HeaderMap, now: Time) -> bool {
        let terms = &self.terms;
        let age = terms.age(now);
        if !self.is_for(wishes, request) || terms.no_cache || wishes.must_ask() || age > wishes.age_max() {
            return false;
        }
        let by_origin = if wishes.takes_stale() { terms.if_error } else { 0 };
        age >= terms.lifetime
            && terms.is_stale_within(age, by_origin.max(wishes.if_error()), wishes.max_stale())
    }

    /// Age in milliseconds (RFC 9111 4.2.3). A clock set back does not make it younger than it came.
    pub fn age(&self, now: Time) -> u64 {
        self.terms.age(now)
    }

    fn is_for(&self, wishes: &Wishes, request: &HeaderMap) -> bool {
        !(self.terms.anonymous && wishes.personal(request)) && self.vary.matches(request)
    }
}

impl Terms {
    fn age(&self, now: Time) -> u64 {
        self.initial_age.saturating_add(now.0.saturating_sub(self.received.0))
    }

    /// Whether staleness is below what the origin allows, or at most what the client does. `must-revalidate` and its
    /// kin overrule both (5.2.2.2).
    fn is_stale_within(&self, age: u64, by_origin: u64, by_client: Option<u64>) -> bool {
        let stale = age.saturating_sub(self.lifetime);
        !self.never_stale && (stale < by_origin || by_client.is_some_and(|allowed| stale <= allowed))
    }
}

/// The statuses `stale-if-error` speaks of (RFC 5861 4).
pub fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}
