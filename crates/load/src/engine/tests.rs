//! Whole threads of virtual users against servers whose behaviour is known, on virtual time: the clock only moves
//! when everybody waits, so what is measured is exact and takes no time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn as server;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mare_manifest::model::objective::Percentile::{self, P50, P95, P99};
use mare_slo::{Latencies, Sparse, Tally, Verdict};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;
use tokio::time::{Instant, advance, sleep, sleep_until};

use super::conductor::{Conductor, blank};
use super::connector::Recipe;
use super::crew::{self, Crew};
use super::division::Division;
use super::drive::{Config, drive};
use super::machine::Usage;
use super::plan::{Plan, Share};
use super::platform::Watch;
use super::seek::Seek;
use super::target::Endpoint;
use super::thread::{self, Assignment};
use super::wire::{Merger, Tick, Word};
use crate::run::{Ended, Limit, Promise, Second, StepSecond};
use crate::scenario::{
    Expect, Flow, HttpVersion, Model, Part, Pause, Scenario, Span, Stage, Step, Target, Template,
};

struct Asked {
    /// When the server was started.
    start: Instant,
    /// How many requests came before.
    nth: u64,
    /// The number of the connection.
    user: usize,
    method: Method,
}

struct Reaction {
    answers_at: Instant,
    status: StatusCode,
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn scenario(model: Model, pause: Pause, level: f64, hold: u64) -> Scenario {
    let step = Step {
        name: "read".into(),
        method: Method::GET,
        path: Template(vec![Part::Literal("/items".into())]),
        headers: vec![],
        body: None,
        timeout: Duration::from_secs(30),
        extract: vec![],
        expect: Expect::default(),
    };
    Scenario {
        name: "test".into(),
        manifest: None,
        target: Target { url: "http://127.0.0.1:1".into(), http: HttpVersion::Http1 },
        model,
        stages: vec![Stage { level, ramp: Duration::ZERO, hold: Duration::from_secs(hold) }],
        setup: vec![],
        setup_every: None,
        flows: vec![Flow { name: "reader".into(), weight: 1.0, pause, steps: vec![step] }],
        feeds: BTreeMap::new(),
        thresholds: BTreeMap::new(),
    }
}

/// Runs one thread of the generator and the server in it; returns what was seen.
fn simulate(scenario: Scenario, behaviour: fn(&Asked) -> Reaction) -> Vec<Tick> {
    simulate_with(scenario, behaviour, async {})
}

fn simulate_with(
    scenario: Scenario,
    behaviour: impl Fn(&Asked) -> Reaction + Clone + 'static,
    also: impl Future<Output = ()> + 'static,
) -> Vec<Tick> {
    paused(async move {
        spawn_local(also);
        let (mut plan, _) = Plan::of(&scenario.stages);
        plan.grace = 30.0;
        let mut crew = begin(scenario, plan, behaviour);
        let mut merger = Merger::new(1);
        let mut ticks = Vec::new();
        while let Some((source, word)) = crew.words.recv().await {
            match word {
                Word::Tick(tick) => merger.add(source, *tick),
                Word::Done { unanswered } => assert_eq!(unanswered, 0),
                other => panic!("{other:?}"),
            }
            ticks.extend(merger.next());
        }
        ticks
    })
}

fn paused<T>(future: impl Future<Output = T>) -> T {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build_local(LocalOptions::default()).unwrap();
    runtime.block_on(future)
}

fn nowhere() -> Endpoint {
    Endpoint {
        url: "http://test".into(),
        is_tls: false,
        host: "test".into(),
        authority: "test".into(),
        address: "127.0.0.1:1".parse().unwrap(),
    }
}

/// Starts one thread of the generator, as a task, and its server.
fn begin(scenario: Scenario, plan: Plan, behaviour: impl Fn(&Asked) -> Reaction + Clone + 'static) -> Crew {
    let (pipe, mut pipes) = mpsc::channel::<tokio::io::DuplexStream>(64);
    let start = Instant::now();
    spawn_local(async move {
        let count = Arc::new(AtomicU64::new(0));
        for user in 0.. {
            let Some(stream) = pipes.recv().await else { break };
            let (count, behaviour) = (Arc::clone(&count), behaviour.clone());
            let serve = service_fn(move |request: Request<Incoming>| {
                let nth = count.fetch_add(1, Ordering::Relaxed);
                let reaction = behaviour(&Asked { start, nth, user, method: request.method().clone() });
                async move {
                    sleep_until(reaction.answers_at).await;
                    let answer = Response::builder().status(reaction.status);
                    answer.body(Full::new(Bytes::from_static(b"hello")))
                }
            });
            spawn_local(server::http1::Builder::new().serve_connection(TokioIo::new(stream), serve));
        }
    });
    let recipe = Recipe { pipe: Some(pipe), ..Recipe::new(nowhere(), scenario.target.http, 1) };
    let (words, heard) = crew::words();
    let (planner, plan) = watch::channel(Arc::new(plan));
    spawn_local(thread::run(Assignment {
        scenario: Arc::new(scenario),
        recipe,
        share: Share { index: 0, of: 1 },
        seed: 1,
        start,
        plan,
        source: 0,
        words,
    }));
    Crew { words: heard, plan: planner, sources: 1, start }
}

fn latencies(ticks: &[Tick], of: impl Fn(&Second) -> &Sparse) -> Latencies {
    let mut all = Latencies::default();
    for tick in ticks {
        all.add(of(&tick.second));
    }
    all
}

fn response(ticks: &[Tick]) -> Latencies {
    latencies(ticks, |second| &second.steps[0].response)
}

fn service(ticks: &[Tick]) -> Latencies {
    latencies(ticks, |second| &second.steps[0].service)
}

fn tally(ticks: &[Tick]) -> Tally {
    let mut all = Tally::default();
    ticks.iter().flat_map(|tick| &tick.second.steps).for_each(|step| all.add(step.tally));
    all
}

fn assert_within(latencies: &Latencies, percentile: Percentile, from: u64, to: u64) {
    let found = latencies.percentile(percentile).unwrap();
    assert!(millis(from) <= found && found <= millis(to), "{percentile} is {found:?}, not {from} to {to} ms");
}

/// Answers in 10 ms, but from 4 s to 5 s of every ten seconds nothing moves.
fn freezes(asked: &Asked) -> Reaction {
    let now = Instant::now();
    let in_period = u64::try_from((now - asked.start).as_millis()).unwrap() % 10_000;
    let is_frozen = (4_000..5_000).contains(&in_period);
    let thaw = if is_frozen { millis(5_000 - in_period) } else { Duration::ZERO };
    Reaction { answers_at: now + thaw + millis(10), status: StatusCode::OK }
}

/// A tenth of the scheduled starts lies in a freeze, evenly spread over it. So the worst 5 % are those of its first
/// half, and P95 is half a second; the worst 1 % are those of its first tenth, and P99 is 0.9 s.
#[test]
fn a_freeze_shows_in_the_percentiles_of_paced_users_as_computed_by_hand() {
    let pacing = Pause::Pacing(Span::Fixed(millis(200)));
    let ticks = simulate(scenario(Model::Users, pacing, 100.0, 60), freezes);
    let response = response(&ticks);
    assert_within(&response, P50, 10, 12);
    // After the thaw a user makes up for its five missed starts, 10 ms each.
    assert_within(&response, P95, 490, 570);
    assert_within(&response, P99, 890, 950);
    // Each user has one request under way in a freeze, of fifty in ten seconds: service time shows only that.
    assert_within(&service(&ticks), P95, 10, 12);
}

#[test]
fn a_freeze_shows_in_the_percentiles_of_arrivals_as_computed_by_hand() {
    let none = Pause::Think(Span::Fixed(Duration::ZERO));
    let ticks = simulate(scenario(Model::Rate { users_max: 500 }, none, 200.0, 60), freezes);
    let response = response(&ticks);
    assert_eq!(response.count(), 12_000);
    assert_within(&response, P50, 10, 12);
    assert_within(&response, P95, 505, 520);
    assert_within(&response, P99, 905, 920);
    let sum = |of: fn(&Second) -> u64| ticks.iter().map(|tick| of(&tick.second)).sum::<u64>();
    assert_eq!((sum(|second| second.wanted), sum(|second| second.begun)), (12_000, 12_000));
}

/// With ten users for 200 arrivals a second of 10 ms, a freeze makes arrivals wait for a user. Nothing is lost, and
/// what they wait counts: the percentiles are those of endless users plus the time to catch up.
#[test]
fn an_arrival_that_finds_no_user_is_late_and_not_forgotten() {
    let none = Pause::Think(Span::Fixed(Duration::ZERO));
    let ticks = simulate(scenario(Model::Rate { users_max: 10 }, none, 200.0, 60), freezes);
    let response = response(&ticks);
    assert_eq!(response.count(), 12_000);
    assert_within(&response, P99, 905, 1_000);
    let lag = latencies(&ticks, |second| &second.lag);
    assert_within(&lag, P99, 0, 2);
}

/// 1, 2, … 1000 ms, evenly mixed.
fn spreads(asked: &Asked) -> Reaction {
    Reaction { answers_at: Instant::now() + millis(asked.nth * 7919 % 1000 + 1), status: StatusCode::OK }
}

#[test]
fn a_known_distribution_is_recovered() {
    let none = Pause::Think(Span::Fixed(Duration::ZERO));
    let ticks = simulate(scenario(Model::Users, none, 50.0, 100), spreads);
    for latencies in [response(&ticks), service(&ticks)] {
        assert!(latencies.count() > 9_000);
        for percentile in Percentile::ALL {
            let expected = percentile.quantile() * 1000.0;
            let found = latencies.percentile(percentile).unwrap().as_secs_f64() * 1000.0;
            // The histogram's error, the timer's millisecond, and that the end cuts the last thousand short.
            let slack = expected * Latencies::ERROR + 1.0 + 2.0;
            assert!((found - expected).abs() <= slack, "{percentile}: {found} instead of {expected}");
        }
    }
}

#[test]
fn think_time_is_no_part_of_the_response_time() {
    let think = Pause::Think(Span::Fixed(millis(90)));
    let ticks = simulate(scenario(Model::Users, think, 5.0, 10), |_| Reaction {
        answers_at: Instant::now() + millis(10),
        status: StatusCode::OK,
    });
    assert_within(&response(&ticks), P99, 10, 12);
    // Ten seconds of 100 ms each.
    let total = tally(&ticks).total;
    assert!((480..=500).contains(&total), "{total}");
    assert_eq!(ticks[5].second.users, 5);
}

/// A clock that jumps half a second is a thread that did not run for half a second.
#[test]
fn a_starved_thread_shows_as_lag() {
    let think = Pause::Think(Span::Fixed(millis(90)));
    let stall = async {
        loop {
            sleep(millis(1500)).await;
            advance(millis(500)).await;
        }
    };
    let ticks = simulate_with(
        scenario(Model::Users, think, 5.0, 10),
        |_| Reaction { answers_at: Instant::now(), status: StatusCode::OK },
        stall,
    );
    assert_within(&latencies(&ticks, |second| &second.lag), P99, 400, 501);
    assert_within(&response(&ticks), P99, 400, 503);
}

#[test]
fn failures_are_counted_by_kind_and_end_the_flow() {
    let think = Pause::Think(Span::Fixed(millis(100)));
    let mut scenario = scenario(Model::Users, think, 1.0, 10);
    let step = &scenario.flows[0].steps[0];
    let second = Step { name: "second".into(), timeout: millis(50), ..step.clone() };
    scenario.flows[0].steps.push(second);
    // In turn: a flow that fails at once, and one whose second step takes too long.
    let ticks = simulate(scenario, |asked| Reaction {
        answers_at: Instant::now() + if asked.nth % 3 == 2 { millis(80) } else { Duration::ZERO },
        status: if asked.nth % 3 == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK },
    });
    let [mut first, mut second] = [StepSecond::default(), StepSecond::default()];
    for tick in &ticks {
        for (into, step) in [&mut first, &mut second].into_iter().zip(&tick.second.steps) {
            into.tally.add(step.tally);
            into.failures.extend(step.failures.clone());
        }
    }
    assert!(first.failures.keys().eq(["status 503"]), "{:?}", first.failures);
    assert_eq!(first.tally.unavailable, first.tally.errors);
    assert!(first.tally.total.abs_diff(first.tally.errors * 2) <= 1, "{:?}", first.tally);
    assert!(second.failures.keys().eq(["timeout"]), "{:?}", second.failures);
    assert!(second.tally.total.abs_diff(first.tally.errors) <= 1, "{:?}", second.tally);
}

