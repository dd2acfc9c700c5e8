//! The arguments of every verb.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The hidden verb an instance's supervisor runs as.
pub(crate) const GUARD: &str = "__guard";

/// Runs services the way a managed cloud does, from one file, mare.toml.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    max_term_width = 100,
    after_help = "\
Examples:
  mare up                                     run the application in ./mare.toml
  mare up -- python3 -m http.server '$PORT'   run one command, no file needed
  mare check                                  find every mistake in ./mare.toml
  mare status --watch                         see instances come and go
  mare logs api -f                            follow what a service writes
  mare tasks                                  queues: what waits, how long, what died
  mare cache                                  hits and misses of the response cache
  mare key partner                            make an API key for a client
  mare render prometheus -o rules.yml         alert on the objectives from Prometheus
  mare load load/read.toml                    prove that the objectives hold under load

Exit codes: 0 fine, 1 a bug, 2 wrong usage or manifest; of `mare load`: 3 FAIL, 4 INVALID, 5 INCONCLUSIVE."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the application on this machine
    Up(Up),
    /// Validate mare.toml and report every mistake at once
    Check(Check),
    /// Show services, instances, error budgets and alerts of a running `mare up`
    Status(Status),
    /// Show what a service's instances write
    Logs(Logs),
    /// Show queues and their tasks; run, retry, pause and purge them by hand
    Tasks(Tasks),
    /// Show what the response cache does; purge and warm it
    Cache(Cache),
    /// Make an API key, and the lines of mare.toml that let it in
    Key(Key),
    /// Make files for other programs from mare.toml
    Render(Render),
    /// Drive a scenario at a target, judge it by its objectives, and write the report
    Load(Box<Load>),
    /// A further process of the load generator
    #[command(name = mare_load::engine::VERB, hide = true)]
    LoadProcess,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Services are started when a request needs them, and stopped when none has come for a while.
Ready when it prints the public URL. SIGTERM and Ctrl-C finish the requests in flight, then stop; a second one
stops at once. MARE_LOG sets what mare itself logs (default `info`; try `mare_gateway=debug`).")]
pub(crate) struct Up {
    /// The manifest; its folder is where services run
    #[arg(short, long, default_value = "mare.toml", conflicts_with = "command")]
    pub(crate) file: PathBuf,
    /// Where the public is served
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where metrics, status and logs are served; asks for a token unless it is a loopback address
    #[arg(long, default_value = "127.0.0.1:8081")]
    pub(crate) admin: SocketAddr,
    /// Where embedded databases and the platform's own state live
    #[arg(long, default_value = ".mare")]
    pub(crate) data: PathBuf,
    /// How log lines and instances' output are written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) log: LogFormat,
    /// Run one service with this command instead of a manifest; `$PORT` is where it must listen
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// `pretty` at a terminal, `json` otherwise
    #[default]
    Auto,
    Pretty,
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The manifest
    #[arg(short, long, default_value = "mare.toml")]
    pub(crate) file: PathBuf,
    /// Print the JSON Schema of mare.toml, for editors, and do nothing else
    #[arg(long)]
    pub(crate) schema: bool,
}

/// Which running platform to ask.
#[derive(Args, Debug)]
pub(crate) struct Platform {
    /// The data directory of the running `mare up`
    #[arg(long, default_value = ".mare")]
    pub(crate) data: PathBuf,
    /// Its admin address, instead of the one noted in the data directory
    #[arg(long)]
    pub(crate) admin: Option<SocketAddr>,
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) platform: Platform,
    /// Redraw every second until Ctrl-C
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Print JSON, one document (one a second with --watch)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Logs {
    /// The service
    pub(crate) service: String,
    #[command(flatten)]
    pub(crate) platform: Platform,
    /// Go on until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How many of the last lines to show (the platform keeps 2000 a service)
    #[arg(short = 'n', long, default_value_t = 100)]
    pub(crate) lines: usize,
}

#[derive(Args, Debug)]
#[command(after_help = "\
QUEUE is the name in mare.toml; a subscription's queue is subscription-NAME. Queues made by the API in another
project or location are named in full: projects/P/locations/L/queues/Q.

Examples:
  mare tasks --watch                      see queues fill and drain
  mare tasks list imports                 what is next in a queue, and how its attempts ended
  mare tasks dead imports                 what used up its attempts, and why
  mare tasks retry imports --all          give dead letters another round
  mare tasks run imports 0192f3c4         attempt a task now, whatever the limits say")]
