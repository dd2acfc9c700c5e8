//! How sure a source is, as a probability, and how sure is sure enough.

use super::decision::Source;
use super::lexicon::{Knowledge, Weight};

/// The precision that is promised of what is applied without asking.
pub const PRECISION: f32 = 0.95;

/// The least confidence at which a category is applied without asking; per tenant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold(f32);

/// What became of an answer of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    pub source: Source,
    pub confidence: f32,
    /// Whether the user left or took it so.
    pub right: bool,
}

impl Default for Threshold {
    /// Reaches [`PRECISION`] on the development set; see docs/evidence/categorisation.md.
    fn default() -> Self {
        Self(0.85)
    }
}

/// A tenant's threshold stays between these: below, it would be guessing; above, nothing would ever be applied.
const LEAST: f32 = 0.7;
const MOST: f32 = 0.99;
/// The default counts as much as this many outcomes of the tenant's own.
const OUTCOMES_MIN: usize = 50;

impl Threshold {
    /// One kept by the store; brought within bounds.
    pub fn new(value: f32) -> Self {
        if value.is_finite() { Self(value.clamp(LEAST, MOST)) } else { Self::default() }
    }

    pub fn value(self) -> f32 {
        self.0
    }

    /// Tells whether an answer of this confidence may be applied without asking.
    pub fn admits(self, confidence: f32) -> bool {
        confidence >= self.0
    }

    /// The lowest threshold above which the tenant's own outcomes were right as often as promised.
    ///
    /// Rules are not counted: they are the user's word. With few outcomes it is the default.
    pub fn calibrate(outcomes: &[Outcome]) -> Self {
        let mut counted: Vec<&Outcome> = outcomes
            .iter()
            .filter(|it| !matches!(it.source, Source::User | Source::Rule) && it.confidence.is_finite())
            .collect();
        if counted.len() < OUTCOMES_MIN {
            return Self::default();
        }
        counted.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        let mut best = MOST;
        let mut right = 0.0;
        for (before, outcome) in counted.iter().enumerate() {
            right += f32::from(u8::from(outcome.right));
            let next = counted.get(before + 1).map(|it| it.confidence);
            // Equal confidences stand or fall together.
            let ends = next.is_none_or(|next| next < outcome.confidence);
            if ends && right / (before + 1) as f32 >= PRECISION {
                best = outcome.confidence;
            }
        }
        Self::new(best)
    }
}

/// What memory's answer is worth: said how often, and with what share.
pub(super) fn memory(times: usize, share: f32) -> f32 {
    let agreed = match times {
        0 | 1 => 0.95,
        2 => 0.97,
        _ => 0.98,
    };
    // A payee with two categories is a payee of whom one cannot know.
    if share >= 1.0 { agreed } else { agreed * share }
}

/// What the wording of banks is worth.
pub(super) const STRUCTURE: f32 = 0.97;

/// What a hit of the lexicon is worth.
pub(super) fn lexicon(knowledge: Knowledge, disputed: bool) -> f32 {
    let alone = match knowledge {
        Knowledge::Merchant => 0.97,
        Knowledge::Word(Weight::Trade) => 0.93,
        Knowledge::Word(Weight::Usual) => 0.78,
        Knowledge::Word(Weight::Hint) => 0.45,
    };
    if disputed { alone * 0.8 } else { alone }
}

/// Points (raw score, share that was right), joined by straight lines. Measured where the sources before had
/// nothing to say, on the development set and on synthetic users of seed 101, which the evaluation does not use.
type Curve = [(f32, f32)];

/// Names that are merely alike (two shops called after the same saint) reach 0.8 and mean nothing.
const NEIGHBOURS: &Curve = &[(0.0, 0.0), (0.6, 0.08), (0.75, 0.25), (0.85, 0.5), (0.93, 0.75), (1.0, 0.95)];
/// Where the lexicon is silent the model is too sure of itself below 0.6, and not sure enough above.
const MODEL: &Curve =
    &[(0.0, 0.0), (0.3, 0.05), (0.5, 0.15), (0.63, 0.5), (0.77, 0.68), (0.9, 0.8), (1.0, 0.93)];

/// What the neighbours' vote is worth.
pub(super) fn neighbours(strength: f32) -> f32 {
    along(NEIGHBOURS, strength)
}

/// What the model's own probability is worth.
pub(super) fn model(chance: f32) -> f32 {
    along(MODEL, chance)
}

fn along(curve: &Curve, raw: f32) -> f32 {
    let after = curve.partition_point(|point| point.0 < raw).clamp(1, curve.len() - 1);
    let ((x0, y0), (x1, y1)) = (curve[after - 1], curve[after]);
    (y0 + (y1 - y0) * (raw - x0) / (x1 - x0)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(spec: &[(f32, usize, usize)]) -> Vec<Outcome> {
        let some = |confidence, right, count| {
            (0..count).map(move |_| Outcome { source: Source::Model, confidence, right })
        };
        spec.iter()
            .flat_map(|(at, right, wrong)| some(*at, true, *right).chain(some(*at, false, *wrong)))
            .collect()
    }

    #[test]
    fn the_threshold_is_the_lowest_that_keeps_the_promise() {
        let check = |spec: &[(f32, usize, usize)], expected| {
            assert_eq!(Threshold::calibrate(&outcomes(spec)), Threshold::new(expected), "{spec:?}");
        };
        check(&[(0.95, 40, 0)], Threshold::default().value()); // too few
        check(&[(0.95, 40, 0), (0.8, 40, 1), (0.75, 10, 9)], 0.8);
        check(&[(0.95, 40, 0), (0.8, 1, 40)], 0.95);
        check(&[(0.95, 10, 50)], 0.99);
        check(&[(0.5, 100, 0)], 0.7);
        assert_eq!(Threshold::new(f32::NAN), Threshold::default());
    }

    #[test]
    fn curves_rise_and_stay_within_0_and_1() {
        for curve in [NEIGHBOURS, MODEL] {
            let values: Vec<f32> = (-10_i8..=30).map(|it| along(curve, f32::from(it) / 20.0)).collect();
            assert!(values.is_sorted() && values.iter().all(|it| (0.0..=1.0).contains(it)), "{values:?}");
        }
    }
}