/// A real server for whole runs: answers with `status` at once.
async fn serve(status: StatusCode) -> Endpoint {
    serve_version(HttpVersion::Http1, status).await
}

async fn serve_version(version: HttpVersion, status: StatusCode) -> Endpoint {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let io = TokioIo::new(stream);
            let answer = service_fn(move |_| {
                let body = Full::new(Bytes::from_static(b"hello"));
                std::future::ready(Response::builder().status(status).body(body))
            });
            tokio::spawn(async move {
                let _ended = match version {
                    HttpVersion::Http1 => server::http1::Builder::new().serve_connection(io, answer).await,
                    HttpVersion::Http2 => {
                        server::http2::Builder::new(TokioExecutor::new()).serve_connection(io, answer).await
                    }
                };
            });
        }
    });
    Endpoint::resolve(&url, None).await.unwrap()
}

fn config(endpoint: Endpoint, hold: u64) -> Config {
    let pacing = Pause::Pacing(Span::Fixed(millis(50)));
    Config {
        scenario: scenario(Model::Users, pacing, 4.0, hold),
        source: String::new(),
        origin: "test.toml".into(),
        endpoint,
        threads: Some(2),
        processes: None,
        program: "unused".into(),
        admin: None,
        promises: vec![],
        seek: None,
        command: vec![],
        commit: None,
        version: "test".into(),
    }
}

