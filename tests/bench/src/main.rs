//! `make bench`: Maré beside nginx, haproxy and varnish on this machine, its load generator beside wrk and Locust, and what a
//! start from zero costs.
//!
//! Everything runs on loopback: `wrk` makes the load, this program is also the canned upstream (as a process of its
//! own), and the proxies are its children. It writes `docs/benchmarks.md`, whose text says how the numbers come
//! about. Start at [`plan`] for what is measured, [`rounds`] for how, [`verdict`] for the floors.

mod cold;
mod cpu;
mod drain;
mod generators;
mod http;
mod machine;
mod plan;
mod process;
mod report;
mod rounds;
mod stats;
mod subjects;
mod tasks;
mod upstream;
mod verdict;
mod wrk;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use verdict::Verdict;

/// Measures Maré beside nginx, haproxy and varnish and writes docs/benchmarks.md.
#[derive(Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Role {
    /// Answers every request with the same 1 KiB, on $PORT.
    #[command(hide = true)]
    Upstream,
    /// Measures Maré's tasks beside `BullMQ` and graphile-worker and writes docs/benchmarks-tasks.md.
    Tasks(tasks::Options),
    /// Measures how long valoriza takes over a backlog of transactions and writes docs/evidence/drain.md.
    Drain(drain::Options),
    /// Counts the tasks that reach it, on $PORT.
    #[command(hide = true)]
    Sink,
    /// Creates tasks.
    #[command(hide = true)]
    Create { settings: String },
}

#[derive(Clone, Debug, clap::Args, Serialize)]
pub(crate) struct Options {
    /// The mare binary (cargo build --profile dist -p mare).
    #[arg(long)]
    mare: Option<PathBuf>,
    /// The locust program (pip install locust); it is left out without.
    #[arg(long)]
    locust: Option<PathBuf>,
    /// Measure only these.
    #[arg(long, value_delimiter = ',', default_value = "direct,nginx,haproxy,varnish,mare")]
    only: Vec<Program>,
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Length of each measurement.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=300))]
    seconds: u32,
    /// Starts from zero to measure.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=1000))]
    starts: u32,
    /// Two rounds of one second and five starts: shows that it works, not how fast.
    #[arg(long)]
    quick: bool,
    /// Where the report goes.
    #[arg(long, default_value = "docs/benchmarks.md")]
    report: PathBuf,
    /// Writes every single measurement there, too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Exits with 3 if a floor is missed and with 4 if one could not be judged.
    #[arg(long)]
    check: bool,
}

/// What can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
pub(crate) enum Program {
    /// The upstream without a proxy: the ceiling of what this machine's loopback and load generator reach.
    Direct,
    Nginx,
    Haproxy,
    Varnish,
    Mare,
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let workers = match cli.role {
        // As many as the upstream of the prototypes' measurements had.
        Some(Role::Upstream) => 2,
        Some(Role::Tasks(_) | Role::Drain(_) | Role::Sink | Role::Create { .. }) | None => 1,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    match cli.role {
        Some(Role::Upstream) => runtime.block_on(upstream::run()).map(|()| ExitCode::SUCCESS),
        Some(Role::Sink) => runtime.block_on(tasks::sink::run()).map(|()| ExitCode::SUCCESS),
        Some(Role::Create { settings }) => {
            runtime.block_on(tasks::create(&settings)).map(|()| ExitCode::SUCCESS)
        }
        Some(Role::Tasks(options)) => runtime
            .block_on(interruptible(async { tasks::measure(options).await.map(|()| ExitCode::SUCCESS) })),
        Some(Role::Drain(options)) => runtime
            .block_on(interruptible(async { drain::measure(options).await.map(|()| ExitCode::SUCCESS) })),
        None => runtime.block_on(interruptible(measure(cli.options))),
    }
}

/// Dropping the measurement ends every process it started.
async fn interruptible(measuring: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = measuring => outcome,
        _ = interrupt.recv() => anyhow::bail!("interrupted"),
        _ = terminate.recv() => anyhow::bail!("terminated"),
    }
}

#[derive(Serialize)]
struct Results {
    machine: machine::Machine,
    options: Options,
    samples: Vec<rounds::Sample>,
    efforts: Vec<generators::Effort>,
    cold: Option<cold::ColdStarts>,
    verdicts: Vec<Verdict>,
}

async fn measure(mut options: Options) -> Result<ExitCode> {
    if options.quick {
        (options.rounds, options.seconds, options.starts) = (2, 1, 5);
    }
    let measures_mare = options.only.contains(&Program::Mare);
    ensure!(
        !measures_mare || options.mare.is_some(),
        "pass --mare PATH, or leave mare out with --only nginx,haproxy"
    );
    let machine = machine::Machine::examine(&options).await?;
    let folder = tempfile::Builder::new().prefix("mare-bench-").tempdir()?;

    let subjects = subjects::start(&options, folder.path()).await?;
    let samples = rounds::run(&options, &subjects).await?;
    let efforts = generators::run(&options, &subjects, folder.path()).await?;
    subjects.stop().await;
    let cold = match &options.mare {
        Some(mare) if measures_mare && options.starts > 0 => {
            Some(cold::run(mare, folder.path(), options.starts).await?)
        }
        Some(_) | None => None,
    };

    let verdicts = verdict::judge(&samples, &efforts, cold.as_ref());
    let check = options.check;
    let results = Results { machine, options, samples, efforts, cold, verdicts };
    write_results(&results)?;
    Ok(if check { ExitCode::from(verdict::exit_code(&results.verdicts)) } else { ExitCode::SUCCESS })
}

fn write_results(results: &Results) -> Result<()> {
    if let Some(path) = &results.options.json {
        let text = serde_json::to_string_pretty(results)?;
        std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    let path = &results.options.report;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, report::markdown(results))
        .with_context(|| format!("failed to write {}", path.display()))?;
    for verdict in &results.verdicts {
        println!("{verdict}");
    }
    if let Some(noise) = report::noise(&results.samples) {
        println!("{noise}");
    }
    println!("written: {}", path.display());
    Ok(())
}
