//! `mare up`: the composition root. Builds every part, connects them, runs them, and takes them down in order.

mod environment;
mod events;
mod listeners;
mod shared;
mod tasks;

use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use mare_fleet::driver::{Sink, Stream, find_program};
use mare_fleet::status::Status;
use mare_fleet::{Clock, Config, Controller, ServiceConfig, who_listens};
use mare_gateway::{Gateway, Socket};
use mare_manifest::model::Manifest;
use mare_manifest::model::objective::Subject;
use mare_tasks::service::{Tell, Watch};
use mare_telemetry::alert::outbox::Channels;
use mare_telemetry::log::{self, Format};
use mare_telemetry::metrics::Exposition;
use mare_telemetry::{output, slo};
use prometheus_client::registry::Registry;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::{self, LogFormat};
use crate::data::{Data, Running};
use crate::{Usage, check};
use environment::Addresses;
use listeners::{Views, unready};
use shared::Connected;
use tasks::Tasks;

pub(crate) async fn run(arguments: cli::Up) -> Result<()> {
    let format = match arguments.log {
        LogFormat::Auto => Format::guess(),
        LogFormat::Pretty => Format::Pretty,
        LogFormat::Json => Format::Json,
    };
    let filter = std::env::var("MARE_LOG").unwrap_or_else(|_unset| "info".to_owned());
    let _flush = log::init(format, &filter).map_err(|error| Usage(error.to_string()))?;
    let manifest = if arguments.command.is_empty() {
        check::read(&arguments.file)?
    } else {
        Manifest::for_command(arguments.command.clone(), std::env::current_dir()?)
    };
    check_programs(&manifest)?;
    allow_open_files();
    let data = Data::lock(&arguments.data)?;
    let sockets = Sockets::bind(&arguments, &manifest)?;
    let shutdown = on_signal()?;
    serve(manifest, data, sockets, format, shutdown).await
}

/// A command that does not exist is better said now than at the first request.
fn check_programs(manifest: &Manifest) -> Result<()> {
    for (name, service) in &manifest.services {
        let Some(program) = service.run.first() else { continue };
        if find_program(program.reveal(), &manifest.folder).is_none() {
            let folder = manifest.folder.display();
            let message = format!("service {name}: cannot find `{program}` in PATH or in {folder}");
            return Err(Usage(message).into());
        }
        if service.resources != mare_manifest::model::Resources::default() {
            tracing::warn!(service = %name, "resources are not enforced in this version");
        }
    }
    Ok(())
}

/// Raises the soft limit of open files, often 1024, within the hard one; services inherit it.
///
/// A request takes two sockets, and `[limits] connections` is 10 000 by default. Not higher than that needs: some
/// programs walk through all files they could have open.
fn allow_open_files() {
    const WANTED: u64 = 65_536;
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    if limit.current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit })
    {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

/// Every socket of the platform, bound before anything starts: services are told the addresses.
struct Sockets {
    public: Socket,
    admin: Socket,
    services: Vec<(Arc<str>, Socket)>,
    addresses: Addresses,
}

impl Sockets {
    fn bind(arguments: &cli::Up, manifest: &Manifest) -> Result<Self> {
        let public = bind(arguments.listen, "--listen")?;
        let admin = bind(arguments.admin, "--admin")?;
        let mut services = Vec::new();
        let mut by_name = Vec::new();
        for name in manifest.services.keys() {
            let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0)), "--listen")?;
            by_name.push((name.clone(), socket.address()?));
            services.push((Arc::from(name.as_str()), socket));
        }
        let addresses = Addresses { public: public.address()?, admin: admin.address()?, services: by_name };
        Ok(Self { public, admin, services, addresses })
    }
}

fn bind(address: SocketAddr, option: &str) -> Result<Socket> {
    Socket::bind(address).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::AddrInUse => match who_listens(address.port()) {
                Some(who) => format!("{address} is in use by {who}"),
                None => format!("{address} is in use"),
            },
            _ => format!("cannot listen on {address}: {error}"),
        };
        Usage(format!("{why}; choose another with {option}")).into()
    })
}

/// Cancelled by SIGTERM or Ctrl-C. A second one ends the process, and the guards end the instances.
fn on_signal() -> Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = CancellationToken::new();
    let shutdown = token.clone();
    tokio::spawn(async move {
        for stop in
            [|token: &CancellationToken| token.cancel(), |_: &CancellationToken| std::process::exit(130)]
        {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stop(&token);
        }
    });
    Ok(shutdown)
}

