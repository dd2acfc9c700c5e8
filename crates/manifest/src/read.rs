//! From sections to the model: one function per section, and the checks between sections.

mod alert;
mod events;
mod objective;
mod queue;
mod route;
mod service;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::label;
use crate::model::guard::Cache;
use crate::model::{App, Backends, Database, Limits, Manifest, topic};
use crate::reading::section::Section;

/// The name of an application in a folder that has no usable name, such as `/`.
const NAMELESS: &str = "app";

pub(crate) fn manifest(root: &Section<'_>, folder: PathBuf) -> Manifest {
    let declared = root.named("databases");
    // Read for its mistakes too, whether or not a service names it.
    let shared: BTreeMap<&str, bool> =
        declared.iter().map(|(name, section)| (*name, section.flag("shared"))).collect();
    let databases = declared.iter().map(|(name, section)| ((*name).to_owned(), database(section))).collect();
    let services = service::services(root.named("services"), &shared);
    let queues = queue::queues(root, &services);
    let schedules = events::schedules(root, &services, &queues);
    let names: Vec<&str> = declared.iter().map(|(name, _)| *name).collect();
    let topics = events::topics(root, &names);
    let subscriptions = events::subscriptions(root, &services, &topics);
    let of_subscriptions: Vec<String> = subscriptions.keys().map(|name| topic::queue_of(name)).collect();
    let all_queues: Vec<&str> = queues.keys().chain(&of_subscriptions).map(String::as_str).collect();
    let app = app(&root.table("app"), &folder);
    let written_routes = root.list("routes");
    let routes = route::routes(&written_routes, &services, &folder);
    let all_routes = (routes.len() == written_routes.len()).then_some(routes.as_slice());
    let objectives = objective::objectives(root, &services, &all_queues, all_routes);
    let alerts = alert::alerts(root, all_routes, &objectives);
    Manifest {
        tasks: queue::tasks(&root.table("tasks"), &app.name),
        app,
        limits: limits(&root.table("limits")),
        auth: None,
        api_keys: BTreeMap::new(),
        cache: Cache::default(),
        databases,
        services,
        queues,
        schedules,
        topics,
        subscriptions,
        alerts,
        objectives,
        routes,
        backends: backends(&root.table("backends")),
        folder,
    }
}

/// The application's name when the manifest gives none.
pub(crate) fn name_of_folder(folder: &Path) -> String {
    folder
        .file_name()
        .and_then(|name| label::from(&name.to_string_lossy()))
        .unwrap_or_else(|| NAMELESS.to_owned())
}

fn app(section: &Section<'_>, folder: &Path) -> App {
    let name = section.text("name").map(|name| name.value().to_owned());
    App { name: name.unwrap_or_else(|| name_of_folder(folder)), drain: section.duration("drain") }
}

fn limits(section: &Section<'_>) -> Limits {
    Limits {
        body: section.size("body").unwrap_or_default(),
        header_time: section.duration("header_time"),
        idle: section.duration("idle"),
        stall: section.duration("stall"),
        connections: section.count("connections"),
        ..Limits::default()
    }
}

fn database(section: &Section<'_>) -> Database {
    Database { url: section.text("url").map(|url| url.text) }
}

fn backends(section: &Section<'_>) -> Backends {
    Backends {
        postgres: section.text("postgres").map(|url| url.text),
        redis: section.text("redis").map(|url| url.text),
    }
}
