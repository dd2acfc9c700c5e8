//! `Cache-Status` (RFC 9211).

use http::header::CACHE_STATUS;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{Bypass, Refusal};

/// The usual value, which needs no memory of its own.
pub(super) const HIT: HeaderValue = HeaderValue::from_static("mare; hit");

/// How a request was handled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Handling {
    /// From the cache, without asking the origin.
    Hit,
    /// From the cache although the origin was asked, and failed: with this status, or without an answer.
    Failed(Option<StatusCode>),
    /// From the cache, confirmed by the origin's 304.
    Revalidated(Forward),
    /// From the cache, filled for somebody else's request meanwhile.
    Collapsed(Forward),
    /// The origin's answer, and whether it is kept.
    Forwarded { why: Forward, status: StatusCode, kept: Result<(), Refusal> },
    /// The cache had no part in it.
    Bypassed(Bypass),
}

/// Why the origin was asked (RFC 9211 2.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
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

impl Forward {
    /// The parameter `fwd`.
    pub fn label(self) -> &'static str {
        match self {
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Stale => "stale",
            Self::Request => "request",
        }
    }
}

impl Handling {
    /// Our member of the list.
    pub(super) fn value(self) -> HeaderValue {
        let text = match self {
            Self::Hit => return HIT,
            Self::Failed(None) => "mare; fwd=stale; detail=unreachable".to_owned(),
            Self::Failed(Some(status)) => format!("mare; fwd=stale; fwd-status={}", status.as_u16()),
            Self::Revalidated(why) => format!("mare; fwd={}; fwd-status=304", why.label()),
            Self::Collapsed(why) => format!("mare; fwd={}; collapsed", why.label()),
            Self::Forwarded { why, status, kept } => {
                let start = format!("mare; fwd={}; fwd-status={}", why.label(), status.as_u16());
                match kept {
                    Ok(()) => start + "; stored",
                    Err(refusal) => start + "; detail=" + refusal.label(),
                }
            }
            Self::Bypassed(Bypass::OnlyIfCached) => "mare; detail=only-if-cached".to_owned(),
            Self::Bypassed(Bypass::Method) => "mare; fwd=method".to_owned(),
            Self::Bypassed(bypass) => format!("mare; fwd=bypass; detail={}", bypass.label()),
        };
        HeaderValue::try_from(text).expect("ASCII words and digits")
    }
}

/// Appends `Cache-Status` to an answer that does not come from [`Stored::answer`](super::Stored::answer).
pub fn mark(headers: &mut HeaderMap, handling: Handling) {
    headers.append(CACHE_STATUS, handling.value());
}
