//! What of a query tells answers apart.
//!
//! Merging two requests that a service tells apart would serve one the other's answer, and let anybody plant it
//! ("parameter cloaking"). So in doubt they are kept apart: names are compared as lenient services read them (decoded, in
//! any case, `a[]` as `a`, ` a.b` as `a_b`), and a query with `;`, which some take for `&`, is left as it is.

use std::borrow::Cow;

use mare_manifest::model::guard::Query;
use percent_encoding::percent_decode_str;
use smallvec::SmallVec;

/// Parameters sorted without touching the heap.
const INLINE: usize = 16;

/// Appends the query as keys have it.
pub(super) fn normalise(text: &str, rule: &Query, to: &mut SmallVec<[u8; super::INLINE]>) {
    if text.contains(';') {
        to.extend_from_slice(text.as_bytes());
        return;
    }
    let mut pairs: SmallVec<[(Cow<'_, str>, &str); INLINE]> =
        text.split('&').filter(|pair| !pair.is_empty()).map(|pair| (name(pair), pair)).collect();
    pairs.retain(|(name, pair)| tells_apart(name, pair, rule));
    // Stable: the values of a name stay in their order.
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (index, (_, pair)) in pairs.iter().enumerate() {
        if index > 0 {
            to.push(b'&');
        }
        to.extend_from_slice(pair.as_bytes());
    }
}

fn tells_apart(name: &str, pair: &str, rule: &Query) -> bool {
    match rule {
        Query::All => true,
        Query::Only(names) => names.iter().any(|one| *self::name(one) == *name),
        // By its exact spelling: another one is not what the manifest speaks of.
        Query::Ignore(names) => {
            let written = &pair[..pair.find('=').unwrap_or(pair.len())];
            !names.iter().any(|one| match one.strip_suffix('*') {
                Some(start) => written.starts_with(start),
                None => written == one,
            })
        }
    }
}

/// The name of a parameter, as the most lenient service reads it.
fn name(pair: &str) -> Cow<'_, str> {
    let end = pair.find('=').unwrap_or(pair.len());
    let written = &pair[..end];
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    if written.bytes().all(is_plain) {
        return Cow::Borrowed(written);
    }
    let mut decoded = percent_decode_str(&written.replace('+', " ")).decode_utf8_lossy().to_ascii_lowercase();
    decoded.truncate(decoded.find(['[', '\0']).unwrap_or(decoded.len()));
    // As PHP reads ` a.b`.
    Cow::Owned(decoded.trim_start_matches(' ').replace(['.', ' '], "_"))
}
