use std::collections::BTreeMap;

use jiff::Timestamp;
use mare_slo::knee::{Generator, Level};
use mare_slo::{Latencies, Sparse, Tally};

use super::*;
use crate::run::{
    Conditions, GeneratorSample, Judged, PlatformSample, ServiceSample, StageRun, StepRun, StepSecond,
};

const SECONDS: u32 = 60;

const P95: Limit = Limit::Latency { quantile: 0.95, limit_us: 300_000 };
const ERRORS: Limit = Limit::Errors { max: 0.005 };

fn sparse(parts: &[(usize, u64)]) -> Sparse {
    let mut latencies = Latencies::default();
    for &(count, ms) in parts {
        latencies.extend(std::iter::repeat_n(Duration::from_millis(ms), count));
    }
    latencies.sparse()
}

/// 100 requests a second of the step `read`, of which `slow` take 400 ms and the others 100 ms.
fn second(at: u32, slow: usize) -> Second {
    let response = sparse(&[(slow, 400), (100 - slow, 100)]);
    let tally = Tally { total: 100, errors: 0, unavailable: 0 };
    let steps = vec![StepSecond { tally, response, ..StepSecond::default() }];
    Second { at, users: 100, wanted: 100, begun: 100, lag: sparse(&[(100, 1)]), steps }
}

/// A minute at 100 users, in which everything is as it should be.
fn run() -> Run {
    let at = |at: u32| f64::from(at);
    let generator = |s| GeneratorSample {
        at: at(s),
        threads: vec![0.3, 0.4],
        machine: 0.6,
        ..GeneratorSample::default()
    };
    let service = ServiceSample { ready: 2, max: 10, ..ServiceSample::default() };
    let platform =
        |s| PlatformSample { at: at(s), services: BTreeMap::from([("api".to_owned(), service.clone())]) };
    Run {
        version: Run::VERSION,
        scenario: "read".to_owned(),
        target: "http://127.0.0.1:8080".to_owned(),
        http: "HTTP/1.1".to_owned(),
        started: Timestamp::UNIX_EPOCH,
        ended: Ended::Completed,
        judged: Judged::IntendedStart,
        open: false,
        stages: vec![StageRun { level: 100.0, from: 0, holds_from: 10, until: SECONDS }],
        steps: vec![StepRun {
            flow: "read".to_owned(),
            name: "read".to_owned(),
            request: "GET /".to_owned(),
        }],
        seconds: (0..SECONDS).map(|at| second(at, 1)).collect(),
        platform: (1..=SECONDS).map(platform).collect(),
        generator: (1..=SECONDS).map(generator).collect(),
        promises: vec![Promise {
            name: "read".to_owned(),
            on: "step read".to_owned(),
            steps: vec![0],
            limits: vec![P95, ERRORS],
        }],
        knee: None,
        notes: vec![],
        conditions: Conditions::default(),
    }
}

fn slow(run: &mut Run) {
    run.seconds = (0..SECONDS).map(|at| second(at, 20)).collect();
}

/// Changes the run, and compares its verdict and the beginning of each of its first sentences.
fn check(change: impl FnOnce(&mut Run), verdict: Verdict, sentences: &[&str]) {
    let mut run = run();
    change(&mut run);
    let findings = run.findings();
    assert_eq!(findings.verdict, verdict, "{:#?}", findings.why);
    assert!(findings.why.len() >= sentences.len(), "{:#?}", findings.why);
    for (why, sentence) in findings.why.iter().zip(sentences) {
        assert!(why.starts_with(sentence), "{why:?} is not {sentence:?}");
    }
}

#[test]
fn a_healthy_run_passes_or_fails_by_its_promises() {
    check(
        |_| {},
        Verdict::Pass,
        &[
            "read: P95 was 100 ms (95 %: 100 ms to 100 ms), the limit is 300 ms",
            "read: errors were 0 % (95 %: 0 % to 0.064 %), the limit is 0.5 %",
            "the generator was healthy throughout",
        ],
    );
    check(
        slow,
        Verdict::Fail,
        &[
            "read: P95 was 400 ms (95 %: 400 ms to 400 ms), the limit is 300 ms",
            "what ran out first: neither instances",
        ],
    );
    check(
        |run| run.seconds.iter_mut().for_each(|second| second.steps[0].tally.errors = 2),
        Verdict::Fail,
        &["read: errors were 2 % (95 %: 1.675 % to 2.386 %), the limit is 0.5 %"],
    );
}

