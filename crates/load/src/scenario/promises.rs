//! Which steps of a scenario an objective is about.

use std::borrow::Cow;
use std::collections::BTreeMap;

use mare_manifest::model::objective::{Limits, Objective, Subject};
use mare_manifest::model::{Route, Target};
use mare_slo::Clause;

use super::{Part, Scenario, Step, Template};
use crate::run::{Limit, Promise};

/// Stands for a value in a path: no pattern holds it.
const UNKNOWN: &str = "\0";

/// What a run of this scenario has to keep: the objectives, then the scenario's own thresholds. `routes` are the
/// manifest's. An objective no step is about is there too, without steps.
pub fn promises(
    scenario: &Scenario,
    objectives: &BTreeMap<String, Objective>,
    routes: &[Route],
) -> Vec<Promise> {
    let which = |concerns: &dyn Fn(&Step) -> bool| {
        let steps = scenario.steps().enumerate();
        steps.filter(|(_, (_, step))| concerns(step)).map(|(index, _)| index).collect()
    };
    let host = host(&scenario.target.url);
    // No user of a load test waits for a task.
    let is_of_requests = |(_, objective): &(&String, &Objective)| match objective.on {
        Subject::Requests { .. } | Subject::Service(_) => true,
        Subject::Queue(_) | Subject::Backlog(_) => false,
    };
    let objective = |(name, objective): (&String, &Objective)| Promise {
        name: name.clone(),
        on: objective.on.to_string(),
        steps: which(&|step| concerns(&objective.on, step, routes, &host)),
        limits: limits(&objective.limits),
    };
    let thresholds = scenario.thresholds.iter().map(|(name, threshold)| Promise {
        name: name.clone(),
        on: threshold.step.as_ref().map_or("all steps".to_owned(), |step| format!("step {step}")),
        steps: which(&|step| threshold.step.as_ref().is_none_or(|wanted| *wanted == step.name)),
        limits: limits(&threshold.limits),
    });
    objectives.iter().filter(is_of_requests).map(objective).chain(thresholds).collect()
}

fn limits(limits: &Limits) -> Vec<Limit> {
    let limit = |clause: Clause| match clause {
        Clause::Latency { percentile, limit } => Limit::Latency {
            quantile: percentile.quantile(),
            limit_us: u64::try_from(limit.as_micros()).unwrap_or(u64::MAX),
        },
        Clause::Errors { max } => Limit::Errors { max },
        Clause::Availability { min } => Limit::Availability { min },
    };
    Clause::of(limits).into_iter().map(limit).collect()
}

fn concerns(subject: &Subject, step: &Step, routes: &[Route], host: &str) -> bool {
    let path = path_shape(&step.path);
    match subject {
        Subject::Requests { method, path: pattern } => {
            method.as_ref().is_none_or(|method| method == step.method.as_str()) && pattern.matches(&path)
        }
        Subject::Service(name) => {
            let named = step.headers.iter().find(|(name, _)| name == http::header::HOST);
            let host = named.and_then(|(_, value)| value.as_literal()).unwrap_or(host);
            let route = route_of(step.method.as_str(), &path, host, routes);
            route.is_some_and(|route| matches!(&route.target, Target::Service(found) if found == name))
        }
        Subject::Queue(_) | Subject::Backlog(_) => false,
    }
}

/// The route the gateway would take: host counts before path, path before method.
fn route_of<'r>(method: &str, path: &str, host: &str, routes: &'r [Route]) -> Option<&'r Route> {
    let takes = |route: &&Route| {
        // A GET route serves HEAD too (RFC 9110, 9.3.2).
        let method_fits = |wanted: &String| wanted == method || (wanted == "GET" && method == "HEAD");
        route.method.as_ref().is_none_or(method_fits)
            && route.host.as_deref().is_none_or(|wanted| is_host(wanted, host))
            && route.path.matches(path)
    };
    let specificity = |route: &&Route| {
        let host = route.host.as_ref().map(|host| (!host.starts_with('*'), host.len()));
        (host, route.path.specificity(), route.method.is_some())
    };
    routes.iter().filter(takes).max_by_key(specificity)
}

/// `*.example.com` takes exactly one more label.
fn is_host(wanted: &str, host: &str) -> bool {
    match wanted.strip_prefix("*.") {
        Some(domain) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
        None => host.eq_ignore_ascii_case(wanted),
    }
}

/// The host of `http://host:port`, without its port.
fn host(url: &str) -> String {
    let uri: Option<http::Uri> = url.parse().ok();
    uri.as_ref().and_then(http::Uri::host).unwrap_or_default().to_owned()
}

/// The path with a mark for each value that only the run will know.
fn path_shape(path: &Template) -> String {
    let shape: String = path.0.iter().map(part_shape).collect();
    shape.split('?').next().unwrap_or_default().to_owned()
}

fn part_shape(part: &Part) -> Cow<'_, str> {
    match part {
        Part::Literal(text) => Cow::Borrowed(text),
        Part::Given(text) => Cow::Borrowed(text.reveal()),
        Part::Encoded { encoding, part } if matches!(**part, Part::Given(_)) => {
            Cow::Owned(encoding.encoded(&part_shape(part)))
        }
        _ => Cow::Borrowed(UNKNOWN),
    }
}
