//! Conditional requests: RFC 9110 section 13, in the order of 13.2.2.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::{AsHeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};

/// What a request's conditions are compared with: the representation that would be sent.
#[derive(Clone, Copy)]
pub(super) struct Validators<'a> {
    /// Strong, with its quotes.
    pub(super) etag: &'a str,
    /// In whole seconds, or None where the file has no usable date.
    pub(super) modified: Option<SystemTime>,
}

/// What the preconditions of a GET or HEAD leave to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Send,
    /// 304
    NotModified,
    /// 412
    Failed,
}

/// Evaluates everything but If-Range.
pub(super) fn evaluate(headers: &HeaderMap, current: Validators<'_>) -> Outcome {
    let passes = if headers.contains_key(IF_MATCH) {
        any_tag(headers, IF_MATCH, |tag| tag.matches_strongly(current.etag))
    } else {
        match (date(headers, IF_UNMODIFIED_SINCE), current.modified) {
            (Some(since), Some(modified)) => modified <= since,
            (None, _) | (_, None) => true,
        }
    };
    if !passes {
        return Outcome::Failed;
    }
    let unchanged = if headers.contains_key(IF_NONE_MATCH) {
        any_tag(headers, IF_NONE_MATCH, |tag| tag.matches_weakly(current.etag))
    } else {
        match (date(headers, IF_MODIFIED_SINCE), current.modified) {
            (Some(since), Some(modified)) => modified <= since,
            (None, _) | (_, None) => false,
        }
    };
    if unchanged { Outcome::NotModified } else { Outcome::Send }
}

/// Whether a Range header counts (section 13.1.5).
///
/// A date must equal Last-Modified exactly. We cannot see here whether it was strong when the client got it;
/// since we always send an entity tag, only a client that threw it away comes with a date.
pub(super) fn range_applies(headers: &HeaderMap, current: Validators<'_>) -> bool {
    let Some(value) = headers.get(IF_RANGE) else { return true };
    let Ok(text) = value.to_str() else { return false };
    match Tag::parse(text) {
        Some((tag, "")) => tag.matches_strongly(current.etag),
        Some(_) => false,
        None => current.modified.is_some() && httpdate::parse_http_date(text).ok() == current.modified,
    }
}

enum Tag<'a> {
    Strong(&'a str),
    Weak(&'a str),
    /// `*`
    Any,
}

impl<'a> Tag<'a> {
    /// The tag that `text` begins with, quotes included, and what follows it.
    fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        let (weak, rest) = text.strip_prefix("W/").map_or((false, text), |rest| (true, rest));
        let length = rest.strip_prefix('"')?.find('"')? + 2;
        let (opaque, after) = rest.split_at(length);
        Some((if weak { Self::Weak(opaque) } else { Self::Strong(opaque) }, after))
    }

    fn matches_strongly(&self, etag: &str) -> bool {
        match self {
            Self::Strong(opaque) => *opaque == etag,
            Self::Weak(_) => false,
            Self::Any => true,
        }
    }

    fn matches_weakly(&self, etag: &str) -> bool {
        match self {
            Self::Strong(opaque) | Self::Weak(opaque) => *opaque == etag,
            Self::Any => true,
        }
    }
}

/// Whether any tag in the field's lines satisfies `matches`. Reading stops at the first malformed member: what is
/// not understood matches nothing.
fn any_tag(headers: &HeaderMap, name: impl AsHeaderName, matches: impl Fn(&Tag<'_>) -> bool) -> bool {
    headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).any(|line| {
        if line.trim() == "*" {
            return matches(&Tag::Any);
        }
        let mut rest = line;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            let Some((tag, after)) = Tag::parse(rest) else { return false };
            if matches(&tag) {
                return true;
            }
            rest = after;
        }
    })
}

/// The field's date; None if it is absent, repeated or not a date, which all mean that it is ignored.
fn date(headers: &HeaderMap, name: impl AsHeaderName) -> Option<SystemTime> {
    let mut lines = headers.get_all(name).iter();
    let only = lines.next().filter(|_| lines.next().is_none())?;
    httpdate::parse_http_date(only.to_str().ok()?).ok()
}
