//! The rules as promtool sees them.

use std::fs;
use std::process::Command;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;

/// The rules of an application `shop` with this manifest.
fn rules_of(manifest: &str, job: Option<&str>) -> String {
    let source = format!("[app]\nname = \"shop\"\n[services.api]\nrun = \"x\"\n{manifest}");
    let loaded = mare_manifest::load(&source, Path::new("mare.toml"), PathBuf::from("/a"), &|_| None);
    rules(&loaded.unwrap_or_else(|mistakes| panic!("{mistakes}")), job)
}

/// What the objectives are about.
const ROUTE: &str = "[[routes]]\nmatch = \"/*\"\nservice = \"api\"\n";

/// The rules of an objective with a clause of each kind.
fn read(window: &str) -> String {
    let manifest = format!(
        r#"
        {ROUTE}
        [objectives.read]
        service = "api"
        p95 = "300ms"
        p99 = "1s"
        errors = "0.5%"
        availability = "99.5%"
        window = "{window}"
        "#
    );
    rules_of(&manifest, None)
}

/// Runs promtool over the rules and perhaps a test of them; panics with what it says if it finds fault.
fn promtool(rules: &str, arguments: &[&str], test: &Value) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rules.yml"), rules).expect("writes");
    // Every JSON document is a YAML document.
    fs::write(folder.path().join("test.yml"), test.to_string()).expect("writes");
    let output = Command::new("promtool").args(arguments).current_dir(folder.path()).output();
    let output =
        output.expect("promtool is needed: install it, for example with `apt-get install prometheus`");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
}

