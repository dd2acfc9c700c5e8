//! What a wording looks like to the model and to the vectors: hashed n-grams.

use super::descriptor::{Descriptor, Direction};

/// How many buckets features are hashed to.
pub const BUCKETS: u32 = 1 << 18;

/// Sparse, sorted, of unit length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features(Vec<(u32, f32)>);

impl Features {
    /// Bucket and weight, by bucket.
    pub fn entries(&self) -> &[(u32, f32)] {
        &self.0
    }

    /// Adds up equal buckets and brings the whole to unit length.
    fn collect(mut entries: Vec<(u32, f32)>) -> Self {
        entries.sort_unstable_by_key(|it| it.0);
        let mut summed: Vec<(u32, f32)> = Vec::with_capacity(entries.len());
        for (bucket, weight) in entries {
            match summed.last_mut() {
                Some(last) if last.0 == bucket => last.1 += weight,
                _ => summed.push((bucket, weight)),
            }
        }
        let length = summed.iter().map(|it| it.1 * it.1).sum::<f32>().sqrt();
        if length > 0.0 {
            for entry in &mut summed {
                entry.1 /= length;
            }
        }
        Self(summed)
    }
}

/// Words weigh more than their letters: there are many more of the latter.
const WORD: f32 = 2.0;
const PAIR: f32 = 1.5;
const LETTERS: f32 = 1.0;
const DIRECTION: f32 = 2.0;
const BAND: f32 = 0.5;
/// Letter n-grams of this length.
const GRAMS: std::ops::RangeInclusive<usize> = 2..=5;

/// Word 1-2-grams, letter 2-5-grams, the direction of the money and about how much it is.
pub fn of(descriptor: &Descriptor, amount_cents: i64) -> Features {
    let mut entries = Vec::with_capacity(256);
    let mut add = |kind: u8, bytes: &[u8], weight: f32| {
        let hash = hash(kind, bytes);
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are wanted")]
        entries.push((hash as u32 % BUCKETS, sign * weight));
    };
    let words: Vec<&str> = descriptor.model_text().split(' ').filter(|it| !it.is_empty()).collect();
    for word in &words {
        add(b'w', word.as_bytes(), WORD);
        let padded = format!("^{word}$");
        for length in GRAMS {
            for gram in padded.as_bytes().windows(length) {
                add(b'c', gram, LETTERS);
            }
        }
    }
    for pair in words.windows(2) {
        add(b'p', format!("{} {}", pair[0], pair[1]).as_bytes(), PAIR);
    }
    add(b'd', &[u8::from(descriptor.direction == Direction::In)], DIRECTION);
    add(b'b', &[band(amount_cents)], BAND);
    Features::collect(entries)
}

/// About how much: doubles from band to band, R$ 1 to R$ 65,536.
pub fn band(amount_cents: i64) -> u8 {
    let reais = amount_cents.unsigned_abs() / 100;
    #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
    let bits = (u64::BITS - reais.leading_zeros()) as u8;
    bits.min(17)
}

/// FNV-1a with a last mixing, so that the upper bits are as good as the lower ones.
fn hash(kind: u8, bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in std::iter::once(&kind).chain(bytes) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}
