//! What a file's name tells: its media type, and whether its content can ever change.

/// How long a hashed name may be kept: a year, the longest that RFC 9111's predecessors recommended and the
/// value every bundler's manual uses.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked about each time; the answer is mostly a 304 without a body.
const REVALIDATE: &str = "no-cache";

/// A hexadecimal hash: at least 32 bits (webpack's shortest habit, Parcel's default), at most SHA-256.
const HEX_LEN: std::ops::RangeInclusive<usize> = 8..=64;
/// Rollup's and Vite's default hash: 48 bits in base64url.
const MIXED_LEN: usize = 8;

/// The Content-Type of the file `relative`. Text is UTF-8: nothing else is written today, and without the
/// parameter browsers guess.
pub(super) fn content_type(relative: &str) -> String {
    let mime = mime_guess::from_path(relative).first_or_octet_stream();
    let text = mime.type_() == mime_guess::mime::TEXT || mime.subtype() == mime_guess::mime::JAVASCRIPT;
    let charset = if text && mime.get_param("charset").is_none() { "; charset=utf-8" } else { "" };
    format!("{mime}{charset}")
}

pub(super) fn cache_control(relative: &str) -> &'static str {
    if carries_hash(relative) { FOREVER } else { REVALIDATE }
}

/// Whether a file's name carries a hash of its content, so that the name changes whenever the content does.
///
/// A wrong yes serves stale content for a year, a wrong no costs a 304: the rule prefers no. A hash is one of
///
/// 1. **hex**: the last piece, after `-`, `_` or `.`, of any dot-separated part but the extension:
///    8 to 64 of `0-9a-f` that change between digit and letter at least twice, and not a UUID's tail
///    (`app.3f2a9c1d.css`, `main-3f2a9c1d.chunk.js`, but not `report-20240115.pdf` or `x-facade01.js`).
/// 2. **mixed**: `-` and exactly 8 letters and digits at the end of a part, with a capital, a small letter and a
///    digit, that change class at least four times (`index-Bx3k9Q2z.js`, but not `book-Chapter1.html`).
/// 3. **mixed, scripts and styles directly in a folder `assets`**, where Vite puts what it hashes: `-` and 8 of
///    base64url with a capital, that change class at least twice (`assets/index-DiwrgTda.js`).
///
/// Half of Vite's default hashes pass rule 2 alone, for pictures and fonts; with Rollup's
/// `hashCharacters: 'hex'` nearly all pass rule 1.
pub(super) fn carries_hash(relative: &str) -> bool {
    let (folder, name) = relative.rsplit_once('/').unwrap_or(("", relative));
    let mut extensions = name.rsplit('.');
    let mut extension = extensions.next().unwrap_or_default();
    if extension == "map" {
        // A source map is named after the file it belongs to.
        extension = extensions.next().unwrap_or_default();
    }
    let in_assets = folder == "assets" || folder.ends_with("/assets");
    let bundled = in_assets && matches!(extension, "js" | "mjs" | "css");
    let parts: Vec<&str> = extensions.collect();
    parts.iter().enumerate().any(|(index, part)| {
        let first = index + 1 == parts.len();
        is_hex_tail(part, first)
            || mixed_tail(part).is_some_and(|tail| is_mixed(tail) || (bundled && is_loose(tail)))
    })
}

/// Rule 1 for one part; the name's first part is a name, so there the hash needs something before it.
fn is_hex_tail(part: &str, first: bool) -> bool {
    let piece = match part.rsplit_once(['-', '_']) {
        Some(("", _)) => return false,
        Some((_, piece)) => piece,
        None if first => return false,
        None => part,
    };
    let is_hex = piece.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    HEX_LEN.contains(&piece.len()) && is_hex && class_changes(piece) >= 2 && !ends_in_uuid(part)
}

/// The last 8 bytes of a part, if a name and `-` come before them.
fn mixed_tail(part: &str) -> Option<&str> {
    let start = part.len().checked_sub(MIXED_LEN)?;
    let (before, tail) = part.split_at_checked(start)?;
    (before.len() > 1 && before.ends_with('-')).then_some(tail)
}

fn is_mixed(tail: &str) -> bool {
    let has = |test: fn(&u8) -> bool| tail.as_bytes().iter().any(test);
    tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && class_changes(tail) >= 4
}

fn is_loose(tail: &str) -> bool {
    tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && tail.bytes().any(|byte| byte.is_ascii_uppercase())
        && class_changes(tail) >= 2
}

/// How often neighbours differ in being a capital, a small letter, a digit or something else.
fn class_changes(text: &str) -> usize {
    let class = |byte: &u8| match byte {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    text.as_bytes().windows(2).filter(|pair| class(&pair[0]) != class(&pair[1])).count()
}

/// 8-4-4-4-12: an identity, whose content may change.
fn ends_in_uuid(part: &str) -> bool {
    let mut pieces = part.rsplit('-');
    let sizes_fit = [12, 4, 4, 4].iter().all(|size| pieces.next().is_some_and(|piece| piece.len() == *size));
    sizes_fit && pieces.next().is_some_and(|piece| piece.len() >= 8)
}
