//! Who is measured, and how each is set up.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{CONCURRENCY, CREATORS, Creating, Options};
use crate::cpu::OnCpu;
use crate::http;
use crate::process::{Process, command, find, free_ports};

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// Embedded, SQLite, every creation synced; created by the same Node client as the peers' tasks.
    Mare,
    /// The same, created by a client that costs little.
    MareLean,
    /// PostgreSQL as the store.
    MarePostgres,
    /// Redis syncs every write.
    BullmqAlways,
    /// Redis syncs once a second: a power cut loses up to a second of acknowledged tasks.
    BullmqEverysec,
    Graphile,
}

impl Subject {
    pub(crate) const ALL: [Self; 6] = [
        Self::Mare,
        Self::MareLean,
        Self::MarePostgres,
        Self::BullmqAlways,
        Self::BullmqEverysec,
        Self::Graphile,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mare => "mare",
            Self::MareLean => "mare-lean",
            Self::MarePostgres => "mare-postgres",
            Self::BullmqAlways => "bullmq-always",
            Self::BullmqEverysec => "bullmq-everysec",
            Self::Graphile => "graphile",
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Mare => "Maré, SQLite",
            Self::MareLean => "Maré, SQLite, lean client",
            Self::MarePostgres => "Maré, PostgreSQL",
            Self::BullmqAlways => "BullMQ, appendfsync always",
            Self::BullmqEverysec => "BullMQ, everysec",
            Self::Graphile => "graphile-worker",
        }
    }
}

/// A subject, ready for work.
pub(crate) struct Running {
    subject: Subject,
    processes: Vec<Process>,
    /// Ends with its folder.
    postgres: Option<servers::Postgres>,
    pub(crate) sink_port: u16,
    /// Where the creator finds the store, or Maré's queue.
    store: String,
    /// Maré's.
    admin_port: Option<u16>,
}

/// What the creator says.
#[derive(Debug, Deserialize)]
pub(crate) struct Created {
    /// When the first creation began, in seconds since 1970.
    pub(crate) began: f64,
    #[serde(rename = "created")]
    pub(crate) took: f64,
    /// Of peers, whose tasks are done in the same program.
    pub(crate) done: Option<f64>,
}

pub(crate) async fn start(options: &Options, subject: Subject, home: &Path) -> Result<Running> {
    let postgres = match subject {
        Subject::MarePostgres | Subject::Graphile => Some(servers::Postgres::start_durable()),
        Subject::Mare | Subject::MareLean | Subject::BullmqAlways | Subject::BullmqEverysec => None,
    };
    let database = postgres.as_ref().map(servers::Postgres::fresh_database);
    match subject {
        Subject::Mare | Subject::MareLean | Subject::MarePostgres => {
            let (process, sink_port, admin) = start_mare(options, home, database).await?;
            let store = format!("http://127.0.0.1:{admin}/v2/projects/bench/locations/local/queues/bench");
            Ok(Running {
                subject,
                processes: vec![process],
                postgres,
                sink_port,
                store,
                admin_port: Some(admin),
            })
        }
        Subject::BullmqAlways | Subject::BullmqEverysec | Subject::Graphile => {
            let [sink_port, redis_port] = free_ports()?;
            let mut processes = vec![start_sink(home, sink_port).await?];
            let store = if let Some(url) = database {
                url
            } else {
                let sync = if subject == Subject::BullmqAlways { "always" } else { "everysec" };
                processes.push(start_redis(home, redis_port, sync).await?);
                format!("redis://127.0.0.1:{redis_port}")
            };
            Ok(Running { subject, processes, postgres, sink_port, store, admin_port: None })
        }
    }
}

impl Running {
    /// Of all its processes, the sink's among them.
    pub(crate) fn cpu(&self) -> Result<OnCpu> {
        let servers = self.postgres.as_ref().map(servers::Postgres::id);
        OnCpu::of_all_of(self.processes.iter().map(Process::id).chain(servers))
    }

