//! What the dashboard shows.
//!
//! Every query is confined to the chosen jobs, and sums over gateways. Prometheus calls the label `instance` of
//! Maré's own metrics `exported_instance`, because the target that was scraped is an `instance` too.

use mare_manifest::Manifest;
use mare_manifest::model::objective::Objective;
use mare_manifest::units::seconds;
use mare_slo::Clause;

use super::Row;
use super::panel::{Kind, Panel, Target};
use crate::render::series::{self, BUDGET, BUDGET_LEFT, Scope};

/// Requests of the chosen objectives.
const OF_OBJECTIVE: &str = r#"{job=~"$job",objective=~"$objective"}"#;
const OF_SERVICE: &str = r#"{job=~"$job",service=~"$service"}"#;
const OF_ROUTE: &str = r#"{job=~"$job",route=~"$route"}"#;
const OF_JOB: &str = r#"{job=~"$job"}"#;

const THIRD: u32 = 8;
const HALF: u32 = 12;

pub(super) fn all(scope: Scope<'_>, manifest: &Manifest) -> Vec<Row> {
    let objectives = (!manifest.objectives.is_empty()).then(|| Row {
        title: "Objective $objective",
        repeat: Some("objective"),
        panels: objective(scope, manifest),
    });
    let alerts = Row { title: "Alerts", repeat: None, panels: alerts(scope) };
    let traffic = Row { title: "Traffic", repeat: None, panels: traffic() };
    let services = Row { title: "Services", repeat: None, panels: services() };
    objectives.into_iter().chain([alerts, traffic, services]).collect()
}

