use fastrand::Rng;

use super::metrics::score;
use super::sample::{Answer, Sample, Truth, categories, id, read, shared};
use super::*;
use crate::categorise::shared::Shared;

#[test]
fn our_files_are_readable_large_enough_and_share_nothing() {
    let hand = read(include_str!("handwritten.tsv"));
    let development = read(include_str!("development.tsv"));
    assert!(hand.len() >= 300 && development.len() >= 100);
    let texts: std::collections::HashSet<_> =
        hand.iter().chain(&development).map(|it| &it.description).collect();
    assert_eq!(texts.len(), hand.len() + development.len());
}

#[test]
fn categories_keep_their_place() {
    let categories = categories();
    assert!(Shared::all().all(|it| categories.id(it) == Some(id(it)) && shared(id(it)) == Some(it)));
}

#[test]
fn the_same_seed_makes_the_same_users() {
    let make = |seed| {
        let made = synthetic::generate(&mut Rng::with_seed(seed), 2, 40);
        made.into_iter().map(|it| it.description).collect::<Vec<_>>()
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
    assert_eq!(make(1).len(), 80);
}

#[test]
fn figures_are_what_they_say() {
    let [bread, fuel] = ["Padaria", "Combustível"].map(|name| Shared::named(name).unwrap());
    let sample = |merchant: &str, truth| Sample {
        user: 0,
        merchant: merchant.to_owned(),
        description: merchant.to_owned(),
        amount_cents: -1,
        date: jiff::civil::date(2026, 1, 1),
        truth,
    };
    let answer = |category, confidence, applied| Answer { category, confidence, applied, source: "model" };
    let samples = [
        sample("a", Truth::Is(bread)),
        sample("b", Truth::Is(bread)),
        sample("c", Truth::Is(fuel)),
        sample("d", Truth::Unknowable),
        sample("e", Truth::Transfer),
    ];
    let judged = [
        (&samples[0], answer(Some(bread), 0.95, true)),
        (&samples[1], answer(Some(fuel), 0.5, false)),
        (&samples[2], answer(Some(fuel), 0.9, true)),
        (&samples[3], answer(Some(bread), 0.7, true)),
        (&samples[4], answer(None, 0.0, false)),
    ];
    let score = score(&judged, &mut Rng::with_seed(1));
    let near = |figure: f64, expected: f64| assert!((figure - expected).abs() < 1e-6, "{figure} {expected}");
    near(score.accuracy.value, 2.0 / 3.0);
    near(score.applied, 3.0 / 5.0);
    near(score.applied_precision, 2.0 / 3.0);
    near(score.coverage_at_95, 2.0 / 5.0);
    near(score.macro_f1, 2.0 / 3.0);
    near(score.corrections_per_100, 40.0); // b, and d which nobody can know
    near(score.ece, (0.15 + 0.5 + 0.7) / 4.0);
    assert!(score.accuracy.low <= score.accuracy.value && score.accuracy.value <= score.accuracy.high);
}
