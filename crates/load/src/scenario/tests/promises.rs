use std::collections::BTreeMap;
use std::time::Duration;

use mare_manifest::model::guard::Guards;
use mare_manifest::model::objective::{Limits, Objective, Percentile, Subject};
use mare_manifest::model::{PathPattern, Route, Target};

use super::super::promises;
use super::{read, with_steps};
use crate::run::{Limit, Promise};

const STEPS: &str = "
[[flows.steps]]
request = \"GET /api/items?a=${accounts.id}\"
[[flows.steps]]
request = \"POST /api/items\"
[[flows.steps]]
request = \"GET /api/items/${accounts.id}\"
[[flows.steps]]
request = \"GET /health\"
[[flows.steps]]
request = \"GET /x\"
headers = { host = \"shop.example.com\" }
[thresholds.slow]
step = \"GET /health\"
p99 = \"1s\"
errors = \"1%\"
[thresholds.all]
availability = \"99%\"
";

fn route(method: Option<&str>, host: Option<&str>, path: PathPattern, service: &str) -> Route {
    Route {
        name: "x".to_owned(),
        method: method.map(str::to_owned),
        host: host.map(str::to_owned),
        path,
        target: Target::Service(service.to_owned()),
        body: None,
        guards: Guards::default(),
        cache: None,
    }
}

fn steps_of(subject: Subject) -> Vec<usize> {
    let below = |path: &str| PathPattern::Below(path.to_owned());
    let routes = [
        route(None, None, below(""), "web"),
        route(None, None, below("/api"), "api"),
        route(Some("POST"), None, PathPattern::Exact("/api/items".to_owned()), "writer"),
        route(None, Some("*.example.com"), below(""), "shop"),
        route(None, Some("other.example.com"), PathPattern::Exact("/x".to_owned()), "other"),
    ];
    let limits = Limits { latency: vec![(Percentile::P95, Duration::from_millis(300))], ..Limits::default() };
    let objective = Objective { on: subject, limits, window: Duration::from_hours(1) };
    let scenario = read(&with_steps(STEPS)).expect("valid");
    let objectives = BTreeMap::from([("it".to_owned(), objective)]);
    promises(&scenario, &objectives, &routes).remove(0).steps
}

#[test]
fn an_objective_of_requests_is_about_the_steps_of_that_shape() {
    let check = |method: Option<&str>, path: PathPattern, expected: &[usize]| {
        let on = Subject::Requests { method: method.map(str::to_owned), path };
        assert_eq!(steps_of(on.clone()), expected, "{on:?}");
    };
    check(Some("GET"), PathPattern::Exact("/api/items".into()), &[0]);
    check(None, PathPattern::Exact("/api/items".into()), &[0, 1]);
    check(None, PathPattern::Below("/api/items".into()), &[0, 1, 2]);
    check(Some("DELETE"), PathPattern::Below(String::new()), &[]);
}

#[test]
fn an_objective_of_a_service_is_about_the_steps_that_lead_to_it() {
    let check = |name: &str, expected: &[usize]| {
        assert_eq!(steps_of(Subject::Service(name.into())), expected, "{name}");
    };
    check("api", &[0, 2]);
    check("writer", &[1]);
    check("web", &[3]);
    check("shop", &[4]);
    check("other", &[]);
}

#[test]
fn thresholds_are_promises_too() {
    let scenario = read(&with_steps(STEPS)).expect("valid");
    let promise = |name: &str, on: &str, steps: Vec<usize>, limits: Vec<Limit>| Promise {
        name: name.to_owned(),
        on: on.to_owned(),
        steps,
        limits,
    };
    let all = promise("all", "all steps", vec![0, 1, 2, 3, 4], vec![Limit::Availability { min: 0.99 }]);
    let limits = vec![Limit::Latency { quantile: 0.99, limit_us: 1_000_000 }, Limit::Errors { max: 0.01 }];
    let slow = promise("slow", "step GET /health", vec![3], limits);
    assert_eq!(
        serde_json::to_value(promises(&scenario, &BTreeMap::new(), &[])).expect("plain data"),
        serde_json::to_value([all, slow]).expect("plain data"),
    );
}