fn objective(scope: Scope<'_>, manifest: &Manifest) -> Vec<Panel> {
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

/// A level line per clause that `value` knows one for, there for the objectives that are chosen.
fn limits(manifest: &Manifest, value: impl Fn(Clause) -> Option<f64>) -> Vec<Target> {
    let of = |(name, objective): (&String, &Objective)| {
        let lines =
            Clause::of(&objective.limits).into_iter().filter_map(|clause| Some((clause, value(clause)?)));
        let line = |(clause, value): (Clause, f64)| {
            // The count is only there to say whether this objective is a chosen one.
            let expr = format!(
                "vector({value})\nand on ()\n({}{{job=~\"$job\",objective=~\"$objective\",objective=\"{name}\"}})",
                series::REQUESTS
            );
            Target::new(expr, format!("{} limit", clause.key()))
        };
        lines.map(line).collect::<Vec<_>>()
    };
    manifest.objectives.iter().flat_map(of).collect()
}

fn alerts(scope: Scope<'_>) -> Vec<Panel> {
    let firing = format!(
        "max by (alertname, severity, objective, clause, window) (ALERTS{{app=\"{}\",alertstate=\"firing\"}})",
        scope.app
    );
    let panel = |title, description, kind, target| Panel {
        title,
        description,
        kind,
        unit: "none",
        width: HALF,
        targets: vec![target],
    };
    vec![
        panel(
            "Alerts firing",
            "Of the rules made by `mare render prometheus`. Empty is good.",
            Kind::Table,
            Target::new(firing, ""),
        ),
        panel(
            "Alerts of Maré itself",
            "1 while Maré's own evaluation of the same objectives has an alert firing.",
            Kind::Lines,
            Target::new(format!("max by (alert) (mare_alert_firing{OF_JOB})"), "{{alert}}"),
        ),
    ]
}

fn traffic() -> Vec<Panel> {
    let panel = |title, description, kind, unit, expr: String, legend: &str| Panel {
        title,
        description,
        kind,
        unit,
        width: HALF,
        targets: vec![Target::new(expr, legend)],
    };
    vec![
        panel(
            "Requests by route",
            "What routes answered, by class of status.",
            Kind::Stacked,
            "reqps",
            rate("route, status", "mare_requests_total", OF_ROUTE),
            "{{route}} {{status}}",
        ),
        panel(
            "Latency by route, P95",
            "From a request's head to the end of its answer.",
            Kind::Lines,
            "s",
            format!(
                "histogram_quantile(0.95, {})",
                rate("route, le", "mare_request_duration_seconds_bucket", OF_ROUTE)
            ),
            "{{route}}",
        ),
        panel(
            "Latency heat map",
            "How many requests took how long, and when. Two bands are two kinds of requests.",
            Kind::HeatMap,
            "s",
            format!(
                "sum by (le) (increase(mare_request_duration_seconds_bucket{OF_ROUTE}[$__rate_interval]))"
            ),
            "{{le}}",
        ),
        panel("Peak hours", PEAK_HOURS, Kind::Bars("hour"), "none", by_hour(), "{{hour}}"),
        panel(
            "Refusals",
            "What the gateway answered itself, by code. docs/errors has a page for each.",
            Kind::Stacked,
            "reqps",
            rate("code", "mare_refusals_total", OF_JOB),
            "{{code}}",
        ),
        panel(
            "Connections",
            "Open client connections, by listener.",
            Kind::Lines,
            "none",
            format!("sum by (listener) (mare_connections{OF_JOB})"),
            "{{listener}}",
        ),
    ]
}

const PEAK_HOURS: &str = "Requests in each hour of the day (UTC), on average over the last 7 days.";

/// Each full hour of the week gets the hour of the day that ended with it as a label; then the average of each.
fn by_hour() -> String {
    let hour = r#"count_values("hour", hour(vector(time() - 1)))"#;
    let requests = format!("sum(increase(mare_requests_total{OF_ROUTE}[1h]))");
    let average = format!("avg_over_time(({hour} * on () group_left () {requests})[7d:1h])");
    format!("label_replace(\n  {average},\n  \"hour\", \"0$1\", \"hour\", \"(.)\"\n)")
}

fn services() -> Vec<Panel> {
    let panel = |title, description, kind, unit, targets: &[(String, &str)]| Panel {
        title,
        description,
        kind,
        unit,
        width: THIRD,
        targets: targets.iter().map(|(expr, legend)| Target::new(expr, *legend)).collect(),
    };
    let sum = |by: &str, metric: &str| format!("sum by ({by}) ({metric}{OF_SERVICE})");
    // Starts are rare; most minutes have none.
    let start = format!("sum by (service, le) (rate(mare_instance_start_seconds_bucket{OF_SERVICE}[1h]))");
    vec![
        panel(
            "Instances",
            "By state, and how many the autoscaler wants.",
            Kind::Lines,
            "none",
            &[
                (sum("service, state", "mare_instances"), "{{service}} {{state}}"),
                (sum("service", "mare_desired_instances"), "{{service}} desired"),
            ],
        ),
        panel(
            "In flight and waiting",
            "Requests at instances, and those that wait for a free slot. Waiting for long means that instances start \
             slowly or that `max` is reached.",
            Kind::Lines,
            "none",
            &[
                (sum("service", "mare_in_flight_requests"), "{{service}} in flight"),
                (sum("service", "mare_waiting_requests"), "{{service}} waiting"),
            ],
        ),
        panel(
            "Scaling decisions",
            "Changes of the desired number, by reason.",
            Kind::Stacked,
            "none",
            &[(increase("service, reason", "mare_scaling_decisions_total"), "{{service}} {{reason}}")],
        ),
        panel(
            "CPU",
            "CPUs an instance uses: 1 is one whole CPU.",
            Kind::Lines,
            "none",
            &[(rate("service, exported_instance", "mare_instance_cpu_seconds", OF_SERVICE), INSTANCE)],
        ),
        panel(
            "Memory",
            "Resident memory of an instance's processes.",
            Kind::Lines,
            "bytes",
            &[(sum("service, exported_instance", "mare_instance_memory_bytes"), INSTANCE)],
        ),
        panel(
            "Starts and ends",
            "How long instances took from spawn to ready in the last hour, and how many ended. `failed` and `sick` deserve a look \
             at `mare logs`.",
            Kind::Lines,
            "s",
            &[
                (format!("histogram_quantile(0.95, {start})"), "{{service}} start, P95"),
                (increase("service, reason", "mare_instance_exits_total"), "{{service}} {{reason}}"),
            ],
        ),
    ]
}

const INSTANCE: &str = "{{exported_instance}}";

/// Per second, summed over all but the labels in `by`.
fn rate(by: &str, metric: &str, selector: &str) -> String {
    let sum = if by.is_empty() { "sum".to_owned() } else { format!("sum by ({by}) ") };
    format!("{sum}(rate({metric}{selector}[$__rate_interval]))")
}

/// How many between two points of the graph.
fn increase(by: &str, metric: &str) -> String {
    format!("sum by ({by}) (increase({metric}{OF_SERVICE}[$__rate_interval]))")
}
