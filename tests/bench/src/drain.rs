//! `bench drain`: a backlog of transactions meets valoriza, whose worker has no instance.
//!
//! ```text
//!   valoriza seed --waiting N   (nothing runs: N events are in valoriza's outbox)
//!   mare up ──relay──► a task per event and subscription ──push──► worker, from zero ──► valoriza's database
//! ```
//!
//! The clock runs from the start of `mare up` until the last transaction was looked at. All times but the start are
//! those that valoriza and the relay wrote into valoriza's database, so that measuring costs next to nothing. When all
//! is done [`ledger`] compares the events with their effects; a lost or repeated one ends the benchmark.

mod ledger;
mod report;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;
use tokio::time::{sleep, timeout};

use crate::cpu::OnCpu;
use crate::process::{Process, command, free_ports};
use crate::{http, machine};
use ledger::{Effects, Ledger};

/// Far above what the slowest machine takes.
const PATIENCE: Duration = Duration::from_mins(30);

/// Between two looks at whether it is done; the times measured do not depend on it.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Clone, Debug, clap::Args, Serialize)]
pub(crate) struct Options {
    /// The mare binary (cargo build --profile dist -p mare).
    #[arg(long)]
    mare: PathBuf,
    /// The valoriza binary, built likewise.
    #[arg(long)]
    valoriza: PathBuf,
    #[arg(long, default_value = "apps/valoriza/mare.toml")]
    manifest: PathBuf,
    /// How many wait for a category; as many as the paper's tasks.
    #[arg(long, default_value_t = 51_580, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    waiting: u32,
    /// Shared evenly among so many users.
    #[arg(long, value_delimiter = ',', default_value = "100")]
    users: Vec<u32>,
    /// Transactions each user has categorised before.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    known: u32,
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    databases: Vec<Database>,
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    #[arg(long, default_value = "docs/evidence/drain.md")]
    report: PathBuf,
    /// Writes every single measurement there, too.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Holds both valoriza's data and the platform's tasks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Database {
    /// A file each.
    Sqlite,
    /// valoriza's data only; the platform keeps its SQLite file.
    Postgres,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    round: u32,
    database: Database,
    users: u32,
    effects: Effects,
    /// Since the start of `mare up`, until…
    relayed_first_s: f64,
    relayed_last_s: f64,
    handled_first_s: f64,
    categorised_last_s: f64,
    /// … until no task was left, those about budgets included; to the next look.
    idle_s: f64,
    /// The platform's CPU.
    mare_cpu_s: f64,
    /// The worker's and, if it is not a file, the database's.
    rest_cpu_s: f64,
    instances_max: usize,
    /// Pushes that succeeded, of all subscriptions, and attempts that did not.
    pushes: u64,
    failed: u64,
}

#[derive(Serialize)]
pub(crate) struct Results {
    machine: machine::Machine,
    options: Options,
    samples: Vec<Sample>,
}

pub(crate) async fn measure(options: Options) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("mare-bench-").tempdir()?;
    let machine = machine::Machine::of_drain(&options.mare, &options.valoriza).await?;
    let mut samples = Vec::new();
    for round in 0..options.rounds {
        for (database, users) in
            options.databases.iter().flat_map(|it| options.users.iter().map(move |n| (*it, *n)))
        {
            let home = folder.path().join(format!("{database:?}-{users}-{round}"));
            std::fs::create_dir_all(&home)?;
            let sample = timeout(PATIENCE, one(&options, round, database, users, &home)).await;
            let sample = sample.context("it took too long")??;
            eprintln!("{sample:?}");
            samples.push(sample);
            std::fs::remove_dir_all(&home)?;
        }
    }
    report::write(&Results { machine, options, samples })
}

