//! A linear model over hashed n-grams: multinomial logistic regression, trained online.
//!
//! The shared part is trained when it is first asked, from the lexicon and its wordings, always to the same
//! numbers: so nothing large is kept in the repository and nothing can be stale. The personal part is what a
//! tenant's facts add to it.

mod personal;
mod wordings;

use std::ops::Range;

use fastrand::Rng;

use super::descriptor::{Descriptor, Direction};
use super::features::{BUCKETS, Features};
use super::lexicon::Lexicon;
use super::shared::Shared;
use crate::domain::category::Kind;
pub use personal::Personal;

/// Shared weights: one row per n-gram that was seen, one column per shared category.
#[derive(Debug)]
pub struct Model {
    /// By bucket: which row, [`NONE`] for n-grams never seen.
    rows: Vec<u32>,
    weights: Vec<f32>,
    classes: usize,
}

const NONE: u32 = u32::MAX;
/// More rounds changed nothing on the development set.
const ROUNDS: usize = 4;
/// How far one example moves the scores at first; features have unit length, so this is in logits.
const STEP: f32 = 2.0;
/// A category this unlikely is not pushed further away: it would cost most of the time and change nothing.
const NEGLIGIBLE: f32 = 0.01;
const SEED: u64 = 4;

impl Model {
    /// Trains on what the lexicon knows.
    pub fn train(lexicon: &Lexicon) -> Self {
        let mut rng = Rng::with_seed(SEED);
        let examples = wordings::examples(lexicon, &mut rng);
        let mut model =
            Self { rows: vec![NONE; BUCKETS as usize], weights: Vec::new(), classes: Shared::count() };
        for example in &examples {
            model.make_rows(&example.features);
        }
        let mut gradient = vec![0.0; model.classes];
        for round in 0..ROUNDS {
            let step = STEP / (1 + round) as f32;
            for example in &examples {
                let classes = classes(example.category.kind());
                let chances = model.chances(&example.features, classes.clone());
                for (class, chance) in classes.clone().zip(&chances) {
                    let wanted = f32::from(u8::from(class == example.category.index()));
                    gradient[class] = step * (wanted - chance);
                }
                let moved: Vec<usize> =
                    classes.filter(|class| gradient[*class].abs() > NEGLIGIBLE * step).collect();
                model.learn(&example.features, &moved, &gradient);
            }
        }
        model
    }

    fn make_rows(&mut self, features: &Features) {
        for (bucket, _) in features.entries() {
            let row = &mut self.rows[*bucket as usize];
            if *row == NONE {
                *row = u32::try_from(self.weights.len() / self.classes).unwrap_or(NONE);
                self.weights.resize(self.weights.len() + self.classes, 0.0);
            }
        }
    }

    fn learn(&mut self, features: &Features, moved: &[usize], gradient: &[f32]) {
        for &(bucket, value) in features.entries() {
            let start = self.rows[bucket as usize] as usize * self.classes;
            let row = &mut self.weights[start..start + self.classes];
            for class in moved {
                row[*class] += gradient[*class] * value;
            }
        }
    }

    /// How likely each category of a range is; they add up to 1.
    fn chances(&self, features: &Features, classes: Range<usize>) -> Vec<f32> {
        let mut scores = vec![0.0_f32; classes.len()];
        for &(bucket, value) in features.entries() {
            let row = self.rows[bucket as usize];
            if row != NONE {
                let start = row as usize * self.classes;
                let row = &self.weights[start + classes.start..start + classes.end];
                for (score, weight) in scores.iter_mut().zip(row) {
                    *score += value * weight;
                }
            }
        }
        softmax(&mut scores);
        scores
    }

    /// How likely each shared category is for a movement of this direction.
    pub fn predict(&self, descriptor: &Descriptor, features: &Features) -> Vec<(Shared, f32)> {
        let classes = classes(match descriptor.direction {
            Direction::In => Kind::Income,
            Direction::Out => Kind::Expense,
        });
        let chances = self.chances(features, classes.clone());
        Shared::all().skip(classes.start).zip(chances).collect()
    }

    /// How many n-grams it has weights for.
    pub fn rows(&self) -> usize {
        self.weights.len() / self.classes
    }
}

/// The default list has all incomes first, so each kind is a range.
fn classes(kind: Kind) -> Range<usize> {
    let incomes = Shared::all().filter(|it| it.kind() == Kind::Income).count();
    match kind {
        Kind::Income => 0..incomes,
        Kind::Expense => incomes..Shared::count(),
    }
}

fn softmax(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
    }
    let sum: f32 = scores.iter().sum();
    for score in scores.iter_mut() {
        *score /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::super::features;
    use super::*;

    #[test]
    fn the_default_list_has_all_incomes_first() {
        let kinds: Vec<Kind> = Shared::all().map(Shared::kind).collect();
        assert!(kinds.is_sorted_by_key(|kind| *kind == Kind::Expense));
    }

    #[test]
    fn it_reads_words_it_never_saw_whole() {
        let model = Model::train(&Lexicon::builtin());
        let check = |text, cents, expected| {
            let descriptor = Descriptor::read(text, cents);
            let chances = model.predict(&descriptor, &features::of(&descriptor, cents));
            let sum: f32 = chances.iter().map(|it| it.1).sum();
            assert!((sum - 1.0).abs() < 1e-3);
            let best = chances.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            assert_eq!(best.0.name(), expected, "{text}: {best:?}");
        };
        check("PANIFICAD TRES COROAS", -1_000, "Padaria");
        check("RESTAURAN TRES COROAS", -5_000, "Restaurantes");
        check("DROGARI TRES COROAS", -5_000, "Farmácia");
        check("SALARI 11/26", 500_000, "Salário");
    }
}
