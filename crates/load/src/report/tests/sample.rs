//! A run as it could have been, made without chance: 1,000 users in six stages over 17 minutes, three steps, an
//! autoscaler that goes from 1 to 10 instances.

use std::collections::BTreeMap;
use std::time::Duration;

use mare_manifest::model::objective::Percentile;
use mare_slo::{Clause, Judgement, Sparse, Tally, Verdict};

use crate::judge::{Findings, PromiseFinding, StageFinding};
use crate::run::{
    Conditions, Ended, GeneratorSample, Judged, Limit, Machine, PlatformSample, Promise, Run, Second,
    ServiceSample, StageRun, StepRun, StepSecond,
};

const LEVELS: [f64; 6] = [150.0, 300.0, 450.0, 650.0, 800.0, 1000.0];

/// Steps, with their share of the requests and how slow they are in comparison.
const STEPS: [(&str, &str, f64, f64); 3] = [
    ("list", "GET /api/transactions", 0.65, 1.0),
    ("create", "POST /api/transactions", 0.20, 1.6),
    ("accounts", "GET /api/accounts", 0.15, 0.7),
];

pub(super) fn run() -> Run {
    of_stages(170)
}

/// The same in 2 minutes.
pub(super) fn short() -> Run {
    of_stages(20)
}

fn of_stages(seconds: u32) -> Run {
    let mut run = empty();
    run.stages = (0..).zip(LEVELS).map(|(index, level)| stage(index, level, seconds)).collect();
    for at in 0..seconds * 6 {
        let users = users(at, seconds);
        // One instance per 100 users, 8 s late.
        let instances = (self::users(at.saturating_sub(8), seconds) / 100.0).ceil().clamp(1.0, 10.0);
        run.seconds.push(second(at, users, instances));
        run.platform.push(platform(at, users, instances));
        run.generator.push(generator(at, users));
    }
    run
}

pub(super) fn empty() -> Run {
    let step = |(name, request, _, _): (&str, &str, f64, f64)| StepRun {
        flow: "browse".to_owned(),
        name: name.to_owned(),
        request: request.to_owned(),
    };
    Run {
        version: Run::VERSION,
        scenario: "mixed".to_owned(),
        target: "http://127.0.0.1:8080".to_owned(),
        http: "HTTP/1.1".to_owned(),
        started: "2026-11-21T11:22:33Z".parse().unwrap(),
        ended: Ended::Completed,
        judged: Judged::IntendedStart,
        open: false,
        stages: vec![stage(0, LEVELS[0], 170)],
        steps: STEPS.map(step).to_vec(),
        seconds: Vec::new(),
        platform: Vec::new(),
        generator: Vec::new(),
        promises: promises(),
        knee: None,
        notes: vec![],
        conditions: conditions(),
    }
}

/// PASS, with a third promise that the scenario does not exercise.
pub(super) fn findings() -> Findings {
    let p95 = Clause::Latency { percentile: Percentile::P95, limit: Duration::from_millis(300) };
    let judgement = |clause, measured, interval| Judgement {
        clause,
        measured: Some(measured),
        interval,
        requests: 600_000,
        verdict: Verdict::Pass,
    };
    let read = vec![
        judgement(p95, 0.1824, Some((0.1762, 0.1893))),
        judgement(Clause::Errors { max: 0.005 }, 0.0004, Some((0.0003, 0.0005))),
        judgement(Clause::Availability { min: 0.995 }, 0.9997, None),
    ];
    let write = vec![judgement(p95, 0.2671, Some((0.2588, 0.2779)))];
    Findings {
        verdict: Verdict::Pass,
        why: vec![
            "read: P95 is 182 ms (95 %: 176 to 189 ms), 39 % below its limit of 300 ms".to_owned(),
            "the generator was healthy in all 6 stages".to_owned(),
        ],
        promises: vec![
            PromiseFinding { promise: 0, judgements: read, verdict: Verdict::Pass },
            PromiseFinding { promise: 1, judgements: write, verdict: Verdict::Pass },
        ],
        stages: vec![StageFinding::default(); LEVELS.len()],
    }
}

/// The same run, judged as broken under the highest level, and the fifth stage not counting.
pub(super) fn failing() -> Findings {
    let mut findings = findings();
    findings.verdict = Verdict::Fail;
    findings.why = vec!["write: P95 is 341 ms, 14 % over its limit of 300 ms".to_owned()];
    let write = &mut findings.promises[1];
    write.verdict = Verdict::Fail;
    write.judgements[0].measured = Some(0.3412);
    write.judgements[0].interval = Some((0.3288, 0.3571));
    write.judgements[0].verdict = Verdict::Fail;
    findings.stages[4].unhealthy = vec!["thread 1 used 93 % of its core".to_owned()];
    findings
}

fn promises() -> Vec<Promise> {
    let p95 = Limit::Latency { quantile: 0.95, limit_us: 300_000 };
    let promise = |name: &str, on: &str, steps, limits| Promise {
        name: name.to_owned(),
        on: on.to_owned(),
        steps,
        limits,
    };
    let all = vec![p95, Limit::Errors { max: 0.005 }, Limit::Availability { min: 0.995 }];
    vec![
        promise("read", "GET /api/transactions", vec![0], all),
        promise("write", "POST /api/transactions", vec![1], vec![p95]),
        promise("import", "POST /api/imports", Vec::new(), vec![p95]),
    ]
}

