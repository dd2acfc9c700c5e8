//! What one worker remembers of tokens it verified, so that a request with one of them costs a hash and a comparison.

use std::hash::{Hash, Hasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, Weighter};

use super::claimant::Claimant;

/// Bytes for the tokens of one worker: some 5000 users. Beyond, the signatures of the rarer ones are checked again.
const BYTES_MAX: u64 = 16 << 20;

/// Of a token with its claims, to size the table.
const BYTES_USUAL: u64 = 3 << 10;

/// Bytes of a token that are hashed: they are of the signature, and as good as random. Who could choose them could
/// sign.
const TAIL: usize = 32;

/// On cache lines of its own: otherwise each use by one worker would take the line from another. The lock is for the
/// compiler; only its own worker takes it.
#[repr(align(128))]
pub(super) struct Memory(Mutex<Tokens>);

type Tokens = Cache<Token, Known, Bytes, RandomState, DefaultLifecycle<Token, Known>>;

struct Known {
    claimant: Arc<Claimant>,
    until_s: f64,
    generation: u64,
}

impl Default for Memory {
    fn default() -> Self {
        let items = usize::try_from(BYTES_MAX / BYTES_USUAL).unwrap_or(usize::MAX);
        let hasher = RandomState::new();
        Self(Mutex::new(Cache::with(items, BYTES_MAX, Bytes, hasher, DefaultLifecycle::default())))
    }
}

impl Memory {
    /// Whose token it is, if it was verified with the keys of `generation` and is still good.
    pub(super) fn recall(&self, token: &[u8], generation: u64, now_s: f64) -> Option<Arc<Claimant>> {
        let tokens = self.0.lock();
        let known = tokens.get(&Shown(token))?;
        (known.generation == generation && now_s < known.until_s).then(|| Arc::clone(&known.claimant))
    }

    pub(super) fn remember(&self, token: &[u8], claimant: Arc<Claimant>, until_s: f64, generation: u64) {
        self.0.lock().insert(Token(token.into()), Known { claimant, until_s, generation });
    }
}

/// Compared whole, whatever the hash says.
#[derive(Clone, Eq, PartialEq)]
struct Token(Box<[u8]>);

impl Hash for Token {
    fn hash<H: Hasher>(&self, to: &mut H) {
        Shown(&self.0).hash(to);
    }
}

/// A token as it stands in a request.
struct Shown<'a>(&'a [u8]);

impl Hash for Shown<'_> {
    fn hash<H: Hasher>(&self, to: &mut H) {
        to.write(&self.0[self.0.len().saturating_sub(TAIL)..]);
    }
}

impl Equivalent<Token> for Shown<'_> {
    fn equivalent(&self, token: &Token) -> bool {
        *self.0 == *token.0
    }
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Token, Known> for Bytes {
    fn weight(&self, token: &Token, known: &Known) -> u64 {
        (token.0.len() + known.claimant.weight()) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher as _;

    use serde_json::json;

    use super::*;

    fn claimant(name: &str) -> Arc<Claimant> {
        let claims = serde_json::from_value(json!({ "sub": name })).expect("claims");
        Arc::new(Claimant::of_token(claims, "e30").expect("good"))
    }

    #[test]
    fn a_token_is_known_until_its_end_and_as_long_as_the_keys_are_the_same() {
        let memory = Memory::default();
        memory.remember(b"token", claimant("a"), 100.0, 1);
        let check = |token: &[u8], generation, now, expected| {
            assert_eq!(
                memory.recall(token, generation, now).is_some(),
                expected,
                "{token:?} {generation} {now}"
            );
        };
        check(b"token", 1, 99.9, true);
        check(b"token", 1, 100.0, false);
        check(b"token", 2, 1.0, false);
        check(b"tokem", 1, 1.0, false);
        check(b"", 1, 1.0, false);
    }

    #[test]
    fn tokens_of_the_same_hash_are_told_apart() {
        let memory = Memory::default();
        let tail = "s".repeat(TAIL);
        let (one, other) = (format!("one{tail}"), format!("two{tail}"));
        let hasher = RandomState::new();
        assert_eq!(hasher.hash_one(Shown(one.as_bytes())), hasher.hash_one(Shown(other.as_bytes())));
        memory.remember(one.as_bytes(), claimant("one"), 1.0, 0);
        assert!(memory.recall(other.as_bytes(), 0, 0.0).is_none());
        memory.remember(other.as_bytes(), claimant("two"), 1.0, 0);
        for (token, name) in [(&one, "one"), (&other, "two")] {
            let found = memory.recall(token.as_bytes(), 0, 0.0).expect("known");
            assert_eq!(found.user(), claimant(name).user());
        }
    }

    #[test]
    fn the_memory_is_bounded() {
        let memory = Memory::default();
        let long = vec![b'a'; 8000];
        for index in 0..10_000_u32 {
            let mut token = long.clone();
            token.extend(index.to_be_bytes());
            memory.remember(&token, claimant("a"), 1.0, 0);
        }
        assert!(memory.0.lock().weight() <= BYTES_MAX);
    }
}
