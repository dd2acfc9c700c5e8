//! From a request's header fields and a variant to the answer's head and the part of the content that follows.

use std::ops::Range;

use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::asset::Variant;
use super::conditions::{self, Outcome};
use super::range::Part;

/// The two methods a folder has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Head,
}

/// An answer whose content is still to be fetched.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Response<()>,
    /// Which bytes of the variant are the body.
    pub(super) part: Range<u64>,
}

/// What to answer with `variant`; touches no content.
pub(super) fn decide(verb: Verb, headers: &HeaderMap, variant: &Variant) -> Answer {
    let current = variant.validators();
    match conditions::evaluate(headers, current) {
        Outcome::Send => {}
        Outcome::NotModified => return bare(StatusCode::NOT_MODIFIED, retained(variant)),
        Outcome::Failed => return bare(StatusCode::PRECONDITION_FAILED, HeaderMap::new()),
    }
    let length = variant.stamp.len;
    let part = match verb {
        Verb::Get if conditions::range_applies(headers, current) => Part::requested(headers, length),
        // A range means something for GET only (RFC 9110 section 14.2).
        Verb::Get | Verb::Head => Part::Whole,
    };
    let (status, part, content_range) = match part {
        Part::Whole => (StatusCode::OK, 0..length, None),
        Part::Bytes(part) => {
            let range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            (StatusCode::PARTIAL_CONTENT, part, Some(range))
        }
        Part::Unsatisfiable => {
            let mut fields = HeaderMap::new();
            fields.insert(CONTENT_RANGE, text(&format!("bytes */{length}")));
            return bare(StatusCode::RANGE_NOT_SATISFIABLE, fields);
        }
    };
    let mut head = Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = variant.headers.clone();
    if let Some(range) = content_range {
        head.headers_mut().insert(CONTENT_RANGE, text(&range));
        head.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    }
    let part = if verb == Verb::Head { 0..0 } else { part };
    Answer { head, part }
}

/// 308 to the folder's name with its slash.
pub(super) fn moved(location: &str) -> Response<()> {
    let mut fields = HeaderMap::new();
    fields.insert(LOCATION, text(location));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    bare(StatusCode::PERMANENT_REDIRECT, fields).head
}

/// Says that another Accept could have got another answer: the single-page fallback.
pub(super) fn vary_by_accept(headers: &mut HeaderMap) {
    headers.append(VARY, HeaderValue::from_static("accept"));
}

/// What a 304 repeats of the 200 it stands for (RFC 9110 section 15.4.5).
fn retained(variant: &Variant) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(4);
    for name in [ETAG, CACHE_CONTROL, VARY, X_CONTENT_TYPE_OPTIONS] {
        if let Some(value) = variant.headers.get(&name) {
            fields.insert(name, value.clone());
        }
    }
    fields
}

fn bare(status: StatusCode, fields: HeaderMap) -> Answer {
    let mut head = Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = fields;
    Answer { head, part: 0..0 }
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("made of digits and percent-encoded text")
}
