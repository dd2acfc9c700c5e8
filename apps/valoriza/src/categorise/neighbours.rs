//! The nearest of the user's own: exact, by brute force. A tenant has thousands of them, not millions.

use super::vector;

/// How many neighbours speak.
pub const K: usize = 5;

/// The `k` vectors nearest to `query` as (place, cosine), nearest first; equals in the order of the list.
pub fn nearest<'a>(query: &[f32], among: impl IntoIterator<Item = &'a [f32]>, k: usize) -> Vec<(usize, f32)> {
    let mut best: Vec<(usize, f32)> = Vec::with_capacity(k + 1);
    for (at, vector) in among.into_iter().enumerate() {
        let similarity = vector::cosine(query, vector);
        let place = best.partition_point(|it| it.1 >= similarity);
        if place < k {
            best.insert(place, (at, similarity));
            best.truncate(k);
        }
    }
    best
}
