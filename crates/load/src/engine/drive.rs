//! Starts everything a run needs, listens until it is over, and stops it early when it is of no use to go on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::connector::Recipe;
use super::crew::{self, Crew, Work};
use super::machine::{self, Usage};
use super::plan::{Plan, Share, second, whole};
use super::platform::{self, Admin};
use super::process::{self, Job};
use super::recorder::Failure;
use super::seek::{Seek, Seeker};
use super::target::Endpoint;
use super::wire::{Merger, Setups, Tick, Word};
use crate::run::{
    Conditions, Ended, GeneratorSample, Judged, PlatformSample, Promise, Run, Second, StageRun,
};
use crate::scenario::{HttpVersion, Model, Pause, Scenario};

/// After the end answers are waited for as long as the longest time-out, but not longer than this.
const GRACE_MAX: Duration = Duration::from_secs(30);
/// After Ctrl-C.
const GRACE_INTERRUPTED: f64 = 1.0;

/// If this many requests and seconds saw nothing but failures, the run is given up.
const HOPELESS_REQUESTS: u64 = 20;
const HOPELESS_SECONDS: u32 = 5;
/// If this many users failed in the set-up and none got through, too.
const HOPELESS_SETUPS: u64 = 10;

/// For the connection that is only made to see whether one can be made.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// More threads gain nothing: the service needs cores too.
const THREADS_MAX: u32 = 4;

/// One run to be.
#[derive(Debug)]
pub struct Config {
    pub scenario: Scenario,
    /// The scenario's file, which other processes read again.
    pub source: String,
    pub origin: PathBuf,
    pub endpoint: Endpoint,
    /// Per process.
    pub threads: Option<u32>,
    /// At least so many; more if the users need more files than one process may open.
    pub processes: Option<u32>,
    /// The command whose hidden verb [`VERB`](super::VERB) is a further process.
    pub program: PathBuf,
    pub admin: Option<Admin>,
    pub promises: Vec<Promise>,
    /// Instead of the scenario's stages.
    pub seek: Option<Seek>,
    pub command: Vec<String>,
    pub commit: Option<String>,
    pub version: String,
}