#[tokio::test]
async fn an_interrupted_run_keeps_what_was_done() {
    let config = config(serve(StatusCode::OK).await, 600);
    let (stop, stopped) = watch::channel(false);
    let run = drive(&config, stopped, |_| {
        stop.send_replace(true);
    })
    .await
    .unwrap();
    assert_eq!(run.ended, Ended::Interrupted);
    let requests: u64 =
        run.seconds.iter().flat_map(|second| &second.steps).map(|step| step.tally.total).sum();
    assert!(requests > 0);
    assert!(run.seconds.len() < 60, "{}", run.seconds.len());
    assert_eq!(run.generator.len(), run.seconds.len());
    assert_eq!(run.generator[0].threads.len(), 2);
    assert!(run.stages[0].until <= u32::try_from(run.seconds.len()).unwrap());
}

#[tokio::test]
async fn a_target_that_only_fails_is_given_up() {
    let config = config(serve(StatusCode::INTERNAL_SERVER_ERROR).await, 600);
    let (_stop, stopped) = watch::channel(false);
    let run = drive(&config, stopped, |_| {}).await.unwrap();
    let Ended::GaveUp(why) = &run.ended else { panic!("{:?}", run.ended) };
    assert!(why.ends_with("failed, most with: status 500"), "{why}");
    assert!(run.seconds.len() < 60, "{}", run.seconds.len());
}

