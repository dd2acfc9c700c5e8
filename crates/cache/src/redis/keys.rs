//! Names in Redis: `mare:`, the application's name led by its length, a letter for the kind, and what it is of.

use sha2::{Digest, Sha256};

use crate::tags::Tag;

/// What all names of an application begin with.
#[derive(Clone, Debug)]
pub(super) struct Keys(Vec<u8>);

pub(super) type Name = Vec<u8>;

impl Keys {
    pub(super) fn of(app: &str) -> Self {
        Self(format!("mare:{}:{app}:", app.len()).into_bytes())
    }

    /// The sequence of purges: a hash of `e`, which life of it this is, and `n`, the last number.
    pub(super) fn sequence(&self) -> Name {
        self.name(b's', &[])
    }

    /// The number of a tag's last purge.
    pub(super) fn record(&self, tag: &Tag) -> Name {
        self.name(b't', tag.as_bytes())
    }

    /// An entry by its key in memory, which may be long.
    pub(super) fn entry(&self, key: &[u8]) -> Name {
        self.name(b'e', &Sha256::digest(key))
    }

    /// When a bucket is full.
    pub(super) fn bucket(&self, limit: &[u8; 16], who: u128) -> Name {
        let mut of = [0; 32];
        of[..16].copy_from_slice(limit);
        of[16..].copy_from_slice(&who.to_be_bytes());
        self.name(b'l', &of)
    }

    /// Written to see whether it can be.
    pub(super) fn probe(&self) -> Name {
        self.name(b'p', &[])
    }

    fn name(&self, kind: u8, of: &[u8]) -> Name {
        let mut name = Vec::with_capacity(self.0.len() + 1 + of.len());
        name.extend_from_slice(&self.0);
        name.push(kind);
        name.extend_from_slice(of);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_applications_do_not_meet() {
        let names = |app: &str| {
            let keys = Keys::of(app);
            [keys.sequence(), keys.record(&Tag::named("a")), keys.entry(b"a"), keys.bucket(&[0; 16], 0)]
        };
        let all: Vec<Name> = ["", "a", "a:", "1:a", "a:s"].iter().flat_map(|app| names(app)).collect();
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                assert!(!one.starts_with(other) && !other.starts_with(one), "{one:?} {other:?}");
            }
        }
    }
}
