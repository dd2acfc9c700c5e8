//! The floors Maré has to keep, and whether it does.

use std::fmt;

use serde::Serialize;

use crate::cold::ColdStarts;
use crate::plan::{CONNECTIONS, Subject, Workload};
use crate::rounds::{Sample, against_nginx};
use crate::stats::Summary;

/// CPU per proxied request against nginx in the same round. The prototype of the data plane was at 1.01; what the
/// platform's features may cost on top is a quarter.
pub(crate) const CPU_RATIO_MAX: f64 = 1.25;
/// What the platform may add to a service's own start, median.
pub(crate) const ADDED_START_MS_MAX: f64 = 20.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Judgement {
    Pass,
    Fail,
    /// Too few valid runs, or the subject was left out.
    NotMeasured,
}

#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) floor: String,
    pub(crate) limit: f64,
    pub(crate) unit: &'static str,
    /// The median.
    pub(crate) measured: Option<f64>,
    pub(crate) judgement: Judgement,
}

impl Verdict {
    fn new(floor: String, (limit, unit): (f64, &'static str), measured: Option<f64>) -> Self {
        let judgement = match measured {
            None => Judgement::NotMeasured,
            Some(value) if value <= limit => Judgement::Pass,
            Some(_) => Judgement::Fail,
        };
        Self { floor, limit, unit, measured, judgement }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { floor, limit, unit, measured, judgement } = self;
        let word = match judgement {
            Judgement::Pass => "PASS",
            Judgement::Fail => "FAIL",
            Judgement::NotMeasured => "NOT MEASURED",
        };
        match measured {
            Some(measured) => write!(f, "{word}: {floor}: {measured:.2}{unit}, at most {limit}{unit}"),
            None => write!(f, "{word}: {floor}, at most {limit}{unit}"),
        }
    }
}

pub(crate) fn judge(samples: &[Sample], cold: Option<&ColdStarts>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for subject in [Subject::MareUrl, Subject::MareService] {
        for connections in CONNECTIONS {
            let case = (Workload::Proxy, connections);
            let runs = samples
                .iter()
                .filter(|sample| (sample.workload, sample.connections) == case && sample.subject == subject);
            let ratios = against_nginx(samples, case, subject, |sample| sample.cpu_us);
            // A median of the minority that went well would be a choice of the best.
            let enough = ratios.len() * 2 > runs.count();
            let median = Summary::of(ratios).filter(|_| enough).map(|summary| summary.median);
            let floor = format!(
                "CPU per proxied request against nginx, {}, {connections} connections",
                subject.label()
            );
            verdicts.push(Verdict::new(floor, (CPU_RATIO_MAX, "x"), median));
        }
    }
    let added = cold.and_then(|cold| Summary::of(cold.added_ms())).map(|summary| summary.median);
    let floor = "latency added to a start from zero, median".to_owned();
    verdicts.push(Verdict::new(floor, (ADDED_START_MS_MAX, " ms"), added));
    verdicts
}

/// The house's exit codes: 3 a verdict is FAIL, 4 one is invalid.
pub(crate) fn exit_code(verdicts: &[Verdict]) -> u8 {
    let any = |judgement: Judgement| verdicts.iter().any(|verdict| verdict.judgement == judgement);
    if any(Judgement::Fail) {
        3
    } else if any(Judgement::NotMeasured) {
        4
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_kept_up_to_its_limit() {
        let judged = |measured| Verdict::new(String::new(), (20.0, " ms"), measured).judgement;
        assert_eq!(judged(Some(20.0)), Judgement::Pass);
        assert_eq!(judged(Some(20.1)), Judgement::Fail);
        assert_eq!(judged(None), Judgement::NotMeasured);
    }

    #[test]
    fn nothing_measured_is_not_a_pass() {
        let verdicts = judge(&[], None);
        assert!(verdicts.iter().all(|verdict| verdict.judgement == Judgement::NotMeasured));
        assert_eq!(exit_code(&verdicts), 4);
    }
}