#[test]
fn what_cannot_be_told_is_inconclusive() {
    check(|run| run.promises.clear(), Verdict::Inconclusive, &["nothing was promised"]);
    check(|run| run.promises[0].steps.clear(), Verdict::Inconclusive, &["the scenario exercises nothing"]);
    check(|run| run.seconds.clear(), Verdict::Inconclusive, &["read: there was no request, so P95 ≤ 300ms"]);
    check(
        |run| run.seconds.truncate(5),
        Verdict::Inconclusive,
        &["read: errors were 0 % (95 %: 0 % to 0.762 %), the limit is 0.5 %, which is too uncertain to tell"],
    );
    let unknown = Limit::Latency { quantile: 0.97, limit_us: 300_000 };
    check(|run| run.promises[0].limits = vec![ERRORS, unknown], Verdict::Inconclusive, &[]);
}

#[test]
fn an_unhealthy_generator_proves_nothing() {
    fn generators(change: impl Fn(&mut GeneratorSample)) -> impl FnOnce(&mut Run) {
        move |run| {
            slow(run);
            run.generator.iter_mut().for_each(change);
        }
    }
    check(
        generators(|sample| sample.threads[1] = 0.93),
        Verdict::Invalid,
        &["stage 1 (100 users): the generator's thread 1 was busy 93 % of the time (median)"],
    );
    check(
        generators(|sample| sample.steal = 0.08),
        Verdict::Invalid,
        &["stage 1 (100 users): the machine's host took 8 % of its CPU time"],
    );
    let late =
        |ms| move |run: &mut Run| run.seconds.iter_mut().for_each(|second| second.lag = sparse(&[(100, ms)]));
    check(late(29), Verdict::Pass, &[]);
    check(
        late(31),
        Verdict::Invalid,
        &["stage 1 (100 users): requests were sent late: the dispatch lag's P99 was 31 ms, at most 30 ms"],
    );
    // Without a latency limit, the measured P95 of 100 ms stands for it.
    let unlimited = |ms| {
        move |run: &mut Run| {
            late(ms)(run);
            run.promises[0].limits = vec![ERRORS];
        }
    };
    check(unlimited(9), Verdict::Pass, &[]);
    check(unlimited(11), Verdict::Invalid, &[]);
}

#[test]
fn a_short_saturation_is_no_reason() {
    check(
        |run| run.generator.iter_mut().take(20).for_each(|sample| sample.threads[0] = 1.0),
        Verdict::Pass,
        &[],
    );
}

#[test]
fn a_rate_not_reached_spoils_a_pass_but_not_a_fail() {
    let short = |run: &mut Run| {
        run.open = true;
        run.seconds.iter_mut().for_each(|second| second.begun = 95);
    };
    check(
        short,
        Verdict::Invalid,
        &["stage 1 (100 flows/s): the arrival rate was not reached: 5700 of 6000 flows (95 %) began"],
    );
    check(
        |run| {
            slow(run);
            short(run);
        },
        Verdict::Fail,
        &["stage 1 (100 flows/s): the arrival rate"],
    );
}

#[test]
fn a_run_that_was_given_up_fails_and_an_interrupted_one_is_judged() {
    let reason = "connection refused".to_owned();
    check(
        |run| {
            run.ended = Ended::GaveUp(reason);
            run.seconds.clear();
            run.generator.iter_mut().for_each(|sample| sample.threads[0] = 1.0);
        },
        Verdict::Fail,
        &["the run was given up: connection refused", "stage 1 (100 users): the generator's thread 0"],
    );
    check(
        |run| {
            run.ended = Ended::Interrupted;
            run.seconds.truncate(40);
        },
        Verdict::Pass,
        &["interrupted after 40 s: judged on what was done until then"],
    );
}

#[test]
fn a_generator_that_failed_proves_nothing() {
    let reason = "process 1 of the generator ended".to_owned();
    check(
        |run| {
            slow(run);
            run.ended = Ended::Broke(reason);
        },
        Verdict::Invalid,
        &["the load generator failed: process 1 of the generator ended"],
    );
}

#[test]
fn the_notes_of_a_run_are_told() {
    let mut run = run();
    run.notes = vec!["2 requests were still unanswered".to_owned()];
    assert_eq!(run.findings().why.last(), run.notes.first());
}