/// Something new, for whoever watches.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    Second(&'a Second),
    Platform(&'a PlatformSample),
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot start the generator")]
    Start(#[source] std::io::Error),
    #[error("cannot reach {url}: {why}")]
    Unreachable { url: String, why: String },
}

/// Runs the scenario to its end, or until `stop` turns true. `seen` is called about once a second.
pub async fn drive(
    config: &Config,
    mut stop: watch::Receiver<bool>,
    mut seen: impl FnMut(Seen<'_>),
) -> Result<Run, Error> {
    let shape = Shape::of(config);
    probe(config).await?;
    let mut seeker = config.seek.map(|seek| Seeker::new(seek, config.scenario.model));
    let (mut plan, stages) = match seeker {
        Some(_) => (Plan::default(), Vec::new()),
        None => Plan::of(&config.scenario.stages),
    };
    plan.grace = grace(&config.scenario).as_secs_f64();
    let mut run = blank(config, stages, &shape);
    if let Some(seeker) = &mut seeker {
        seeker.advance(&mut run, &mut plan, 0.0);
    }
    let mut crew = shape.start(config, plan.clone()).await.map_err(Error::Start)?;
    run.started = Timestamp::now();
    let mut platform = Watch::start(config.admin.clone(), crew.start);
    let mut conductor = Conductor {
        run,
        seeker,
        merger: Merger::new(crew.sources),
        plan,
        usage: Usage::now(),
        setups: Setups::default(),
        users: shape.users,
        unanswered: 0,
    };
    while !conductor.merger.is_done() {
        tokio::select! {
            word = crew.words.recv() => {
                let Some((source, word)) = word else { break };
                conductor.hear(source, word, &crew);
                while let Some(tick) = conductor.merger.next() {
                    conductor.take(tick, &crew);
                    if let Some(second) = conductor.run.seconds.last() {
                        seen(Seen::Second(second));
                    }
                }
            }
            Some(sample) = platform.samples.recv() => {
                seen(Seen::Platform(&sample));
                conductor.run.platform.push(sample);
            }
            Ok(()) = stop.changed() => {
                if *stop.borrow_and_update() {
                    conductor.end(Ended::Interrupted, GRACE_INTERRUPTED, &crew);
                }
            }
        }
    }
    platform.stop().await;
    Ok(conductor.finish())
}

/// Connects once, so that a wrong certificate is said before anything begins.
async fn probe(config: &Config) -> Result<(), Error> {
    let unreachable = |why| Error::Unreachable { url: config.endpoint.url.clone(), why };
    let recipe = Recipe::new(config.endpoint.clone(), config.scenario.target.http, 1);
    match timeout(PROBE_TIMEOUT, recipe.stream(0)).await {
        Ok(Ok(_stream)) => Ok(()),
        Ok(Err(Failure::Connect(why))) => Err(unreachable(why)),
        Ok(Err(failure)) => Err(unreachable(failure.kind().into_owned())),
        Err(_elapsed) => Err(unreachable(format!("no answer in {PROBE_TIMEOUT:?}"))),
    }
}

/// How the work is divided.
pub(super) struct Shape {
    processes: u32,
    threads: u32,
    /// At most, over all.
    users: u64,
}

impl Shape {
    pub(super) fn of(config: &Config) -> Self {
        let sought =
            config.seek.filter(|_| config.scenario.model == Model::Users).map(|seek| whole(seek.to.ceil()));
        let users = sought.unwrap_or(u64::from(config.scenario.users_max())).max(1);
        let needed = u32::try_from(users.div_ceil(process::connections_max())).unwrap_or(u32::MAX);
        let processes = config.processes.unwrap_or(1).max(needed).max(1);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = u32::try_from(cores).unwrap_or(1).min(THREADS_MAX);
        let threads = config.threads.unwrap_or(if processes > 1 { 1 } else { cores });
        let threads = threads.clamp(1, u32::try_from(users).unwrap_or(u32::MAX).max(1));
        Self { processes, threads, users }
    }

    async fn start(&self, config: &Config, plan: Plan) -> std::io::Result<Crew> {
        let seed = fastrand::u64(..);
        if self.processes == 1 {
            let recipe = Recipe::new(config.endpoint.clone(), config.scenario.target.http, self.users);
            let scenario = Arc::new(config.scenario.clone());
            let share = Share { index: 0, of: 1 };
            return crew::start(&Work { scenario, recipe, share, threads: self.threads, seed }, plan);
        }
        let of = u64::from(self.processes);
        let job = |index| Job {
            source: config.source.clone(),
            origin: config.origin.clone(),
            endpoint: config.endpoint.clone(),
            share: Share { index, of },
            threads: self.threads,
            seed,
            users: self.users,
            plan: plan.clone(),
        };
        process::start(&config.program, (0..of).map(job).collect(), plan.clone()).await
    }
}

/// Asks the platform, in a task of its own: it may be slow to answer.
struct Watch {
    samples: mpsc::Receiver<PlatformSample>,
    task: Option<(JoinHandle<()>, oneshot::Sender<()>)>,
}

impl Watch {
    fn start(admin: Option<Admin>, start: Instant) -> Self {
        let (sender, samples) = mpsc::channel(16);
        let (stop, stopped) = oneshot::channel();
        let task = admin.map(|admin| (tokio::spawn(platform::sample(admin, start, sender, stopped)), stop));
        Self { samples, task }
    }

    async fn stop(self) {
        drop(self.samples);
        if let Some((task, stop)) = self.task {
            drop(stop);
            // It only ends early if it panicked, and then said so.
            let _ = task.await;
        }
    }
}

/// The run as it grows.
struct Conductor {
    run: Run,
    seeker: Option<Seeker>,
    merger: Merger,
    plan: Plan,
    usage: Usage,
    setups: Setups,
    users: u64,
    unanswered: u64,
}

impl Conductor {
    fn hear(&mut self, source: usize, word: Word, crew: &Crew) {
        match word {
            Word::Ready => {}
            Word::Tick(tick) => self.merger.add(source, *tick),
            Word::Done { unanswered } => {
                self.unanswered += unanswered;
                self.merger.end(source);
            }
            Word::Failed(why) => {
                self.merger.end(source);
                self.end(Ended::GaveUp(why), 0.0, crew);
            }
        }
    }

    /// Takes a complete second.
    fn take(&mut self, tick: Tick, crew: &Crew) {
        let usage = Usage::now();
        let shares = usage.since(std::mem::replace(&mut self.usage, usage));
        self.run.generator.push(GeneratorSample {
            at: f64::from(tick.second.at) + 1.0,
            threads: tick.threads,
            memory_bytes: tick.memory_bytes + machine::memory_bytes(),
            steal: shares.steal,
            machine: shares.busy,
        });
        self.setups.add(tick.setups);
        self.run.seconds.push(tick.second);
        if self.run.ended == Ended::Completed
            && let Some(why) = self.hopeless()
        {
            self.end(Ended::GaveUp(why), 0.0, crew);
        }
        let now = crew.start.elapsed().as_secs_f64();
        if let Some(seeker) = self.seeker.as_mut().filter(|_| !self.plan.is_over(now))
            && seeker.advance(&mut self.run, &mut self.plan, now)
        {
            crew.plan.send_replace(Arc::new(self.plan.clone()));
        }
    }

    /// Why going on is of no use.
    fn hopeless(&self) -> Option<String> {
        if self.setups.done == 0 && self.setups.failed >= HOPELESS_SETUPS.min(self.users) {
            let why = self.setups.why.as_deref().unwrap_or("unknown");
            return Some(format!("the set-up of every user failed: {why}"));
        }
        let steps = || self.run.seconds.iter().flat_map(|second| &second.steps);
        let first =
            self.run.seconds.iter().find(|second| second.steps.iter().any(|step| step.tally.total > 0))?;
        let seconds = self.run.seconds.len() as u64 - u64::from(first.at);
        if seconds > u64::from(HOPELESS_SECONDS) {
            return None;
        }
        let total: u64 = steps().map(|step| step.tally.total).sum();
        let errors: u64 = steps().map(|step| step.tally.errors).sum();
        if seconds < u64::from(HOPELESS_SECONDS) || total < HOPELESS_REQUESTS || errors < total {
            return None;
        }
        let mut kinds = std::collections::BTreeMap::<&str, u64>::new();
        for (kind, count) in steps().flat_map(|step| &step.failures) {
            *kinds.entry(kind).or_default() += count;
        }
        let most = kinds.into_iter().max_by_key(|(_, count)| *count).map_or("unknown", |(kind, _)| kind);
        Some(format!(
            "all {total} requests of the first {HOPELESS_SECONDS} seconds failed, most with: {most}"
        ))
    }

    /// Ends the run now, but waits `grace` seconds for answers.
    fn end(&mut self, ended: Ended, grace: f64, crew: &Crew) {
        if self.run.ended == Ended::Completed {
            self.run.ended = ended;
        }
        let now = crew.start.elapsed().as_secs_f64();
        self.plan.until = Some(self.plan.until.map_or(now, |until| until.min(now)));
        self.plan.grace = self.plan.grace.min(grace);
        crew.plan.send_replace(Arc::new(self.plan.clone()));
    }

    fn finish(mut self) -> Run {
        if self.unanswered > 0 {
            let note =
                format!("{} requests were still unanswered at the end and are left out", self.unanswered);
            self.run.notes.push(note);
        }
        if self.setups.failed > 0 {
            let why = self.setups.why.as_deref().unwrap_or("unknown");
            let note = format!("{} users did nothing because their set-up failed: {why}", self.setups.failed);
            self.run.notes.push(note);
        }
        self.run.knee = self.seeker.map(|seeker| seeker.knee());
        // Stages that never began, or were cut short.
        if let Some(until) = self.plan.until {
            let until = second(until.floor());
            self.run.stages.retain(|stage| stage.from < until);
            for stage in &mut self.run.stages {
                stage.until = stage.until.min(until);
                stage.holds_from = stage.holds_from.min(stage.until);
            }
        }
        self.run
    }
}

/// A run before its first second.
pub(super) fn blank(config: &Config, stages: Vec<StageRun>, shape: &Shape) -> Run {
    let scenario = &config.scenario;
    let is_open = matches!(scenario.model, Model::Rate { .. });
    let is_paced = scenario.flows.iter().all(|flow| matches!(flow.pause, Pause::Pacing(_)));
    Run {
        version: Run::VERSION,
        scenario: scenario.name.clone(),
        target: config.endpoint.url.clone(),
        http: match scenario.target.http {
            HttpVersion::Http1 => "HTTP/1.1".to_owned(),
            HttpVersion::Http2 => "HTTP/2".to_owned(),
        },
        started: Timestamp::now(),
        ended: Ended::Completed,
        judged: if is_open || is_paced { Judged::ScheduledStart } else { Judged::IntendedStart },
        open: is_open,
        stages,
        steps: scenario.step_runs(),
        seconds: Vec::new(),
        platform: Vec::new(),
        generator: Vec::new(),
        promises: config.promises.clone(),
        knee: None,
        notes: Vec::new(),
        conditions: Conditions {
            command: config.command.clone(),
            scenario_source: config.source.clone(),
            commit: config.commit.clone(),
            version: config.version.clone(),
            machine: machine::describe(),
            processes: shape.processes,
            threads: shape.threads * shape.processes,
        },
    }
}

fn grace(scenario: &Scenario) -> Duration {
    let steps = scenario.flows.iter().flat_map(|flow| &flow.steps);
    steps.map(|step| step.timeout).max().unwrap_or_default().min(GRACE_MAX)
}
