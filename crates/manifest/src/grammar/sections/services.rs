//! What runs: `[databases.NAME]` and `[services.NAME]`.

use std::time::Duration;

use super::{DAY, HOUR, MEMORY, SHORTEST, SOCKETS_MAX, WEEK, count, text, within};
use crate::defaults;
use crate::grammar::{Bounds, Form, Key, Kind};

/// What one scheduler and one status page handle; also a guard against typing one zero too many.
const INSTANCES_MAX: u32 = 1000;
/// The largest virtual machines on offer have fewer.
const CPUS_MAX: f64 = 1024.0;
const DATABASES: &[&str] = &["postgres://", "postgresql://", "sqlite:"];

pub(super) static DATABASE: [Key; 2] = [
    Key::new(
        "url",
        text(Form::Url(DATABASES)),
        "\"${DATABASE_URL:-}\"",
        "Where it is; absent or empty: an SQLite file under the data directory",
    ),
    Key::new("shared", Kind::Flag, "true", "Several services may name it"),
];

pub(super) static SERVICE: [Key; 10] = [
    Key::new(
        "run",
        text(Form::Command),
        "\"./api --port $PORT\"",
        "The command, split into words without a shell; it listens on $PORT",
    )
    .required(),
    Key::new("image", text(Form::Image), "\"shop:latest\"", "The container image Kubernetes runs"),
    Key::new(
        "database",
        text(Form::NameOf("databases")),
        "\"main\"",
        "The database whose URL this service gets as DATABASE_URL",
    ),
    Key::new("scale", Kind::Table(&SCALE), "{ max = 20 }", "How many instances run"),
    Key::new("resources", Kind::Table(&RESOURCES), "{ cpu = 0.5 }", "What one instance may use"),
    Key::new(
        "health",
        Kind::Table(&HEALTH),
        "{ path = \"/health\" }",
        "How an instance proves that it works",
    ),
    Key::new(
        "timeout",
        within(SHORTEST, DAY, defaults::TIMEOUT),
        "\"5m\"",
        "Longest request, counted from dispatch; also how long a draining instance may take",
    ),
    Key::new(
        "grace",
        within(Duration::ZERO, HOUR, defaults::GRACE),
        "\"10s\"",
        "Between SIGTERM and SIGKILL",
    ),
    Key::new("internal", Kind::Flag, "true", "No route may lead to it from outside"),
    Key::new("env", Kind::Variables, "{ RUST_LOG = \"info\" }", "Environment variables"),
];

static SCALE: [Key; 8] = [
    Key::new("min", count(0, INSTANCES_MAX, defaults::SCALE_MIN), "1", "Instances that always run"),
    Key::new("max", count(1, INSTANCES_MAX, defaults::SCALE_MAX), "20", "Instances that may run at once"),
    Key::new(
        "concurrency",
        count(1, 1000, defaults::CONCURRENCY),
        "80",
        "Requests one instance takes at once",
    ),
    Key::new(
        "idle",
        within(SHORTEST, WEEK, defaults::SCALE_IDLE),
        "\"10m\"",
        "Without any request for this long, the service goes down to min",
    ),
    Key::new(
        "hold",
        within(Duration::ZERO, DAY, defaults::HOLD),
        "\"60s\"",
        "Scaling down follows the highest need of this window",
    ),
    Key::new(
        "starts",
        count(1, INSTANCES_MAX, defaults::STARTS),
        "4",
        "Instances that may be starting at the same time",
    ),
    Key::new(
        "waiting",
        count(0, SOCKETS_MAX, defaults::WAITING),
        "10000",
        "Requests that may wait for a place, over all callers",
    ),
    Key::new(
        "wait",
        within(SHORTEST, HOUR, defaults::WAIT),
        "\"60s\"",
        "How long a request may wait for a place",
    ),
];

static RESOURCES: [Key; 2] = [
    Key::new(
        "cpu",
        Kind::Number(Bounds { min: 0.0, max: CPUS_MAX, default: None }),
        "0.5",
        "CPUs; absent: unlimited",
    ),
    Key::new("memory", Kind::Size(MEMORY), "\"512MiB\"", "Memory; absent: unlimited"),
];

static HEALTH: [Key; 5] = [
    Key::new(
        "path",
        text(Form::Path),
        "\"/health\"",
        "Answers 2xx when the instance works; absent: a TCP connection is proof enough",
    ),
    Key::new(
        "every",
        within(SHORTEST, HOUR, defaults::HEALTH_EVERY),
        "\"30s\"",
        "Between two liveness probes",
    ),
    Key::new(
        "timeout",
        within(SHORTEST, HOUR, defaults::HEALTH_TIMEOUT),
        "\"5s\"",
        "Longest wait for one probe's answer",
    ),
    Key::new(
        "failures",
        count(1, 100, defaults::HEALTH_FAILURES),
        "3",
        "Failed probes in a row after which an instance is replaced",
    ),
    Key::new(
        "startup",
        within(SHORTEST, HOUR, defaults::STARTUP),
        "\"60s\"",
        "How long an instance may take until it is ready",
    ),
];
