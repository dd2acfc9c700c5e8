//! What is counted, and how sure one can be of it.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde::Serialize;

use super::sample::{Answer, Sample, Truth};

/// A figure with its 95 % interval, from resampling merchants.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// All shares are of 1.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    pub samples: usize,
    pub merchants: usize,
    /// Of the samples that have a category: the first answer, applied or offered, is it.
    pub accuracy: Interval,
    pub macro_f1: f64,
    /// Of all samples: applied without asking.
    pub applied: f64,
    /// Of those applied: right.
    pub applied_precision: f64,
    /// The largest part of all samples that could be applied with 95 % of them right, by order of confidence.
    pub coverage_at_95: f64,
    /// Expected calibration error of the confidences, ten bins.
    pub ece: f64,
    /// Of 100 movements, how many categories a person has to pick: wrong ones, and unanswered ones that have one.
    pub corrections_per_100: f64,
    /// Per source of the first answer.
    pub sources: BTreeMap<&'static str, SourceScore>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct SourceScore {
    /// First answers of this source, and how many of them were right.
    pub answers: usize,
    pub right: usize,
    pub applied: usize,
    pub applied_right: usize,
    /// Of each tenth of confidence: first answers, and how many of them were right.
    pub by_confidence: [(usize, usize); BINS],
}

pub(super) type Judged<'a> = (&'a Sample, Answer);

const BINS: usize = 10;
const RESAMPLES: usize = 1_000;

fn is_right((sample, answer): &Judged<'_>) -> bool {
    answer.category.is_some_and(|category| sample.truth == Truth::Is(category))
}

fn has_category(judged: &Judged<'_>) -> bool {
    matches!(judged.0.truth, Truth::Is(_))
}

pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Scores what a system answered; `rng` resamples.
pub(super) fn score(judged: &[Judged<'_>], rng: &mut Rng) -> Score {
    let applied: Vec<_> = judged.iter().filter(|it| it.1.applied).collect();
    let unpicked = judged.iter().filter(|it| match it.0.truth {
        Truth::Is(_) | Truth::Unknowable => !is_right(it),
        Truth::Transfer => it.1.applied,
    });
    let mut sources: BTreeMap<&'static str, SourceScore> = BTreeMap::new();
    for it in judged.iter().filter(|it| it.1.category.is_some()) {
        let source = sources.entry(it.1.source).or_default();
        let right = usize::from(is_right(it));
        source.answers += 1;
        source.right += right;
        if it.1.applied {
            source.applied += 1;
            source.applied_right += right;
        }
        let bin = &mut source.by_confidence[bin(it.1.confidence)];
        *bin = (bin.0 + 1, bin.1 + right);
    }
    Score {
        samples: judged.len(),
        merchants: by_merchant(judged).len(),
        accuracy: accuracy(judged, rng),
        macro_f1: macro_f1(judged),
        applied: share(applied.len(), judged.len()),
        applied_precision: share(applied.iter().filter(|it| is_right(it)).count(), applied.len()),
        coverage_at_95: coverage(judged, 0.95),
        ece: calibration_error(judged),
        corrections_per_100: 100.0 * share(unpicked.count(), judged.len()),
        sources,
    }
}

/// Per merchant: how many were right, of how many.
fn by_merchant(judged: &[Judged<'_>]) -> BTreeMap<(usize, String), (usize, usize)> {
    let mut merchants = BTreeMap::new();
    for it in judged.iter().filter(|it| has_category(it)) {
        let counts: &mut (usize, usize) = merchants.entry((it.0.user, it.0.merchant.clone())).or_default();
        counts.0 += usize::from(is_right(it));
        counts.1 += 1;
    }
    merchants
}

fn accuracy(judged: &[Judged<'_>], rng: &mut Rng) -> Interval {
    let merchants: Vec<(usize, usize)> = by_merchant(judged).into_values().collect();
    let of = |counts: &mut dyn Iterator<Item = (usize, usize)>| {
        let (right, all) = counts.fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        share(right, all)
    };
    let value = of(&mut merchants.iter().copied());
    if merchants.is_empty() {
        return Interval { value, low: value, high: value };
    }
    let mut drawn: Vec<f64> = (0..RESAMPLES)
        .map(|_| of(&mut (0..merchants.len()).map(|_| merchants[rng.usize(..merchants.len())])))
        .collect();
    drawn.sort_by(f64::total_cmp);
    Interval { value, low: drawn[RESAMPLES * 25 / 1_000], high: drawn[RESAMPLES * 975 / 1_000 - 1] }
}

/// The mean over categories that occur, each weighing the same.
fn macro_f1(judged: &[Judged<'_>]) -> f64 {
    let mut counts: BTreeMap<_, (usize, usize, usize)> = BTreeMap::new(); // hits, answered, there
    for (sample, answer) in judged {
        let Truth::Is(truth) = sample.truth else { continue };
        counts.entry(truth).or_default().2 += 1;
        if let Some(category) = answer.category {
            counts.entry(category).or_default().1 += 1;
            counts.entry(category).or_default().0 += usize::from(category == truth);
        }
    }
    let there: Vec<f64> =
        counts.values().filter(|it| it.2 > 0).map(|it| share(2 * it.0, it.1 + it.2)).collect();
    if there.is_empty() { 0.0 } else { there.iter().sum::<f64>() / there.len() as f64 }
}

/// The largest share of samples, the surest first, of which `precision` are right.
fn coverage(judged: &[Judged<'_>], precision: f64) -> f64 {
    let mut answered: Vec<_> = judged.iter().filter(|it| it.1.category.is_some()).collect();
    answered.sort_by(|a, b| b.1.confidence.total_cmp(&a.1.confidence));
    let (mut best, mut right) = (0, 0);
    for (at, it) in answered.iter().enumerate() {
        right += usize::from(is_right(it));
        // Equal confidences are taken together or not at all.
        let ends = answered.get(at + 1).is_none_or(|next| next.1.confidence < it.1.confidence);
        if ends && share(right, at + 1) >= precision {
            best = at + 1;
        }
    }
    share(best, judged.len())
}

fn calibration_error(judged: &[Judged<'_>]) -> f64 {
    let mut bins = [(0.0_f64, 0_usize, 0_usize); BINS];
    for it in judged.iter().filter(|it| it.1.category.is_some()) {
        let bin = &mut bins[bin(it.1.confidence)];
        *bin = (bin.0 + f64::from(it.1.confidence), bin.1 + usize::from(is_right(it)), bin.2 + 1);
    }
    let all: usize = bins.iter().map(|bin| bin.2).sum();
    let off = bins.iter().filter(|bin| bin.2 > 0).map(|bin| (bin.0 - bin.1 as f64).abs()).sum::<f64>();
    if all == 0 { 0.0 } else { off / all as f64 }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
fn bin(confidence: f32) -> usize {
    ((confidence * BINS as f32) as usize).min(BINS - 1)
}
