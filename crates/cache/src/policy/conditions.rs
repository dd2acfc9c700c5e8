//! A client's conditions against a stored response (RFC 9110 13, RFC 9111 4.3.2).

use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE};
use http::{HeaderMap, HeaderValue};

use super::fields::{Single, date};
use super::stored::Validators;

impl Validators {
    /// Whether the client has this representation already. `If-None-Match` makes `If-Modified-Since` void (13.1.3).
    pub(super) fn are_known_to(&self, request: &HeaderMap) -> bool {
        if request.contains_key(IF_NONE_MATCH) {
            return request.get_all(IF_NONE_MATCH).iter().any(|list| self.is_listed(list));
        }
        let since = Single::of(request, &IF_MODIFIED_SINCE).value().and_then(date);
        since.is_some_and(|since| self.modified <= since)
    }

    /// Weak comparison (8.8.3.2) with each of a list; `*` is anything.
    fn is_listed(&self, list: &HeaderValue) -> bool {
        let mut rest = list.as_bytes().trim_ascii();
        if rest == b"*" {
            return true;
        }
        let Some(mine) = self.etag.as_ref().map(|etag| opaque(etag.as_bytes())) else { return false };
        // What does not parse matches nothing. A comma may be inside of a tag, so quotes are followed.
        while let Some(start) = rest.iter().position(|byte| *byte == b'"') {
            let Some(end) = rest[start + 1..].iter().position(|byte| *byte == b'"') else { return false };
            let (tag, after) = rest.split_at(start + end + 2);
            if &tag[start..] == mine {
                return true;
            }
            rest = after;
        }
        false
    }

    /// Whether a `Range` is about this very content (13.1.5): strong comparison, or the same strong date.
    pub(super) fn allow_range(&self, request: &HeaderMap) -> bool {
        match Single::of(request, &IF_RANGE) {
            Single::Absent => true,
            Single::Conflict => false,
            Single::Value(value) if value.as_bytes().ends_with(b"\"") => {
                self.etag.as_ref().is_some_and(|etag| is_strong(etag) && etag == value)
            }
            Single::Value(value) => self.strong_date && date(value) == Some(self.modified),
        }
    }
}

/// A tag without its `W/`.
pub(super) fn opaque(etag: &[u8]) -> &[u8] {
    etag.strip_prefix(b"W/").unwrap_or(etag)
}

pub(super) fn is_strong(etag: &HeaderValue) -> bool {
    !etag.as_bytes().starts_with(b"W/")
}
