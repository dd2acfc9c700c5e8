//! Recording and alerting rules for Prometheus.
//!
//! Per objective one group: the share of bad requests per clause and window, the budget and what is left of it, then
//! the alerts that read these; then the alerts on slow requests. What each alert means to who gets it is in docs/monitoring.md.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mare_manifest::Manifest;
use mare_manifest::model::alert::Slow;
use mare_manifest::model::objective::Objective;
use mare_manifest::units::duration_text;
use mare_slo::Clause;
use mare_slo::burn::{self, Severity};
use serde::Serialize;

use super::series::{self, Measured, Scope};

/// The longest silence of a gateway that is no reason to call anybody: a restart, a slow scrape.
const SILENCE_MAX: Duration = Duration::from_mins(5);
/// An increase needs two scrapes; those of Prometheus are a minute apart unless it is told otherwise.
const CLEAR_MIN: Duration = Duration::from_mins(5);

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

/// The rules as a file Prometheus loads. With `job` they look only at what is scraped under that name.
pub fn rules(manifest: &Manifest, job: Option<&str>) -> String {
    let scope = Scope { app: &manifest.app.name, job };
    let objectives = manifest.objectives.iter().map(|(name, objective)| group(scope, name, objective));
    let slow = manifest.alerts.slow.iter().map(|(name, slow)| Group {
        name: group_name(scope, name),
        rules: vec![
            slowness(scope, name, slow, manifest.alerts.clear),
            absence(scope, name, &[slow_requests(scope, name)]),
        ],
    });
    let groups = objectives.chain(slow).collect();
    let yaml = serde_saphyr::to_string(&File { groups }).expect("it holds text only");
    format!(
        "# Made by `mare render prometheus` from mare.toml; make it again when an objective changes.\n{yaml}"
    )
}

fn group_name(scope: Scope<'_>, name: &str) -> String {
    format!("mare:{}:{name}", scope.app)
}

fn group(scope: Scope<'_>, name: &str, objective: &Objective) -> Group {
    let clauses = Clause::of(&objective.limits);
    let measured = clauses.iter().map(|&clause| Measured { scope, objective: name, clause });
    let records = measured.clone().flat_map(|it| recordings(&it, objective.window));
    let burns = measured.flat_map(|it| {
        burn::rules(&it.clause, objective.window)
            .into_iter()
            .map(move |rule| burning(&it, rule, objective.window))
    });
    let requests = format!("{}{}", series::REQUESTS, scope.scraped(name));
    let buckets = objective.limits.latency.iter().map(|&(_, limit)| {
        let selector = scope.scraped(name).with("le", series::bucket(limit));
        format!("{}{selector}", series::BUCKETS)
    });
    let absence = absence(scope, name, &[requests].into_iter().chain(buckets).collect::<Vec<_>>());
    Group { name: group_name(scope, name), rules: records.chain(burns).chain([absence]).collect() }
}

/// What the alerts of a clause read, and what the dashboard shows beside it.
fn recordings(it: &Measured<'_>, window: Duration) -> Vec<Rule> {
    let rule = |record: &str, expr: String, over: Option<Duration>| {
        let over = over.map(|window| ("window", duration_text(window)));
        let labels = labels(it).into_iter().chain(over).collect();
        Rule { record: Some(record.to_owned()), expr, labels, ..Rule::default() }
    };
    let windows: BTreeSet<Duration> =
        burn::rules(&it.clause, window).iter().flat_map(|rule| [rule.short, rule.long]).collect();
    let bad = windows.into_iter().map(|window| {
        let record = format!("{}{}", series::BAD, duration_text(window));
        rule(&record, it.bad_ratio(window), Some(window))
    });
    let budget = rule(series::BUDGET, format!("vector({})", it.budget()), None);
    let left = rule(series::BUDGET_LEFT, it.budget_left(window), Some(window));
    bad.chain([budget, left]).collect()
}

