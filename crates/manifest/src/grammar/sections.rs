//! The sections of `mare.toml` and their keys.

mod events;
pub(crate) mod queues;

use std::time::Duration;

use super::{Bounds, Form, Grammar, Key, Kind, Variables};
use crate::defaults;

/// Timers finer than this measure the machine, not the application.
const SHORTEST: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// Beyond a week "idle" means "never", which is said with `min = 1`.
const WEEK: Duration = Duration::from_hours(168);
/// The longest window of an error budget; the counts of each of its minutes are kept.
const QUARTER: Duration = Duration::from_hours(90 * 24);

/// What one scheduler and one status page handle; also a guard against typing one zero too many.
const INSTANCES_MAX: u32 = 1000;
/// A million open sockets or held requests is where the memory of one machine ends.
const SOCKETS_MAX: u32 = 1_000_000;
/// The largest virtual machines on offer have fewer.
const CPUS_MAX: f64 = 1024.0;
/// The least that a process needs to come up at all, and more than any machine has.
const MEMORY: Bounds<u64> = Bounds { min: 1 << 20, max: 16 << 40, default: None };
const BODY_MAX: u64 = 1 << 40;

const POSTGRES: &[&str] = &["postgres://", "postgresql://"];
const DATABASES: &[&str] = &["postgres://", "postgresql://", "sqlite:"];
const HTTP: &[&str] = &["http://", "https://"];
const SMTP: &[&str] = &["smtp://", "smtps://"];
const REDIS: &[&str] = &["redis://", "rediss://"];

pub(crate) static MANIFEST: Grammar = Grammar {
    root: &ROOT,
    variables: Variables::Named,
    names: "becomes a host name",
    later: &[("", &["auth", "channels"]), ("routes", &["auth", "limit", "cache", "breaker"])],
};

pub(crate) static ROOT: [Key; 13] = [
    Key::new("app", Kind::Table(&APP), "{ name = \"shop\" }", "The application as a whole"),
    Key::new(
        "limits",
        Kind::Table(&LIMITS),
        "{ body = \"10MiB\" }",
        "What one client may ask of the gateway",
    ),
    Key::new("databases", Kind::Named(&DATABASE), "{ main = {} }", "Databases, by name"),
    Key::new("services", Kind::Named(&SERVICE), "{ api = { run = \"./api\" } }", "Services, by name"),
    Key::new(
        "routes",
        Kind::List(&ROUTE),
        "[{ match = \"/*\", service = \"api\" }]",
        "Which request goes where",
    ),
    Key::new("queues", Kind::Named(&queues::QUEUE), "{ imports = {} }", "Queues of push tasks, by name"),
    Key::new(
        "tasks",
        Kind::Table(&queues::TASKS),
        "{ location = \"local\" }",
        "What all queues have in common",
    ),
    Key::new(
        "schedules",
        Kind::Named(&events::SCHEDULE),
        "{ nightly = { cron = \"0 3 * * *\", queue = \"q\" } }",
        "Tasks that come by the clock, by name",
    ),
    Key::new(
        "topics",
        Kind::Named(&events::TOPIC),
        "{ events = {} }",
        "Where messages are published, by name",
    ),
    Key::new(
        "subscriptions",
        Kind::Named(&events::SUBSCRIPTION),
        "{ mail = { topic = \"events\", target = { service = \"x\" } } }",
        "Who gets the messages of a topic, by name",
    ),
    Key::new(
        "objectives",
        Kind::Named(&OBJECTIVE),
        "{ api = { service = \"x\", p95 = \"300ms\" } }",
        "What is promised of which requests, by name",
    ),
    Key::new("alerts", Kind::Table(&ALERTS), "{ every = \"10s\" }", "Who is told, and when"),
    Key::new(
        "backends",
        Kind::Table(&BACKENDS),
        "{ redis = \"redis://127.0.0.1\" }",
        "Where the platform keeps what is its own; absent means embedded",
    ),
];

static APP: [Key; 2] = [
    Key::new("name", text(Form::Label), "\"shop\"", "The application's name; by default the folder's"),
    Key::new(
        "drain",
        within(Duration::ZERO, HOUR, defaults::DRAIN),
        "\"30s\"",
        "How long a shutdown waits for requests in flight",
    ),
];

static LIMITS: [Key; 5] = [
    Key::new(
        "body",
        Kind::Size(Bounds { min: 1, max: BODY_MAX, default: Some(defaults::BODY) }),
        "\"100MiB\"",
        "Largest request body",
    ),
    Key::new(
        "header_time",
        within(SHORTEST, HOUR, defaults::HEADER_TIME),
        "\"10s\"",
        "How long a client may take to send a request's head",
    ),
    Key::new(
        "idle",
        within(SHORTEST, DAY, defaults::IDLE),
        "\"75s\"",
        "How long a connection may rest between two requests",
    ),
    Key::new(
        "stall",
        within(SHORTEST, HOUR, defaults::STALL),
        "\"30s\"",
        "How long a client may send or take nothing in the middle of a body",
    ),
    Key::new(
        "connections",
        count(1, SOCKETS_MAX, defaults::CONNECTIONS),
        "10000",
        "Open public connections at once",
    ),
];

static DATABASE: [Key; 2] = [
    Key::new(
        "url",
        text(Form::Url(DATABASES)),
        "\"${DATABASE_URL:-}\"",
        "Where it is; absent or empty: an SQLite file under the data directory",
    ),
    Key::new("shared", Kind::Flag, "true", "Several services may name it"),
];

