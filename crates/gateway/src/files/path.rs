//! Which file a request path names, decided on the text alone.
//!
//! Everything here is about names; that the name does not lead out of the folder through a symbolic link is
//! checked when it is opened, in `disk`.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The file a folder answers with.
pub(super) const INDEX: &str = "index.html";

/// The only name with a leading dot that is served, and only directly below the root (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// RFC 3986 section 2.3: what never needs encoding.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-decodes `path` once; None where the encoding hides a separator or is not UTF-8.
///
/// Borrows when there was nothing to decode, so the usual request costs one scan.
pub(super) fn decode(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let hides_separator =
        |code: &[u8]| code.eq_ignore_ascii_case(b"%2f") || code.eq_ignore_ascii_case(b"%5c");
    if path.as_bytes().windows(3).any(hides_separator) {
        return None;
    }
    percent_decode_str(path).decode_utf8().ok()
}

/// The file's name relative to the root for a decoded path; None where there is nothing we would serve.
///
/// The answer has no empty, `.` or `..` segment, no control character, no backslash and no hidden name, and is
/// never absolute. A path that ends in a slash names the folder's index.
pub(super) fn relative(decoded: &str) -> Option<String> {
    let below = decoded.strip_prefix('/')?;
    let (folders, last) =
        below.rsplit_once('/').map_or((None, below), |(folders, last)| (Some(folders), last));
    let mut segments =
        folders.into_iter().flat_map(|folders| folders.split('/')).chain(Some(last)).enumerate();
    let servable = |(index, segment): (usize, &str)| {
        let hidden = segment.starts_with('.') && !(index == 0 && segment == WELL_KNOWN);
        !hidden && !segment.contains(|c: char| c.is_control() || c == '\\')
    };
    let has_hole = folders.is_some_and(|folders| folders.split('/').any(str::is_empty));
    if has_hole || !segments.all(servable) {
        return None;
    }
    Some(if last.is_empty() { format!("{below}{INDEX}") } else { below.to_owned() })
}

/// Where a folder named without its final slash is found: `./name/`, relative to the request's own URI.
///
/// A relative reference stays right whatever prefix the route has, and cannot name another host or scheme.
pub(super) fn with_slash(decoded: &str) -> String {
    let name = decoded.rsplit('/').next().unwrap_or_default();
    format!("./{}/", utf8_percent_encode(name, RESERVED))
}

/// Whether an unknown path may be one of a single-page application's own: its last segment has no extension, and
/// it is not below `/.well-known/`, where clients probe for what exists.
pub(super) fn is_page(decoded: &str) -> bool {
    let last = decoded.rsplit('/').next().unwrap_or_default();
    !last.contains('.') && !decoded[1..].starts_with(WELL_KNOWN)
}