#[tokio::test]
async fn a_setup_that_nobody_gets_through_is_given_up() {
    let mut config = config(serve(StatusCode::FORBIDDEN).await, 600);
    config.scenario.setup = config.scenario.flows[0].steps.clone();
    let (_stop, stopped) = watch::channel(false);
    let run = drive(&config, stopped, |_| {}).await.unwrap();
    assert_eq!(run.ended, Ended::GaveUp("the set-up of every user failed: status 403".to_owned()));
    assert_eq!(run.notes, ["4 users did nothing because their set-up failed: status 403"]);
}

#[tokio::test]
async fn a_process_that_cannot_begin_ends_the_run() {
    let mut config = config(serve(StatusCode::OK).await, 600);
    config.processes = Some(2);
    // Ends at once, without a word.
    config.program = "/bin/true".into();
    let (_stop, stopped) = watch::channel(false);
    assert!(drive(&config, stopped, |_| {}).await.is_err());
}

/// The law of the house: a generator that was not healthy proves nothing.
#[tokio::test]
async fn a_starved_generator_yields_invalid() {
    let mut config = config(serve(StatusCode::OK).await, 10);
    let limit = Limit::Latency { quantile: 0.95, limit_us: 1_000_000 };
    config.promises =
        vec![Promise { name: "read".into(), on: "step read".into(), steps: vec![0], limits: vec![limit] }];
    let stall = async {
        loop {
            sleep(millis(1500)).await;
            advance(millis(500)).await;
        }
    };
    let simulated = config.scenario.clone();
    let ticks = std::thread::spawn(move || {
        let at_once = |_: &Asked| Reaction { answers_at: Instant::now(), status: StatusCode::OK };
        simulate_with(simulated, at_once, stall)
    });
    let mut run = blank(&config, Plan::of(&config.scenario.stages).1, Division::of(&config));
    run.seconds = ticks.join().unwrap().into_iter().map(|tick| tick.second).collect();
    let findings = run.findings();
    assert_eq!(findings.verdict, Verdict::Invalid, "{:?}", findings.why);
    assert!(!findings.stages[0].unhealthy.is_empty());
}