#[test]
fn promtool_accepts_the_rules() {
    let check = |rules: &str| {
        promtool(rules, &["check", "rules", "--lint=all", "--lint-fatal", "rules.yml"], &json!({}));
    };
    check(&read("30d"));
    check(&read("1h"));
    let several = r#"
        [objectives.all-of-it]
        service = "api"
        p50 = "1ms"
        p999 = "7s"
        [objectives.b2]
        route = "GET /b*"
        errors = "0.001%"
        window = "7d"
        [alerts.slow]
        pix = "POST /api/pix over 5s"
    "#;
    check(&rules_of(&format!("{ROUTE}{several}"), Some(r#"it's "here" \o/"#)));
    check(&rules_of("", None));
}

/// A counter for each minute: `(per minute, minutes)` one after the other.
fn counter(pieces: &[(u64, u64)]) -> String {
    let mut at = 0;
    let pieces = pieces.iter().map(|&(step, minutes)| {
        let text = format!("{at}+{step}x{}", minutes - 1);
        at += step * minutes;
        text
    });
    pieces.collect::<Vec<_>>().join(" ")
}

/// What is asked at a minute, and the only number that is right; `None` for no answer.
type Question<'a> = (u64, &'a str, Option<f64>);

/// Asks about rules that were evaluated every minute over these series.
fn ask(rules: &str, series: &[(&str, String)], questions: &[Question<'_>]) {
    let series: Vec<Value> =
        series.iter().map(|(name, values)| json!({ "series": name, "values": values })).collect();
    let questions: Vec<Value> = questions
        .iter()
        .map(|(minute, expr, expected)| {
            let samples: Vec<Value> =
                expected.iter().map(|value| json!({ "labels": "{}", "value": value })).collect();
            json!({ "expr": expr, "eval_time": format!("{minute}m"), "exp_samples": samples })
        })
        .collect();
    let test = json!({
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{ "interval": "1m", "input_series": series, "promql_expr_test": questions }],
    });
    promtool(rules, &["test", "rules", "test.yml"], &test);
}

/// How many alerts fire for a clause and a long window.
fn firing(clause: &str, window: &str) -> String {
    format!(
        "count(ALERTS{{alertname=\"MareBudgetBurns\",alertstate=\"firing\",clause=\"{clause}\",\
         window=\"{window}\"}}) or vector(0)"
    )
}

const REQUESTS: &str = r#"mare_objective_requests_total{objective="read"}"#;
const ERRORS: &str = r#"mare_objective_errors_total{objective="read"}"#;
const TIMED: &str = r#"mare_objective_duration_seconds_count{objective="read"}"#;
const WITHIN_300MS: &str = r#"mare_objective_duration_seconds_bucket{objective="read",le="0.3"}"#;

#[test]
fn a_burn_fires_when_both_windows_exceed_and_clears_with_the_short_one() {
    // Three good hours, one with 10 % errors, one good.
    let series = [(REQUESTS, counter(&[(100, 300)])), (ERRORS, counter(&[(0, 180), (10, 60), (0, 60)]))];
    let page = &firing("errors", "1h");
    // 10 % for 44 of 60 minutes is above 14.4 * 0.5 %, for 43 it is not.
    // Afterwards 4 of 5 minutes are above it, 3 are not.
    let questions: [Question<'_>; 6] = [
        (180, page, Some(0.0)),
        (223, page, Some(0.0)),
        (224, page, Some(1.0)),
        (240, page, Some(1.0)),
        (241, page, Some(1.0)),
        (242, page, Some(0.0)),
    ];
    ask(&read("30d"), &series, &questions);
}

#[test]
fn each_pair_of_windows_has_its_threshold() {
    let check = |window: &str, errors: u64, expected: [f64; 4]| {
        let series = [(REQUESTS, counter(&[(10_000, 60)])), (ERRORS, counter(&[(errors, 60)]))];
        let asked = ["1h", "6h", "1d", "3d"].map(|window| firing("errors", window));
        let questions: Vec<Question<'_>> =
            asked.iter().zip(expected).map(|(expr, fires)| (59, expr.as_str(), Some(fires))).collect();
        ask(&read(window), &series, &questions);
    };
    // Of 10 000 requests 50 may fail; 14.4, 6, 3 and 1 times as many.
    check("30d", 49, [0.0, 0.0, 0.0, 0.0]);
    check("30d", 51, [0.0, 0.0, 0.0, 1.0]);
    check("30d", 149, [0.0, 0.0, 0.0, 1.0]);
    check("30d", 151, [0.0, 0.0, 1.0, 1.0]);
    check("30d", 299, [0.0, 0.0, 1.0, 1.0]);
    check("30d", 301, [0.0, 1.0, 1.0, 1.0]);
    check("30d", 719, [0.0, 1.0, 1.0, 1.0]);
    check("30d", 721, [1.0, 1.0, 1.0, 1.0]);
}

#[test]
fn a_few_bad_requests_fire_nothing() {
    let check = |errors: u64, expected: f64| {
        let series = [(REQUESTS, counter(&[(1, 60)])), (ERRORS, counter(&[(1, errors), (0, 60 - errors)]))];
        ask(&read("30d"), &series, &[(10, &firing("errors", "1h"), Some(expected))]);
    };
    check(9, 0.0);
    check(10, 1.0);
}

#[test]
fn a_slow_request_is_bad_for_the_latency_clause_only() {
    let series = [
        (REQUESTS, counter(&[(100, 60)])),
        (ERRORS, counter(&[(0, 60)])),
        (TIMED, counter(&[(100, 60)])),
        (WITHIN_300MS, counter(&[(20, 60)])),
    ];
    let [p95, errors] = ["p95", "errors"].map(|clause| firing(clause, "1h"));
    let bad =
        r#"sum(round(objective_clause:mare_objective_bad:ratio_rate5m{app="shop",clause="p95"}, 0.0001))"#;
    let questions: [Question<'_>; 3] =
        [(59, &p95, Some(1.0)), (59, &errors, Some(0.0)), (59, bad, Some(0.8))];
    ask(&read("30d"), &series, &questions);
}

#[test]
fn the_budget_is_counted_over_gateways_and_idle_time_spends_nothing() {
    let left = r#"sum(round(objective_clause:mare_objective_budget_left:ratio{clause="errors",window="30d"}, 0.01))"#;
    // One gateway carries a tenth of the requests and fails in 2.5 % of them.
    let uneven = [
        (r#"mare_objective_requests_total{objective="read",instance="a"}"#, counter(&[(900, 60)])),
        (r#"mare_objective_errors_total{objective="read",instance="a"}"#, counter(&[(0, 60)])),
        (r#"mare_objective_requests_total{objective="read",instance="b"}"#, counter(&[(1000, 6), (0, 54)])),
        (r#"mare_objective_errors_total{objective="read",instance="b"}"#, counter(&[(25, 6), (0, 54)])),
    ];
    let rules = read("30d");
    // 6 * 25 of 59 * 900 + 6 * 1000 failed: 0.254 %, of a budget of 0.5 %.
    ask(&rules, &uneven, &[(59, left, Some(0.49))]);
    let idle = [(REQUESTS, counter(&[(0, 60)])), (ERRORS, counter(&[(0, 60)]))];
    ask(&rules, &idle, &[(59, left, Some(1.0))]);
}

#[test]
fn silence_fires() {
    let absent = "count(ALERTS{alertname=\"MareObjectiveAbsent\",alertstate=\"firing\"}) or vector(0)";
    let check = |series: &[(&str, String)], questions: &[Question<'_>]| {
        ask(
            &rules_of(&format!("{ROUTE}[objectives.read]\nservice = \"api\"\np95 = \"300ms\""), None),
            series,
            questions,
        );
    };
    let until_stale = |minutes: u64| format!("{} stale _x30", counter(&[(100, minutes)]));
    let series = [(REQUESTS, until_stale(10)), (WITHIN_300MS, until_stale(10))];
    check(&series, &[(9, absent, Some(0.0)), (14, absent, Some(0.0)), (15, absent, Some(1.0))]);
    // The counts go on, but those of another limit.
    let other = r#"mare_objective_duration_seconds_bucket{objective="read",le="0.5"}"#;
    let series = [(REQUESTS, counter(&[(100, 30)])), (other, counter(&[(100, 30)]))];
    check(&series, &[(5, absent, Some(1.0))]);
    let series = [(REQUESTS, counter(&[(100, 30)])), (WITHIN_300MS, counter(&[(100, 30)]))];
    check(&series, &[(29, absent, Some(0.0))]);
}

#[test]
fn a_slow_request_fires_and_clears() {
    let rules = rules_of(
        &format!("{ROUTE}[alerts]\nclear = \"10m\"\nslow = {{ pix = \"POST /pix over 5s\" }}"),
        None,
    );
    let series = [(r#"mare_slow_requests_total{alert="pix"}"#, counter(&[(0, 20), (1, 1), (0, 39)]))];
    let fires =
        "count(ALERTS{alertname=\"MareSlowRequests\",alertstate=\"firing\",objective=\"pix\"}) or vector(0)";
    let questions: [Question<'_>; 4] =
        [(20, fires, Some(0.0)), (21, fires, Some(1.0)), (30, fires, Some(1.0)), (31, fires, Some(0.0))];
    ask(&rules, &series, &questions);
}

#[test]
fn an_alert_says_why_in_words() {
    let rules = read("30d");
    let test = json!({
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [
                { "series": REQUESTS, "values": "0+100x60" },
                { "series": r#"mare_objective_unavailable_total{objective="read"}"#, "values": "0+1x60" },
            ],
            "alert_rule_test": [{
                "eval_time": "59m",
                "alertname": "MareBudgetBurns",
                "exp_alerts": [{
                    "exp_labels": {
                        "app": "shop", "objective": "read", "clause": "availability", "severity": "ticket",
                        "window": "3d",
                    },
                    "exp_annotations": {
                        "summary": "read: availability ≥ 99.5% is at risk, at this rate its error budget lasts 30d",
                        "description": "In the last 3d, 1% of the requests got no answer of the service; 0.5% may. \
                            That is a burn rate of more than 1, in the last 6h too. \
                            Going on like this spends the whole error budget of 30d within 30d.",
                    },
                }],
            }],
        }],
    });
    promtool(&rules, &["test", "rules", "test.yml"], &test);
}

const MANUAL: &str = include_str!("../../../../../docs/monitoring.md");

#[test]
fn the_manual_names_every_alert_and_recorded_series() {
    let rules = rules_of(
        &format!(
            "{ROUTE}[objectives.a]\nservice = \"api\"\np95 = \"1s\"\n[alerts]\nslow = {{ b = \"/b over 1s\" }}"
        ),
        None,
    );
    let after =
        |key| rules.lines().filter_map(move |line| line.trim_start_matches([' ', '-']).strip_prefix(key));
    for alert in after("alert: ") {
        assert!(MANUAL.contains(&format!("\n### {alert}\n")), "{alert}");
    }
    let series: Vec<&str> = after("record: ").map(|series| series.trim_matches(['"', '\''])).collect();
    assert!(series.len() > 5, "{rules}");
    for name in series.into_iter().filter(|name| !name.starts_with(series::BAD)) {
        assert!(MANUAL.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn promtool_accepts_the_configurations_in_the_manual() {
    let blocks: Vec<&str> =
        MANUAL.split("```yaml prometheus\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        promtool(block, &["check", "config", "--syntax-only", "rules.yml"], &json!({}));
    }
}
