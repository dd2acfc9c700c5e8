//! The synthetic set: four ways to split it, and the curve of a user who starts with nothing.

use std::collections::{BTreeMap, HashSet};

use fastrand::Rng;
use serde::Serialize;

use super::metrics::{self, Judged, share};
use super::sample::{Sample, Truth};
use super::systems::{ALL, NO_LEXICON, System};
use super::{Options, Row, synthetic};

/// Over all seeds together; each system under its name.
#[derive(Debug, Serialize)]
pub struct Results {
    pub splits: Vec<(Split, Vec<Row>)>,
    pub cold_start: Vec<Curve>,
    /// The whole engine's accuracy by how often the user was seen at the merchant in training (time split).
    pub by_frequency: Vec<(&'static str, usize, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// One in five, anywhere: leaky, for payees come again. For comparison alone.
    Random,
    /// One merchant in three is held back altogether.
    Merchant,
    /// The last three tenths.
    Time,
    /// Users nobody has seen: the baselines learn from the others, the engine from nobody.
    User,
}

impl Split {
    const ALL: [Self; 4] = [Self::Random, Self::Merchant, Self::Time, Self::User];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Random => "random (leaky)",
            Self::Merchant => "by merchant",
            Self::Time => "by time",
            Self::User => "by user",
        }
    }
}

/// Predict, then reveal.
#[derive(Debug, Serialize)]
pub struct Curve {
    pub system: &'static str,
    pub points: Vec<Point>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Point {
    /// How many of the user's movements were known at the start of the window.
    pub known: usize,
    pub samples: usize,
    pub accuracy: f64,
    pub applied: f64,
    pub applied_precision: f64,
}

/// Windows of the curve: from each of these to the next.
const KNOWN: [usize; 8] = [0, 10, 25, 50, 100, 200, 500, 600];

pub(super) fn run(systems: &[System], options: &Options) -> Results {
    let sets: Vec<(u64, Vec<Sample>)> = (options.seed..options.seed + options.seeds)
        .map(|seed| (seed, synthetic::generate(&mut Rng::with_seed(seed), options.users, options.movements)))
        .collect();
    let mut by_frequency = Vec::new();
    let mut splits = Vec::new();
    for split in Split::ALL {
        let mut rows = Vec::new();
        for system in systems {
            let judged: Vec<_> =
                sets.iter().flat_map(|(seed, set)| judge(system, split, set, *seed)).collect();
            if split == Split::Time && system.name == ALL {
                by_frequency = frequencies(&judged);
            }
            let judged: Vec<Judged<'_>> = judged.into_iter().map(|(_, it)| it).collect();
            rows.push(Row {
                system: system.name,
                score: metrics::score(&judged, &mut Rng::with_seed(options.seed)),
            });
        }
        splits.push((split, rows));
    }
    let in_curve = |system: &&System| system.is_baseline() || system.name == ALL || system.name == NO_LEXICON;
    let cold_start = systems.iter().filter(in_curve).map(|system| curve(system, &sets)).collect();
    Results { splits, cold_start, by_frequency }
}

/// Answers of a system to what a split holds back, with how often the merchant was in training.
fn judge<'a>(system: &System, split: Split, set: &'a [Sample], seed: u64) -> Vec<(usize, Judged<'a>)> {
    let users: usize = set.iter().map(|it| it.user + 1).max().unwrap_or(0);
    let mut rng = Rng::with_seed(seed);
    let of = |user: usize| set.iter().filter(move |it| it.user == user);
    let held_users = users.div_ceil(4);
    let pool: Vec<&Sample> = set.iter().filter(|it| it.user >= held_users).collect();
    let mut judged = Vec::new();
    for user in 0..users {
        let mine: Vec<&Sample> = of(user).collect();
        let (train, test): (Vec<&Sample>, Vec<&Sample>) = match split {
            Split::Random => mine.into_iter().partition(|_| rng.u32(..5) > 0),
            Split::Merchant => {
                let mut merchants: Vec<&str> = mine.iter().map(|it| it.merchant.as_str()).collect();
                merchants.sort_unstable();
                merchants.dedup();
                rng.shuffle(&mut merchants);
                let held: HashSet<&str> = merchants[..merchants.len() / 3].iter().copied().collect();
                mine.into_iter().partition(|it| !held.contains(it.merchant.as_str()))
            }
            Split::Time => {
                let after = mine.len() * 7 / 10;
                (mine[..after].to_vec(), mine[after..].to_vec())
            }
            Split::User if user >= held_users => continue,
            Split::User if system.is_baseline() => (pool.clone(), mine),
            Split::User => (Vec::new(), mine),
        };
        let learner = system.learner(&train);
        let mut visits: BTreeMap<&str, usize> = BTreeMap::new();
        for it in &train {
            *visits.entry(&it.merchant).or_default() += 1;
        }
        judged.extend(test.into_iter().map(|it| {
            let often = visits.get(it.merchant.as_str()).copied().unwrap_or(0);
            (often, (it, learner.answer(it)))
        }));
    }
    judged
}

fn frequencies(judged: &[(usize, Judged<'_>)]) -> Vec<(&'static str, usize, f64)> {
    let bins = [("0", 0..=0), ("1", 1..=1), ("2-5", 2..=5), ("6-20", 6..=20), ("> 20", 21..=usize::MAX)];
    let bins = bins.into_iter().map(|(name, range)| {
        let here: Vec<_> = judged.iter().filter(|it| range.contains(&it.0)).collect();
        let right =
            here.iter().filter(|(_, it)| it.1.category.is_some_and(|c| it.0.truth == Truth::Is(c))).count();
        (name, here.len(), share(right, here.len()))
    });
    bins.collect()
}

fn curve(system: &System, sets: &[(u64, Vec<Sample>)]) -> Curve {
    let mut judged: Vec<Vec<(bool, bool)>> = vec![Vec::new(); KNOWN.len() - 1]; // right, applied
    for (_, set) in sets {
        for mine in set.chunk_by(|a, b| a.user == b.user) {
            let mut learner = system.learner(&[]);
            for (known, sample) in mine.iter().enumerate().take(KNOWN[KNOWN.len() - 1]) {
                let answer = learner.answer(sample);
                let right = answer.category.is_some_and(|category| sample.truth == Truth::Is(category));
                judged[KNOWN.partition_point(|it| *it <= known) - 1].push((right, answer.applied));
                learner.learn(sample);
            }
        }
    }
    let points = KNOWN.iter().zip(&judged).map(|(known, judged)| {
        let count = |wanted: fn(&&(bool, bool)) -> bool| judged.iter().filter(wanted).count();
        let applied = count(|it| it.1);
        Point {
            known: *known,
            samples: judged.len(),
            accuracy: share(count(|it| it.0), judged.len()),
            applied: share(applied, judged.len()),
            applied_precision: share(count(|it| it.0 && it.1), applied),
        }
    });
    Curve { system: system.name, points: points.collect() }
}
