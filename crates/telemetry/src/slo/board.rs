//! Every objective with its histories, and every slow rule. No clock, no I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use mare_manifest::Manifest;
use mare_manifest::model::alert::Slow;
use mare_manifest::model::objective::Objective;
use mare_manifest::units::duration_text;
use mare_slo::burn::{self, Burning, Severity};
use mare_slo::{Budget, Clause, Events, History, budget};

use super::report::{AlertReport, BurnRate, ClauseReport, ObjectiveReport, Report};
use super::{Counts, Snapshot};
use crate::alert::Condition;
use crate::alert::policy::Firing;

/// Histories by [`Tracked::key`].
pub(super) type Histories = BTreeMap<String, History>;

pub(super) struct Board {
    objectives: Vec<(String, Objective, Vec<Tracked>)>,
    slow: Vec<(String, Slow, u64)>,
}

/// One clause of an objective.
struct Tracked {
    /// What is counted, so that a history goes on as long as it counts the same.
    key: String,
    alert: String,
    clause: Clause,
    history: History,
    burning: Vec<Burning>,
    /// What the counters said last.
    counter: Events,
}

impl Board {
    /// Goes on with those of `kept` that count what is counted now.
    pub(super) fn new(manifest: &Manifest, mut kept: Histories, now: Timestamp) -> Self {
        let mut tracked = |name: &str, objective: &Objective, clause: Clause| {
            let what = match clause {
                Clause::Latency { limit, .. } => format!("{} within {}", clause.key(), duration_text(limit)),
                Clause::Errors { .. } | Clause::Availability { .. } => clause.key().to_owned(),
            };
            let key = format!("{name}: {}: {what}", objective.on);
            // One second earlier, because a history takes what is counted in its first second for what was before.
            let new = || History::new(seconds(now).saturating_sub(1));
            let history = kept.remove(&key).unwrap_or_else(new);
            let alert = format!("{name}/{}", clause.key());
            Tracked { key, alert, clause, history, burning: Vec::new(), counter: Events::default() }
        };
        let mut objectives = Vec::new();
        for (name, objective) in &manifest.objectives {
            let clauses = Clause::of(&objective.limits);
            let clauses = clauses.into_iter().map(|clause| tracked(name, objective, clause)).collect();
            objectives.push((name.clone(), objective.clone(), clauses));
        }
        let slow = manifest.alerts.slow.iter().map(|(name, rule)| (name.clone(), rule.clone(), 0)).collect();
        Self { objectives, slow }
    }

    /// Takes what was counted; says what is wrong.
    pub(super) fn evaluate(&mut self, now: Timestamp, snapshot: &Snapshot) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (name, objective, clauses) in &mut self.objectives {
            let Some(counts) = snapshot.objectives.get(name) else { continue };
            let latencies = counts.within.iter().copied();
            let mut within = latencies.chain(std::iter::repeat(0));
            for tracked in clauses {
                tracked.record(seconds(now), events(&tracked.clause, counts, &mut within));
                conditions.extend(tracked.condition(objective, seconds(now)));
            }
        }
        for (name, rule, seen) in &mut self.slow {
            let count = snapshot.slow.get(name).copied().unwrap_or(0);
            let new = count.saturating_sub(std::mem::replace(seen, count));
            if new > 0 {
                let requests = if new == 1 { "1 request".to_owned() } else { format!("{new} requests") };
                let reason =
                    format!("{requests} of {} took longer than {}", rule.on, duration_text(rule.over));
                conditions.push(Condition { alert: name.clone(), severity: Severity::Page, reason });
            }
        }
        conditions
    }

    /// The names of all alerts there can be.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &str> {
        let clauses = self.objectives.iter().flat_map(|(_, _, clauses)| clauses);
        clauses.map(|tracked| tracked.alert.as_str()).chain(self.slow.iter().map(|(name, ..)| name.as_str()))
    }

    pub(super) fn histories(&self) -> Histories {
        let clauses = self.objectives.iter().flat_map(|(_, _, clauses)| clauses);
        clauses.map(|tracked| (tracked.key.clone(), tracked.history.clone())).collect()
    }

    pub(super) fn report(&self, now: Timestamp, firing: &Firing) -> Report {
        let objective = |(name, objective, clauses): &(String, Objective, Vec<Tracked>)| {
            let clauses: Vec<ClauseReport> =
                clauses.iter().map(|tracked| tracked.report(objective.window, seconds(now))).collect();
            ObjectiveReport {
                name: name.clone(),
                on: objective.on.to_string(),
                window: duration_text(objective.window),
                // They may have begun at different times.
                requests: clauses.iter().map(|clause| clause.total).max().unwrap_or(0),
                clauses,
            }
        };
        let alert = |(alert, state): (&str, &crate::alert::policy::State)| AlertReport {
            alert: alert.to_owned(),
            severity: state.severity,
            reason: state.reason.clone(),
            since: state.since,
        };
        Report {
            evaluated_at: Some(now),
            objectives: self.objectives.iter().map(objective).collect(),
            alerts: firing.iter().map(alert).collect(),
        }
    }
}

/// The good and all requests in the sense of a clause; latencies come in the objective's order, as [`Clause::of`]
/// gives their clauses.
fn events(clause: &Clause, counts: &Counts, within: &mut impl Iterator<Item = u64>) -> Events {
    let tally = counts.tally;
    let good = match clause {
        Clause::Latency { .. } => within.next().unwrap_or(0),
        Clause::Errors { .. } => tally.total.saturating_sub(tally.errors),
        Clause::Availability { .. } => tally.total.saturating_sub(tally.unavailable),
    };
    Events { good, total: tally.total }
}

impl Tracked {
    /// The counters are read while requests are counted, so what is good, a difference of two of them, may seem to
    /// go back by those of this moment. To a history that would be a restart; it is held instead.
    fn record(&mut self, now: u64, counter: Events) {
        let total = counter.total.max(self.counter.total);
        self.counter = Events { good: counter.good.max(self.counter.good).min(total), total };
        self.history.record(now, self.counter);
    }

    fn condition(&mut self, objective: &Objective, now: u64) -> Option<Condition> {
        self.burning = burn::evaluate(&self.clause, objective.window, &self.history, now, &self.burning);
        // The most urgent comes first.
        let burning = self.burning.first()?;
        let reason = format!("{} of {} {burning}", self.clause, objective.on);
        Some(Condition { alert: self.alert.clone(), severity: burning.rule.severity, reason })
    }

    fn report(&self, window: Duration, now: u64) -> ClauseReport {
        let Self { clause, history, .. } = self;
        let target = clause.target();
        let budget = Budget { target, events: history.counts(window, now) };
        let rules = burn::rules(clause, window);
        let windows: BTreeSet<Duration> = rules.iter().flat_map(|rule| [rule.short, rule.long]).collect();
        let rate = |window: Duration| budget::burn_rate(target, history.counts(window, now)).unwrap_or(0.0);
        let longest = windows.last().map_or(0.0, |window| rate(*window));
        ClauseReport {
            clause: clause.key().to_owned(),
            limit: clause.to_string(),
            target,
            good: budget.events.good,
            total: budget.events.total,
            measured: budget.events.bad_ratio().map(|bad| 1.0 - bad),
            met: budget.events.meet(target),
            budget_left: budget.left(),
            exhausted_in_seconds: budget.exhausted_in(longest, window).map(|left| left.as_secs()),
            burn_rates: windows
                .into_iter()
                .map(|window| BurnRate { window: duration_text(window), rate: rate(window) })
                .collect(),
        }
    }
}

/// Unix time, as histories want it.
fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