#[tokio::test]
async fn a_failing_handshake_is_said_before_anything_begins() {
    let mut config = config(serve(StatusCode::OK).await, 600);
    config.endpoint.is_tls = true;
    let (_stop, stopped) = watch::channel(false);
    let error = drive(&config, stopped, |_| {}).await.unwrap_err();
    assert!(error.to_string().ends_with("it does not speak TLS: say http://"), "{error}");
}

/// A server of four workers that need 100 ms each; requests queue.
fn four_workers() -> impl Fn(&Asked) -> Reaction + Clone {
    let free = Rc::new(RefCell::new([None; 4]));
    move |_| {
        let now = Instant::now();
        let mut free = free.borrow_mut();
        let worker = free.iter_mut().min().expect("there are four");
        let answers_at = worker.unwrap_or(now).max(now) + millis(100);
        *worker = Some(answers_at);
        Reaction { answers_at, status: StatusCode::OK }
    }
}

/// Searches the whole way, by the real conductor, thread and users; only the sockets and the clock are not real.
fn check_knee(model: Model, think: u64, limit: u64, expected: f64) {
    let pause = Pause::Think(Span::Fixed(millis(think)));
    let mut config = config(nowhere(), 1);
    config.scenario = scenario(model, pause, 1.0, 1);
    let hold = Duration::from_secs(30);
    config.seek = Some(Seek { from: expected * 0.6, to: expected * 4.0, hold, resolution: 0.05 });
    let limit = Limit::Latency { quantile: 0.95, limit_us: limit * 1000 };
    config.promises =
        vec![Promise { name: "read".into(), on: "step read".into(), steps: vec![0], limits: vec![limit] }];
    let (_keep, stop) = watch::channel(false);
    let run = paused(async {
        let mut conductor = Conductor::new(&config, Division::of(&config));
        // What else this machine does is not in virtual time.
        conductor.measure = Usage::default;
        let crew = begin(config.scenario.clone(), conductor.plan(), four_workers());
        let platform = Watch::start(None, crew.start);
        conductor.conduct(crew, platform, stop, |_| {}).await
    });
    let knee = run.knee.as_ref().unwrap();
    let (holds, breaks) = (knee.holds.unwrap(), knee.breaks.unwrap());
    let findings = run.findings();
    assert_eq!(findings.verdict, Verdict::Pass, "{knee:?}\n{:?}", findings.why);
    for side in [holds, breaks] {
        assert!((side / expected - 1.0).abs() <= 0.05, "{side} is not {expected}: {knee:?}");
    }
    assert!(holds < breaks && breaks / holds <= 1.05 + 1.0 / holds, "{knee:?}");
    // Each hold is in the run at the level the search asked for, settled, and as long as it should be.
    let levels = run.stages.iter().map(|stage| stage.level);
    assert!(levels.eq(knee.levels.iter().map(|level| level.level)), "{:?}", run.stages);
    let mut before = 0;
    for (stage, level) in run.stages.iter().zip(&knee.levels) {
        assert!(before <= stage.from && stage.from + 10 <= stage.holds_from, "{stage:?}");
        assert!(stage.until - stage.holds_from >= 30 && level.windows >= 5, "{stage:?} {level:?}");
        assert!(stage.until as usize <= run.seconds.len(), "{stage:?}");
        before = stage.until;
    }
}

