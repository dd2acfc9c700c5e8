//! The response a client gets out of a stored one: the whole, 206, 304 or 416.

use std::ops::Range;

use bytes::Bytes;
use http::header::{
    AGE, CACHE_CONTROL, CACHE_STATUS, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::fields::Single;
use super::range::{Part, part};
use super::{Handling, Stored, Time, Wishes};

/// Describe one message's content (RFC 9530, RFC 2616), not the representation.
pub(super) const DIGESTS: [HeaderName; 2] =
    [HeaderName::from_static("content-digest"), HeaderName::from_static("content-md5")];

impl Stored {
    /// Makes the client's answer: its conditions (RFC 9110 13) and its range (14) evaluated, HEAD without content.
    /// `body` is the whole stored body; parts of it are shared, not copied.
    pub fn answer(
        &self,
        wishes: &Wishes,
        request: &HeaderMap,
        body: &Bytes,
        handling: Handling,
        now: Time,
    ) -> Response<Bytes> {
        // A condition is about a success (13.2.1), a range about a 200 (14.2).
        if wishes.conditional && self.status.is_success() && self.validators.are_known_to(request) {
            return self.not_modified(handling, now);
        }
        if wishes.range && self.status == StatusCode::OK && self.validators.allow_range(request) {
            match Single::of(request, &RANGE).value().map(|range| part(range, body.len())) {
                Some(Part::Bytes(range)) => return self.partial(range, body, handling, now),
                Some(Part::Outside) => return outside(body.len(), handling),
                Some(Part::Whole) | None => {}
            }
        }
        let mut headers = self.fields(handling, now);
        if !wishes.head {
            return respond(self.status, headers, body.clone());
        }
        if self.status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        respond(self.status, headers, Bytes::new())
    }

    /// The stored fields, with what is said of this use.
    fn fields(&self, handling: Handling, now: Time) -> HeaderMap {
        let mut headers = self.headers.clone();
        match handling {
            // An Age would say that the origin did not confirm it for this request (RFC 9111 5.1).
            Handling::Revalidated(_) => _ = headers.remove(AGE),
            Handling::Hit
            | Handling::Failed(_)
            | Handling::Collapsed(_)
            | Handling::Forwarded { .. }
            | Handling::Bypassed(_) => put(&mut headers, &AGE, HeaderValue::from(self.age(now) / 1000)),
        }
        if self.chained {
            headers.append(CACHE_STATUS, handling.value());
        } else {
            put(&mut headers, &CACHE_STATUS, handling.value());
        }
        headers
    }

    fn not_modified(&self, handling: Handling, now: Time) -> Response<Bytes> {
        let mut headers = self.fields(handling, now);
        for name in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE].iter().chain(&DIGESTS)
        {
            headers.remove(name);
        }
        respond(StatusCode::NOT_MODIFIED, headers, Bytes::new())
    }

    fn partial(&self, range: Range<usize>, body: &Bytes, handling: Handling, now: Time) -> Response<Bytes> {
        let mut headers = self.fields(handling, now);
        for name in &DIGESTS {
            headers.remove(name);
        }
        let span = format!("bytes {}-{}/{}", range.start, range.end - 1, body.len());
        headers.insert(CONTENT_RANGE, text(span));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(range.len()));
        respond(StatusCode::PARTIAL_CONTENT, headers, body.slice(range))
    }
}

/// Overwrites a field that is there: `insert` would make room for one more first.
fn put(headers: &mut HeaderMap, name: &HeaderName, value: HeaderValue) {
    if let Some(place) = headers.get_mut(name) {
        *place = value;
    }
}

/// RFC 9110 15.5.17. The stored fields are of another answer.
fn outside(length: usize, handling: Handling) -> Response<Bytes> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_RANGE, text(format!("bytes */{length}")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CACHE_STATUS, handling.value());
    respond(StatusCode::RANGE_NOT_SATISFIABLE, headers, Bytes::new())
}

fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("digits and ASCII words")
}

fn respond(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
