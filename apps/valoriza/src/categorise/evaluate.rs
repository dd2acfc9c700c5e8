//! How good the engine is, measured the same way every time: `valoriza categorise evaluate`.
//!
//! Two sets, never mixed: one written by hand and kept from all tuning, one generated and called synthetic. On the
//! synthetic one, four ways to split and a curve from nothing; beside the engine, what others do.

mod foreign;
mod handwritten;
mod metrics;
mod report;
mod sample;
mod splits;
mod synthetic;
mod systems;

use fastrand::Rng;
use serde::Serialize;

use super::lexicon::Lexicon;
use super::tenant::Known;
pub use metrics::{Interval, Score};
pub use sample::{Sample, Truth};
pub use systems::System;

/// What to measure with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The first of the seeds.
    pub seed: u64,
    /// How many seeds, one after the other.
    pub seeds: u64,
    /// Users of the synthetic set, per seed.
    pub users: usize,
    /// Movements of each of them.
    pub movements: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, seeds: 5, users: 16, movements: 600 }
    }
}

/// All that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    pub seeds: Vec<u64>,
    pub lexicon_entries: usize,
    pub brands: usize,
    pub handwritten: handwritten::Results,
    /// Brands of Brazil in name-suggestion-index that our own lexicon lacks, decided without that index: names and
    /// labels that are not ours.
    pub foreign: Vec<Row>,
    pub synthetic: splits::Results,
}

/// One system's score on one set.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub system: &'static str,
    pub score: Score,
}

/// Measures everything; `brands`: the text of lexicon/dist/brands.tsv, where it is there.
pub fn run(options: &Options, brands: Option<&str>) -> Report {
    let mut lexicon = Lexicon::builtin();
    let added = brands.map_or(0, |tsv| lexicon.add_brands(tsv));
    let systems = systems::all(&lexicon);
    Report {
        seeds: (options.seed..options.seed + options.seeds).collect(),
        lexicon_entries: lexicon.len(),
        brands: added,
        handwritten: handwritten::run(&systems, &lexicon, options),
        foreign: foreign::run(brands.unwrap_or_default(), options),
        synthetic: splits::run(&systems, options),
    }
}

/// Movements to decide about, and facts to decide with, for measuring how long it takes.
pub fn workload(seed: u64, facts: usize) -> (Vec<Sample>, Known) {
    let mut samples = synthetic::generate(&mut Rng::with_seed(seed), 1, facts + WORKLOAD);
    let known = samples.drain(..facts).enumerate().filter_map(|(at, it)| systems::fact(&it, at)).collect();
    (samples, Known { categories: sample::categories(), facts: known, ..Known::default() })
}

/// Enough to be timed.
const WORKLOAD: usize = 5_000;

impl Report {
    /// For docs/evidence.
    pub fn markdown(&self) -> String {
        report::markdown(self)
    }
}

#[cfg(test)]
mod tests;
