//! What a valid `mare.toml` says, with every default filled in.
//!
//! Made by [`crate::load`] and [`Manifest::for_command`]. What may be secret is a [`Text`]; all else may be shown,
//! interpolated or not (the user's page says so). The names used as map keys are
//! lower-case DNS labels (RFC 1123), so they can become host names and metric labels as they are.

pub mod alert;
pub mod guard;
pub mod objective;
pub mod queue;
pub mod schedule;
pub mod topic;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use crate::text::Text;

/// One `mare.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The folder relative paths start from, and the one services run in.
    pub folder: PathBuf,
    pub app: App,
    pub limits: Limits,
    pub auth: Option<guard::Auth>,
    pub api_keys: BTreeMap<String, guard::ApiKey>,
    pub cache: guard::Cache,
    pub databases: BTreeMap<String, Database>,
    pub services: BTreeMap<String, Service>,
    pub routes: Vec<Route>,
    pub queues: BTreeMap<String, queue::Queue>,
    pub tasks: queue::Tasks,
    pub schedules: BTreeMap<String, schedule::Schedule>,
    pub topics: BTreeMap<String, topic::Topic>,
    pub subscriptions: BTreeMap<String, topic::Subscription>,
    /// At most [`objective::WATCHED_MAX`], together with the rules of [`alert::Alerts::slow`].
    pub objectives: BTreeMap<String, objective::Objective>,
    pub alerts: alert::Alerts,
    pub backends: Backends,
}

/// `[app]`
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    pub name: String,
    /// How long a shutdown waits for requests in flight.
    pub drain: Duration,
}

/// `[limits]`: what one client may ask of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Largest request body in bytes; a route may set its own.
    pub body: u64,
    /// How long a client may take to send a request's head.
    pub header_time: Duration,
    /// How long a connection may rest between two requests.
    pub idle: Duration,
    /// How long a client may send or take nothing in the middle of a body.
    pub stall: Duration,
    /// Open public connections at once.
    pub connections: u32,
    /// Largest head of a request in bytes.
    pub head: u64,
    /// Proxies in front of the gateway: what they say in `X-Forwarded-For` is believed.
    pub trusted: Vec<guard::Network>,
}

/// `[databases.NAME]`
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// `None`: an `SQLite` file under the data directory.
    pub url: Option<Text>,
}

/// `[services.NAME]`
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// The command, split into words; `$PORT` and `${PORT}` are still in it, see [`Text::with_port`].
    pub run: Vec<Text>,
    /// The container image Kubernetes runs.
    pub image: Option<String>,
    /// The key in [`Manifest::databases`] whose URL this service gets.
    pub database: Option<String>,
    pub scale: Scale,
    pub resources: Resources,
    pub health: Health,
    /// Longest request, counted from dispatch; also how long a draining instance may take.
    pub timeout: Duration,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// No route may lead to it from outside.
    pub internal: bool,
    /// `$PORT` and `${PORT}` are still in the values, see [`Text::with_port`].
    pub env: BTreeMap<String, Text>,
}

/// `scale = { … }` of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub min: u32,
    pub max: u32,
    /// Requests one instance takes at once.
    pub concurrency: u32,
    /// Without any request for this long, a service goes down to `min`.
    pub idle: Duration,
    /// Scaling down follows the highest need of this window.
    pub hold: Duration,
    /// Instances that may be starting at the same time.
    pub starts: u32,
    /// Requests that may wait for a slot, over all callers.
    pub waiting: u32,
    /// How long a request may wait for a slot.
    pub wait: Duration,
}

/// `resources = { … }` of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources {
    /// CPUs, for example 0.5.
    pub cpu: Option<f64>,
    /// Bytes.
    pub memory: Option<u64>,
}

/// `health = { … }` of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// `None`: a TCP connection is proof enough.
    pub path: Option<String>,
    /// Between two liveness probes.
    pub every: Duration,
    /// Longest wait for one probe's answer.
    pub timeout: Duration,
    /// Failed liveness probes in a row after which an instance is replaced.
    pub failures: u32,
    /// How long an instance may take until it is ready.
    pub startup: Duration,
}

/// `[[routes]]`
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// As written in the file: `"GET /api/*"`. Unique together with `host`, and the route's name in metrics.
    pub name: String,
    /// `None`: all methods. Always upper case.
    pub method: Option<String>,
    /// `None`: all hosts. `*.example.com` matches exactly one more label. Always lower case.
    pub host: Option<String>,
    pub path: PathPattern,
    pub target: Target,
    /// Overrides [`Limits::body`].
    pub body: Option<u64>,
    pub guards: guard::Guards,
    pub cache: Option<guard::Caching>,
}

/// The path of a route's `match`. Always starts with `/`; never holds a `*`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PathPattern {
    /// `/health`: this path only.
    Exact(String),
    /// `/api/*`: `/api` and all below `/api/`. Holds `/api`, and for `/*` the empty string.
    Below(String),
    /// `/img*`: every path that begins with `/img`.
    Prefix(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A key in [`Manifest::services`] that is not `internal`.
    Service(String),
    /// An HTTP server outside the platform: `http://host:port`, no path.
    Url(Origin),
    /// A folder, resolved against [`Manifest::folder`].
    Files(Files),
}

/// Displayed the way a `Host` header wants it: `127.0.0.1:9000`, `[::1]:9000`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// A name or an address; an IPv6 address is without its brackets. Always lower case.
    pub host: String,
    pub port: u16,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Files {
    pub folder: PathBuf,
    /// Navigations to unknown paths get `index.html` (single-page applications).
    pub spa: bool,
}

/// `[backends]`: the platform's own; absent means embedded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backends {
    pub postgres: Option<Text>,
    pub redis: Option<Text>,
}
