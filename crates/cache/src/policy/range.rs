//! One byte range out of stored content (RFC 9110 14).

use std::ops::Range;

use http::HeaderValue;

/// What a `Range` field means for content of a length.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// The field is ignored: malformed, another unit, or several ranges (14.2 lets us).
    Whole,
    Bytes(Range<usize>),
    /// 416.
    Outside,
}

pub(super) fn part(value: &HeaderValue, length: usize) -> Part {
    let Some((first, last)) = spec(value) else { return Part::Whole };
    match (position(first), position(last)) {
        (Position::Bad, _) | (_, Position::Bad) | (Position::None, Position::None) => Part::Whole,
        // The last bytes.
        (Position::None, Position::At(0)) => Part::Outside,
        // Nothing to cut: a part of nothing cannot be told from the whole in Content-Range.
        (Position::None, Position::At(_)) if length == 0 => Part::Whole,
        (Position::None, Position::At(count)) => Part::Bytes(length.saturating_sub(count)..length),
        (Position::At(first), Position::At(last)) if last < first => Part::Whole,
        (Position::At(first), _) if first >= length => Part::Outside,
        (Position::At(first), Position::None) => Part::Bytes(first..length),
        (Position::At(first), Position::At(last)) => Part::Bytes(first..length.min(last.saturating_add(1))),
    }
}

fn spec(value: &HeaderValue) -> Option<(&str, &str)> {
    let (unit, set) = value.to_str().ok()?.split_once('=')?;
    // A comma makes it several; it is no digit, so that position() refuses it.
    unit.eq_ignore_ascii_case("bytes").then(|| set.trim().split_once('-'))?
}

enum Position {
    None,
    At(usize),
    Bad,
}

/// A number too large is behind the end of anything.
fn position(text: &str) -> Position {
    match text {
        "" => Position::None,
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Position::At(text.parse().unwrap_or(usize::MAX))
        }
        _ => Position::Bad,
    }
}
