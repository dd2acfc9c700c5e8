use mare_slo::Verdict;
use mare_slo::knee::{Knee, Level};

use crate::judge::Findings;
use crate::report::{Style, html, json, seconds_csv, series, steps_csv, text};
use crate::run::{Ended, Run, StageRun};

mod sample;

/// The project's promise for a page of any run.
const PAGE_BYTES_MAX: usize = 300_000;

fn knee() -> Knee {
    let level = |level, violated, verdict| Level { level, windows: 20, violated, verdict };
    Knee {
        holds: Some(820.0),
        breaks: Some(860.0),
        interval: Some((795.0, 870.0)),
        verdict: Verdict::Pass,
        levels: vec![
            level(500.0, 0, Verdict::Pass),
            level(1125.0, 20, Verdict::Fail),
            level(820.0, 1, Verdict::Pass),
            level(860.0, 9, Verdict::Fail),
        ],
    }
}

/// One run for each way a run can be.
fn runs() -> Vec<(&'static str, Run, Findings)> {
    let with = |change: fn(&mut Run)| {
        let mut run = sample::short();
        change(&mut run);
        run
    };
    let nothing =
        Findings { verdict: Verdict::Invalid, why: Vec::new(), promises: Vec::new(), stages: Vec::new() };
    vec![
        ("pass", sample::run(), sample::findings()),
        ("fail", sample::short(), sample::failing()),
        ("empty", sample::empty(), nothing.clone()),
        ("gave-up", with(|run| run.ended = Ended::GaveUp("connection refused".to_owned())), nothing),
        ("interrupted", with(|run| run.ended = Ended::Interrupted), sample::findings()),
        ("not-a-mare", with(|run| run.platform.clear()), sample::findings()),
        ("one-second", with(|run| run.seconds.truncate(1)), sample::findings()),
        ("knee", with(|run| run.knee = Some(knee())), sample::findings()),
    ]
}

#[test]
fn every_page_is_small_and_loads_nothing() {
    for (name, run, findings) in runs() {
        let page = html(&run, &findings);
        if let Ok(folder) = std::env::var("MARE_REPORT_SAMPLES") {
            std::fs::write(format!("{folder}/{name}.html"), &page).expect("a folder to look at them in");
        }
        assert!(page.len() < PAGE_BYTES_MAX, "{name}: {} bytes", page.len());
        for loads in ["src=", "href=", "@import", "<link", "<img", "<iframe", "<object"] {
            assert!(!page.contains(loads), "{name} has {loads}");
        }
        let elsewhere = page.split("url(").skip(1).find(|target| !target.starts_with("#clip-"));
        assert_eq!(elsewhere, None, "{name}");
        assert_eq!(page.matches("<script").count(), 1, "{name}: its data, which no browser runs");
    }
}

#[test]
fn a_longer_run_is_thinned() {
    let mut run = sample::run();
    let seconds = run.seconds.clone();
    for at in 0..1_600_u32 {
        let mut second = seconds[at as usize % seconds.len()].clone();
        second.at = at;
        run.seconds.push(second);
    }
    run.seconds.drain(..seconds.len());
    let page = html(&run, &sample::findings());
    assert!(page.len() < PAGE_BYTES_MAX, "{} bytes", page.len());
    let data = data_of(&page);
    assert_eq!(data["seconds"]["at_s"].as_array().unwrap().len(), 800);
    assert_eq!(data["summary"]["duration_s"], 1600);
}

#[test]
fn the_verdict_comes_first() {
    for (name, run, findings) in runs() {
        let page = html(&run, &findings);
        let verdict = findings.verdict.to_string();
        let first = page.find("<p class=\"verdict\">").unwrap();
        assert!(page[first..].contains(&verdict), "{name}");
        assert!(page.find("<h2>").is_none_or(|head| first < head), "{name}");
        assert!(text(&run, &findings, Style::Plain).starts_with(&verdict), "{name}");
    }
}

#[test]
fn what_a_run_says_is_text_never_markup() {
    const HOSTILE: &str =
        "</script></style><script>alert(1)</script><img src=x onerror=\"alert(2)\">'&\u{1b}[31m$x$";
    let mut run = sample::short();
    run.scenario = HOSTILE.to_owned();
    run.target = HOSTILE.to_owned();
    run.ended = Ended::GaveUp(HOSTILE.to_owned());
    run.conditions.scenario_source = HOSTILE.to_owned();
    run.conditions.command = vec![HOSTILE.to_owned()];
    run.conditions.machine.cpu = HOSTILE.to_owned();
    run.promises[0].name = HOSTILE.to_owned();
    run.promises[0].on = HOSTILE.to_owned();
    run.steps[0].name = HOSTILE.to_owned();
    run.steps[0].request = HOSTILE.to_owned();
    run.seconds[9].steps[0].failures.insert(HOSTILE.to_owned(), 3);
    for sample in &mut run.platform {
        let api = sample.services["api"].clone();
        sample.services.insert(HOSTILE.to_owned(), api);
    }
    let mut findings = sample::failing();
    findings.why.push(HOSTILE.to_owned());
    findings.stages[0].unhealthy.push(HOSTILE.to_owned());

    let page = html(&run, &findings);
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    assert_eq!(page.matches("</style").count(), 1);
    assert!(!page.contains("<img"));
    assert!(page.contains("&lt;img src=x onerror=&quot;alert(2)&quot;&gt;"));
    let data = data_of(&page);
    assert_eq!(data["summary"]["scenario"], HOSTILE);

    assert!(!text(&run, &findings, Style::Plain).contains('\u{1b}'));
}

