//! `Cache-Tag` and `Cache-Purge`: comma-separated names.

use http::HeaderMap;

/// What a response's `Cache-Purge` asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Purges {
    Nothing,
    Tags(Vec<Box<str>>),
    /// It does not parse, or names more than can be held: everything of the application, for a lost purge is a lie.
    All,
}

pub fn purges(_response: &HeaderMap) -> Purges {
    Purges::Nothing
}
