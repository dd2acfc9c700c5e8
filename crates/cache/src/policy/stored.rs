//! A stored response: everything that is to be known of it, read once.

use std::time::Duration;

use http::header::{AGE, CACHE_STATUS, DATE, ETAG, LAST_MODIFIED, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use mare_manifest::model::guard::Caching;

use super::fields::{Single, date, date_value, strip, strip_hop};
use super::lifetime::{Policy, Source, initial_age, made, policy};
use super::tags::tags;
use super::{Asker, Refusal, Time, Vary, Wishes, status, targeted};

/// A date says which content it was only if the content did not change in the same minute (RFC 9110 8.8.2.2 leaves
/// the margin open; a minute was RFC 7232's).
const STRONG_DATE_MARGIN: u64 = 60;

/// A request and the head of the answer it got.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub wishes: &'a Wishes,
    /// As the client sent it, its conditions included.
    pub request: &'a HeaderMap,
    pub status: StatusCode,
    pub response: &'a HeaderMap,
    /// When the request was sent upstream, and when its answer's head was there.
    pub sent: Time,
    pub received: Time,
}

/// A stored response without its body, which the caller keeps beside it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub(super) status: StatusCode,
    /// As clients get them; with `Age` and `Cache-Status` in place, so that an answer overwrites and never grows.
    pub(super) headers: HeaderMap,
    pub(super) vary: Vary,
    pub(super) tags: Box<[Box<str>]>,
    pub(super) validators: Validators,
    pub(super) terms: Terms,
    /// `CDN-Cache-Control`, which clients do not get, but a later 304 may leave standing.
    pub(super) targeted: Option<HeaderValue>,
    /// The service's answer had a `Cache-Status` already, which stays before ours.
    pub(super) chained: bool,
}

/// For how long, and for whom, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) received: Time,
    pub(super) initial_age: u64,
    pub(super) lifetime: u64,
    pub(super) while_revalidate: u64,
    pub(super) if_error: u64,
    /// Each use has to be confirmed.
    pub(super) no_cache: bool,
    pub(super) never_stale: bool,
    /// Its lifetime is assumed and it was got without credentials: it is for requests without them only.
    pub(super) anonymous: bool,
}

/// What tells this representation from others (RFC 9110 8.8).
#[derive(Clone, Debug)]
pub(super) struct Validators {
    pub(super) etag: Option<HeaderValue>,
    pub(super) last_modified: Option<HeaderValue>,
    /// `Last-Modified`, else `Date`, in seconds.
    pub(super) modified: u64,
    /// `Last-Modified` is strong enough for `If-Range`.
    pub(super) strong_date: bool,
}

impl Stored {
    /// Judges whether a response may be kept, and reads what it says. The body must arrive whole besides.
    pub fn read(exchange: &Exchange<'_>, route: &Caching) -> Result<Self, Refusal> {
        may_be_kept(exchange)?;
        let (stored, kept) = Self::weigh(exchange, route);
        kept.map(|()| stored)
    }

    /// The same, where the response is needed once even if it may not be kept.
    pub(super) fn weigh(exchange: &Exchange<'_>, route: &Caching) -> (Self, Result<(), Refusal>) {
        let made = made(exchange);
        let policy = policy(exchange, route, made);
        let vary = Vary::read(exchange.response, exchange.request);
        let tags = tags(exchange.response);
        let headers = headers(exchange, policy.as_ref().ok());
        let validators = Validators::read(&headers, made);
        let terms = Terms::read(exchange, policy.as_ref().ok(), made);

        let kept = may_be_kept(exchange).and_then(|()| {
            permitted(exchange, policy.as_ref().ok().ok_or(Refusal::Malformed)?, &headers)?;
            let vary = vary.as_ref().map_err(|refusal| *refusal)?;
            if vary.is_of_gateway() && exchange.wishes.asker != Asker::Owner {
                return Err(Refusal::Vary);
            }
            tags.as_ref().ok_or(Refusal::Tags)?;
            if terms.is_useful(&validators) { Ok(()) } else { Err(Refusal::Useless) }
        });
        let stored = Self {
            status: exchange.status,
            headers,
            vary: vary.unwrap_or_default(),
            tags: tags.unwrap_or_default().into(),
            validators,
            terms,
            targeted: targeted::joined(exchange.response)
                .and_then(|text| HeaderValue::from_bytes(&text).ok()),
            chained: exchange.response.contains_key(CACHE_STATUS),
        };
        (stored, kept)
    }

    pub fn vary(&self) -> &Vary {
        &self.vary
    }

