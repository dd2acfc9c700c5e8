//! A run in numbers: what `report.json` holds, and what the page and the terminal show.

use std::collections::BTreeMap;

use mare_slo::knee::Knee;
use mare_slo::{Tally, Verdict};
use serde::Serialize;

use super::merged::{Latency, Merged};
use super::{format, series};
use crate::judge::Findings;
use crate::run::{Conditions, Ended, Judged, Run, Second};

mod objective;

pub(super) use objective::ObjectiveRow;

#[derive(Serialize)]
pub(super) struct Summary {
    /// The version of this form.
    pub(super) version: u32,
    pub(super) verdict: Verdict,
    pub(super) why: Vec<String>,
    pub(super) scenario: String,
    pub(super) target: String,
    pub(super) http: String,
    pub(super) started: jiff::Timestamp,
    pub(super) ended: Ended,
    pub(super) duration_s: u32,
    pub(super) judged: Judged,
    /// Levels are flows per second, not users.
    pub(super) open: bool,
    pub(super) level_max: f64,
    pub(super) total: Measures,
    pub(super) objectives: Vec<ObjectiveRow>,
    pub(super) knee: Option<Knee>,
    pub(super) stages: Vec<StageRow>,
    pub(super) steps: Vec<StepRow>,
    pub(super) failures: Vec<Failure>,
    pub(super) generator: Generator,
    /// Without the scenario's source: `run.json` has it.
    pub(super) conditions: Conditions,
}

/// Counts and latencies of some requests.
#[derive(Serialize)]
pub(super) struct Measures {
    pub(super) requests: u64,
    pub(super) requests_per_s: f64,
    pub(super) errors: u64,
    pub(super) unavailable: u64,
    pub(super) bytes_in: u64,
    pub(super) response: Option<Latency>,
    pub(super) service: Option<Latency>,
}

#[derive(Serialize)]
pub(super) struct StageRow {
    pub(super) level: f64,
    pub(super) from_s: u32,
    pub(super) holds_from_s: u32,
    pub(super) until_s: u32,
    /// Of its hold, or of its ramp if it has no hold.
    pub(super) requests: u64,
    pub(super) response: Option<Latency>,
    pub(super) lag: Option<Latency>,
    /// Empty: the generator was healthy.
    pub(super) unhealthy: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct StepRow {
    pub(super) flow: String,
    pub(super) name: String,
    pub(super) request: String,
    pub(super) measures: Measures,
}

#[derive(Serialize)]
pub(super) struct Failure {
    pub(super) step: String,
    pub(super) kind: String,
    pub(super) count: u64,
    pub(super) first_s: u32,
    pub(super) last_s: u32,
}

/// How the generator and its machine were doing.
#[derive(Serialize)]
pub(super) struct Generator {
    pub(super) lag: Option<Latency>,
    /// Of one core; the busiest thread at its busiest, and on average.
    pub(super) thread_max: f64,
    pub(super) thread_mean: f64,
    pub(super) steal_max: f64,
    pub(super) machine_mean: f64,
    pub(super) memory_bytes_max: u64,
}

/// More kinds of failure than this help nobody.
const FAILURES_MAX: usize = 100;

impl Summary {
    const VERSION: u32 = 1;

    pub(super) fn of(run: &Run, findings: &Findings) -> Self {
        Self {
            version: Self::VERSION,
            verdict: findings.verdict,
            why: findings.why.clone(),
            scenario: run.scenario.clone(),
            target: run.target.clone(),
            http: run.http.clone(),
            started: run.started,
            ended: run.ended.clone(),
            duration_s: series::length(run),
            judged: run.judged,
            open: run.open,
            level_max: run.stages.iter().map(|stage| stage.level).fold(0.0, f64::max),
            total: total(run),
            objectives: objective::rows(run, findings),
            knee: run.knee.clone(),
            stages: stages(run, findings),
            steps: steps(run),
            failures: failures(run),
            generator: Generator::of(run),
            conditions: Conditions { scenario_source: String::new(), ..run.conditions.clone() },
        }
    }

    /// The knee in one sentence, if it was looked for.
    pub(super) fn knee_text(&self) -> Option<String> {
        let knee = self.knee.as_ref()?;
        let unit = self.level_unit();
        let level = |level: f64| format!("{} {unit}", format::level(level));
        let between = match (knee.holds, knee.breaks) {
            (Some(holds), Some(breaks)) => {
                format!("The objectives hold up to {} and break at {}", level(holds), level(breaks))
            }
            (Some(holds), None) => {
                format!("The objectives hold at {}, the highest level tried", level(holds))
            }
            (None, Some(breaks)) => {
                format!("The objectives break at {}, the lowest level tried", level(breaks))
            }
            (None, None) => "No level was settled".to_owned(),
        };
        let interval = knee.interval.map_or_else(String::new, |(low, high)| {
            format!(" (95 %: {} – {})", format::level(low), level(high))
        });
        Some(format!("{between}{interval}."))
    }

