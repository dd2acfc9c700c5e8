//! Where a wording is among all wordings: 256 numbers, for neighbours and "parecidos com este".

use super::features::Features;

/// Length of every vector.
pub const DIMENSIONS: usize = 256;

/// Each feature moves this many dimensions. Very sparse projections keep distances (Li, Hastie, Church 2006).
const MOVES: u64 = 8;

/// Never change it: stored vectors would no longer compare with new ones.
const SEED: u64 = 0x6d61_7265_7661_6c6f;

/// Projects features to a vector of unit length; zero stays zero.
pub fn project(features: &Features) -> Vec<f32> {
    let mut vector = vec![0.0_f32; DIMENSIONS];
    for &(feature, weight) in features.entries() {
        let mut state = SEED ^ u64::from(feature);
        for _ in 0..MOVES {
            let random = mix(&mut state);
            let sign = if random & 1 == 0 { 1.0 } else { -1.0 };
            vector[(random >> 32) as usize % DIMENSIONS] += sign * weight;
        }
    }
    let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt();
    if length > 0.0 {
        for number in &mut vector {
            *number /= length;
        }
    }
    vector
}

/// One step of `SplitMix64` (Steele, Lea, Flood 2014).
fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// So many sums side by side let the compiler use vector instructions: a single one it must add up in order.
const LANES: usize = 16;

/// The cosine of two vectors of unit length, -1 to 1; of vectors that do not fit each other, 0.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return 0.0;
    }
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// For storing: each number in one byte, 256 bytes in all. The cosine loses less than 0.01.
pub fn to_bytes(vector: &[f32]) -> Vec<u8> {
    let largest = vector.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    if largest == 0.0 {
        return vec![0; vector.len()];
    }
    #[expect(clippy::cast_possible_truncation, reason = "within -127 to 127")]
    let byte = |it: &f32| (it / largest * 127.0).round() as i8;
    vector.iter().map(|it| byte(it).cast_unsigned()).collect()
}

/// Reads what [`to_bytes`] wrote; None unless it has the right length.
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<f32>> {
    if bytes.len() != DIMENSIONS {
        return None;
    }
    let vector: Vec<f32> = bytes.iter().map(|it| f32::from(it.cast_signed())).collect();
    let length = vector.iter().map(|it| it * it).sum::<f32>().sqrt();
    Some(if length > 0.0 { vector.iter().map(|it| it / length).collect() } else { vector })
}

#[cfg(test)]
mod tests {
    use super::super::descriptor::Descriptor;
    use super::super::features;
    use super::*;

    fn of(text: &str) -> Vec<f32> {
        project(&features::of(&Descriptor::read(text, -5_000), -5_000))
    }

    #[test]
    fn similar_wordings_are_near() {
        let padaria = of("PADARIA ESTRELA DO SUL");
        assert!((cosine(&padaria, &padaria) - 1.0).abs() < 1e-5);
        assert!(cosine(&padaria, &of("PADARIA ESTRELA DO NORTE")) > 0.6);
        assert!(cosine(&padaria, &of("POSTO KM 9")) < 0.4);
        assert!(cosine(&padaria, &padaria[1..]).abs() < f32::EPSILON);
    }

    #[test]
    fn stored_vectors_are_as_good() {
        let [a, b] = [of("PADARIA ESTRELA DO SUL"), of("CONFEITARIA ESTRELA")];
        let stored = from_bytes(&to_bytes(&a)).unwrap();
        assert!((cosine(&stored, &b) - cosine(&a, &b)).abs() < 0.01);
        assert_eq!(from_bytes(&[0; 255]), None);
        let zero = vec![0.0; DIMENSIONS];
        assert_eq!(from_bytes(&to_bytes(&zero)), Some(zero));
    }

    /// Stored vectors outlive releases: this must never change.
    #[test]
    fn the_projection_is_pinned() {
        let sum: f32 = of("PADARIA ESTRELA").iter().zip(1_u16..).map(|(it, at)| it * f32::from(at)).sum();
        assert!((sum - PINNED).abs() < 1e-2, "{sum}");
    }

    const PINNED: f32 = -58.541;
}