fn conditions() -> Conditions {
    Conditions {
        command: ["mare", "load", "apps/valoriza/load/mixed.toml", "--out", "evidence"].map(str::to_owned).to_vec(),
        scenario_source: "[target]\nurl = \"http://127.0.0.1:8080\"\n\n[[stages]]\nusers = 150\nramp = \"30s\"\nhold = \"140s\"\n\n[flows.browse]\nthink = \"exp(1s)\"\n".to_owned(),
        commit: Some("2c6305a1b9d8".to_owned()),
        version: "0.1.0".to_owned(),
        machine: Machine {
            cpu: "AMD EPYC 7B13".to_owned(),
            cores: 2,
            memory_bytes: 24_700_000_000,
            kernel: "Linux 6.12.9".to_owned(),
        },
        processes: 1,
        threads: 2,
    }
}

fn stage(index: u32, level: f64, seconds: u32) -> StageRun {
    let from = index * seconds;
    StageRun { level, from, holds_from: from + seconds / 5, until: from + seconds }
}

fn users(at: u32, seconds: u32) -> f64 {
    let stage = (at / seconds) as usize;
    let before = if stage == 0 { 0.0 } else { LEVELS[stage - 1] };
    let way = (f64::from(at % seconds) / f64::from(seconds / 5)).min(1.0);
    (before + (LEVELS[stage] - before) * way).round()
}

/// From 0 up to 1, the same for every run.
fn noise(seed: u32) -> f64 {
    let mixed = seed.wrapping_mul(2_654_435_761) ^ (seed >> 3);
    f64::from(mixed.wrapping_mul(2_246_822_519) >> 8) / f64::from(1 << 24)
}

fn second(at: u32, users: f64, instances: f64) -> Second {
    let busy = (users / (instances * 118.0)).min(0.97);
    let base_us = 9_000.0 / (1.0 - busy) * (0.9 + 0.2 * noise(at));
    let rate = users * 0.95;
    let steps = (0..).zip(STEPS).map(|(index, (_, _, share, slow))| {
        let total = whole(rate * share);
        let failed = u64::from(at % 41 == 7 && total > 10);
        let service = latencies(total, base_us * slow, at * 7 + index);
        let late = if at % 170 > 30 { 0.0 } else { base_us * 0.6 };
        StepSecond {
            tally: Tally { total, errors: failed, unavailable: failed },
            response: Sparse(service.0.iter().map(|&(us, n)| (us + whole(late), n)).collect()),
            service,
            bytes_in: total * 1_800,
            failures: (failed > 0).then(|| ("status 503".to_owned(), failed)).into_iter().collect(),
        }
    });
    let steps: Vec<_> = steps.collect();
    let total = steps.iter().map(|step| step.tally.total).sum();
    Second {
        at,
        users: u32::try_from(whole(users)).unwrap(),
        wanted: 0,
        begun: total,
        lag: latencies(total, 120.0, at + 99),
        steps,
    }
}

/// Spread as latencies are: most near `base_us`, a long tail.
fn latencies(total: u64, base_us: f64, seed: u32) -> Sparse {
    const PARTS: u32 = 60;
    let part = |index: u32| {
        let place = (f64::from(index) + noise(seed + index)) / f64::from(PARTS);
        let us = base_us * (0.6 + 0.5 * place + 0.16 / (1.02 - place));
        let before = total * u64::from(index) / u64::from(PARTS);
        let after = total * u64::from(index + 1) / u64::from(PARTS);
        (whole(us).max(1), after - before)
    };
    let mut merged: BTreeMap<u64, u64> = BTreeMap::new();
    for (us, count) in (0..PARTS).map(part).filter(|(_, count)| *count > 0) {
        *merged.entry(us).or_default() += count;
    }
    Sparse(merged.into_iter().collect())
}

fn platform(at: u32, users: f64, instances: f64) -> PlatformSample {
    let wanted = (users / 100.0).ceil().min(10.0);
    let api = ServiceSample {
        ready: u32::try_from(whole(instances)).unwrap(),
        starting: u32::try_from(whole((wanted - instances).max(0.0))).unwrap(),
        max: 10,
        in_flight: u32::try_from(whole(users / 20.0)).unwrap(),
        waiting: if wanted > instances { u32::try_from(whole(users / 30.0)).unwrap() } else { 0 },
        cpu: users * 0.0013 * (0.9 + 0.2 * noise(at)),
        memory_bytes: whole(instances * 31e6),
        backlog: 0,
    };
    let worker = ServiceSample {
        ready: 1 + u32::from(users > 600.0),
        max: 10,
        cpu: users * 0.0002,
        memory_bytes: 28_000_000,
        backlog: u64::from(at % 60),
        ..ServiceSample::default()
    };
    PlatformSample {
        at: f64::from(at) + 0.2,
        services: [("api".to_owned(), api), ("worker".to_owned(), worker)].into(),
    }
}

fn generator(at: u32, users: f64) -> GeneratorSample {
    GeneratorSample {
        at: f64::from(at),
        threads: vec![users * 0.0002, users * 0.000_21],
        memory_bytes: 31_000_000,
        steal: 0.004 * noise(at + 5),
        machine: 0.05 + users * 0.0008,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
fn whole(value: f64) -> u64 {
    value as u64
}