    /// `users` or `flows/s`
    pub(super) fn level_unit(&self) -> &'static str {
        if self.open { "flows/s" } else { "users" }
    }
}

impl Measures {
    /// Of one step in some seconds.
    pub(super) fn of_step(seconds: &[Second], step: usize) -> Self {
        let of_step = || seconds.iter().filter_map(|second| second.steps.get(step));
        let mut tally = Tally::default();
        of_step().for_each(|second| tally.add(second.tally));
        Self::new(
            tally,
            seconds.len(),
            of_step().map(|second| second.bytes_in).sum(),
            series::step_latency(seconds, step, |second| &second.response),
            series::step_latency(seconds, step, |second| &second.service),
        )
    }

    fn new(
        tally: Tally,
        seconds: usize,
        bytes_in: u64,
        response: Option<Latency>,
        service: Option<Latency>,
    ) -> Self {
        Self {
            requests: tally.total,
            requests_per_s: tally.total as f64 / seconds.max(1) as f64,
            errors: tally.errors,
            unavailable: tally.unavailable,
            bytes_in,
            response,
            service,
        }
    }

    /// 0 without requests.
    pub(super) fn error_ratio(&self) -> f64 {
        self.errors as f64 / self.requests.max(1) as f64
    }
}

impl Generator {
    fn of(run: &Run) -> Self {
        let busiest =
            |sample: &crate::run::GeneratorSample| sample.threads.iter().copied().fold(0.0, f64::max);
        let samples = &run.generator;
        let mean = |sum: f64| sum / samples.len().max(1) as f64;
        Self {
            lag: series::lags(&run.seconds),
            thread_max: samples.iter().map(busiest).fold(0.0, f64::max),
            thread_mean: mean(samples.iter().map(busiest).sum()),
            steal_max: samples.iter().map(|sample| sample.steal).fold(0.0, f64::max),
            machine_mean: mean(samples.iter().map(|sample| sample.machine).sum()),
            memory_bytes_max: samples.iter().map(|sample| sample.memory_bytes).max().unwrap_or(0),
        }
    }
}

fn total(run: &Run) -> Measures {
    let steps = || run.seconds.iter().flat_map(|second| &second.steps);
    Measures::new(
        series::tally(&run.seconds),
        run.seconds.len(),
        steps().map(|step| step.bytes_in).sum(),
        series::responses(&run.seconds),
        Merged::of(steps().map(|step| &step.service)).latency(),
    )
}

fn stages(run: &Run, findings: &Findings) -> Vec<StageRow> {
    let row = |(index, stage): (usize, &crate::run::StageRun)| {
        let seconds = series::of_stage(run, stage);
        StageRow {
            level: stage.level,
            from_s: stage.from,
            holds_from_s: stage.holds_from,
            until_s: stage.until,
            requests: series::tally(seconds).total,
            response: series::responses(seconds),
            lag: series::lags(seconds),
            unhealthy: findings.stages.get(index).map_or_else(Vec::new, |stage| stage.unhealthy.clone()),
        }
    };
    run.stages.iter().enumerate().map(row).collect()
}

fn steps(run: &Run) -> Vec<StepRow> {
    let row = |(index, step): (usize, &crate::run::StepRun)| StepRow {
        flow: step.flow.clone(),
        name: step.name.clone(),
        request: step.request.clone(),
        measures: Measures::of_step(&run.seconds, index),
    };
    run.steps.iter().enumerate().map(row).collect()
}

/// The most frequent first, at most [`FAILURES_MAX`].
fn failures(run: &Run) -> Vec<Failure> {
    let mut kinds: BTreeMap<(usize, &str), Failure> = BTreeMap::new();
    for second in &run.seconds {
        for (index, step) in second.steps.iter().enumerate() {
            for (kind, count) in &step.failures {
                let failure = kinds.entry((index, kind)).or_insert_with(|| Failure {
                    step: run.steps.get(index).map_or_else(String::new, |step| step.name.clone()),
                    kind: kind.clone(),
                    count: 0,
                    first_s: second.at,
                    last_s: second.at,
                });
                failure.count += count;
                failure.last_s = second.at;
            }
        }
    }
    let mut failures: Vec<_> = kinds.into_values().collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    failures.truncate(FAILURES_MAX);
    failures
}
