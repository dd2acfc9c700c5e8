//! `mare status`

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use mare_fleet::status::{InstanceStatus, ServiceStatus};
use serde::Deserialize;

use crate::{admin, cli};

const REDRAW_EVERY: Duration = Duration::from_secs(1);

/// The part of `/api/status` that is shown.
#[derive(Debug, Deserialize)]
struct Document {
    app: String,
    public_url: String,
    services: Vec<ServiceStatus>,
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
        let document =
            Document { app: "shop".into(), public_url: "http://a".into(), services: vec![service] };
        let expected = "\
shop  http://a

SERVICE  INSTANCES  IN FLIGHT  WAITING  FAILURES  WHY
api      1/2 of 10          3        1         0  load

INSTANCE          STATE          AGE  IN FLIGHT       CPU    MEMORY  ADDRESS
api-12            ready        61.2s          3      1.5s       33M  127.0.0.1:20001
";
        assert_eq!(table(&document), expected);
    }
}
