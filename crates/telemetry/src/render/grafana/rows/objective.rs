//! The row of one objective.

use mare_manifest::Manifest;
use mare_manifest::model::objective::Objective;
use mare_manifest::units::seconds;
use mare_slo::Clause;

use super::super::panel::{Kind, Panel, Target};
use super::{THIRD, rate};
use crate::render::series::{self, BUDGET, BUDGET_LEFT, Scope};

const OF_OBJECTIVE: &str = r#"{job=~"$job",objective=~"$objective"}"#;

pub(super) fn panels(scope: Scope<'_>, manifest: &Manifest) -> Vec<Panel> {
    let recorded = format!(r#"{{app="{}",objective=~"$objective"}}"#, scope.app);
    let left = format!(
        "max by (clause) ({BUDGET_LEFT}{recorded})\nor\nmin by (clause) (mare_objective_budget_left_ratio{OF_OBJECTIVE})"
    );
    let burn = format!(
        "max by (clause, window) (\n  {{__name__=~\"{}.+\",app=\"{}\",objective=~\"$objective\"}}\n  / on (objective, clause) group_left ()\n  {BUDGET}{recorded}\n)\nor\nmax by (clause, window) (mare_objective_burn_rate{OF_OBJECTIVE})",
        series::BAD,
        scope.app,
    );
    let left = |title, kind, description| Panel {
        title,
        description,
        kind,
        unit: "percentunit",
        width: THIRD,
        targets: vec![Target::new(left.clone(), "{{clause}}")],
    };
    let burning = Panel {
        title: "Burn rates",
        description: "How many times faster than its budget allows a clause has bad requests. At 1 the budget lasts \
            exactly as long as its window; alerts fire from 14.4 (1h), 6 (6h), 3 (1d) and 1 (3d) where the window is \
            30 days.",
        kind: Kind::Lines,
        unit: "none",
        width: THIRD,
        targets: vec![Target::new(burn, "{{clause}} over {{window}}")],
    };
    vec![
        left(
            "Error budget left",
            Kind::Budget,
            "What is left of what may go wrong. Below zero the objective is broken.",
        ),
        left("Error budget over time", Kind::Lines, "A steep fall is an incident, a slow one a habit."),
        burning,
        requests(),
        errors(manifest),
        latency(manifest),
    ]
}

fn requests() -> Panel {
    Panel {
        title: "Requests",
        description: "Requests the objective is about, and those of them that failed.",
        kind: Kind::Lines,
        unit: "reqps",
        width: THIRD,
        targets: vec![
            Target::new(rate("", series::REQUESTS, OF_OBJECTIVE), "requests"),
            Target::new(rate("", series::ERRORS, OF_OBJECTIVE), "errors"),
        ],
    }
}

fn errors(manifest: &Manifest) -> Panel {
    let share = |metric: &str| {
        format!("{}\n/\n{}", rate("", metric, OF_OBJECTIVE), rate("", series::REQUESTS, OF_OBJECTIVE))
    };
    let limits = limits(manifest, |clause| match clause {
        Clause::Latency { .. } => None,
        Clause::Errors { .. } | Clause::Availability { .. } => Some(series::rounded(1.0 - clause.target())),
    });
    let shares = [
        Target::new(share(series::ERRORS), "errors"),
        Target::new(share(series::UNAVAILABLE), "unavailable"),
    ];
    Panel {
        title: "Errors",
        description: "The share of requests that failed in any way, and of those that got no answer of the service.",
        kind: Kind::Lines,
        unit: "percentunit",
        width: THIRD,
        targets: shares.into_iter().chain(limits).collect(),
    }
}

fn latency(manifest: &Manifest) -> Panel {
    let percentile = |quantile: f64| {
        let buckets = rate("le", series::BUCKETS, OF_OBJECTIVE);
        Target::new(format!("histogram_quantile({quantile}, {buckets})"), format!("P{}", quantile * 100.0))
    };
    let limits = limits(manifest, |clause| match clause {
        Clause::Latency { limit, .. } => Some(seconds(limit)),
        Clause::Errors { .. } | Clause::Availability { .. } => None,
    });
    Panel {
        title: "Latency against its limit",
        description: "From a request's head to the end of its answer, waiting and cold starts included. Percentiles \
            are interpolated within buckets; at the limits, which are bounds of buckets, they are exact.",
        kind: Kind::Lines,
        unit: "s",
        width: THIRD,
        targets: [0.5, 0.95, 0.99].map(percentile).into_iter().chain(limits).collect(),
    }
}

/// A level line per clause that `value` knows one for, there for the objectives that are chosen. One query for all, or
/// none, so that many objectives do not make many queries.
fn limits(manifest: &Manifest, value: impl Fn(Clause) -> Option<f64>) -> Option<Target> {
    let of = |(name, objective): (&String, &Objective)| {
        let lines = Clause::of(&objective.limits)
            .into_iter()
            .filter_map(|clause| Some((clause.key(), value(clause)?)));
        let line = |(key, value): (&str, f64)| {
            // The count is only there to say whether this objective is a chosen one.
            format!(
                "label_replace(vector({value}), \"clause\", \"{key}\", \"\", \"\") and on () \
                 {}{{job=~\"$job\",objective=~\"$objective\",objective=\"{name}\"}}",
                series::REQUESTS
            )
        };
        lines.map(line).collect::<Vec<_>>()
    };
    let lines: Vec<String> = manifest.objectives.iter().flat_map(of).collect();
    (!lines.is_empty()).then(|| Target::new(lines.join("\nor\n"), "{{clause}} limit"))
}
