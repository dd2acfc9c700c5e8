//! What a request asks of a cache.

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, COOKIE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, Method};

use super::Bypass;
use super::directives::{Argument, Seconds, each, pragma};

/// The guards' own; without them, a service's.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who asks, and whose entry it is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asker {
    /// The guards identified nobody; the entry is everybody's.
    Unknown,
    /// Somebody known, but the entry is everybody's.
    Known,
    /// The entry is this user's alone: its key contains the verified subject.
    Owner,
}

/// What a request asks of a cache; read once, without allocating. Cheap where it asks for nothing.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    pub(super) asker: Asker,
    pub(super) head: bool,
    pub(super) range: bool,
    /// `If-None-Match` or `If-Modified-Since`.
    pub(super) conditional: bool,
    directives: Directives,
}

/// A request's directives (RFC 9111 5.2.1, RFC 5861 4), times in milliseconds. The default asks for nothing.
#[derive(Clone, Copy, Debug)]
struct Directives {
    no_store: bool,
    no_cache: bool,
    only_if_cached: bool,
    max_age: u64,
    min_fresh: u64,
    /// How stale an answer may be, whatever the origin said of it.
    max_stale: Option<u64>,
    if_error: u64,
}

impl Wishes {
    pub fn read(method: &Method, headers: &HeaderMap, asker: Asker) -> Result<Self, Bypass> {
        let head = *method == Method::HEAD;
        if !head && *method != Method::GET {
            return Err(Bypass::Method);
        }
        if headers.contains_key(IF_MATCH) || headers.contains_key(IF_UNMODIFIED_SINCE) {
            return Err(Bypass::Condition);
        }
        if headers.contains_key(UPGRADE) {
            return Err(Bypass::Upgrade);
        }
        if headers.contains_key(TRANSFER_ENCODING)
            || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
        {
            return Err(Bypass::Content);
        }
        let directives = Directives::read(headers);
        if directives.no_store {
            return Err(Bypass::NoStore);
        }
        // A range is defined for GET alone (RFC 9110 14.2).
        let range = !head && headers.contains_key(RANGE);
        let conditional = headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE);
        Ok(Self { asker, head, range, conditional, directives })
    }

    /// Nothing may be sent upstream for this request: what is not answered from the cache is a 504.
    pub fn only_if_cached(&self) -> bool {
        self.directives.only_if_cached
    }

    /// Asks for a part: only a stored answer can be cut, a miss is passed on as it is and not stored.
    pub fn range(&self) -> bool {
        self.range
    }

    /// Is a HEAD: its own answer is not stored (it may refresh a GET's).
    pub fn head(&self) -> bool {
        self.head
    }

    /// The same asker, who wishes for nothing.
    pub(crate) fn plain(&self) -> Self {
        let directives = Directives::default();
        Self { asker: self.asker, head: false, range: false, conditional: false, directives }
    }

    /// The same, of a GET.
    pub(super) fn as_get(&self) -> Self {
        Self { head: false, ..*self }
    }

    /// `no-cache`: nothing is used that the origin has not confirmed for this request.
    pub(crate) fn must_ask(&self) -> bool {
        self.directives.no_cache
    }

    pub(super) fn age_max(&self) -> u64 {
        self.directives.max_age
    }

    pub(super) fn min_fresh(&self) -> u64 {
        self.directives.min_fresh
    }

    /// By how much the client itself allows an answer to be stale.
    pub(super) fn max_stale(&self) -> Option<u64> {
        if self.directives.min_fresh > 0 { None } else { self.directives.max_stale }
    }

    /// The same, where the origin fails.
    pub(super) fn if_error(&self) -> u64 {
        if self.directives.min_fresh > 0 { 0 } else { self.directives.if_error }
    }

    /// Whether the client leaves it to the origin how stale answers may be. `max-age` and `min-fresh` say that it
    /// does not want stale ones (RFC 9111 5.2.1.1).
    pub(super) fn takes_stale(&self) -> bool {
        self.directives.max_age == u64::MAX && self.directives.min_fresh == 0
    }

    /// Whether the origin could take the request for somebody's in particular, as far as the guards and headers say.
    pub(super) fn credentials(&self, request: &HeaderMap) -> bool {
        self.asker == Asker::Known || request.contains_key(AUTHORIZATION)
    }

    /// The same, cookies and API keys included: they identify somebody, or they do not.
    pub(super) fn personal(&self, request: &HeaderMap) -> bool {
        self.credentials(request) || request.contains_key(COOKIE) || request.contains_key(X_API_KEY)
    }
}

impl Default for Directives {
    fn default() -> Self {
        Self {
            no_store: false,
            no_cache: false,
            only_if_cached: false,
            max_age: u64::MAX,
            min_fresh: 0,
            max_stale: None,
            if_error: 0,
        }
    }
}

impl Directives {
    fn read(headers: &HeaderMap) -> Self {
        let mut said = Self::default();
        if !headers.contains_key(CACHE_CONTROL) {
            // RFC 9111 5.4: for clients of HTTP/1.0.
            said.no_cache = pragma(headers);
            return said;
        }
        let [mut max_age, mut min_fresh, mut max_stale, mut if_error] = [Seconds::Absent; 4];
        let mut any_stale = false;
        let parsed = each(headers.get_all(CACHE_CONTROL), |name, argument| match name {
            "no-store" => said.no_store = true,
            "no-cache" => said.no_cache = true,
            "only-if-cached" => said.only_if_cached = true,
            "max-age" => max_age.add(argument),
            "min-fresh" => min_fresh.add(argument),
            "max-stale" if argument == Argument::Absent => any_stale = true,
            "max-stale" => max_stale.add(argument),
            "stale-if-error" => if_error.add(argument),
            _ => {}
        });
        said.no_cache |= parsed.is_err();
        said.max_age = max_age.or(0).map_or(u64::MAX, |seconds| seconds * 1000);
        said.min_fresh = min_fresh.or(u64::MAX / 1000).map_or(0, |seconds| seconds * 1000);
        said.if_error = if_error.or(0).map_or(0, |seconds| seconds * 1000);
        said.max_stale = match max_stale {
            Seconds::Absent => any_stale.then_some(u64::MAX),
            Seconds::Said(seconds) => Some(seconds * 1000),
            Seconds::Invalid => None,
        };
        said
    }
}

/// Takes out of a request to be filled what would keep the answer from being the whole one: conditions and ranges.
pub fn unconditional(headers: &mut HeaderMap) {
    for name in [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE, RANGE] {
        headers.remove(name);
    }
}
