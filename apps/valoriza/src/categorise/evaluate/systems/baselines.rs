//! What others do. Each is sure of itself by its own lights and applies from the engine's default threshold on.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::super::descriptor::{Descriptor, Direction};
use super::super::super::shared::Shared;
use super::super::super::threshold::Threshold;
use super::super::sample::{Answer, Sample};

fn answer(category: Option<Shared>, confidence: f32, source: &'static str) -> Answer {
    let applied = category.is_some() && Threshold::default().admits(confidence);
    Answer { category, confidence, applied, source }
}

/// The category most frequent so far.
#[derive(Debug, Default)]
pub(crate) struct Majority {
    counts: BTreeMap<Shared, u32>,
}

impl Majority {
    pub(super) fn learn(&mut self, category: Shared) {
        *self.counts.entry(category).or_default() += 1;
    }

    pub(super) fn answer(&self) -> Answer {
        let all: u32 = self.counts.values().sum();
        let best = self.counts.iter().max_by_key(|(_, count)| **count);
        answer(best.map(|it| *it.0), best.map_or(0.0, |it| *it.1 as f32 / all as f32), "majority")
    }
}

/// What the same payee was last time, else the majority: as Actual does.
#[derive(Debug, Default)]
pub(crate) struct LastOfPayee {
    last: HashMap<String, Shared>,
    majority: Majority,
}

impl LastOfPayee {
    /// By our own payee key, which is better than the raw text would be.
    fn key(sample: &Sample) -> String {
        Descriptor::read(&sample.description, sample.amount_cents).model_text().to_owned()
    }

    pub(super) fn learn(&mut self, sample: &Sample, category: Shared) {
        self.last.insert(Self::key(sample), category);
        self.majority.learn(category);
    }

    pub(super) fn answer(&self, sample: &Sample) -> Answer {
        match self.last.get(&Self::key(sample)) {
            Some(category) => answer(Some(*category), 0.95, "payee"),
            None => self.majority.answer(),
        }
    }
}

/// Multinomial naive Bayes over words and the direction of the money, add-one smoothing: as `GnuCash` does.
#[derive(Debug, Default)]
pub(crate) struct Bayes {
    words: HashMap<(Shared, String), u32>,
    totals: BTreeMap<Shared, (u32, u32)>, // samples, words
    vocabulary: HashSet<String>,
}

impl Bayes {
    fn tokens(sample: &Sample) -> Vec<String> {
        let descriptor = Descriptor::read(&sample.description, sample.amount_cents);
        let direction = match descriptor.direction {
            Direction::In => "<in>",
            Direction::Out => "<out>",
        };
        descriptor.text.split(' ').chain([direction]).map(str::to_owned).collect()
    }

    pub(super) fn learn(&mut self, sample: &Sample, category: Shared) {
        for word in Self::tokens(sample) {
            self.vocabulary.insert(word.clone());
            *self.words.entry((category, word)).or_default() += 1;
            self.totals.entry(category).or_default().1 += 1;
        }
        self.totals.entry(category).or_default().0 += 1;
    }

    pub(super) fn answer(&self, sample: &Sample) -> Answer {
        let tokens = Self::tokens(sample);
        let all: u32 = self.totals.values().map(|it| it.0).sum();
        let scores: Vec<(Shared, f64)> = self
            .totals
            .iter()
            .map(|(category, (samples, words))| {
                let of =
                    |word: &String| f64::from(*self.words.get(&(*category, word.clone())).unwrap_or(&0) + 1);
                let base = f64::from(*words) + self.vocabulary.len() as f64;
                let likely: f64 = tokens.iter().map(|word| (of(word) / base).ln()).sum();
                (*category, (f64::from(*samples) / f64::from(all)).ln() + likely)
            })
            .collect();
        let Some(best) = scores.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
            return answer(None, 0.0, "bayes");
        };
        let sum: f64 = scores.iter().map(|it| (it.1 - best.1).exp()).sum();
        #[expect(clippy::cast_possible_truncation, reason = "a probability")]
        let confidence = (1.0 / sum) as f32;
        answer(Some(best.0), confidence, "bayes")
    }
}