pub(crate) struct Tasks {
    #[command(subcommand)]
    pub(crate) action: Option<TasksAction>,
    #[command(flatten)]
    pub(crate) platform: Platform,
    /// Redraw every second until Ctrl-C
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TasksAction {
    /// The tasks of a queue, by id
    List(Queue),
    /// Dead letters: tasks that used up their attempts
    Dead(Queue),
    /// Attempt tasks now, whatever the queue's state and limits
    Run(TaskIds),
    /// Put dead letters back into the queue
    Retry(DeadLetters),
    /// Forget dead letters
    Forget(DeadLetters),
    /// Stop dispatching; the queue goes on taking tasks
    Pause(Queue),
    /// Dispatch again, slowly at first
    Resume(Queue),
    /// Delete all tasks of a queue; dead letters stay
    Purge(Queue),
}

#[derive(Args, Debug)]
pub(crate) struct Queue {
    pub(crate) queue: String,
    /// Of a list: what comes after this id
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct TaskIds {
    pub(crate) queue: String,
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct DeadLetters {
    pub(crate) queue: String,
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub(crate) ids: Vec<String>,
    /// All of the queue's
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  mare cache --watch                              hits and misses by route
  mare cache purge --tag account-42               end every entry with a tag
  mare cache purge --url /api/accounts            end an address, whatever its query, host and user
  mare cache warm urls.txt                        ask for every line of a file, so that others hit")]
pub(crate) struct Cache {
    #[command(subcommand)]
    pub(crate) action: Option<CacheAction>,
    #[command(flatten)]
    pub(crate) platform: Platform,
    /// Redraw every second until Ctrl-C
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheAction {
    /// End entries; when it returns, nobody gets them any more
    Purge(CachePurge),
    /// Ask for addresses through the public address, so that their answers are stored
    Warm(Warm),
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct CachePurge {
    /// A name of Cache-Tag; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// `http://HOST/PATH`, or `/PATH` on any host; may be repeated
    #[arg(long = "url", value_name = "URL")]
    pub(crate) urls: Vec<String>,
    /// Everything
    #[arg(long, conflicts_with_all = ["tags", "urls"])]
    pub(crate) all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Warm {
    /// One `http://HOST/PATH?QUERY` or `/PATH?QUERY` on each line; empty lines and those that begin with # are skipped
    pub(crate) file: PathBuf,
    /// Requests at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
    /// A header of every request, `NAME: VALUE`; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
The key is printed once and kept nowhere: mare.toml has its hash, which lets nobody in.
Clients send it as `X-Api-Key: KEY` or `Authorization: Bearer KEY`. docs/auth.md says more.")]
pub(crate) struct Key {
    /// The client it is for, as logs, metrics and services will know it
    #[arg(default_value = "partner")]
    pub(crate) name: String,
}

#[derive(Args, Debug)]
pub(crate) struct Render {
    #[command(subcommand)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Format {
    /// Recording and alerting rules for Prometheus
    #[command(after_help = "\
Per objective and limit: the share of bad requests over the windows its alerts look at, the error budget and
what is left of it; alerts when the budget burns too fast (severity page or ticket) and when there is no data.
Per rule of [alerts.slow]: an alert. docs/monitoring.md says what each one means and what to do.

Examples:
  mare render prometheus -o /etc/prometheus/rules/        writes APP.rules.yml there
  mare render prometheus | promtool check rules
  mare render prometheus --job shop                       several applications in one Prometheus")]
    Prometheus(Prometheus),
    /// A dashboard for Grafana
    #[command(after_help = "\
Requests, errors, latency against its limit, error budget and burn rates per objective; alerts; traffic and
peak hours; instances, waiting, scaling, CPU and memory per service. Import it, or put it where Grafana
provisions dashboards from. It asks for a Prometheus data source, whose scrape interval Grafana must know.

Examples:
  mare render grafana -o /var/lib/grafana/dashboards/     writes APP.dashboard.json there
  mare render grafana > dashboard.json")]
    Grafana(RenderOutput),
}

#[derive(Args, Debug)]
pub(crate) struct Prometheus {
    #[command(flatten)]
    pub(crate) output: RenderOutput,
    /// Look only at what Prometheus scrapes under this job; all that is called mare_* otherwise
    #[arg(long)]
    pub(crate) job: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RenderOutput {
    /// The manifest
    #[arg(short, long, default_value = "mare.toml")]
    pub(crate) file: PathBuf,
    /// The file to write, or the folder to write it in; standard output otherwise
    #[arg(short, long, value_name = "FILE|DIR")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Requests are sent only to this machine and to private networks, unless --i-own-this-host names the target's host.
Ctrl-C ends the run and reports what was done; a second one ends at once.
Exit codes: 0 PASS, 3 FAIL, 4 INVALID (the generator was not healthy), 5 INCONCLUSIVE, 2 wrong usage or scenario.")]
pub(crate) struct Load {
    /// The scenario file
    #[arg(required_unless_present = "render")]
    pub(crate) scenario: Option<PathBuf>,
    /// Aim at this instead of the scenario's target: http://host:port or https://host:port
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<String>,
    /// Where to write the report and the data [default: load-NAME-TIME]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print the findings as JSON, and nothing else, to standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Threads per process [default: as many as cores, at most 4; 1 with several processes]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: Option<u32>,
    /// Processes; more are started if the users need more open files than one may have
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) processes: Option<u32>,
    /// The admin listener of the platform aimed at, asked every second [default: 127.0.0.1:8081 for a loopback target]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<SocketAddr>,
    /// The data directory of that platform, for its token
    #[arg(long, default_value = ".mare")]
    pub(crate) data: PathBuf,
    /// How often progress is printed when standard error is not a terminal
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub(crate) interval: Duration,
    /// Allow this host although its address is public: it must be the target's
    #[arg(long, value_name = "NAME")]
    pub(crate) i_own_this_host: Option<String>,
    /// Search the level from which on the objectives do not hold, instead of running the scenario's stages
    #[arg(long)]
    pub(crate) find_knee: bool,
    /// Where the search begins [default: a tenth of the highest stage]
    #[arg(long, requires = "find_knee")]
    pub(crate) from: Option<f64>,
    /// Where it ends at the latest [default: ten times the highest stage]
    #[arg(long, requires = "find_knee")]
    pub(crate) to: Option<f64>,
    /// How long each level is judged
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub(crate) hold: Duration,
    /// How exactly the level is found
    #[arg(long, default_value = "5%", value_parser = ratio)]
    pub(crate) resolution: f64,
    /// Make the report of a kept run.json again
    #[arg(long, value_name = "RUN.json", conflicts_with = "scenario")]
    pub(crate) render: Option<PathBuf>,
}

fn duration(text: &str) -> Result<Duration, String> {
    mare_manifest::units::duration(text).map_err(|wrong| format!("this is {wrong}; write 30s or 5m"))
}

fn ratio(text: &str) -> Result<f64, String> {
    mare_manifest::units::ratio(text).map_err(|wrong| format!("this is {wrong}; write 5%"))
}