/// Fires while the budget burns too fast over both windows.
fn burning(it: &Measured<'_>, rule: burn::Rule, window: Duration) -> Rule {
    let (factor, budget, clause) = (series::rounded(rule.factor), it.budget(), it.clause);
    let [long, short, window, gone] =
        [rule.long, rule.short, window, exhaustion(window, factor)].map(duration_text);
    let over = |text: &str| format!("{}{text}{} > ({factor} * {budget})", series::BAD, it.recorded());
    let enough = format!("{} >= {}", it.bad(rule.long), burn::BAD_MIN);
    let severity = match rule.severity {
        Severity::Page => "page",
        Severity::Ticket => "ticket",
    };
    let mut labels = labels(it);
    labels.insert("severity", severity.to_owned());
    labels.insert("window", long.clone());
    let summary =
        format!("{}: {clause} is at risk, at this rate its error budget lasts {gone}", it.objective);
    let description = format!(
        "In the last {long}, {{{{ $value | humanizePercentage }}}} of the requests {}; {}% may. \
         That is a burn rate of more than {factor}, in the last {short} too. \
         Going on like this spends the whole error budget of {window} within {gone}.",
        badness(clause),
        series::rounded(budget * 100.0),
    );
    Rule {
        alert: Some("MareBudgetBurns"),
        expr: format!("{}\nand on ()\n{}\nand on ()\n{enough}", over(&long), over(&short)),
        labels,
        annotations: BTreeMap::from([("summary", summary), ("description", description)]),
        ..Rule::default()
    }
}

/// When a budget is gone that burns this fast, in whole hours.
fn exhaustion(window: Duration, factor: f64) -> Duration {
    let hours = (window.as_secs_f64() / factor / 3600.0).ceil();
    Duration::from_secs_f64(hours * 3600.0)
}

/// Fires while there was a request slower than the rule allows in the time that must pass without one.
fn slowness(scope: Scope<'_>, name: &str, slow: &Slow, clear: Duration) -> Rule {
    let clear = duration_text(clear.max(CLEAR_MIN));
    let counted = slow_requests(scope, name);
    let over = duration_text(slow.over);
    let summary = format!("{name}: {} took longer than {over}", slow.on);
    let description = format!(
        "In the last {clear}, {{{{ $value | printf `%.0f` }}}} of the requests {} took longer than {over}. \
         The rule {name} says that none may.",
        slow.on
    );
    Rule {
        alert: Some("MareSlowRequests"),
        expr: format!("sum(increase({counted}[{clear}])) > 0"),
        labels: alert_labels(scope, name, "page"),
        annotations: BTreeMap::from([("summary", summary), ("description", description)]),
        ..Rule::default()
    }
}

/// Fires when what the other rules read is not there, so that silence never passes for health.
fn absence(scope: Scope<'_>, name: &str, read: &[String]) -> Rule {
    let absent: Vec<String> = read.iter().map(|series| format!("absent({series})")).collect();
    let silence = duration_text(SILENCE_MAX);
    let summary = format!("{name}: nothing is known of it");
    let description = format!(
        "Prometheus has had no counts of {name} for {silence}: Maré is down, or is not scraped, or runs with \
         another mare.toml than these rules were made from. No other alert of {name} can fire."
    );
    Rule {
        alert: Some("MareObjectiveAbsent"),
        expr: format!("group (\n  {}\n)", absent.join("\n  or\n  ")),
        lasting: Some(silence),
        labels: alert_labels(scope, name, "page"),
        annotations: BTreeMap::from([("summary", summary), ("description", description)]),
        ..Rule::default()
    }
}

/// What the gateways count for a slow rule.
fn slow_requests(scope: Scope<'_>, name: &str) -> String {
    format!("{}{}", series::SLOW, scope.select("alert", name))
}

fn alert_labels(scope: Scope<'_>, name: &str, severity: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("app", scope.app.to_owned()),
        ("objective", name.to_owned()),
        ("severity", severity.to_owned()),
    ])
}

fn labels(it: &Measured<'_>) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("app", it.scope.app.to_owned()),
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
