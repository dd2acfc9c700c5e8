//! Listens to those who do the work until all are through, and stops them early when it is of no use to go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::crew::Crew;
use super::division::Division;
use super::drive::{Config, Seen};
use super::machine::{self, Usage};
use super::plan::{Plan, second};
use super::platform::Watch;
use super::seek::Seeker;
use super::wire::{Merger, Setups, Tick, Word};
use crate::run::{Conditions, Ended, GeneratorSample, Judged, Run, StageRun};
use crate::scenario::{HttpVersion, Model, Pause, Scenario};

/// After the end answers are waited for as long as the longest time-out, but not longer than this.
const GRACE_MAX: Duration = Duration::from_secs(30);
/// After Ctrl-C.
const GRACE_INTERRUPTED: f64 = 1.0;

/// Who has not told a second so many seconds later never will.
const SILENCE_MAX: f64 = 30.0;

/// If this many requests and seconds saw nothing but failures, the run is given up.
const HOPELESS_REQUESTS: u64 = 20;
const HOPELESS_SECONDS: u32 = 5;
/// If this many users failed in the set-up and none got through, too.
const HOPELESS_SETUPS: u64 = 10;

/// The run as it grows.
pub(super) struct Conductor {
    run: Run,
    seeker: Option<Seeker>,
    merger: Merger,
    plan: Plan,
    /// Tells how busy the machine is.
    pub(super) measure: fn() -> Usage,
    usage: Usage,
    setups: Setups,
    users: u64,
    unanswered: u64,
}

impl Conductor {
    pub(super) fn new(config: &Config, division: Division) -> Self {
        let mut seeker = config.seek.map(|seek| Seeker::new(seek, config.scenario.model));
        let (mut plan, stages) = match seeker {
            Some(_) => (Plan::default(), Vec::new()),
            None => Plan::of(&config.scenario.stages),
        };
        plan.grace = grace(&config.scenario).as_secs_f64();
        let mut run = blank(config, stages, division);
        if let Some(seeker) = &mut seeker {
            seeker.advance(&mut run, &mut plan, 0.0);
        }
        Self {
            run,
            seeker,
            merger: Merger::new(0),
            plan,
            measure: Usage::now,
            usage: Usage::default(),
            setups: Setups::default(),
            users: division.users,
            unanswered: 0,
        }
    }

    /// What the crew is to begin with.
    pub(super) fn plan(&self) -> Plan {
        self.plan.clone()
    }

    pub(super) async fn conduct(
        mut self,
        mut crew: Crew,
        mut platform: Watch,
        mut stop: watch::Receiver<bool>,
        mut seen: impl FnMut(Seen<'_>),
    ) -> Run {
        self.run.started = Timestamp::now();
        self.usage = (self.measure)();
        self.merger = Merger::new(crew.sources);
        while !self.merger.is_done() {
            let late = crew.when(self.run.seconds.len() as f64 + SILENCE_MAX);
            tokio::select! {
                word = crew.words.recv() => {
                    let Some((source, word)) = word else {
                        self.end(Ended::Broke("nobody is left".to_owned()), 0.0, &crew);
                        break;
                    };
                    self.hear(source, word, &crew);
                    while let Some(tick) = self.merger.next() {
                        self.take(tick, &crew);
                        if let Some(second) = self.run.seconds.last() {
                            seen(Seen::Second(second));
                        }
                    }
                }
                Some(sample) = platform.samples.recv() => {
                    seen(Seen::Platform(&sample));
                    self.run.platform.push(sample);
                }
                Ok(()) = stop.changed() => {
                    if *stop.borrow_and_update() {
                        self.end(Ended::Interrupted, GRACE_INTERRUPTED, &crew);
                    }
                }
                () = sleep_until(late) => {
                    self.end(Ended::Broke(format!("a part of it was silent for {SILENCE_MAX} s")), 0.0, &crew);
                    break;
                }
            }
        }
        platform.stop().await;
        self.finish()
    }

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
                self.end(Ended::Broke(why), 0.0, crew);
            }
        }
    }

    /// Takes a complete second.
    fn take(&mut self, tick: Tick, crew: &Crew) {
        let usage = (self.measure)();
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
        let now = crew.elapsed();
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
        let mut kinds = BTreeMap::<&str, u64>::new();
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
        let now = crew.elapsed();
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
pub(super) fn blank(config: &Config, stages: Vec<StageRun>, division: Division) -> Run {
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
            processes: division.processes,
            threads: division.threads * division.processes,
        },
    }
}

fn grace(scenario: &Scenario) -> Duration {
    let steps = scenario.flows.iter().flat_map(|flow| &flow.steps);
    steps.map(|step| step.timeout).max().unwrap_or_default().min(GRACE_MAX)
}
