//! Which entries a purge has ended.
//!
//! Purges are numbered. A fill takes the number reached before it asks the service; its entry lives while none of its
//! tags has been purged since. So a purge writes one record per tag, however many entries it ends, and entries that
//! nobody asks for again go when their room is needed. Only so many records are kept: forgetting one raises the floor,
//! below which every entry is dead.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest, Sha256};

/// Purges remembered: at 1000 per second, entries that nobody refreshed for 100 s are lost. About 10 MB when full.
pub(crate) const RECORDS_MAX: usize = 100_000;

/// A name that entries are purged by: of 128 bits, so that it takes the same room whatever its text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag([u8; 16]);

/// How many purges there were. Numbers of different epochs do not compare: in Redis, it is one run of the server and one
/// life of the sequence in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Number {
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
}

/// The purges of one epoch.
#[derive(Debug)]
pub(crate) struct Purges {
    last: u64,
    /// Entries with a smaller number are dead.
    floor: u64,
    /// The latest purge of a tag.
    records: HashMap<Tag, u64>,
    /// The purges remembered, oldest first; those repeated since stand here more than once.
    order: VecDeque<(u64, Tag)>,
    records_max: usize,
}

impl Tag {
    /// What a service says in `Cache-Tag`.
    pub fn named(text: &str) -> Self {
        Self::digest(b"tag", &[text.as_bytes()])
    }

    /// An address, whatever its query: asked another way, it is another view of the same.
    /// `authority` is in lower case and without a default port.
    pub fn address(authority: &str, path: &str) -> Self {
        Self::digest(b"address", &[authority.as_bytes(), &decoded(path)])
    }

    /// A path on any host.
    pub fn path(path: &str) -> Self {
        Self::digest(b"path", &[&decoded(path)])
    }

    pub fn subject(subject: &crate::service::Subject) -> Self {
        Self::digest(b"subject", &[&subject.0])
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn digest(kind: &[u8], parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        hash.update(kind);
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let mut tag = [0; 16];
        tag.copy_from_slice(&hash.finalize()[..16]);
        Self(tag)
    }
}

/// Two spellings of a path are purged together; that costs a fetch where they differ after all.
fn decoded(path: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(path).collect()
}

impl Purges {
    pub(crate) fn new(records_max: usize) -> Self {
        Self { last: 0, floor: 0, records: HashMap::new(), order: VecDeque::new(), records_max }
    }

    /// The number of the last purge.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Ends every entry with one of these tags whose fill has begun. Returns the purge's number.
    pub(crate) fn purge(&mut self, tags: &[Tag]) -> u64 {
        self.last += 1;
        for &tag in tags {
            self.records.insert(tag, self.last);
            self.order.push_back((self.last, tag));
        }
        while self.order.len() > self.records_max {
            self.forget_oldest();
        }
        self.last
    }

    /// Ends every entry whose fill has begun.
    pub(crate) fn purge_all(&mut self) -> u64 {
        self.last += 1;
        self.floor = self.last;
        self.records.clear();
        self.order.clear();
        self.last
    }

    /// If an entry with these tags, whose fill began at `number`, is what a service would still say.
    pub(crate) fn is_live(&self, number: u64, tags: &[Tag]) -> bool {
        number >= self.floor
            && tags.iter().all(|tag| self.records.get(tag).is_none_or(|&purged| purged <= number))
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    fn forget_oldest(&mut self) {
        let Some((purged, tag)) = self.order.pop_front() else { return };
        // A later purge of the same tag has its own place in the order.
        if self.records.get(&tag) == Some(&purged) {
            self.records.remove(&tag);
            self.floor = self.floor.max(purged);
        }
    }
}

#[cfg(test)]
mod tests;