/// With n users who think for 2 s the workers are always busy from n = 84 on, and an answer takes n / 40 - 2 s. That
/// is half a second at 100 users.
#[test]
fn the_knee_of_users_is_found_where_it_is_computed() {
    check_knee(Model::Users, 2000, 500, 100.0);
}

/// Four workers do 40 a second; above that the queue grows for ever. What a level left behind is no fault of the next.
#[test]
fn the_knee_of_arrivals_is_found_where_it_is_computed() {
    check_knee(Model::Rate { users_max: 500 }, 0, 500, 40.0);
}

#[test]
fn a_silent_generator_is_not_waited_for() {
    let config = config(nowhere(), 600);
    let run = paused(async {
        let conductor = Conductor::new(&config, Division::of(&config));
        let (_silent, words) = crew::words();
        let (plan, _plans) = watch::channel(Arc::default());
        let crew = Crew { words, plan, sources: 1, start: Instant::now() };
        let platform = Watch::start(None, crew.start);
        let (_stop, stopped) = watch::channel(false);
        conductor.conduct(crew, platform, stopped, |_| {}).await
    });
    assert_eq!(run.ended, Ended::Broke("a part of it was silent for 30 s".to_owned()));
    assert_eq!(run.findings().verdict, Verdict::Invalid);
}

/// Two processes of which each tells one second and ends.
#[tokio::test]
async fn a_process_that_dies_makes_the_run_invalid() {
    let mut config = config(serve(StatusCode::OK).await, 600);
    config.processes = Some(2);
    config.program = concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine/tests/dies.sh").into();
    let (_stop, stopped) = watch::channel(false);
    let run = drive(&config, stopped, |_| {}).await.unwrap();
    let Ended::Broke(why) = &run.ended else { panic!("{:?}", run.ended) };
    assert!(
        why.starts_with("process ") && why.ends_with(" of the generator ended (exit status: 7)"),
        "{why}"
    );
    let findings = run.findings();
    assert_eq!(findings.verdict, Verdict::Invalid);
    assert_eq!(findings.why[0], format!("the load generator failed: {why}"));
}

