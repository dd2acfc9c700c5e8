//! Who listens where, and what the admin listener shows.

use std::sync::{Arc, OnceLock};

use anyhow::Result;
use http_body_util::BodyExt as _;
use mare_cache::Cache;
use mare_console::Console;
use mare_fleet::status::Status;
use mare_gateway::{Access, Limited, Listener, Mount, Role};
use mare_manifest::model::Manifest;
use mare_telemetry::metrics::Exposition;
use mare_telemetry::{output, slo};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::environment::Addresses;
use super::{Sockets, tasks};
use crate::data::Data;

const CACHE: &str = "/api/cache";

/// What the admin listener shows.
pub(super) struct Views {
    pub(super) status: watch::Receiver<Arc<Status>>,
    pub(super) objectives: slo::Handle,
    pub(super) lines: output::Handle,
}

/// The metrics page is complete only when every part has registered.
pub(super) type LateExposition = Arc<OnceLock<Exposition>>;

pub(super) fn of(
    manifest: &Manifest,
    sockets: Sockets,
    data: &Data,
    views: Views,
    given: Vec<Mount>,
    shutdown: &CancellationToken,
) -> Result<(Vec<Listener>, LateExposition)> {
    let exposition = LateExposition::default();
    let metrics = Arc::clone(&exposition);
    let end_of_logs = shutdown.clone();
    let Views { status, objectives, lines } = views;
    let console = console(manifest, &sockets.addresses, status, objectives.clone(), shutdown.clone());
    let mut mounts = given;
    mounts.extend([
        Mount::read_only(
            "/metrics",
            Arc::new(move |_| {
                let page = metrics.get().map(Exposition::respond).unwrap_or_default();
                Box::pin(std::future::ready(page))
            }),
        ),
        Mount::read_only("/api/slo", Arc::new(move |_| Box::pin(std::future::ready(objectives.respond())))),
        Mount::read_only(
            "/api/logs",
            Arc::new(move |request| {
                let answer = lines.respond(request.uri().path(), request.uri().query(), end_of_logs.clone());
                Box::pin(std::future::ready(answer))
            }),
        ),
        Mount::read_only(
            "/",
            Arc::new(move |request| Box::pin(std::future::ready(console.respond(request.uri().path())))),
        ),
    ]);
    let access = if sockets.addresses.admin.ip().is_loopback() {
        Access::Loopback
    } else {
        let open = ["/healthz", "/readyz"].into_iter().chain(tasks::OPEN).map(str::to_owned).collect();
        Access::Token { token: data.admin_token()?, open, limited: Some(for_services(data)?) }
    };
    let mut listeners =
        vec![sockets.public.serving(Role::Public), sockets.admin.serving(Role::Mounts { mounts, access })];
    for (name, socket) in sockets.services {
        listeners.push(socket.serving(Role::Service { name, access: Access::Loopback }));
    }
    Ok((listeners, exposition))
}

/// The cache's numbers, and purges by hand.
pub(super) fn of_cache(cache: &Cache) -> Mount {
    let cache = cache.clone();
    Mount::read_write(
        CACHE,
        Arc::new(move |request| {
            let cache = cache.clone();
            Box::pin(async move {
                let answer = cache.respond(request).await;
                answer.map(|body| body.map_err(|never| match never {}).boxed_unsync())
            })
        }),
    )
}

/// What services may do with their own token: create tasks, publish, purge the cache.
fn for_services(data: &Data) -> Result<Limited> {
    let prefixes = mare_tasks::api::PREFIXES.into_iter().chain([super::events::PUBLISH, CACHE]);
    Ok(Limited { token: data.service_token()?, prefixes: prefixes.map(str::to_owned).collect() })
}

fn console(
    manifest: &Manifest,
    addresses: &Addresses,
    status: watch::Receiver<Arc<Status>>,
    objectives: slo::Handle,
    shutdown: CancellationToken,
) -> Console {
    let (app, public_url) = (manifest.app.name.clone(), addresses.public_url());
    let seen = status.clone();
    Console {
        status: Arc::new(move || {
            let status = Arc::clone(&status.borrow());
            serde_json::json!({ "app": app, "public_url": public_url, "version": env!("CARGO_PKG_VERSION"),
                "services": status.services, "slo": *objectives.report() })
            .to_string()
        }),
        unready: Arc::new(move || {
            if shutdown.is_cancelled() { Some("shutting down".to_owned()) } else { unready(&seen.borrow()) }
        }),
    }
}

/// A service that must always have an instance, and has none.
pub(super) fn unready(status: &Status) -> Option<String> {
    let lacks = |service: &&mare_fleet::status::ServiceStatus| {
        service.min > 0 && !service.instances.iter().any(|instance| instance.state == "ready")
    };
    status.services.iter().find(lacks).map(|service| format!("{} has no ready instance", service.name))
}
