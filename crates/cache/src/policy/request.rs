//! What a request asks of a cache.

use http::{HeaderMap, Method};

use super::Bypass;

/// Who asks, and whose entry it is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asker {
    /// The guards identified nobody; the entry is everybody's.
    Unknown,
    /// Somebody known, but the entry is everybody's.
    Known,
    /// The entry is this user's alone: its key contains the verified subject.
    Owner,
}

/// What a request asks of a cache; read once, without allocating. Cheap where it asks for nothing.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    pub(super) asker: Asker,
    pub(super) head: bool,
    pub(super) only_if_cached: bool,
    pub(super) range: bool,
    pub(super) conditional: bool,
}

impl Wishes {
    pub fn read(method: &Method, _headers: &HeaderMap, asker: Asker) -> Result<Self, Bypass> {
        let head = *method == Method::HEAD;
        if !head && *method != Method::GET {
            return Err(Bypass::Method);
        }
        Ok(Self { asker, head, only_if_cached: false, range: false, conditional: false })
    }

    /// Nothing may be sent upstream for this request: what is not answered from the cache is a 504.
    pub fn only_if_cached(&self) -> bool {
        self.only_if_cached
    }

    /// Asks for a part: only a stored answer can be cut, a miss is passed on as it is and not stored.
    pub fn range(&self) -> bool {
        self.range
    }

    /// Is a HEAD: its own answer is not stored (it may refresh a GET's).
    pub fn head(&self) -> bool {
        self.head
    }
}

/// Takes out of a request to be filled what would keep the answer from being the whole one: conditions and ranges.
pub fn unconditional(_headers: &mut HeaderMap) {}
