//! What a stored response is good for, now and for this request.

use http::{HeaderMap, StatusCode};

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
    pub fn judge(&self, _wishes: &Wishes, _request: &HeaderMap, _now: Time) -> Verdict {
        Verdict::Unusable
    }

    /// Whether it may be served although the origin failed (`stale-if-error`, RFC 5861 4).
    pub fn on_error(&self, _wishes: &Wishes, _request: &HeaderMap, _now: Time) -> bool {
        false
    }
}

/// The statuses `stale-if-error` speaks of (RFC 5861 4).
pub fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}
