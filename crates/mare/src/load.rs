//! `mare load`

mod progress;

use std::fs;
use std::io::{self, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use mare_load::engine::{self, Admin, Config, Endpoint, Refusal, Seek};
use mare_load::report::{self, Style};
use mare_load::run::{Promise, Run};
use mare_load::scenario::{self, Feed, Order, Scenario};
use mare_manifest::model::Manifest;
use mare_slo::Verdict;
use tokio::sync::watch;

use crate::{Usage, check, cli, data, exit};
use progress::Progress;

/// Where `mare up` answers unless told otherwise.
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

pub(crate) async fn run(arguments: cli::Load) -> Result<ExitCode> {
    if let Some(kept) = &arguments.render {
        return render(kept, &arguments);
    }
    let file = arguments.scenario.as_deref().ok_or_else(|| Usage("name a scenario file".to_owned()))?;
    let (source, mut scenario) = read(file)?;
    if let Some(target) = &arguments.target {
        scenario.target.url.clone_from(target);
    }
    let seek = seek(&arguments, &scenario)?;
    let promises = promises(&scenario)?;
    let refused = |refusal: Refusal| Usage(refusal.to_string());
    let endpoint = Endpoint::resolve(&scenario.target.url, arguments.i_own_this_host.as_deref())
        .await
        .map_err(refused)?;
    let out = folder(&arguments, &scenario.name)?;
    let config = Config {
        admin: admin(&arguments, &endpoint),
        source,
        origin: file.to_owned(),
        endpoint,
        threads: arguments.threads,
        processes: arguments.processes,
        program: std::env::current_exe()?,
        promises,
        seek,
        command: std::env::args().collect(),
        commit: commit(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario,
    };
    let mut progress = Progress::new(&config, arguments.interval);
    let run = engine::drive(&config, interrupts(), |seen| progress.see(seen)).await.map_err(mend)?;
    progress.finish();
    conclude(&run, &out, &arguments)
}

/// What the user can mend is said without a chain of causes.
fn mend(error: engine::Error) -> anyhow::Error {
    match error {
        engine::Error::Unreachable { .. } => Usage(error.to_string()).into(),
        engine::Error::Start(_) => error.into(),
    }
}

/// The life of a further process of the generator.
pub(crate) async fn child() -> Result<()> {
    let read = |source: &str, origin: &Path| parse(source, origin).map_err(|mistakes| mistakes.to_string());
    Ok(engine::child(read).await?)
}

fn read(file: &Path) -> Result<(String, Scenario)> {
    let source = fs::read_to_string(file)
        .map_err(|error| Usage(format!("cannot read {}: {error}", file.display())))?;
    let scenario = parse(&source, file)?;
    Ok((source, scenario))
}

fn parse(source: &str, origin: &Path) -> Result<Scenario, mare_manifest::Mistakes> {
    scenario::load(source, origin, &|path| fs::read_to_string(path), &|name| std::env::var(name).ok())
}

/// The objectives of the manifest, if the scenario names one, and the scenario's thresholds.
fn promises(scenario: &Scenario) -> Result<Vec<Promise>> {
    let read = |file: &Path| {
        if !file.exists() {
            let message = format!("the scenario's manifest does not exist: {}", file.display());
            return Err(Usage(message).into());
        }
        check::read(file)
    };
    let manifest: Option<Manifest> = scenario.manifest.as_deref().map(read).transpose()?;
    let (objectives, routes) =
        manifest.map(|manifest| (manifest.objectives, manifest.routes)).unwrap_or_default();
    Ok(scenario::promises(scenario, &objectives, &routes))
}

fn seek(arguments: &cli::Load, scenario: &Scenario) -> Result<Option<Seek>> {
    if !arguments.find_knee {
        return Ok(None);
    }
    let highest = scenario.stages.iter().map(|stage| stage.level).fold(0.0, f64::max);
    let to = arguments.to.unwrap_or(highest * 10.0);
    let seek = Seek {
        from: arguments.from.unwrap_or((highest / 10.0).min(to)).max(1.0),
        to,
        hold: arguments.hold,
        resolution: arguments.resolution,
    };
    if seek.from > seek.to || !seek.to.is_finite() {
        return Err(Usage(format!("--from {} is above --to {}", seek.from, seek.to)).into());
    }
    if seek.hold < Seek::HOLD_MIN {
        return Err(Usage(format!(
            "--hold is at least {:?}: a level is judged in several windows",
            Seek::HOLD_MIN
        ))
        .into());
    }
    let lacks = |feed: &Feed| feed.order == Order::Unique && (feed.count() as f64) < seek.to;
    if let Some((name, feed)) = scenario.feeds.iter().find(|(_, feed)| lacks(feed)) {
        let message = format!("feed `{name}` has {} rows, too few for --to {} users", feed.count(), seek.to);
        return Err(Usage(message).into());
    }
    Ok(Some(seek))
}

fn admin(arguments: &cli::Load, endpoint: &Endpoint) -> Option<Admin> {
    let address = arguments.admin.or_else(|| endpoint.address.ip().is_loopback().then_some(ADMIN))?;
    Some(Admin { address, token: data::token(&arguments.data) })
}

/// Made before the run: a full disk should not cost an hour of measuring.
fn folder(arguments: &cli::Load, name: &str) -> Result<PathBuf> {
    let folder = arguments.out.clone().unwrap_or_else(|| {
        let now = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
        let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        PathBuf::from(format!("load-{name}-{now}"))
    });
    fs::create_dir_all(&folder)
        .map_err(|error| Usage(format!("cannot write to {}: {error}", folder.display())))?;
    Ok(folder)
}

fn commit() -> Option<String> {
    let output = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Turns true at the first Ctrl-C; the second ends the process.
fn interrupts() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return std::future::pending().await;
        }
        sender.send_replace(true);
        if tokio::signal::ctrl_c().await.is_ok() {
            // Further processes end when their input does.
            std::process::exit(130);
        }
    });
    receiver
}

/// Makes the files of a run that was kept once more.
fn render(kept: &Path, arguments: &cli::Load) -> Result<ExitCode> {
    let wrong = |error: &dyn std::fmt::Display| Usage(format!("cannot read {}: {error}", kept.display()));
    let text = fs::read_to_string(kept).map_err(|error| wrong(&error))?;
    let run: Run = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    if run.version != Run::VERSION {
        return Err(wrong(&format!("it is of version {}, not {}", run.version, Run::VERSION)).into());
    }
    let out = folder(arguments, &run.scenario)?;
    conclude(&run, &out, arguments)
}

/// Writes what was found, and says it.
fn conclude(run: &Run, out: &Path, arguments: &cli::Load) -> Result<ExitCode> {
    let findings = run.findings();
    let json = report::json(run, &findings);
    let files = [
        ("run.json", serde_json::to_string(run)?),
        ("report.html", report::html(run, &findings)),
        ("report.json", json.clone()),
        ("seconds.csv", report::seconds_csv(run)),
        ("steps.csv", report::steps_csv(run)),
    ];
    for (name, content) in files {
        let path = out.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if arguments.json {
        crate::print(&json);
    } else {
        let style = if io::stdout().is_terminal() { Style::Coloured } else { Style::Plain };
        let text = report::text(run, &findings, style);
        crate::print(&format!("{text}\nThe report is in {}\n", out.join("report.html").display()));
    }
    Ok(ExitCode::from(match findings.verdict {
        Verdict::Pass => 0,
        Verdict::Fail => exit::FAIL,
        Verdict::Invalid => exit::INVALID,
        Verdict::Inconclusive => exit::INCONCLUSIVE,
    }))
}
