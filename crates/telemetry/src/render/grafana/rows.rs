//! What the dashboard shows.
//!
//! Every query is confined to the chosen jobs, and sums over gateways. Prometheus calls the label `instance` of
//! Maré's own metrics `exported_instance`, because the target that was scraped is an `instance` too.

mod objective;

use mare_manifest::Manifest;

use super::Row;
use super::panel::{Kind, Panel, Target};
use crate::render::series::Scope;

const OF_SERVICE: &str = r#"{job=~"$job",service=~"$service"}"#;
const OF_ROUTE: &str = r#"{job=~"$job",route=~"$route"}"#;
const OF_JOB: &str = r#"{job=~"$job"}"#;

const THIRD: u32 = 8;
const HALF: u32 = 12;

pub(super) fn all(scope: Scope<'_>, manifest: &Manifest) -> Vec<Row> {
    let objectives = (!manifest.objectives.is_empty()).then(|| Row {
        title: "Objective $objective",
        repeat: Some("objective"),
        panels: objective::panels(scope, manifest),
    });
    let alerts = Row { title: "Alerts", repeat: None, panels: alerts(scope) };
    let traffic = Row { title: "Traffic", repeat: None, panels: traffic() };
    let services = Row { title: "Services", repeat: None, panels: services() };
    objectives.into_iter().chain([alerts, traffic, services]).collect()
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