/// What another program reads from the page.
fn data_of(page: &str) -> serde_json::Value {
    let (_, after) = page.split_once("id=\"mare-report\">").unwrap();
    let (data, _) = after.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn a_page_holds_its_seconds() {
    let run = sample::short();
    let data = data_of(&html(&run, &sample::findings()));
    let seconds = data["seconds"].as_object().unwrap();
    for (name, column) in seconds {
        assert_eq!(column.as_array().unwrap().len(), run.seconds.len(), "{name}");
    }
    let requests: u64 = seconds["requests"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(data["summary"]["total"]["requests"], requests);
}

#[test]
fn the_picture_of_levels_marks_those_that_do_not_count() {
    let shaded =
        |findings| html(&sample::short(), &findings).matches("var(--invalid)\" fill-opacity").count();
    assert_eq!(shaded(sample::findings()), 0);
    assert!(shaded(sample::failing()) > 0);
}

#[test]
fn levels_are_the_holds_or_parts_of_a_ramp() {
    let check = |run: &Run, expected: usize| {
        let levels = series::levels(run, |_| true);
        assert_eq!(levels.len(), expected);
        assert!(levels.is_sorted_by(|a, b| a.level < b.level));
    };
    let mut run = sample::short();
    check(&run, 6);
    run.stages = vec![StageRun { level: 1000.0, from: 0, holds_from: 120, until: 120 }];
    run.seconds.drain(..1); // the first has no requests
    check(&run, 20);
    run.stages[0].level = 0.0;
    check(&run, 1);
    html(&run, &sample::findings());
    check(&sample::empty(), 0);
}

#[test]
fn an_objective_the_scenario_does_not_exercise_is_not_judged() {
    let (run, findings) = (sample::short(), sample::findings());
    for report in [html(&run, &findings), text(&run, &findings, Style::Plain)] {
        assert_eq!(report.matches("not exercised by this scenario").count(), 1);
    }
}

#[test]
fn a_knee_comes_with_its_interval_and_what_ran_out() {
    let (_, run, findings) = runs().pop().unwrap();
    let sentence = "hold up to 820 users and break at 860 users (95 %: 795 – 870 users)";
    let first = "api had all its 10 instances running while requests waited";
    let mut run = run;
    for sample in run.platform.iter_mut().rev().take(20) {
        sample.services.get_mut("api").unwrap().waiting = 4;
    }
    for report in [html(&run, &findings), text(&run, &findings, Style::Plain)] {
        assert!(report.contains(sentence));
        assert!(report.contains(first));
    }
}

#[test]
fn the_terminals_text_fits_it() {
    for (name, run, findings) in runs() {
        let plain = text(&run, &findings, Style::Plain);
        let widest = plain.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 100, "{name}: {widest} columns\n{plain}");
        assert!(!plain.contains('\u{1b}'), "{name}");
        let coloured = text(&run, &findings, Style::Coloured);
        assert!(coloured.starts_with("\u{1b}[1;"), "{name}");
    }
}

#[test]
fn csv_reads_back() {
    let run = sample::short();
    let check = |csv: &str, rows: usize| {
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
        let (step, requests, p95) = (column("step"), column("requests"), column("p95_ms"));
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), rows);
        for record in &records {
            assert!(["list", "create", "accounts"].contains(&&record[step]));
            let measured = record[requests].parse::<u64>().unwrap() > 0;
            assert_eq!(measured, record[p95].parse::<f64>().is_ok());
        }
    };
    check(&seconds_csv(&run), run.seconds.len() * 3);
    check(&steps_csv(&run), run.stages.len() * 3);

    let empty = sample::empty();
    check(&seconds_csv(&empty), 0);
    check(&steps_csv(&empty), 3);
}

#[test]
fn json_names_units_and_keeps_its_form() {
    let json: serde_json::Value = serde_json::from_str(&json(&sample::short(), &sample::failing())).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["verdict"], "FAIL");
    assert_eq!(json["duration_s"], 120);
    let write = &json["objectives"][3];
    assert_eq!(write["name"], "write");
    assert_eq!(write["measured"]["key"], "p95");
    assert_eq!(write["measured"]["unit"], "ms");
    assert_eq!(write["measured"]["limit"], 300.0);
    assert!(write["measured"]["margin_ratio"].as_f64().unwrap() < 0.0);
    assert!(json["steps"][0]["measures"]["response"]["p95_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(json["failures"][0]["kind"], "status 503");
}
