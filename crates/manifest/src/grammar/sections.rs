//! The sections of `mare.toml` and their keys.

mod auth;
mod events;
mod guards;
mod objectives;
pub(crate) mod queues;
mod routes;
mod services;

use std::time::Duration;

use super::{Bounds, Form, Grammar, Key, Kind, Variables};
use crate::defaults;

pub(crate) use self::objectives::SUBJECTS;
pub(crate) use self::routes::TARGETS;

/// Timers finer than this measure the machine, not the application.
const SHORTEST: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// Beyond a week "idle" means "never", which is said with `min = 1`.
const WEEK: Duration = Duration::from_hours(168);
/// The longest window of an error budget; the counts of each of its minutes are kept.
const QUARTER: Duration = Duration::from_hours(90 * 24);

/// A million open sockets or held requests is where the memory of one machine ends.
const SOCKETS_MAX: u32 = 1_000_000;
/// The least that a process needs to come up at all, and more than any machine has.
const MEMORY: Bounds<u64> = Bounds { min: 1 << 20, max: 16 << 40, default: None };
const BODY_MAX: u64 = 1 << 40;

/// hyper's least, and more than any browser sends.
const HEAD: Bounds<u64> = Bounds { min: 8 << 10, max: 1 << 20, default: Some(defaults::HEAD) };

const POSTGRES: &[&str] = &["postgres://", "postgresql://"];
const HTTP: &[&str] = &["http://", "https://"];
const REDIS: &[&str] = &["redis://", "rediss://"];

pub(crate) static MANIFEST: Grammar = Grammar {
    root: &ROOT,
    variables: Variables::Named,
    names: "becomes a host name",
    later: &[("", &["channels"]), ("routes", &["breaker"])],
};

pub(crate) static ROOT: [Key; 17] = [
    Key::new("app", Kind::Table(&APP), "{ name = \"shop\" }", "The application as a whole"),
    Key::new(
        "limits",
        Kind::Table(&LIMITS),
        "{ body = \"10MiB\" }",
        "What one client may ask of the gateway",
    ),
    Key::new(
        "auth",
        Kind::Table(&auth::AUTH),
        "{ jwks = { url = \"https://id.example.com/jwks.json\" } }",
        "Whose tokens are believed",
    ),
    Key::new(
        "api_keys",
        Kind::Named(&auth::API_KEY),
        "{}",
        "Clients that show a key instead of a token, by name",
    ),
    Key::new("cache", Kind::Table(&guards::CACHE), "{ memory = \"64MiB\" }", "Where answers are kept"),
    Key::new("databases", Kind::Named(&services::DATABASE), "{ main = {} }", "Databases, by name"),
    Key::new(
        "services",
        Kind::Named(&services::SERVICE),
        "{ api = { run = \"./api\" } }",
        "Services, by name",
    ),
    Key::new(
        "routes",
        Kind::List(&routes::ROUTE),
        "[{ match = \"/*\", service = \"api\" }]",
        "Which request goes where",
    ),
    Key::new(
        "defaults",
        Kind::Table(&guards::DEFAULTS),
        "{ limit = { rate = \"100/s\" } }",
        "The guards of every route that does not say otherwise",
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
        Kind::Named(&objectives::OBJECTIVE),
        "{ api = { service = \"x\", p95 = \"300ms\" } }",
        "What is promised of which requests, by name",
    ),
    Key::new("alerts", Kind::Table(&objectives::ALERTS), "{ every = \"10s\" }", "Who is told, and when"),
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

static LIMITS: [Key; 7] = [
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
    Key::new("head", Kind::Size(HEAD), "\"32KiB\"", "Largest head of a request: its line and its headers"),
    Key::new(
        "trusted",
        Kind::Texts(Form::Other("networks")),
        "[\"10.0.0.0/8\"]",
        "Proxies in front of the gateway, whose X-Forwarded-For is believed",
    ),
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

const fn text(form: Form) -> Kind {
    Kind::Text(form)
}

const fn count(min: u32, max: u32, default: u32) -> Kind {
    Kind::Count(Bounds { min, max, default: Some(default) })
}

const fn within(min: Duration, max: Duration, default: Duration) -> Kind {
    Kind::Duration(Bounds { min, max, default: Some(default) })
}