async fn serve(
    manifest: Manifest,
    data: Data,
    sockets: Sockets,
    format: Format,
    shutdown: CancellationToken,
) -> Result<()> {
    let addresses = sockets.addresses.clone();
    let mut registry = Registry::default();
    let names: Vec<&str> = manifest.services.keys().map(String::as_str).collect();
    let (printer, lines) = output::Service::new(format, &names, &mut registry);
    let clock = Clock::start();
    let config = Config {
        guard: guard()?,
        sink: sink(lines.clone()),
        clock,
        services: services(&manifest, &addresses, &data)?,
    };
    let (controller, mut handle) = Controller::new(config, &mut registry);
    let to_pools = handle.take_links();
    let (objectives, evaluated) = objectives(&manifest, &data, &mut registry)?;
    let views = Views { status: handle.status.clone(), objectives: evaluated, lines };
    let Tasks { store, service, events, mounts } =
        tasks::build(&manifest, &data, &addresses, &mut registry).await?;
    let (cache, redis) = shared::cache(&manifest, &mut registry)?;
    let mounts = mounts.into_iter().chain([listeners::of_cache(&cache)]).collect();
    let (listeners, exposition) = listeners::of(&manifest, sockets, &data, views, mounts, &shutdown)?;
    let config = mare_gateway::Config {
        manifest: &manifest,
        links: to_pools,
        listeners,
        clock,
        keys: data.issuer_keys(),
        cache,
    };
    let gateway = Gateway::new(config, &mut registry)?;
    service.watch(watches(&gateway.objectives()));
    exposition.set(Exposition::new(registry)).expect("set once");

    data.note(&Running { pid: std::process::id(), public: addresses.public, admin: addresses.admin })?;
    let stop_instances = CancellationToken::new();
    let redis = Connected::start(redis);
    let controller = tokio::spawn({
        // Should the controller end before its time, everything does: nothing would serve any more.
        let (stop, end_of_all) = (stop_instances.clone(), shutdown.clone().drop_guard());
        async move {
            controller.run(stop).await;
            drop(end_of_all);
        }
    });
    let printer = tokio::spawn(printer.run());
    let dispatcher = tokio::spawn({
        let (shutdown, end_of_all) = (shutdown.clone(), shutdown.clone().drop_guard());
        let call = tasks::call(gateway.calls());
        async move {
            service.run(call, shutdown).await;
            drop(end_of_all);
        }
    });
    let events = tokio::spawn(events.run(shutdown.clone()));
    let stop_objectives = CancellationToken::new();
    let objectives = tokio::spawn(objectives.run(counts(gateway.objectives()), stop_objectives.clone()));
    let announcing = tokio::spawn(announce(manifest.app.name.clone(), addresses, handle.status.clone()));
    gateway.run(shutdown).await;
    announcing.abort();
    events.await?;
    dispatcher.await?;
    // Last of those who use it: requests in the drain could still create tasks.
    store.close().await;
    redis.end().await?;
    stop_instances.cancel();
    stop_objectives.cancel();
    controller.await?;
    objectives.await?;
    // Ends when the last instance's output has: its handles went with the controller and the gateway.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), printer).await;
    drop(data);
    Ok(())
}

/// This program again, as the one that spawns instances.
fn guard() -> Result<(PathBuf, Vec<String>)> {
    let own = std::env::current_exe().context("cannot find mare's own program")?;
    Ok((own, vec![cli::GUARD.to_owned()]))
}

fn sink(lines: output::Handle) -> Sink {
    Sink::new(move |line| {
        let stream = match line.stream {
            Stream::Stdout => output::Stream::Stdout,
            Stream::Stderr => output::Stream::Stderr,
        };
        lines.take(output::Line { service: line.service, instance: line.instance, stream, text: line.text });
    })
}

fn services(manifest: &Manifest, addresses: &Addresses, data: &Data) -> Result<Vec<ServiceConfig>> {
    let config = |(name, service): (&String, &mare_manifest::model::Service)| {
        Ok(ServiceConfig {
            name: Arc::from(name.as_str()),
            model: service.clone(),
            folder: manifest.folder.clone(),
            environment: environment::of(name, service, manifest, addresses, data)?,
        })
    };
    manifest.services.iter().map(config).collect()
}

fn objectives(
    manifest: &Manifest,
    data: &Data,
    registry: &mut Registry,
) -> Result<(slo::Service, slo::Handle)> {
    let channels =
        Channels::new(&manifest.app.name, &manifest.alerts).map_err(|error| Usage(error.to_string()))?;
    Ok(slo::Service::new(manifest, slo::Config { file: data.objectives(), channels }, registry))
}

/// Objectives on queues are counted with all others, but it is the dispatcher that knows.
fn watches(objectives: &mare_gateway::Objectives) -> HashMap<String, Vec<Watch>> {
    let mut watches: HashMap<String, Vec<Watch>> = HashMap::new();
    for (subject, recorder) in objectives.of_queues() {
        let (queue, watch) = match subject {
            Subject::Queue(queue) => {
                let failed = recorder.clone();
                let failed: Tell = Arc::new(move |took| failed.failed(took));
                (queue, Watch::Ends { succeeded: Arc::new(move |took| recorder.good(took)), failed })
            }
            Subject::Backlog(queue) => (queue, Watch::Backlog(Arc::new(move |age| recorder.good(age)))),
            Subject::Requests { .. } | Subject::Service(_) => continue,
        };
        watches.entry(queue).or_default().push(watch);
    }
    watches
}

/// What the gateway counts, as the evaluation wants it: neither knows the other.
fn counts(objectives: mare_gateway::Objectives) -> slo::Source {
    let counted = |(name, counts): (String, mare_gateway::Counts)| {
        let mare_gateway::Counts { total, errors, unavailable, within } = counts;
        (name, slo::Counts { tally: slo::Tally { total, errors, unavailable }, within })
    };
    Box::new(move || {
        let mare_gateway::Snapshot { objectives, slow } = objectives.snapshot();
        slo::Snapshot { objectives: objectives.into_iter().map(counted).collect(), slow }
    })
}

/// Prints the one line that says the platform is ready.
async fn announce(app: String, addresses: Addresses, mut status: watch::Receiver<Arc<Status>>) {
    if status.wait_for(|status| unready(status).is_none()).await.is_ok() {
        let line =
            format!("{app} is ready at {} (admin: {})\n", addresses.public_url(), addresses.admin_url());
        // Who closed the output does not want to know.
        let _ = std::io::stdout().write_all(line.as_bytes());
    }
}
