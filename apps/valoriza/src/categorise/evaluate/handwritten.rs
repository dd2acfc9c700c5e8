//! The set written by hand: a user on the first day, who has taught nothing.

use fastrand::Rng;
use serde::Serialize;

use super::super::descriptor::Descriptor;
use super::super::lexicon::{Knowledge, Lexicon};
use super::metrics;
use super::sample::{self, Sample, Truth};
use super::systems::System;
use super::{Options, Row, synthetic};

const HANDWRITTEN: &str = include_str!("handwritten.tsv");
const DEVELOPMENT: &str = include_str!("development.tsv");

#[derive(Debug, Serialize)]
pub struct Results {
    /// The whole set.
    pub all: Vec<Row>,
    /// The headline: merchants the lexicon does not have.
    pub unknown_merchants: Vec<Row>,
    /// Of these, those in which the lexicon finds no word either.
    pub no_word_known: Vec<Row>,
    /// What confidences were set on; better than it should be, for comparison.
    pub development: Vec<Row>,
    /// Wordings of the whole set the engine applied a wrong category to, with it.
    pub applied_wrongly: Vec<(String, String)>,
}

pub(super) fn run(systems: &[System], lexicon: &Lexicon, options: &Options) -> Results {
    // The baselines know nothing of themselves: they learn from the synthetic users, as pooled data.
    let mut rng = Rng::with_seed(options.seed);
    let pool = synthetic::generate(&mut rng, options.users, options.movements);
    let pool: Vec<&Sample> = pool.iter().collect();
    let all = sample::read(HANDWRITTEN);
    let hit = |it: &Sample| lexicon.find(&Descriptor::read(&it.description, it.amount_cents));
    let knows_merchant = |it: &Sample| hit(it).is_some_and(|hit| hit.knowledge == Knowledge::Merchant);
    let category = |it: &Sample| matches!(it.truth, Truth::Is(_));
    let unknown: Vec<Sample> = all.iter().filter(|it| !knows_merchant(it)).cloned().collect();
    let no_word: Vec<Sample> =
        unknown.iter().filter(|it| category(it) && hit(it).is_none()).cloned().collect();
    let development = sample::read(DEVELOPMENT);
    let rng = || Rng::with_seed(options.seed);
    let rows =
        |samples: &[Sample]| systems.iter().map(|system| row(system, samples, &pool, &mut rng())).collect();
    Results {
        applied_wrongly: applied_wrongly(systems, &all),
        all: rows(&all),
        unknown_merchants: rows(&unknown),
        no_word_known: rows(&no_word),
        development: rows(&development),
    }
}

/// Of a user who has taught nothing; baselines learn from `pool`.
pub(super) fn row(system: &System, samples: &[Sample], pool: &[&Sample], rng: &mut Rng) -> Row {
    let learner = system.learner(if system.is_baseline() { pool } else { &[] });
    let judged: Vec<_> = samples.iter().map(|it| (it, learner.answer(it))).collect();
    Row { system: system.name, score: metrics::score(&judged, rng) }
}

fn applied_wrongly(systems: &[System], samples: &[Sample]) -> Vec<(String, String)> {
    let Some(system) = systems.iter().find(|it| it.name == super::systems::ALL) else { return Vec::new() };
    let learner = system.learner(&[]);
    let wrong = samples.iter().filter_map(|it| {
        let answer = learner.answer(it);
        let category =
            answer.category.filter(|category| answer.applied && it.truth != Truth::Is(*category))?;
        Some((it.description.clone(), format!("{} ({})", category.name(), answer.source)))
    });
    wrong.collect()
}