static SERVICE: [Key; 10] = [
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

/// The keys of a route that say where it leads: exactly one stands in each route.
pub(crate) const TARGETS: [&str; 3] = ["service", "url", "files"];

static ROUTE: [Key; 7] = [
    Key::new("match", text(Form::Match), "\"/api/*\"", "Which requests: [METHOD ]/path, /path/*, or /path*")
        .required(),
    Key::new("host", text(Form::Host), "\"shop.example.com\"", "Only requests to this host, or *.of.these"),
    Key::new("service", text(Form::NameOf("services")), "\"api\"", "Leads to this service").filled(),
    Key::new(
        "url",
        text(Form::Origin),
        "\"http://127.0.0.1:9000\"",
        "Leads to this server outside the platform",
    )
    .filled(),
    Key::new("files", text(Form::Folder), "\"ui/dist\"", "Leads to the files in this folder").filled(),
    Key::new("spa", Kind::Flag, "true", "With files: navigations to unknown paths get index.html"),
    Key::new(
        "body",
        Kind::Size(Bounds { min: 1, max: BODY_MAX, default: None }),
        "\"1GiB\"",
        "Largest request body here, instead of the one in [limits]",
    ),
];

/// The keys of an objective that say whose requests it is about: exactly one stands in each.
pub(crate) const SUBJECTS: [&str; 4] = ["route", "service", "queue", "backlog"];

static OBJECTIVE: [Key; 13] = [
    Key::new(
        "route",
        text(Form::Match),
        "\"GET /api/items\"",
        "About requests like these, whichever route carries them",
    )
    .filled(),
    Key::new(
        "service",
        text(Form::NameOf("services")),
        "\"api\"",
        "About all requests a route leads to this service",
    )
    .filled(),
    Key::new(
        "queue",
        text(Form::NameOf("queues")),
        "\"q\"",
        "About how long the tasks of this queue take, from when they are due to their end",
    )
    .filled(),
    Key::new(
        "backlog",
        text(Form::NameOf("queues")),
        "\"q\"",
        "About how long the oldest due task of this queue waits, looked at every five seconds",
    )
    .filled(),
    latency("p50", "Half of the requests take at most this long"),
    latency("p75", "75% of the requests take at most this long"),
    latency("p90", "90% of the requests take at most this long"),
    latency("p95", "95% of the requests take at most this long"),
    latency("p99", "99% of the requests take at most this long"),
    latency("p999", "99.9% of the requests take at most this long"),
    Key::new(
        "errors",
        // A budget of less than one in 100 000 is not told from none by any traffic one machine carries.
        Kind::Ratio(Bounds { min: 0.000_01, max: 0.5, default: None }),
        "\"0.5%\"",
        "At most this share of the requests fails",
    ),
    Key::new(
        "availability",
        Kind::Ratio(Bounds { min: 0.5, max: 0.999_99, default: None }),
        "\"99.5%\"",
        "At least this share of the requests is answered",
    ),
    Key::new("window", within(HOUR, QUARTER, defaults::WINDOW), "\"30d\"", "What the error budget is for"),
];

static ALERTS: [Key; 7] = [
    Key::new(
        "webhook",
        text(Form::Url(HTTP)),
        "\"${ALERT_URL:-}\"",
        "Where alerts are posted to as JSON; absent or empty: nowhere",
    ),
    Key::new(
        "slack",
        text(Form::Url(HTTP)),
        "\"${SLACK_URL:-}\"",
        "A webhook of Slack, or of what understands the same; absent or empty: none",
    ),
    Key::new(
        "email",
        Kind::Table(&EMAIL),
        "{ smtp = \"smtp://127.0.0.1\", from = \"mare@example.com\", to = [\"team@example.com\"] }",
        "Who gets alerts by mail",
    ),
    Key::new(
        "every",
        within(Duration::from_millis(100), HOUR, defaults::EVALUATE_EVERY),
        "\"10s\"",
        "Between two looks at the objectives",
    ),
    Key::new(
        "clear",
        within(Duration::from_millis(100), DAY, defaults::CLEAR),
        "\"5m\"",
        "An alert is over when its reason has been absent for this long",
    ),
    Key::new(
        "repeat",
        within(Duration::from_mins(1), WEEK, defaults::REPEAT),
        "\"4h\"",
        "An alert that goes on is told again after this long",
    ),
    Key::new("slow", Kind::Rules, "{ pix = \"POST /api/pix over 5s\" }", "Requests that may not take longer"),
];

static EMAIL: [Key; 3] = [
    Key::new(
        "smtp",
        text(Form::Url(SMTP)),
        "\"${SMTP_URL:-}\"",
        "The server: smtp://, or smtps:// for TLS, with user and password; empty: no mail",
    ),
    Key::new("from", text(Form::Mailbox), "\"mare@example.com\"", "The sender").required(),
    Key::new("to", Kind::Texts(Form::Mailbox), "[\"team@example.com\"]", "The recipients").required(),
];

static BACKENDS: [Key; 2] = [
    Key::new(
        "postgres",
        text(Form::Url(POSTGRES)),
        "\"${MARE_POSTGRES:-}\"",
        "Keeps what must last; absent or empty: SQLite in the data directory",
    ),
    Key::new(
        "redis",
        text(Form::Url(REDIS)),
        "\"${MARE_REDIS:-}\"",
        "Keeps what is shared and hot; absent or empty: memory",
    ),
];

const fn latency(name: &'static str, doc: &'static str) -> Key {
    Key::new(name, Kind::Duration(Bounds { min: SHORTEST, max: HOUR, default: None }), "\"300ms\"", doc)
}

const fn text(form: Form) -> Kind {
    Kind::Text(form)
}

const fn count(min: u32, max: u32, default: u32) -> Kind {
    Kind::Count(Bounds { min, max, default: Some(default) })
}

const fn within(min: Duration, max: Duration, default: Duration) -> Kind {
    Kind::Duration(Bounds { min, max, default: Some(default) })
}
