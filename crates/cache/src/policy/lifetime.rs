//! How old a response is and how long it is fresh (RFC 9111 4.2).

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, LAST_MODIFIED};
use http::{HeaderMap, StatusCode};
use mare_manifest::model::guard::Caching;

use super::directives::{Malformed, Said, delta_seconds, each, pragma};
use super::fields::{Single, date};
use super::{Exchange, targeted};

/// Heuristic freshness: this part of the time since the last change (4.2.2), and never more than a day.
const HEURISTIC_PART: u32 = 10;
const HEURISTIC_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Who said how long a response is fresh.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    Service,
    /// The route's `ttl`, or heuristics: the service said nothing.
    Assumed,
}

/// What a response's own fields say about caching it.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) said: Said,
    /// `None`: nobody says anything.
    pub(super) lifetime: Option<(Duration, Source)>,
}

/// Reads them: the targeted field if there is a valid one, else `Cache-Control` and `Expires` (RFC 9213 2.2).
pub(super) fn policy(exchange: &Exchange<'_>, route: &Caching, date: u64) -> Result<Policy, Malformed> {
    let response = exchange.response;
    let (said, lifetime) = if let Some(said) = targeted::read(response) {
        let lifetime = explicit(&said);
        (said, lifetime)
    } else {
        let said = cache_control(response)?;
        let lifetime = explicit(&said).or_else(|| until_expires(response, date));
        (said, lifetime)
    };
    let lifetime = match lifetime {
        _ if said.no_cache => Some((Duration::ZERO, Source::Service)),
        Some(seconds) => Some((Duration::from_secs(seconds), Source::Service)),
        None => assumed(exchange.status, response, route, date).map(|lifetime| (lifetime, Source::Assumed)),
    };
    Ok(Policy { said, lifetime })
}

fn cache_control(response: &HeaderMap) -> Result<Said, Malformed> {
    let mut said = Said::default();
    each(response.get_all(CACHE_CONTROL), |name, argument| said.add(name, argument))?;
    // In a response it never meant anything (5.4), but who sends it alone means no-cache.
    said.no_cache |= !response.contains_key(CACHE_CONTROL) && pragma(response);
    Ok(said)
}

/// 4.2.1: `s-maxage` before `max-age`. What is invalid is stale.
fn explicit(said: &Said) -> Option<u64> {
    said.s_maxage.or(0).or(said.max_age.or(0))
}

/// 5.3: what is no date, such as `0`, is in the past.
fn until_expires(response: &HeaderMap, date_seconds: u64) -> Option<u64> {
    match Single::of(response, &EXPIRES) {
        Single::Absent => None,
        Single::Value(value) => Some(date(value).unwrap_or(0).saturating_sub(date_seconds)),
        Single::Conflict => Some(0),
    }
}

/// Successes and permanent redirects only: how long an error lasts, only the service can say.
fn assumed(status: StatusCode, response: &HeaderMap, route: &Caching, date_seconds: u64) -> Option<Duration> {
    if !matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308) {
        return None;
    }
    if let Some(ttl) = route.ttl {
        return Some(ttl);
    }
    let modified = date(Single::of(response, &LAST_MODIFIED).value()?)?;
    let unchanged = Duration::from_secs(date_seconds.saturating_sub(modified));
    route.heuristic.then(|| (unchanged / HEURISTIC_PART).min(HEURISTIC_MAX))
}

/// When the response was made, in seconds since the epoch: `Date`, or when it came if that is missing or no date
/// (RFC 9110 6.6.1).
pub(super) fn made(exchange: &Exchange<'_>) -> u64 {
    let received = exchange.received.0 / 1000;
    Single::of(exchange.response, &DATE).value().and_then(date).unwrap_or(received)
}

/// The age it had when it came (4.2.3), in whole seconds as the fields have them, but for the time it took.
pub(super) fn initial_age(exchange: &Exchange<'_>, date_seconds: u64) -> Duration {
    let apparent = Duration::from_secs((exchange.received.0 / 1000).saturating_sub(date_seconds));
    let delay = Duration::from_millis(exchange.received.0.saturating_sub(exchange.sent.0));
    apparent.max(Duration::from_secs(age_value(exchange.response)) + delay)
}

/// 5.1: the first of a list; what is no number is ignored.
fn age_value(response: &HeaderMap) -> u64 {
    let first = response.get(AGE).and_then(|value| value.to_str().ok()?.split(',').next());
    first.and_then(|text| delta_seconds(text.trim())).unwrap_or(0)
}
