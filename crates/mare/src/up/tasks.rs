//! Tasks: the store, the queues of `mare.toml`, the dispatcher, the API.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use mare_gateway::{Calls, Handler, Mount};
use mare_manifest::model::Manifest;
use mare_manifest::model::queue::Queue;
use mare_manifest::model::topic::queue_of;
use mare_tasks::api::{self, Api};
use mare_tasks::identity::{DISCOVERY, Identity, JWKS};
use mare_tasks::model::{QueueName, QueueSettings, RateLimits, Retry, Target};
use mare_tasks::service::{Call, Config, IN_FLIGHT_MAX, Service};
use mare_tasks::store::{Options, PostgresStore, Put, SqliteStore, Store, Windows};
use mare_tasks::targets::Targets;
use prometheus_client::registry::Registry;

use super::environment::Addresses;
use super::events::{self, Events};
use crate::Usage;
use crate::data::Data;

/// Paths of the admin listener that need no token: whoever verifies an identity has none.
pub(super) const OPEN: [&str; 2] = [DISCOVERY, JWKS];

pub(super) struct Tasks {
    pub(super) store: Arc<dyn Store>,
    pub(super) service: Service,
    pub(super) events: Events,
    pub(super) mounts: Vec<Mount>,
}

pub(super) async fn build(
    manifest: &Manifest,
    data: &Data,
    addresses: &Addresses,
    registry: &mut Registry,
) -> Result<Tasks> {
    let store = open(manifest, data).await?;
    declare(&*store, manifest).await.context("cannot put the queues of the manifest into the store")?;
    let services: Vec<_> =
        addresses.services.iter().map(|(name, address)| (Arc::from(name.as_str()), *address)).collect();
    let own = vec![addresses.public, addresses.admin];
    let targets = Targets::new(services.clone(), &manifest.tasks.external, own)
        .map_err(|error| Usage(format!("`external` in [tasks]: {error}")))?;
    let identity = Arc::new(Identity::new(addresses.admin_url(), data.identity_key()));
    let config = Config {
        targets: targets.clone(),
        services,
        drain: manifest.app.drain,
        in_flight_max: IN_FLIGHT_MAX,
        parent: manifest.tasks.parent(),
    };
    let (service, handle) = Service::new(Arc::clone(&store), Arc::clone(&identity), config, registry);
    let config = api::Config { targets, location: manifest.tasks.location.clone() };
    let api = Api::new(Arc::clone(&store), handle.forced(), config);
    let mut events = events::build(manifest, data, &store, &handle, registry)?;
    let mut mounts = mounts(&api, &identity);
    mounts.append(&mut events.mounts);
    Ok(Tasks { store, service, events, mounts })
}

/// The dispatcher's way to the services.
pub(super) fn call(calls: Calls) -> Call {
    let calls = Arc::new(calls);
    Arc::new(move |service, request| {
        let calls = Arc::clone(&calls);
        Box::pin(async move { calls.call(&service, request).await.map(BodyExt::boxed_unsync) })
    })
}

async fn open(manifest: &Manifest, data: &Data) -> Result<Arc<dyn Store>> {
    let options = Options {
        windows: Windows { task_name: manifest.tasks.window, queue_name: Duration::ZERO },
        dead_max: manifest.tasks.dead as usize,
        ..Options::default()
    };
    let Some(url) = &manifest.backends.postgres else {
        let store = SqliteStore::open(&data.tasks(), options)
            .context("cannot open the tasks in the data directory")?;
        return Ok(Arc::new(store));
    };
    // The URL may hold a password, so what is shown is the error alone.
    Ok(Arc::new(PostgresStore::open(url.reveal(), options).await.context("`postgres` in [backends]")?))
}

/// Makes the store's declared queues those of the manifest.
async fn declare(store: &dyn Store, manifest: &Manifest) -> Result<()> {
    let parent = manifest.tasks.parent();
    let mut declared = Vec::new();
    let queues = manifest.queues.iter().map(|(name, queue)| (name.clone(), queue));
    let of_subscriptions = manifest.subscriptions.iter().map(|(name, one)| (queue_of(name), &one.queue));
    for (name, queue) in queues.chain(of_subscriptions) {
        let name = QueueName::below(&parent, &name)?;
        declared.push(name.clone());
        store.put_queue(settings(name, queue), Put::Upsert).await?;
    }
    for stats in store.stats().await? {
        let settings = stats.queue.settings;
        if settings.declared && settings.name.parent() == parent && !declared.contains(&settings.name) {
            tracing::info!(
                queue = settings.name.id(),
                "no longer in the manifest; it stays until it is deleted"
            );
            store.put_queue(QueueSettings { declared: false, ..settings }, Put::Release).await?;
        }
    }
    Ok(())
}

fn settings(name: QueueName, queue: &Queue) -> QueueSettings {
    let target = queue.target.as_ref().map(|target| Target::Service {
        service: target.service.clone(),
        path: target.path.clone().unwrap_or_default(),
    });
    QueueSettings {
        name,
        limits: RateLimits { per_second: queue.rate, burst: queue.burst, concurrent: queue.concurrency },
        retry: Retry {
            attempts: queue.retry.attempts,
            duration: queue.retry.duration,
            min: queue.retry.min,
            max: queue.retry.max,
            doublings: queue.retry.doublings,
        },
        target,
        declared: true,
    }
}

fn mounts(api: &Api, identity: &Arc<Identity>) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = api::PREFIXES
        .iter()
        .map(|prefix| {
            let api = api.clone();
            let handler: Handler = Arc::new(move |request| {
                let api = api.clone();
                Box::pin(async move { api.respond(request).await })
            });
            Mount::read_write(prefix, handler)
        })
        .collect();
    mounts.extend(OPEN.map(|path| {
        let identity = Arc::clone(identity);
        let handler: Handler = Arc::new(move |request| {
            let identity = Arc::clone(&identity);
            Box::pin(async move {
                let answer = identity.respond(request.uri().path()).await;
                answer.map(|bytes| Full::from(bytes).map_err(|never| match never {}).boxed_unsync())
            })
        });
        Mount::read_only(path, handler)
    }));
    mounts
}
