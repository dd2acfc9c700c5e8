//! The nearest of the user's own: exact, by brute force. A tenant has thousands of them, not millions.

use uuid::Uuid;

use super::descriptor::Direction;
use super::features::band;
use super::tenant::Fact;
use super::vector;

/// How many neighbours speak.
pub const K: usize = 5;
/// Further away they say nothing: two wordings that share the direction of the money alone are about 0.15 apart.
const SIMILAR: f32 = 0.4;
/// A fact this old counts half of a new one.
const HALF_LIFE_DAYS: f32 = 365.0;
/// About the same amount decides between equals.
const SAME_BAND: f32 = 1.1;

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

/// What the neighbours agree on.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    pub category_id: Uuid,
    /// How near the nearest of them is times their share of all votes, 0 to 1.
    pub strength: f32,
    /// The payee or text of the nearest.
    pub nearest: String,
    /// How many of the [`K`] voted so.
    pub count: usize,
}

/// Who asks: a movement's vector, direction and amount.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    pub vector: &'a [f32],
    pub direction: Direction,
    pub amount_cents: i64,
}

/// Asks the nearest facts of the same direction; each votes with its similarity, the newer the more.
pub fn vote(query: &Query<'_>, facts: &[Fact], knows: impl Fn(Uuid) -> bool) -> Option<Vote> {
    let newest = facts.last()?.at;
    let able: Vec<&Fact> =
        facts.iter().filter(|fact| fact.direction == query.direction && knows(fact.category_id)).collect();
    // Newest first, so that of equals the newest counts as nearest.
    let vectors = able.iter().rev().map(|fact| fact.vector.as_slice());
    let mut votes: Vec<(Uuid, f32, usize, (&Fact, f32))> = Vec::new();
    let mut total = 0.0;
    for (place, similarity) in nearest(query.vector, vectors, K) {
        let fact = able[able.len() - 1 - place];
        if similarity < SIMILAR {
            break;
        }
        let days = (newest.as_second() - fact.at.as_second()) as f32 / 86_400.0;
        let fresh = 0.5 + 0.5 * (-days / HALF_LIFE_DAYS).exp2();
        let same_band = band(fact.amount_cents) == band(query.amount_cents);
        let weight = similarity.powi(4) * fresh * if same_band { SAME_BAND } else { 1.0 };
        total += weight;
        match votes.iter_mut().find(|it| it.0 == fact.category_id) {
            Some(it) => (it.1, it.2) = (it.1 + weight, it.2 + 1),
            None => votes.push((fact.category_id, weight, 1, (fact, similarity))),
        }
    }
    let best = votes.into_iter().reduce(|best, it| if it.1 > best.1 { it } else { best })?;
    let (category_id, weight, count, (fact, similarity)) = best;
    let nearest = if fact.payee.is_empty() { &fact.text } else { &fact.payee };
    Some(Vote { category_id, strength: similarity * weight / total, nearest: nearest.clone(), count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_equals_keep_their_order() {
        let unit = |angle: f32| vec![angle.cos(), angle.sin()];
        let among = [unit(1.0), unit(0.1), unit(0.5), unit(0.1)];
        let found = nearest(&unit(0.0), among.iter().map(Vec::as_slice), 3);
        assert_eq!(found.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 3, 2]);
        assert!(nearest(&unit(0.0), [], 3).is_empty());
        assert!(nearest(&unit(0.0), among.iter().map(Vec::as_slice), 0).is_empty());
    }
}
