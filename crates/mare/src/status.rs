//! `mare status`

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use mare_fleet::status::{InstanceStatus, ServiceStatus};
use mare_telemetry::alert::severity_text;
use mare_telemetry::slo::{ObjectiveReport, Report};
use serde::Deserialize;

use crate::{admin, cli};

const REDRAW_EVERY: Duration = Duration::from_secs(1);

/// The part of `/api/status` that is shown.
#[derive(Debug, Deserialize)]
struct Document {
    app: String,
    public_url: String,
    services: Vec<ServiceStatus>,
    slo: Report,
}

pub(crate) async fn run(arguments: cli::Status) -> Result<()> {
    loop {
        let response = admin::get(&arguments.platform, "/api/status").await?;
        let text = admin::text(response).await?;
        if arguments.json {
            crate::print(&format!("{text}\n"));
        } else {
            let document: Document =
                serde_json::from_str(&text).context("the status is of another version of mare")?;
            let home = if arguments.watch { "\x1b[2J\x1b[H" } else { "" };
            crate::print(&format!("{home}{}", table(&document)));
        }
        if !arguments.watch {
            return Ok(());
        }
        tokio::time::sleep(REDRAW_EVERY).await;
    }
}

fn table(document: &Document) -> String {
    let mut out = format!("{}  {}\n\n", document.app, document.public_url);
    let name = document.services.iter().map(|service| service.name.len()).max().unwrap_or(0).max(7);
    let _ = writeln!(
        out,
        "{:name$}  {:>9}  {:>9}  {:>7}  {:>8}  WHY",
        "SERVICE", "INSTANCES", "IN FLIGHT", "WAITING", "FAILURES"
    );
    for service in &document.services {
        let ready = service.instances.iter().filter(|one| one.state == "ready").count();
        let _ = writeln!(
            out,
            "{:name$}  {:>9}  {:>9}  {:>7}  {:>8}  {}",
            service.name,
            format!("{ready}/{} of {}", service.desired, service.max),
            service.in_flight,
            service.waiting,
            service.failures,
            service.reason
        );
    }
    let mut instances = document.services.iter().flat_map(|service| &service.instances).peekable();
    if instances.peek().is_some() {
        let _ = writeln!(
            out,
            "\n{:16}  {:9}  {:>7}  {:>9}  {:>8}  {:>8}  ADDRESS",
            "INSTANCE", "STATE", "AGE", "IN FLIGHT", "CPU", "MEMORY"
        );
    }
    for instance in instances {
        out.push_str(&line(instance));
    }
    out += &objectives(&document.slo);
    for service in &document.services {
        if let Some(failure) = &service.last_failure {
            let _ = writeln!(out, "\n{}", failure.message);
            for line in &failure.output {
                let _ = writeln!(out, "  | {line}");
            }
        }
    }
    out
}

/// A line for each objective, showing the limit with the least budget left, and one for each alert.
fn objectives(report: &Report) -> String {
    let mut out = String::new();
    let name = report.objectives.iter().map(|objective| objective.name.len()).max().unwrap_or(0).max(9);
    if !report.objectives.is_empty() {
        let _ = writeln!(
            out,
            "\n{:name$}  {:>9}  {:>8}  {:>11}  {:>6}  TIGHTEST LIMIT",
            "OBJECTIVE", "REQUESTS", "GOOD", "BUDGET LEFT", "BURN"
        );
    }
    for objective in &report.objectives {
        let ObjectiveReport { on, window, requests, .. } = objective;
        let Some(clause) = objective.tightest() else { continue };
        let percent = |ratio: f64| format!("{}%", (ratio * 100_000.0).round() / 1000.0);
        // Over the shortest window, so that it says what is going on now.
        let burn = clause.burn_rates.first().map_or("-".to_owned(), |burn| format!("{:.1}x", burn.rate));
        let _ = writeln!(
            out,
            "{:name$}  {requests:>9}  {:>8}  {:>11}  {burn:>6}  {} of {on} in {window}",
            objective.name,
            clause.measured.map_or("-".to_owned(), percent),
            format!("{:.0}%", clause.budget_left * 100.0),
            clause.limit,
        );
    }
    for alert in &report.alerts {
        let severity = severity_text(alert.severity);
        let _ = write!(out, "\nalert {} ({severity}) since {}: {}", alert.alert, alert.since, alert.reason);
    }
    out + if report.alerts.is_empty() { "" } else { "\n" }
}

fn line(instance: &InstanceStatus) -> String {
    format!(
        "{:16}  {:9}  {:>7}  {:>9}  {:>8}  {:>8}  {}\n",
        instance.id,
        instance.state,
        age(instance.age_seconds),
        instance.in_flight,
        format!("{:.1}s", instance.cpu_seconds),
        format!("{}M", instance.memory_bytes / (1024 * 1024)),
        instance.address.as_deref().unwrap_or("-"),
    )
}

fn age(seconds: f64) -> String {
    match seconds {
        short if short < 100.0 => format!("{short:.1}s"),
        minutes if minutes < 6000.0 => format!("{:.0}m", minutes / 60.0),
        hours => format!("{:.0}h", hours / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lines_up() {
        let instance = InstanceStatus {
            id: "api-12".into(),
            state: "ready".into(),
            address: Some("127.0.0.1:20001".into()),
            pid: Some(7),
            in_flight: 3,
            age_seconds: 61.25,
            cpu_seconds: 1.5,
            memory_bytes: 33 * 1024 * 1024,
        };
        let service = ServiceStatus {
            name: "api".into(),
            desired: 2,
            reason: "load".into(),
            min: 0,
            max: 10,
            concurrency: 80,
            in_flight: 3,
            waiting: 1,
            instances: vec![instance],
            failures: 0,
            last_failure: None,
        };
        let slo = serde_json::from_value(serde_json::json!({
            "evaluated_at": null,
            "objectives": [{ "name": "read", "on": "GET /items", "window": "30d", "requests": 1000, "clauses": [
                { "clause": "p95", "limit": "P95 ≤ 300ms", "target": 0.95, "good": 1000, "total": 1000,
                  "measured": 1.0, "met": true, "budget_left": 1.0, "exhausted_in_seconds": null, "burn_rates": [] },
                { "clause": "errors", "limit": "errors ≤ 0.5%", "target": 0.995, "good": 999, "total": 1000,
                  "measured": 0.999, "met": true, "budget_left": 0.8, "exhausted_in_seconds": 9,
                  "burn_rates": [{ "window": "5m", "rate": 0.21 }, { "window": "1h", "rate": 0.2 }] },
            ] }],
            "alerts": [{ "alert": "pix", "severity": "page", "since": "2026-11-21T10:00:00Z",
                "reason": "1 request of POST /pix took longer than 5s" }],
        }));
        let document = Document {
            app: "shop".into(),
            public_url: "http://a".into(),
            services: vec![service],
            slo: slo.expect("a report"),
        };
        let expected = "\
shop  http://a

SERVICE  INSTANCES  IN FLIGHT  WAITING  FAILURES  WHY
api      1/2 of 10          3        1         0  load

INSTANCE          STATE          AGE  IN FLIGHT       CPU    MEMORY  ADDRESS
api-12            ready        61.2s          3      1.5s       33M  127.0.0.1:20001

OBJECTIVE   REQUESTS      GOOD  BUDGET LEFT    BURN  TIGHTEST LIMIT
read            1000     99.9%          80%    0.2x  errors ≤ 0.5% of GET /items in 30d

alert pix (page) since 2026-11-21T10:00:00Z: 1 request of POST /pix took longer than 5s
";
        assert_eq!(table(&document), expected);
    }
}