    /// Creates all tasks; a peer also does them.
    pub(crate) async fn create(&self, options: &Options, creating: Creating) -> Result<Created> {
        let settings = serde_json::json!({
            "tasks": options.tasks, "creators": CREATORS, "batch": creating.batch(), "concurrency": CONCURRENCY,
            "sink": format!("http://127.0.0.1:{}/", self.sink_port), "store": self.store,
        });
        let mut creator = match self.subject {
            Subject::MareLean => {
                let mut own = command(std::env::current_exe()?);
                own.arg("create").arg(settings.to_string());
                own
            }
            Subject::Mare
            | Subject::MarePostgres
            | Subject::BullmqAlways
            | Subject::BullmqEverysec
            | Subject::Graphile => {
                let kind = match self.subject {
                    Subject::BullmqAlways | Subject::BullmqEverysec => "bullmq",
                    Subject::Graphile => "graphile",
                    Subject::Mare | Subject::MareLean | Subject::MarePostgres => "mare",
                };
                let mut node = command(find("node")?);
                node.arg(options.peers.join("run.mjs")).arg(kind).arg(settings.to_string());
                node
            }
        };
        let output = creator.stderr(Stdio::inherit()).output().await?;
        ensure!(output.status.success(), "the creator ended with {}", output.status);
        let text = String::from_utf8(output.stdout)?;
        serde_json::from_str(text.trim()).with_context(|| format!("the creator said {text:?}"))
    }

    /// Nothing waits and nothing is under way.
    pub(crate) async fn is_idle(&self) -> Result<bool> {
        let Some(port) = self.admin_port else { return Ok(true) };
        let status: serde_json::Value = serde_json::from_str(&http::text(port, "/api/tasks").await?)?;
        let queues = status["queues"].as_array().context("there are no queues")?;
        Ok(queues.iter().all(|queue| queue["backlog"] == 0 && queue["running"] == 0))
    }

    pub(crate) async fn stop(self) {
        for process in self.processes.into_iter().rev() {
            process.stop().await;
        }
    }
}

async fn start_sink(home: &Path, port: u16) -> Result<Process> {
    let mut own = command(std::env::current_exe()?);
    own.arg("sink").env("PORT", port.to_string());
    let mut process = Process::start("sink", own, home)?;
    process.listens(port).await?;
    Ok(process)
}

async fn start_redis(home: &Path, port: u16, sync: &str) -> Result<Process> {
    let mut redis = command(find("redis-server")?);
    redis.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", sync]);
    redis.args(["--maxmemory-policy", "noeviction", "--port"]).arg(port.to_string()).arg("--dir").arg(home);
    let mut process = Process::start("redis", redis, home)?;
    process.listens(port).await?;
    Ok(process)
}

/// The sink is a service of its own, with one instance that always runs; a task reaches it through the
/// gateway, as in any application. The rate is out of the way.
async fn start_mare(options: &Options, home: &Path, database: Option<String>) -> Result<(Process, u16, u16)> {
    let own = std::env::current_exe()?;
    let own = own.to_str().context("the benchmark's own path is not UTF-8")?;
    let run = format!("'{own}' sink");
    let backends = database.map_or(String::new(), |url| format!("[backends]\npostgres = {url:?}\n"));
    let min = u8::from(!options.from_zero);
    let manifest = format!(
        "[app]\nname = \"bench\"\n[services.sink]\nrun = {run:?}\n\
         scale = {{ min = {min}, max = 1, concurrency = {CONCURRENCY} }}\n\
         [[routes]]\nmatch = \"/*\"\nservice = \"sink\"\n\
         [queues.bench]\nrate = \"unlimited\"\nconcurrency = {CONCURRENCY}\n{backends}"
    );
    let file = home.join("mare.toml");
    std::fs::write(&file, manifest)?;
    let [port, admin] = free_ports()?;
    let mut up = command(&options.mare);
    up.arg("up").arg("-f").arg(&file).arg("--listen").arg(format!("127.0.0.1:{port}"));
    up.arg("--admin").arg(format!("127.0.0.1:{admin}")).arg("--data").arg(home.join("data"));
    let mut process = Process::start("mare", up, home)?;
    process.prints(&format!("http://127.0.0.1:{port}")).await?;
    Ok((process, port, admin))
}