/// A server whose logins (`PUT`) take 300 ms and last for 5 s, and are refused every third time while the one
/// before lasts; other requests are
/// answered like those of [`freezes`].
fn logs_in() -> impl Fn(&Asked) -> Reaction + Clone {
    let logins = Rc::new(RefCell::new(BTreeMap::<usize, (u64, Option<Instant>)>::new()));
    move |asked: &Asked| {
        let now = Instant::now();
        let mut logins = logins.borrow_mut();
        let (count, last) = logins.entry(asked.user).or_default();
        let is_in = last.is_some_and(|last| now - last <= Duration::from_secs(5));
        if asked.method == Method::PUT {
            *count += 1;
            let is_refused = is_in && count.is_multiple_of(3);
            *last = if is_refused { *last } else { Some(now) };
            let status = if is_refused { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
            return Reaction { answers_at: now + millis(300), status };
        }
        let status = if is_in { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        Reaction { status, ..freezes(asked) }
    }
}

/// Runs users whose logins are made again after 2 s.
fn simulate_logins(model: Model, pause: Pause, stages: &[(f64, u64)]) -> Vec<Tick> {
    let mut scenario = scenario(model, pause, 1.0, 1);
    let stage = |&(level, hold)| Stage { level, ramp: Duration::ZERO, hold: Duration::from_secs(hold) };
    scenario.stages = stages.iter().map(stage).collect();
    let step = scenario.flows[0].steps[0].clone();
    scenario.setup = vec![Step { method: Method::PUT, ..step }];
    scenario.setup_every = Some(Duration::from_secs(2));
    let ticks = simulate_with(scenario, logs_in(), async {});
    assert_eq!(tally(&ticks).errors, 0, "no login was let expire");
    ticks
}

#[test]
fn a_set_up_is_made_again_and_is_in_no_latency() {
    let none = Pause::Think(Span::Fixed(Duration::ZERO));
    let think = Pause::Think(Span::Fixed(millis(90)));
    let pacing = Pause::Pacing(Span::Fixed(millis(100)));
    let closed = simulate_logins(Model::Users, think, &[(5.0, 4), (1.0, 20), (5.0, 5)]);
    let paced = simulate_logins(Model::Users, pacing, &[(5.0, 4), (1.0, 20), (5.0, 5)]);
    // Idle users log in again too: the second burst finds them ready.
    let open = simulate_logins(Model::Rate { users_max: 100 }, none, &[(100.0, 4), (10.0, 20), (100.0, 5)]);
    for (ticks, slow) in [(closed, 3), (paced, 35), (open, 130)] {
        // What is slow fell into one of the three freezes, at 4, 14 and 24 s.
        let of = |ticks: &[Tick]| response(ticks).count() - response(ticks).sparse().within(millis(100));
        // The very first arrivals wait until somebody is ready.
        let in_freeze = |at: u32| matches!(at % 10, 4..=6) || at == 0;
        let quiet: Vec<Tick> = ticks.iter().filter(|tick| !in_freeze(tick.second.at)).cloned().collect();
        assert_eq!(of(&quiet), 0, "{:?}", response(&quiet).quantile(1.0));
        assert!(of(&ticks) >= slow, "{}", of(&ticks));
    }
}

#[tokio::test]
async fn a_run_over_http_2_sees_what_one_over_http_1_sees() {
    for version in [HttpVersion::Http1, HttpVersion::Http2] {
        let mut config = config(serve_version(version, StatusCode::OK).await, 2);
        config.scenario.target.http = version;
        let (_stop, stopped) = watch::channel(false);
        let run = drive(&config, stopped, |_| {}).await.unwrap();
        assert_eq!((&run.ended, run.notes.len()), (&Ended::Completed, 0), "{:?}", run.notes);
        let mut all = StepSecond::default();
        for step in run.seconds.iter().flat_map(|second| &second.steps) {
            all.tally.add(step.tally);
            all.bytes_in += step.bytes_in;
            all.failures.extend(step.failures.clone());
        }
        // Four users, each every 50 ms for two seconds.
        assert!((140..=160).contains(&all.tally.total), "{:?}", all.tally);
        assert_eq!((all.tally.errors, all.failures.len()), (0, 0), "{:?}", all.failures);
        assert_eq!(all.bytes_in, all.tally.total * 5);
    }
}

#[tokio::test]
async fn a_target_of_http_1_is_no_target_of_http_2() {
    let mut config = config(serve(StatusCode::OK).await, 600);
    config.scenario.target.http = HttpVersion::Http2;
    let (_stop, stopped) = watch::channel(false);
    let run = drive(&config, stopped, |_| {}).await.unwrap();
    let Ended::GaveUp(why) = &run.ended else { panic!("{:?}", run.ended) };
    assert!(why.ends_with("failed, most with: closed"), "{why}");
}