async fn one(options: &Options, round: u32, database: Database, users: u32, home: &Path) -> Result<Sample> {
    let postgres = match database {
        Database::Sqlite => None,
        Database::Postgres => Some(servers::Postgres::start_durable()),
    };
    let url = postgres.as_ref().map_or_else(
        || format!("sqlite:{}", home.join("finance.sqlite3").display()),
        servers::Postgres::fresh_database,
    );
    seed(options, users, &url).await?;
    let ledger = Ledger::open(&url).await?;
    let asked = ledger.asked().await?;
    ensure!(asked == u64::from(options.waiting), "{asked} transactions wait");

    let others = postgres.as_ref().map(servers::Postgres::id);
    let others_before = OnCpu::of_all_of(others.into_iter())?;
    let began = jiff::Timestamp::now();
    let (mare, admin) = start(options, home, &url).await?;
    let platform = Platform { admin };
    let instances_max = platform.until_idle(&ledger, asked).await?;
    let idle_s = (jiff::Timestamp::now() - began).total(jiff::Unit::Second)?;
    let of_mare = OnCpu::of(mare.id())?.since(&OnCpu::default());
    let of_all = OnCpu::of_all_of([mare.id()].into_iter())?.since(&OnCpu::default())
        + OnCpu::of_all_of(others.into_iter())?.since(&others_before);
    let (pushes, failed) = platform.settlements().await?;
    mare.stop().await;

    let effects = ledger.effects().await?;
    effects.check(asked)?;
    let since = |ms: i64| (ms - began.as_millisecond()) as f64 / 1e3;
    let times = ledger.times().await?;
    Ok(Sample {
        round,
        database,
        users,
        effects,
        relayed_first_s: since(times.relayed_first),
        relayed_last_s: since(times.relayed_last),
        handled_first_s: since(times.handled_first),
        categorised_last_s: since(times.categorised_last),
        idle_s,
        mare_cpu_s: of_mare.as_secs_f64(),
        rest_cpu_s: of_all.saturating_sub(of_mare).as_secs_f64(),
        instances_max,
        pushes,
        failed,
    })
}

async fn seed(options: &Options, users: u32, url: &str) -> Result<()> {
    let known = options.known.checked_mul(users).context("too many transactions")?;
    let mut seed = command(&options.valoriza);
    seed.args(["seed", "--users", &users.to_string(), "--transactions", &known.to_string()]);
    seed.args(["--waiting", &options.waiting.to_string()]).env("DATABASE_URL", url);
    let output = seed.output().await?;
    ensure!(output.status.success(), "seeding failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Starts the platform with the manifest that ships; the port of its admin listener.
async fn start(options: &Options, home: &Path, url: &str) -> Result<(Process, u16)> {
    let programs = options.valoriza.canonicalize()?;
    let programs = programs.parent().context("a program is in a folder")?;
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let [port, admin] = free_ports()?;
    let mut up = command(options.mare.canonicalize()?);
    up.arg("up").arg("-f").arg(options.manifest.canonicalize()?).arg("--data").arg(home.join("data"));
    up.args(["--listen", &format!("127.0.0.1:{port}"), "--admin", &format!("127.0.0.1:{admin}")]);
    up.env("PATH", path).env("DATABASE_URL", url).env("VALORIZA_FILES", home.join("files"));
    let mut process = Process::start("mare", up, home)?;
    process.listens(admin).await?;
    Ok((process, admin))
}

/// The platform under test, by its admin listener.
struct Platform {
    admin: u16,
}

impl Platform {
    /// Waits until every event had its push and no task is left. Says how many workers ran at once.
    async fn until_idle(&self, ledger: &Ledger, asked: u64) -> Result<usize> {
        let mut instances_max = 0;
        loop {
            let status = self.json("/api/status").await?;
            let services = status["services"].as_array().into_iter().flatten();
            let workers = services.filter(|it| it["name"] == "worker");
            let count = workers.filter_map(|it| it["instances"].as_array()).map(Vec::len).sum();
            instances_max = instances_max.max(count);
            // In this order: what is handled last makes events of its own, in the outbox before its task is done.
            if ledger.categorised().await? >= asked
                && self.is_idle().await?
                && ledger.waiting().await? == 0
                && self.is_idle().await?
            {
                return Ok(instances_max);
            }
            sleep(LOOK).await;
        }
    }

    async fn is_idle(&self) -> Result<bool> {
        let status = self.json("/api/tasks").await?;
        let queues = status["queues"].as_array().context("there are no queues")?;
        ensure!(queues.iter().all(|queue| queue["dead"] == 0), "there are dead letters: {status}");
        Ok(queues.iter().all(|queue| queue["backlog"] == 0 && queue["running"] == 0))
    }

    /// Attempts that succeeded, and those that did not.
    async fn settlements(&self) -> Result<(u64, u64)> {
        let page = http::text(self.admin, "/metrics").await?;
        let (mut succeeded, mut failed) = (0, 0);
        for line in page.lines().filter(|line| line.starts_with("mare_tasks_settlements_total{")) {
            let count: u64 = line.rsplit(' ').next().unwrap_or_default().parse()?;
            let of = if line.contains("result=\"succeeded\"") { &mut succeeded } else { &mut failed };
            *of += count;
        }
        Ok((succeeded, failed))
    }

    async fn json(&self, path: &str) -> Result<serde_json::Value> {
        Ok(serde_json::from_str(&http::text(self.admin, path).await?)?)
    }
}
