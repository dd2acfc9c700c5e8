//! The objectives, one row for each of their limits.

use mare_slo::{Clause, Judgement, Verdict};
use serde::Serialize;

use crate::judge::Findings;
use crate::report::format;
use crate::run::{Promise, Run};

#[derive(Serialize)]
pub(in crate::report) struct ObjectiveRow {
    pub(in crate::report) name: String,
    /// What it is about.
    pub(in crate::report) on: String,
    /// Whether the scenario has a step it is about.
    pub(in crate::report) exercised: bool,
    /// `None`: not judged.
    pub(in crate::report) measured: Option<Measured>,
}

#[derive(Serialize)]
pub(in crate::report) struct Measured {
    /// `p95`, `errors`, `availability`
    pub(in crate::report) key: &'static str,
    /// In words: `P95 ≤ 300ms`.
    pub(in crate::report) limit_text: String,
    /// `ms` or `ratio`
    pub(in crate::report) unit: Unit,
    pub(in crate::report) limit: f64,
    /// `None`: there were no requests.
    pub(in crate::report) value: Option<f64>,
    /// 95 %
    pub(in crate::report) interval: Option<(f64, f64)>,
    /// The part of the limit that was not used: 0.4 is 40 % to spare, -0.1 is 10 % over. For availability, of the
    /// failures allowed.
    pub(in crate::report) margin_ratio: Option<f64>,
    pub(in crate::report) requests: u64,
    pub(in crate::report) verdict: Verdict,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::report) enum Unit {
    Ms,
    Ratio,
}

pub(super) fn rows(run: &Run, findings: &Findings) -> Vec<ObjectiveRow> {
    run.promises.iter().enumerate().flat_map(|(index, promise)| rows_of(index, promise, findings)).collect()
}

fn rows_of(index: usize, promise: &Promise, findings: &Findings) -> Vec<ObjectiveRow> {
    let row = |measured| ObjectiveRow {
        name: promise.name.clone(),
        on: promise.on.clone(),
        exercised: !promise.steps.is_empty(),
        measured,
    };
    let finding = findings.promises.iter().find(|finding| finding.promise == index);
    let judgements = finding.map_or(&[][..], |finding| &finding.judgements);
    if judgements.is_empty() {
        return vec![row(None)];
    }
    judgements.iter().map(|judgement| row(Some(Measured::of(judgement)))).collect()
}

impl ObjectiveRow {
    /// What stands where a measurement is missing.
    pub(in crate::report) fn unmeasured_text(&self) -> &'static str {
        if self.exercised { "not judged" } else { "not exercised by this scenario" }
    }
}

impl Measured {
    fn of(judgement: &Judgement) -> Self {
        let (unit, limit) = match judgement.clause {
            Clause::Latency { limit, .. } => (Unit::Ms, limit.as_secs_f64() * 1000.0),
            Clause::Errors { max } => (Unit::Ratio, max),
            Clause::Availability { min } => (Unit::Ratio, min),
        };
        // Latencies are judged in seconds and shown in milliseconds, to the microsecond.
        let shown = |value: f64| match unit {
            Unit::Ms => (value * 1e6).round() / 1e3,
            Unit::Ratio => value,
        };
        let value = judgement.measured.map(shown);
        Self {
            key: judgement.clause.key(),
            limit_text: judgement.clause.to_string(),
            unit,
            limit,
            value,
            interval: judgement.interval.map(|(low, high)| (shown(low), shown(high))),
            margin_ratio: value.and_then(|value| margin(&judgement.clause, value, limit)),
            requests: judgement.requests,
            verdict: judgement.verdict,
        }
    }

    pub(in crate::report) fn measured_text(&self) -> String {
        self.value.map_or_else(|| "no requests".to_owned(), |value| self.value_text(value))
    }

    pub(in crate::report) fn interval_text(&self) -> String {
        let text = |(low, high)| format!("{} – {}", self.value_text(low), self.value_text(high));
        self.interval.map_or_else(String::new, text)
    }

    /// `39 % to spare`, `12 % over`
    pub(in crate::report) fn margin_text(&self) -> String {
        match self.margin_ratio {
            Some(margin) if margin >= 0.0 => format!("{:.0} % to spare", (margin * 100.0).floor()),
            Some(margin) if margin < -9.0 => format!("{:.0} × the limit", 1.0 - margin),
            Some(margin) => format!("{:.0} % over", (-margin * 100.0).ceil()),
            None => String::new(),
        }
    }

    fn value_text(&self, value: f64) -> String {
        match self.unit {
            Unit::Ms => format::milliseconds(value),
            Unit::Ratio => format::percent(value),
        }
    }
}

/// `None` if nothing at all was allowed.
fn margin(clause: &Clause, measured: f64, limit: f64) -> Option<f64> {
    let (used, allowed) = match clause {
        Clause::Latency { .. } | Clause::Errors { .. } => (measured, limit),
        Clause::Availability { .. } => (1.0 - measured, 1.0 - limit),
    };
    (allowed > 0.0).then(|| 1.0 - used / allowed)
}
