//! Recording and alerting rules for Prometheus.
//!
//! Per objective one group: the share of bad requests per clause and window, the budget and what is left of it, then
//! the alerts that read these. What each alert means to who gets it is in docs/monitoring.md.

use std::collections::BTreeMap;
use std::time::Duration;

use mare_manifest::model::objective::Objective;
use mare_manifest::units::duration_text;
use mare_slo::Clause;
use serde::Serialize;

use super::Application;
use super::burn::{self, Pair};
use super::series::{self, Measured};

/// The longest silence of a gateway that is no reason to call anybody: a restart, a slow scrape.
const SILENCE_MAX: Duration = Duration::from_secs(5 * 60);

#[derive(Serialize)]
struct File {
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

/// `record` or `alert` is there, as Prometheus wants it.
#[derive(Default, Serialize)]
struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<&'static str>,
    expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    lasting: Option<String>,
    labels: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, String>,
}

/// The rules as a file Prometheus loads.
pub fn rules(app: &Application<'_>) -> String {
    let groups = app.objectives.iter().map(|(name, objective)| group(app, name, objective)).collect();
    let yaml = serde_saphyr::to_string(&File { groups }).expect("it holds text only");
    format!(
        "# Made by `mare render prometheus` from mare.toml; make it again when an objective changes.\n{yaml}"
    )
}

fn group(app: &Application<'_>, name: &str, objective: &Objective) -> Group {
    let clauses = Clause::of(&objective.limits);
    let measured = clauses.iter().map(|&clause| Measured { app: *app, objective: name, clause });
    let records = measured.clone().flat_map(|it| recordings(&it, objective.window));
    let burns =
        measured.flat_map(|it| burn::PAIRS.iter().map(move |pair| burning(&it, pair, objective.window)));
    let rules = records.chain(burns).chain([absence(app, name, &clauses)]).collect();
    Group { name: format!("mare:{}:{name}", app.name), rules }
}

fn recordings(it: &Measured<'_>, window: Duration) -> Vec<Rule> {
    let rule = |record: String, expr: String| Rule {
        record: Some(record),
        expr,
        labels: labels(it),
        ..Rule::default()
    };
    let bad = burn::WINDOWS
        .map(|window| rule(format!("{}{}", series::BAD, duration_text(window)), it.bad_ratio(window)));
    let budget = rule(series::BUDGET.to_owned(), format!("vector({})", it.budget()));
    let mut left = rule(series::BUDGET_LEFT.to_owned(), it.budget_left(window));
    left.labels.insert("window", duration_text(window));
    bad.into_iter().chain([budget, left]).collect()
}

/// Fires while the budget burns too fast over both windows.
fn burning(it: &Measured<'_>, pair: &Pair, window: Duration) -> Rule {
    let (rate, budget, clause) = (pair.rate(window), it.budget(), it.clause);
    let [long, short, window, gone] = [pair.long, pair.short, window, pair.exhaustion()].map(duration_text);
    let over = |text: &str| format!("{}{text}{} > ({rate} * {budget})", series::BAD, it.recorded());
    let mut labels = labels(it);
    labels.insert("severity", pair.severity.to_owned());
    labels.insert("window", long.clone());
    let summary =
        format!("{}: {clause} is at risk, at this rate its error budget lasts {gone}", it.objective);
    let description = format!(
        "In the last {long}, {{{{ $value | humanizePercentage }}}} of the requests {}; {}% may. \
         That is a burn rate of more than {rate}, in the last {short} too. \
         Going on like this spends the whole error budget of {window} within {gone}.",
        badness(clause),
        burn::rounded(budget * 100.0),
    );
    Rule {
        alert: Some("MareBudgetBurns"),
        expr: format!("{}\nand\n{}", over(&long), over(&short)),
        labels,
        annotations: BTreeMap::from([("summary", summary), ("description", description)]),
        ..Rule::default()
    }
}

/// Fires when what the other rules read is not there, so that silence never passes for health.
fn absence(app: &Application<'_>, name: &str, clauses: &[Clause]) -> Rule {
    let selector = || series::scraped(app, name);
    let absent = |metric: &str, selector| format!("absent({metric}{selector})");
    let buckets = clauses.iter().filter_map(|clause| match clause {
        Clause::Latency { limit, .. } => {
            Some(absent(series::BUCKETS, selector().with("le", series::bucket(*limit))))
        }
        Clause::Errors { .. } | Clause::Availability { .. } => None,
    });
    let all: Vec<String> = [absent(series::REQUESTS, selector())].into_iter().chain(buckets).collect();
    let summary = format!("{name}: nothing is known of this objective");
    let description = format!(
        "Prometheus has had no counts of objective {name} for {}: Maré is down, or is not scraped, or runs with \
         another mare.toml than these rules were made from. No other alert of this objective can fire.",
        duration_text(SILENCE_MAX)
    );
    Rule {
        alert: Some("MareObjectiveAbsent"),
        expr: format!("group by (objective) (\n  {}\n)", all.join("\n  or\n  ")),
        lasting: Some(duration_text(SILENCE_MAX)),
        labels: BTreeMap::from([
            ("app", app.name.to_owned()),
            ("objective", name.to_owned()),
            ("severity", "page".to_owned()),
        ]),
        annotations: BTreeMap::from([("summary", summary), ("description", description)]),
        ..Rule::default()
    }
}

fn labels(it: &Measured<'_>) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("app", it.app.name.to_owned()),
        ("objective", it.objective.to_owned()),
        ("clause", it.clause.key().to_owned()),
    ])
}

/// What a bad request did.
fn badness(clause: Clause) -> String {
    match clause {
        Clause::Latency { limit, .. } => format!("took longer than {}", duration_text(limit)),
        Clause::Errors { .. } => "failed".to_owned(),
        Clause::Availability { .. } => "got no answer of the service".to_owned(),
    }
}

#[cfg(test)]
mod tests;
