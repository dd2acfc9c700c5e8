//! What comes by the clock and by events: schedules, topics, the relays of outboxes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use http_body_util::{BodyExt, Full};
use mare_gateway::{Handler, Mount, MountBody};
use mare_manifest::model::Manifest;
use mare_manifest::model::queue::{Queue, QueueTarget};
use mare_manifest::model::topic::queue_of;
use mare_tasks::admin::Admin;
use mare_tasks::model::QueueName;
use mare_tasks::schedule::{self, Schedule};
use mare_tasks::service;
use mare_tasks::store::Store;
use mare_tasks::topic::relay::{self, Database, Outbox};
use mare_tasks::topic::{Subscription, Topic, Topics};
use prometheus_client::registry::Registry;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::data::Data;

/// Of the admin listener: where messages are published.
pub(super) const PUBLISH: &str = "/v1";

pub(super) struct Events {
    schedules: schedule::Service,
    relays: Vec<relay::Service>,
    pub(super) mounts: Vec<Mount>,
}

pub(super) fn build(
    manifest: &Manifest,
    data: &Data,
    store: &Arc<dyn Store>,
    handle: &service::Handle,
    registry: &mut Registry,
) -> Result<Events> {
    let parent = manifest.tasks.parent();
    let topics = Topics::new(Arc::clone(store), topics(manifest, &parent)?);
    let metrics = relay::Metrics::register(registry);
    let mut relays = Vec::new();
    for (name, topic) in &manifest.topics {
        let Some(outbox) = &topic.outbox else { continue };
        let outbox = Outbox {
            topic: name.clone(),
            table: outbox.table.clone(),
            database: database(manifest, data, &outbox.database)?,
        };
        relays.push(relay::Service::new(outbox, topics.clone(), &metrics));
    }
    let admin = Admin::new(Arc::clone(store), handle.forced(), parent.clone());
    let mounts = vec![
        Mount::read_write(
            "/api/tasks",
            handler(move |request| {
                let admin = admin.clone();
                async move { admin.respond(request).await }
            }),
        ),
        Mount::read_write(
            PUBLISH,
            handler(move |request| {
                let topics = topics.clone();
                async move { topics.respond(request).await }
            }),
        ),
    ];
    let schedules = schedule::Service::new(Arc::clone(store), schedules(manifest, &parent)?);
    Ok(Events { schedules, relays, mounts })
}

impl Events {
    /// Runs until `shutdown`.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let mut running = JoinSet::new();
        running.spawn(self.schedules.run(shutdown.clone()));
        for relay in self.relays {
            running.spawn(relay.run(shutdown.clone()));
        }
        running.join_all().await;
    }
}

fn handler<F>(respond: impl Fn(http::Request<hyper::body::Incoming>) -> F + Send + Sync + 'static) -> Handler
where
    F: Future<Output = http::Response<Full<bytes::Bytes>>> + Send + 'static,
{
    Arc::new(move |request| {
        let answer = respond(request);
        Box::pin(async move { answer.await.map(boxed) })
    })
}

fn boxed(body: Full<bytes::Bytes>) -> MountBody {
    body.map_err(|never| match never {}).boxed_unsync()
}

fn topics(manifest: &Manifest, parent: &str) -> Result<std::collections::BTreeMap<String, Topic>> {
    let mut topics: std::collections::BTreeMap<String, Topic> = manifest
        .topics
        .iter()
        .map(|(name, topic)| (name.clone(), Topic { fair: topic.fair.clone(), ..Topic::default() }))
        .collect();
    for (name, subscription) in &manifest.subscriptions {
        let Some(topic) = topics.get_mut(&subscription.topic) else { continue };
        topic.subscriptions.push(Subscription {
            name: name.clone(),
            queue: QueueName::below(parent, &queue_of(name))?,
            only: subscription.only.clone(),
            url: url(subscription.queue.target.as_ref()),
            deadline: subscription.queue.deadline,
        });
    }
    Ok(topics)
}

fn schedules(manifest: &Manifest, parent: &str) -> Result<Vec<Schedule>> {
    let mut schedules = Vec::new();
    for (name, schedule) in &manifest.schedules {
        let queue: Option<&Queue> = manifest.queues.get(&schedule.queue);
        let target = schedule.target.as_ref().or_else(|| queue?.target.as_ref());
        schedules.push(Schedule {
            name: name.clone(),
            cron: schedule.cron.clone(),
            missed: schedule.missed,
            queue: QueueName::below(parent, &schedule.queue)?,
            url: url(target),
            deadline: queue.map_or(mare_manifest::defaults::QUEUE_DEADLINE, |queue| queue.deadline),
        });
    }
    Ok(schedules)
}

/// Validation has seen to it that there is a target.
fn url(target: Option<&QueueTarget>) -> String {
    let (service, path) =
        target.map_or(("", "/"), |target| (target.service.as_str(), target.path.as_deref().unwrap_or("/")));
    format!("http://{service}.mare.internal{path}")
}

fn database(manifest: &Manifest, data: &Data, name: &str) -> Result<Database> {
    let url = manifest.databases.get(name).and_then(|database| database.url.clone());
    let Some(url) = url else { return Ok(Database::Sqlite(data.database(name)?)) };
    match url.reveal().strip_prefix("sqlite:") {
        Some(rest) => Ok(Database::Sqlite(sqlite_file(rest, &manifest.folder))),
        None => Ok(Database::Postgres(url)),
    }
}

/// `sqlite:FILE`, `sqlite://FILE`, both perhaps with `?options`; relative to the folder services run in.
fn sqlite_file(rest: &str, folder: &Path) -> PathBuf {
    let file = rest.strip_prefix("//").unwrap_or(rest);
    folder.join(file.split('?').next().unwrap_or(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_file_is_found_where_its_service_finds_it() {
        let check = |rest, expected: &str| {
            assert_eq!(sqlite_file(rest, Path::new("/srv/shop")), PathBuf::from(expected), "{rest}");
        };
        check("shop.db", "/srv/shop/shop.db");
        check("//shop.db?mode=rwc", "/srv/shop/shop.db");
        check("/var/shop.db", "/var/shop.db");
        check("///var/shop.db", "/var/shop.db");
    }
}
