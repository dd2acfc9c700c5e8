//! What a run proves.
//!
//! Every second of a run counts, ramps included. Each promise is judged on the response times and tallies of its own
//! steps ([`mare_slo::Series`]). A run whose generator was not healthy proves nothing, except that a target which
//! cannot be reached fails. The rules are in docs/slo.md.

use std::time::Duration;

use mare_manifest::model::objective::Percentile;
use mare_slo::knee::Knee;
use mare_slo::{Clause, Judgement, Series, Verdict};
use serde::Serialize;

use crate::run::{Ended, Limit, Promise, Run, Second};

mod exhausted;
mod health;
mod windows;
mod words;

/// The judgement of a whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    pub verdict: Verdict,
    /// In words, one sentence each, the most important first: why it is not PASS, or what PASS rests on. At the end
    /// the run's own notes.
    pub why: Vec<String>,
    /// Of the promises that the scenario exercises.
    pub promises: Vec<PromiseFinding>,
    /// In the order of [`Run::stages`].
    pub stages: Vec<StageFinding>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PromiseFinding {
    /// Indexes [`Run::promises`].
    pub promise: usize,
    pub judgements: Vec<Judgement>,
    pub verdict: Verdict,
}

/// Whether the generator was healthy during one stage.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StageFinding {
    /// Why not, in words. Empty: it was.
    pub unhealthy: Vec<String>,
}

/// The same run is always judged the same.
const SEED: u64 = 1;

impl Run {
    /// Judges the whole run, ramps included; a search for the knee, on what it found.
    pub fn findings(&self) -> Findings {
        let promises = self.judged_promises();
        let health: Vec<health::Health> =
            self.stages.iter().map(|stage| self.health(stage.from, stage.until)).collect();
        let verdict = self.verdict(&promises, &health);
        let why = words::why(self, verdict, &promises, &health);
        let stages = health.into_iter().map(|health| StageFinding { unhealthy: health.reasons() }).collect();
        Findings { verdict, why, promises, stages }
    }

    fn verdict(&self, promises: &[PromiseFinding], health: &[health::Health]) -> Verdict {
        match self.ended {
            Ended::GaveUp(_) => return Verdict::Fail,
            Ended::Broke(_) => return Verdict::Invalid,
            Ended::Completed | Ended::Interrupted => {}
        }
        if let Some(Knee { verdict, .. }) = self.knee {
            return verdict;
        }
        // Without promises there is nothing that could pass.
        let judged = promises.iter().map(|promise| promise.verdict).max().unwrap_or(Verdict::Inconclusive);
        let spoils = |health: &health::Health| match judged {
            // A server too slow for the wanted rate broke its promises at the rate it had: more would not mend them.
            Verdict::Fail => !health.generator.is_empty(),
            Verdict::Pass | Verdict::Inconclusive | Verdict::Invalid => !health.reasons().is_empty(),
        };
        if health.iter().any(spoils) { Verdict::Invalid } else { judged }
    }

    fn judged_promises(&self) -> Vec<PromiseFinding> {
        let judge = |(index, promise): (usize, &Promise)| {
            let seconds = self.judged_seconds().map(|second| second.of(promise));
            let series = Series::new(seconds, SEED);
            let judgements: Vec<Judgement> =
                promise.limits.iter().filter_map(Limit::clause).map(|clause| series.judge(&clause)).collect();
            let known = judgements.len() == promise.limits.len();
            let worst = judgements.iter().map(|judgement| judgement.verdict).max();
            let verdict = worst.unwrap_or(Verdict::Inconclusive);
            let verdict = if known { verdict } else { verdict.max(Verdict::Inconclusive) };
            PromiseFinding { promise: index, judgements, verdict }
        };
        let exercised = self.promises.iter().enumerate().filter(|(_, promise)| !promise.steps.is_empty());
        exercised.map(judge).collect()
    }

    /// All of them; of a search for the knee only the holds at the level that is said to hold.
    fn judged_seconds(&self) -> impl Iterator<Item = &Second> {
        let level = self.knee.as_ref().and_then(|knee| knee.holds);
        let at_level = move |at: u32| {
            let mut stages = self.stages.iter();
            level.is_none_or(|level| {
                stages.any(|stage| {
                    stage.level.total_cmp(&level).is_eq() && (stage.holds_from..stage.until).contains(&at)
                })
            })
        };
        self.seconds.iter().filter(move |second| at_level(second.at))
    }

    /// The seconds in `from..until`.
    fn between(&self, from: u32, until: u32) -> impl Iterator<Item = &Second> {
        self.seconds.iter().filter(move |second| (from..until).contains(&second.at))
    }
}

impl Limit {
    /// `None`: a percentile that this version does not know.
    pub fn clause(&self) -> Option<Clause> {
        Some(match *self {
            Self::Latency { quantile, limit_us } => {
                let same = |percentile: &Percentile| (percentile.quantile() - quantile).abs() < 1e-9;
                let percentile = Percentile::ALL.into_iter().find(same)?;
                Clause::Latency { percentile, limit: Duration::from_micros(limit_us) }
            }
            Self::Errors { max } => Clause::Errors { max },
            Self::Availability { min } => Clause::Availability { min },
        })
    }
}

impl From<Clause> for Limit {
    fn from(clause: Clause) -> Self {
        match clause {
            Clause::Latency { percentile, limit } => {
                let limit_us = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
                Self::Latency { quantile: percentile.quantile(), limit_us }
            }
            Clause::Errors { max } => Self::Errors { max },
            Clause::Availability { min } => Self::Availability { min },
        }
    }
}

impl Second {
    /// What belongs to a promise: the response times of its steps, and their tally.
    fn of(&self, promise: &Promise) -> (Vec<&mare_slo::Sparse>, mare_slo::Tally) {
        let steps = promise.steps.iter().filter_map(|&step| self.steps.get(step));
        let mut tally = mare_slo::Tally::default();
        let responses = steps
            .map(|step| {
                tally.add(step.tally);
                &step.response
            })
            .collect();
        (responses, tally)
    }
}

#[cfg(test)]
mod tests;
