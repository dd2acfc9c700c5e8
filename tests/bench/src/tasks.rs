//! `bench tasks`: create, push, acknowledge, beside `BullMQ` and graphile-worker.
//!
//! Everybody does the same work: a creator (Node, 64 creations at once, one task or a hundred each) creates tasks of
//! 500 bytes while they are already being done; doing one is one HTTP POST to the same sink, 50 at once. The clock
//! runs from the first creation until the last task is done and acknowledged. The stores are on the same disk and as
//! durable as their names say. See [`subjects`] for who is measured and [`report`] for what is written.

mod creator;
mod report;
pub(crate) mod sink;
mod subjects;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use crate::{cpu, http, machine};
use subjects::{Running, Subject};

pub(crate) use creator::run as create;

/// Tasks made at once, and done at once.
pub(crate) const CREATORS: u32 = 64;
pub(crate) const CONCURRENCY: u32 = 50;

/// Far above what the slowest takes for the most tasks anybody asks for.
const PATIENCE: Duration = Duration::from_mins(10);

#[derive(Clone, Debug, clap::Args, Serialize)]
pub(crate) struct Options {
    /// The mare binary (cargo build --profile dist -p mare).
    #[arg(long)]
    mare: PathBuf,
    /// The folder of the peers' programs, with their `node_modules` in it or above.
    #[arg(long, default_value = "tests/bench/peers")]
    peers: PathBuf,
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    tasks: u32,
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Maré's service has no instance when the first task comes.
    #[arg(long)]
    from_zero: bool,
    /// Measure only these.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Subject>,
    #[arg(long, default_value = "docs/benchmarks-tasks.md")]
    report: PathBuf,
    /// Writes every single measurement there, too.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// How tasks are created.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Creating {
    Single,
    Batched,
}

impl Creating {
    pub(crate) const ALL: [Self; 2] = [Self::Single, Self::Batched];

    pub(crate) fn batch(self) -> u32 {
        match self {
            Self::Single => 1,
            Self::Batched => 100,
        }
    }
}

/// One run of one subject.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) subject: Subject,
    pub(crate) creating: Creating,
    pub(crate) tasks: u32,
    /// Until the last creation was acknowledged.
    pub(crate) created_s: f64,
    /// Until the last task was done and acknowledged.
    pub(crate) done_s: f64,
    /// Of everything: creator, queue, store, sink.
    pub(crate) cpu_s: f64,
    /// POSTs beyond one a task.
    pub(crate) repeated: u64,
}

impl Sample {
    pub(crate) fn per_second(&self) -> f64 {
        f64::from(self.tasks) / self.done_s
    }
}

#[derive(Serialize)]
pub(crate) struct Results {
    machine: machine::Machine,
    options: Options,
    samples: Vec<Sample>,
}

pub(crate) async fn measure(options: Options) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("mare-bench-").tempdir()?;
    let machine = machine::Machine::of_tasks(&options.mare, &options.peers).await?;
    let mut samples = Vec::new();
    for round in 0..options.rounds {
        for creating in Creating::ALL {
            let mut order =
                if options.only.is_empty() { Subject::ALL.to_vec() } else { options.only.clone() };
            if round % 2 == 1 {
                order.reverse();
            }
            for subject in order {
                let home = folder.path().join(format!("{}-{round}-{}", subject.name(), creating.batch()));
                std::fs::create_dir_all(&home)?;
                let sample = one(&options, round, subject, creating, &home).await;
                let sample = sample.with_context(|| format!("failed to measure {}", subject.name()))?;
                progress(&sample, options.rounds);
                samples.push(sample);
            }
        }
    }
    report::write(&Results { machine, options, samples })
}

async fn one(
    options: &Options,
    round: u32,
    subject: Subject,
    creating: Creating,
    home: &Path,
) -> Result<Sample> {
    let running = subjects::start(options, subject, home).await?;
    let before = (running.cpu()?, cpu::of_ended_children()?);
    let creator =
        timeout(PATIENCE, running.create(options, creating)).await.context("it took too long")??;
    let done_s = match creator.done {
        Some(done) => done,
        None => timeout(PATIENCE, until_done(&running, options.tasks, creator.began))
            .await
            .context("it took too long")??,
    };
    let (total, distinct) = count(running.sink_port).await?;
    ensure!(distinct == u64::from(options.tasks), "{distinct} of {} tasks were done", options.tasks);
    let spent = running.cpu()?.since(&before.0) + cpu::of_ended_children()?.saturating_sub(before.1);
    running.stop().await;
    Ok(Sample {
        round,
        subject,
        creating,
        tasks: options.tasks,
        created_s: creator.took,
        done_s,
        cpu_s: spent.as_secs_f64(),
        repeated: total - distinct,
    })
}

/// Between two looks at whether Maré is done: a thousandth of what is measured.
const LOOK: Duration = Duration::from_millis(5);

/// Done is when the sink had all and nothing is left in the queue, so that all are acknowledged too.
async fn until_done(running: &Running, tasks: u32, began: f64) -> Result<f64> {
    loop {
        if count(running.sink_port).await?.1 >= u64::from(tasks) && running.is_idle().await? {
            return Ok(now() - began);
        }
        sleep(LOOK).await;
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    jiff::Timestamp::now().as_duration().as_secs_f64()
}

/// All POSTs the sink had, and how many different tasks.
async fn count(port: u16) -> Result<(u64, u64)> {
    let text = http::text(port, "/count").await?;
    let (total, distinct) = text.split_once(' ').context("the sink counts otherwise")?;
    Ok((total.parse()?, distinct.parse()?))
}

fn progress(sample: &Sample, rounds: u32) {
    let Sample { round, subject, creating, created_s, done_s, cpu_s, repeated, tasks } = sample;
    eprintln!(
        "round {}/{rounds}  {:<26} {creating:?}  {:>7.0}/s  created in {created_s:.2} s, done in {done_s:.2} s, \
         {:.0} us CPU each, {repeated} repeated",
        round + 1,
        subject.label(),
        sample.per_second(),
        cpu_s * 1e6 / f64::from(*tasks),
    );
}
