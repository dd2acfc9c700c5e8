//! Header fields that are between the service and the cache, or between two hops; and how single ones are read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{
    AGE, CACHE_CONTROL, CDN_CACHE_CONTROL, CONNECTION, DATE, ETAG, EXPIRES, LAST_MODIFIED,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Time;
use super::tags::{CACHE_PURGE, CACHE_TAG};

/// Not stored (RFC 9111 3.1), besides what `Connection` names.
const HOP: [HeaderName; 10] = [
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("proxy-connection"),
];

/// Whether a stored response without this field would mean something else, or be kept for another time or request.
pub(super) fn is_essential(name: &HeaderName) -> bool {
    let steers = [AGE, CACHE_CONTROL, CDN_CACHE_CONTROL, DATE, ETAG, EXPIRES, LAST_MODIFIED, VARY, CACHE_TAG];
    steers.contains(name) || name.as_str().starts_with("content-")
}

/// Takes `Cache-Tag`, `Cache-Purge` and `CDN-Cache-Control` out of an answer to a client, cached or not.
pub fn strip(headers: &mut HeaderMap) {
    for name in [CACHE_TAG, CACHE_PURGE, CDN_CACHE_CONTROL] {
        headers.remove(name);
    }
}

/// Takes out what is meant for one connection. What steers caching never is (RFC 9110 7.6.1), whatever `Connection`
/// says.
pub(super) fn strip_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| !is_essential(name))
        .collect();
    for name in named.iter().chain(&HOP) {
        headers.remove(name);
    }
}

/// A field that stands at most once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Single<'a> {
    Absent,
    Value(&'a HeaderValue),
    /// It stands there with different values.
    Conflict,
}

impl<'a> Single<'a> {
    pub(super) fn of(headers: &'a HeaderMap, name: &HeaderName) -> Self {
        let mut lines = headers.get_all(name).iter();
        match lines.next() {
            None => Self::Absent,
            Some(first) if lines.all(|line| line == first) => Self::Value(first),
            Some(_) => Self::Conflict,
        }
    }

    pub(super) fn value(self) -> Option<&'a HeaderValue> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Conflict => None,
        }
    }
}

/// An HTTP date in seconds since the epoch.
pub(super) fn date(value: &HeaderValue) -> Option<u64> {
    let date = httpdate::parse_http_date(value.to_str().ok()?).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// The HTTP date of a time; one past the year 9999 has none.
pub(super) fn date_value(time: Time) -> Option<HeaderValue> {
    const YEAR_10000_MS: u64 = 253_402_300_800_000;
    if time.0 >= YEAR_10000_MS {
        return None;
    }
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(time.0));
    HeaderValue::try_from(date).ok()
}

impl From<SystemTime> for Time {
    /// Before the epoch, the epoch.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
