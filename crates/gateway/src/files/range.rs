//! Byte ranges: RFC 9110 section 14, one range at a time.

use std::ops::Range;

use http::HeaderMap;
use http::header::RANGE;

/// The part of a representation that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// No range, or one we may ignore: another unit, a malformed one, several ranges (section 14.2 lets a server
    /// ignore the field; several ranges are mostly asked for to make servers work).
    Whole,
    /// Not empty, within the representation.
    Bytes(Range<u64>),
    /// 416
    Unsatisfiable,
}

impl Part {
    pub(super) fn requested(headers: &HeaderMap, length: u64) -> Self {
        let mut lines = headers.get_all(RANGE).iter();
        let Some(only) = lines.next().filter(|_| lines.next().is_none()) else { return Self::Whole };
        only.to_str().ok().and_then(|value| Self::parse(value, length)).unwrap_or(Self::Whole)
    }

    /// None if `value` is not one well-formed byte range.
    pub(super) fn parse(value: &str, length: u64) -> Option<Self> {
        let (unit, set) = value.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = set.trim().split_once('-')?;
        if first.is_empty() {
            let suffix = number(last)?;
            return Some(match (suffix, length) {
                (0, _) => Self::Unsatisfiable,
                // Satisfiable by section 14.1.2, but no Content-Range can say so.
                (_, 0) => Self::Whole,
                _ => Self::Bytes(length.saturating_sub(suffix)..length),
            });
        }
        let first = number(first)?;
        let last = if last.is_empty() { u64::MAX } else { number(last)? };
        if last < first {
            return None;
        }
        let part = first..last.saturating_add(1).min(length);
        Some(if part.is_empty() { Self::Unsatisfiable } else { Self::Bytes(part) })
    }
}

/// A run of digits; what exceeds u64 counts as its maximum, which no file reaches.
fn number(digits: &str) -> Option<u64> {
    let well_formed = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| digits.parse().unwrap_or(u64::MAX))
}