    /// From `Cache-Tag`, each once.
    pub fn tags(&self) -> &[Box<str>] {
        &self.tags
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Until when it may be served without the origin's confirmation, stale modes included. Later it is good for
    /// revalidation at most, and for clients with `max-stale`.
    pub fn horizon(&self) -> Time {
        let Terms { received, initial_age, .. } = self.terms;
        Time(received.0.saturating_add(self.terms.horizon().saturating_sub(initial_age)))
    }

    /// Bytes in memory without the body, roughly.
    pub fn weight(&self) -> usize {
        /// Of a header map, for each field: hash, links and the handles of name and value.
        const FIELD: usize = 96;
        let headers: usize =
            self.headers.iter().map(|(name, value)| FIELD + name.as_str().len() + value.len()).sum();
        let tags: usize = self.tags.iter().map(|tag| size_of::<Box<str>>() + tag.len()).sum();
        size_of::<Self>() + headers + tags + self.vary.weight()
    }
}

/// The fields clients get: without those of one hop, of the cache, and those not to be kept.
fn headers(exchange: &Exchange<'_>, policy: Option<&Policy>) -> HeaderMap {
    let mut headers = exchange.response.clone();
    strip_hop(&mut headers);
    strip(&mut headers);
    if let Some(Policy { said, .. }) = policy {
        let personal: &[HeaderName] =
            if exchange.wishes.asker == Asker::Owner { &[] } else { &said.personal };
        for name in said.unchecked.iter().chain(personal) {
            headers.remove(name);
        }
    }
    if Single::of(&headers, &DATE).value().and_then(date).is_none()
        && let Some(received) = date_value(exchange.received)
    {
        headers.insert(DATE, received);
    }
    headers.insert(AGE, HeaderValue::from_static("0"));
    if !headers.contains_key(CACHE_STATUS) {
        headers.insert(CACHE_STATUS, status::HIT);
    }
    headers
}

/// What cannot be stored whatever it says.
fn may_be_kept(exchange: &Exchange<'_>) -> Result<(), Refusal> {
    if exchange.wishes.head {
        return Err(Refusal::Method);
    }
    // Statuses that are about the target. Those about the request (400, 401, 403, 406, 412, 413, 416, 421, 429, 431),
    // about the moment (408, 425, 5xx) or a part (206) are not kept even where RFC 9111 would let us: one client's
    // malformed request would be everybody's error.
    match exchange.status.as_u16() {
        200 | 203 | 204 | 300..=303 | 307 | 308 | 404 | 405 | 410 | 414 | 451 | 501 => Ok(()),
        _ => Err(Refusal::Status),
    }
}

/// What its directives and the request's credentials allow (RFC 9111 3, 3.5).
fn permitted(exchange: &Exchange<'_>, policy: &Policy, headers: &HeaderMap) -> Result<(), Refusal> {
    let said = &policy.said;
    let Exchange { wishes, request, .. } = exchange;
    let shared = wishes.asker != Asker::Owner;
    if said.no_store {
        return Err(Refusal::NoStore);
    }
    if shared && said.private {
        return Err(Refusal::Private);
    }
    // Not even if `public`: a session handed to everybody costs more than a miss. RFC 9111 7.3 leaves it to the
    // service to say so; one that names the field in `no-cache="set-cookie"` has the rest stored.
    if headers.contains_key(SET_COOKIE) {
        return Err(Refusal::SetCookie);
    }
    let Some((_, source)) = policy.lifetime else { return Err(Refusal::Silent) };
    // 3.5 would take `must-revalidate` and `s-maxage` for a permission too; they are often said without this in mind.
    let personal = match source {
        Source::Service => wishes.credentials(request),
        Source::Assumed => wishes.personal(request),
    };
    if shared && personal && !said.public {
        return Err(Refusal::Credentials);
    }
    Ok(())
}

impl Terms {
    fn read(exchange: &Exchange<'_>, policy: Option<&Policy>, made: u64) -> Self {
        let mut terms = Self {
            received: exchange.received,
            initial_age: millis(initial_age(exchange, made)),
            lifetime: 0,
            while_revalidate: 0,
            if_error: 0,
            no_cache: true,
            never_stale: true,
            anonymous: false,
        };
        let Some(Policy { said, lifetime }) = policy else { return terms };
        terms.no_cache = said.no_cache;
        terms.never_stale = said.never_stale;
        if !said.never_stale && !said.no_cache {
            terms.while_revalidate = said.while_revalidate.or(0).unwrap_or(0) * 1000;
            terms.if_error = said.if_error.or(0).unwrap_or(0) * 1000;
        }
        if let Some((lifetime, source)) = lifetime {
            terms.lifetime = millis(*lifetime);
            let shared = exchange.wishes.asker != Asker::Owner;
            terms.anonymous = shared && *source == Source::Assumed && !said.public;
        }
        terms
    }

    /// The age up to which it may be served without the origin's confirmation.
    fn horizon(&self) -> u64 {
        self.lifetime.saturating_add(self.while_revalidate.max(self.if_error))
    }

    fn is_useful(&self, validators: &Validators) -> bool {
        let confirmable = validators.etag.is_some() || validators.last_modified.is_some();
        confirmable || !self.no_cache && self.initial_age < self.horizon()
    }
}

impl Validators {
    fn read(headers: &HeaderMap, made: u64) -> Self {
        let etag = Single::of(headers, &ETAG).value().filter(|value| is_etag(value.as_bytes()));
        let last_modified = Single::of(headers, &LAST_MODIFIED).value().filter(|value| date(value).is_some());
        let modified = last_modified.and_then(date);
        Self {
            etag: etag.cloned(),
            last_modified: last_modified.cloned(),
            modified: modified.unwrap_or(made),
            strong_date: modified.is_some_and(|modified| modified + STRONG_DATE_MARGIN <= made),
        }
    }
}

/// RFC 9110 8.8.3.
pub(super) fn is_etag(value: &[u8]) -> bool {
    let tag = value.strip_prefix(b"W/").unwrap_or(value);
    let inside = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\""));
    inside.is_some_and(|inside| {
        inside.iter().all(|byte| *byte == 0x21 || (0x23..=0x7E).contains(byte) || *byte >= 0x80)
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
