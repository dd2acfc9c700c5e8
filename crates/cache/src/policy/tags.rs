//! `Cache-Tag` and `Cache-Purge`: names separated by commas.

use http::{HeaderMap, HeaderName};

pub(super) const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");
pub(super) const CACHE_PURGE: HeaderName = HeaderName::from_static("cache-purge");

/// Tags of one entry: each is looked at with every hit.
const TAGS_MAX: usize = 64;
/// Tags of one purge. One that names more is of everything.
const PURGED_MAX: usize = 1024;
/// Bytes of a tag: two UUIDs, and words to them.
const TAG_BYTES_MAX: usize = 128;

/// What a response's `Cache-Purge` asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Purges {
    Nothing,
    Tags(Vec<Box<str>>),
    /// It does not parse, or names more than can be held: everything of the application, for a lost purge is a lie.
    All,
}

/// Reads `Cache-Purge`.
pub fn purges(response: &HeaderMap) -> Purges {
    match names(response, &CACHE_PURGE, PURGED_MAX) {
        None => Purges::All,
        Some(names) if names.is_empty() => Purges::Nothing,
        Some(names) => Purges::Tags(names),
    }
}

/// Reads `Cache-Tag`; `None` if a tag would be lost.
pub(super) fn tags(response: &HeaderMap) -> Option<Vec<Box<str>>> {
    names(response, &CACHE_TAG, TAGS_MAX)
}

/// Each name once, sorted. A space inside of one is malformed: it would be two tags with another vendor.
fn names(headers: &HeaderMap, field: &HeaderName, count_max: usize) -> Option<Vec<Box<str>>> {
    let mut names: Vec<&str> = Vec::new();
    for line in headers.get_all(field) {
        for name in line.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name.len() > TAG_BYTES_MAX || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                return None;
            }
            names.push(name);
        }
    }
    names.sort_unstable();
    names.dedup();
    (names.len() <= count_max).then(|| names.into_iter().map(Box::from).collect())
}
