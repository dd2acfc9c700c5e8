//! `Vary` (RFC 9111 4.1).

use http::{HeaderMap, HeaderName};

/// The request's fields that chose a response, and the values they had.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Vary(Box<[(HeaderName, Option<Box<[u8]>>)]>);

impl Vary {
    /// Each once, sorted: equal lists are equal names.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &HeaderName> {
        self.0.iter().map(|(name, _)| name)
    }

    pub fn matches(&self, _request: &HeaderMap) -> bool {
        false
    }

    /// Appends a request's values of these fields to a key, framed: equal bytes if and only if the same response is
    /// chosen. For the second level of the storage.
    pub fn key<'a>(_names: impl Iterator<Item = &'a HeaderName>, _request: &HeaderMap, _key: &mut Vec<u8>) {}
}
