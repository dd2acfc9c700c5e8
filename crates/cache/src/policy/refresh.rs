//! Revalidation: what is asked, and what a 304 changes (RFC 9111 3.2, 4.3).

use http::header::{
    AGE, CACHE_STATUS, CDN_CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    DATE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use mare_manifest::model::guard::Caching;

use super::answer::DIGESTS;
use super::conditions::{is_strong, opaque};
use super::fields::{Single, strip, strip_hop};
use super::stored::is_etag;
use super::tags::CACHE_TAG;
use super::{Exchange, Refusal, Stored, unconditional};

/// A stored response that a 304 confirmed.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// To answer this request with, with the old body.
    pub stored: Stored,
    /// Whether it may be kept for others: the 304 may say `no-store`.
    pub kept: Result<(), Refusal>,
    /// Fields of the 304 that may not be stored (`no-cache="set-cookie"`): this request's answer gets them besides.
    pub once: HeaderMap,
}

/// The response is about another representation than the stored one: that one is dropped, and the origin is to be
/// asked again without conditions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mismatch;

impl Stored {
    /// Makes a request ask whether this is still current: the client's conditions out, the stored validators in.
    pub fn condition(&self, headers: &mut HeaderMap) {
        unconditional(headers);
        if let Some(etag) = &self.validators.etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        if let Some(date) = &self.validators.last_modified {
            headers.insert(IF_MODIFIED_SINCE, date.clone());
        }
    }

    /// Updates it by a 304 (3.2, 4.3.4) that answers what [`Stored::condition`] asked. `exchange` has the 304's head
    /// and the client's request.
    pub fn refresh(&self, exchange: &Exchange<'_>, route: &Caching) -> Result<Refreshed, Mismatch> {
        if !self.is_meant_by(exchange.response) {
            return Err(Mismatch);
        }
        let new = confirming(exchange.response);
        let response = self.merged(&new);
        // A HEAD may ask too, but what is stored is GET's.
        let wishes = exchange.wishes.as_get();
        let exchange = Exchange { wishes: &wishes, status: self.status, response: &response, ..*exchange };
        let (stored, kept) = Self::weigh(&exchange, route);
        let mut once = new;
        strip(&mut once);
        for name in stored.headers.keys() {
            once.remove(name);
        }
        Ok(Refreshed { stored, kept, once })
    }

    /// Updates it by what a HEAD got (4.3.5). `length` is the stored body's. `None`: only a 200 tells anything.
    pub fn freshen(
        &self,
        exchange: &Exchange<'_>,
        route: &Caching,
        length: usize,
    ) -> Option<Result<Refreshed, Mismatch>> {
        if exchange.status != StatusCode::OK {
            return None;
        }
        let same_length = match Single::of(exchange.response, &CONTENT_LENGTH) {
            Single::Absent => true,
            Single::Value(value) => value.to_str().is_ok_and(|text| text.parse() == Ok(length)),
            Single::Conflict => false,
        };
        let named = exchange.response.contains_key(ETAG) || exchange.response.contains_key(LAST_MODIFIED);
        let same = self.status == StatusCode::OK && named && same_length;
        Some(if same { self.refresh(exchange, route) } else { Err(Mismatch) })
    }

    /// 4.3.4. A response without any validator is taken for the one asked about: only one was.
    fn is_meant_by(&self, response: &HeaderMap) -> bool {
        let mine = &self.validators;
        let etag = Single::of(response, &ETAG);
        let date = Single::of(response, &LAST_MODIFIED);
        match (etag, &mine.etag) {
            (Single::Conflict, _) | (Single::Value(_), None) => false,
            (Single::Value(new), Some(old)) if is_strong(new) => new == old && is_etag(new.as_bytes()),
            (Single::Value(new), Some(old)) => opaque(new.as_bytes()) == opaque(old.as_bytes()),
            (Single::Absent, _) => match date {
                Single::Conflict => false,
                Single::Value(new) => mine.last_modified.as_ref() == Some(new),
                Single::Absent => mine.etag.is_some() || mine.last_modified.is_some(),
            },
        }
    }

    /// 3.2: new fields replace those stored.
    fn merged(&self, new: &HeaderMap) -> HeaderMap {
        let mut merged = self.raw();
        // Of the answer it was; without a new one it is as old as the confirmation.
        merged.remove(DATE);
        for name in new.keys() {
            merged.remove(name);
        }
        for (name, value) in new {
            merged.append(name, value.clone());
        }
        merged
    }

    /// The fields as the service sent them, as far as they are kept: what [`Stored::read`] would read.
    pub(crate) fn raw(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.remove(AGE);
        headers.remove(CACHE_STATUS);
        if let Some(value) = &self.targeted {
            headers.insert(CDN_CACHE_CONTROL, value.clone());
        }
        if !self.tags.is_empty() {
            let tags = HeaderValue::try_from(self.tags.join(","));
            headers.insert(CACHE_TAG, tags.expect("tags are printable ASCII"));
        }
        headers
    }
}

/// What of a confirmation changes the stored fields: all but what describes the content, which is kept.
fn confirming(response: &HeaderMap) -> HeaderMap {
    let mut new = response.clone();
    strip_hop(&mut new);
    for name in [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE].iter().chain(&DIGESTS) {
        new.remove(name);
    }
    new
}