#[test]
fn what_ran_out_first_is_named() {
    let first = |change: &dyn Fn(&mut Run)| {
        let mut run = run();
        change(&mut run);
        run.exhausted(0, SECONDS)
    };
    let full = |from: usize, samples: usize| {
        move |run: &mut Run| {
            for sample in run.platform.iter_mut().skip(from).take(samples) {
                let api = sample.services.get_mut("api").unwrap();
                (api.ready, api.waiting) = (api.max, 7);
            }
        }
    };
    let busy = |run: &mut Run| run.generator.iter_mut().skip(30).for_each(|sample| sample.machine = 0.99);
    for (what, got, expected) in [
        ("nothing", first(&|_| {}), "neither instances"),
        ("chance", first(&full(10, 2)), "neither instances"),
        ("instances", first(&full(10, 5)), "the instances of api: all 10 it may have"),
        ("CPU", first(&busy), "the CPU of the generator's machine: 99 % busy"),
        (
            "CPU before instances",
            first(&|run| {
                busy(run);
                full(40, 9)(run);
            }),
            "the CPU",
        ),
    ] {
        assert!(got.as_ref().is_some_and(|got| got.starts_with(expected)), "{what}: {got:?}");
    }
    assert_eq!(first(&|run| run.platform.clear()), None);
}

#[test]
fn windows_widen_until_every_promise_can_be_told() {
    let mut run = run();
    // 2,000 requests for 0.5 % of errors, at 100 a second.
    assert_eq!(run.violated_windows(0, 60, 5), vec![false; 3]);
    run.promises[0].limits = vec![P95];
    assert_eq!(run.violated_windows(0, 60, 5), vec![false; 12]);
    assert_eq!(run.violated_windows(10, 33, 5), vec![false; 4]);
    // A second of slow requests is more than 5 % of its window; without answers a window goes on.
    run.seconds[12] = second(12, 100);
    run.seconds.iter_mut().skip(30).take(7).for_each(|second| second.steps.clear());
    let windows = run.violated_windows(0, 60, 5);
    assert_eq!(windows.len(), 11);
    assert_eq!(windows.iter().position(|&violated| violated), Some(2));
    assert_eq!(run.violated_windows(60, 70, 5), [false]);
    // What is broken already need not wait for 2,000 requests.
    run.promises[0].limits = vec![P95, ERRORS];
    slow(&mut run);
    assert_eq!(run.violated_windows(0, 60, 5), vec![true; 12]);
}

#[test]
fn a_hold_is_unhealthy_for_its_rate_only_when_nothing_was_violated() {
    let mut run = run();
    run.promises[0].limits = vec![P95];
    run.open = true;
    assert_eq!(run.hold(0, 60, 5).1, Generator::Healthy);
    run.seconds.iter_mut().for_each(|second| second.begun = 90);
    assert_eq!(run.hold(0, 60, 5).1, Generator::Unhealthy);
    slow(&mut run);
    run.seconds.iter_mut().for_each(|second| second.begun = 90);
    assert_eq!(run.hold(0, 60, 5), (vec![true; 12], Generator::Healthy));
    run.generator.iter_mut().for_each(|sample| sample.steal = 0.5);
    assert_eq!(run.hold(0, 60, 5).1, Generator::Unhealthy);
}

#[test]
fn a_search_is_judged_by_its_knee_and_at_the_level_that_holds() {
    let level = |level, verdict| Level { level, windows: 10, violated: 0, verdict };
    let knee = Knee {
        holds: Some(100.0),
        breaks: Some(105.0),
        interval: Some((97.0, 105.0)),
        verdict: Verdict::Pass,
        levels: vec![level(100.0, Verdict::Pass), level(105.0, Verdict::Fail)],
    };
    check(
        |run| {
            run.knee = Some(knee);
            run.stages.push(StageRun { level: 105.0, from: 60, holds_from: 60, until: 90 });
            run.seconds.extend((60..90).map(|at| second(at, 50)));
        },
        Verdict::Pass,
        &[
            "the objectives hold up to 100 users and break at 105 (95 %: 97 to 105), in every repetition",
            "read: P95 was 100 ms",
        ],
    );
}

#[test]
fn findings_are_written_as_json() {
    let json = serde_json::to_value(run().findings()).unwrap();
    assert_eq!(json["verdict"], "PASS");
    let clause = &json["promises"][0]["judgements"][0]["clause"];
    assert_eq!(*clause, serde_json::json!({ "key": "p95", "limit": 0.3, "text": "P95 ≤ 300ms" }));
}

#[test]
fn limits_and_clauses_are_the_same() {
    for limit in [P95, ERRORS, Limit::Availability { min: 0.995 }] {
        assert_eq!(limit.clause().map(Limit::from), Some(limit));
    }
}
