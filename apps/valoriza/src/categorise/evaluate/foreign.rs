//! Names and labels by others: the brands of Brazil in name-suggestion-index, decided with our own lexicon alone.
//!
//! Whoever writes a lexicon writes test sets its words fit; this set is not of that hand.

use fastrand::Rng;

use super::super::descriptor::Descriptor;
use super::super::lexicon::{Knowledge, Lexicon};
use super::sample::{self, Sample};
use super::{Options, Row, handwritten, systems};

/// The tables have these and no more: nothing was learnt, so the rest would be zeros.
const SYSTEMS: &[&str] = &["rules only (structure + lexicon)", "only linear model", systems::ALL];

pub(super) fn run(brands: &str, options: &Options) -> Vec<Row> {
    let lexicon = Lexicon::builtin();
    let lines = brands.lines().filter_map(|line| line.strip_suffix("\tBR")?.split_once('\t'));
    let line = |(name, category): (&str, &str)| format!("{}\t-5000\t{category}", name.to_uppercase());
    let tsv = lines.map(line).collect::<Vec<_>>().join("\n");
    let knows = |it: &Sample| {
        let hit = lexicon.find(&Descriptor::read(&it.description, it.amount_cents));
        hit.is_some_and(|hit| hit.knowledge == Knowledge::Merchant)
    };
    let samples: Vec<Sample> = sample::read(&tsv).into_iter().filter(|it| !knows(it)).collect();
    let systems = systems::all(&lexicon);
    let wanted = systems.iter().filter(|it| SYSTEMS.contains(&it.name));
    wanted.map(|system| handwritten::row(system, &samples, &[], &mut Rng::with_seed(options.seed))).collect()
}
