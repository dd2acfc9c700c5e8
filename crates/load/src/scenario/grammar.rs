//! The keys of a scenario file. Its documentation is `docs/load-scenarios.md`.

use std::time::Duration;

use mare_manifest::grammar::{Bounds, Form, Grammar, Key, Kind, Variables};
use serde_json::{Value, json};

/// More sockets than one machine has memory for.
const USERS_MAX: u32 = 1_000_000;
const RATE_MAX: f64 = 1_000_000.0;
const DAY: Duration = Duration::from_hours(24);
const SHORTEST: Duration = Duration::from_millis(1);
/// A few seconds of stalled answers at a few hundred flows per second.
const OPEN_USERS: u32 = 1_000;
/// Whoever waited this long has left; objectives are an order of magnitude below.
const TIMEOUT: Duration = Duration::from_secs(10);
/// More would not fit into memory as text, and nobody's test data is larger.
pub(super) const ROWS_MAX: u32 = 10_000_000;

const SPAN: &str = "a time, `uniform(FROM, TO)` or `exp(MEAN)`";

pub(super) static SCENARIO: Grammar = Grammar {
    root: &ROOT,
    variables: Variables::Prefixed,
    names: "stands in `${…}` and in reports",
    later: &[],
};

/// The JSON Schema (draft 2020-12) of a scenario.
pub fn schema() -> Value {
    mare_manifest::schema_of(&SCENARIO, "Maré scenario", "What `mare load` does to a server")
}

static ROOT: [Key; 10] = [
    Key::new("name", line("a name"), "\"read\"", "What reports call it; by default the file's name"),
    Key::new(
        "manifest",
        line("a file"),
        "\"../mare.toml\"",
        "The mare.toml whose objectives are judged, relative to the scenario",
    ),
    Key::new("target", Kind::Table(&TARGET), "{ url = \"http://127.0.0.1:8080\" }", "The server"),
    Key::new(
        "users_max",
        count(1, USERS_MAX, Some(OPEN_USERS)),
        "1000",
        "With rates: the most flows under way at once; one that finds no user free is late, not forgotten",
    ),
    Key::new("stages", Kind::List(&STAGE), "[{ users = 10, hold = \"30s\" }]", "The load, one after another"),
    Key::new(
        "setup",
        Kind::List(&STEP),
        "[{ request = \"POST /login\" }]",
        "Requests each user makes once, before its first flow; neither recorded nor judged",
    ),
    Key::new(
        "setup_every",
        Kind::Duration(Bounds { min: Duration::from_secs(1), max: Duration::from_hours(24), default: None }),
        "\"10m\"",
        "How often a user makes them again, between two flows; never unless given",
    ),
    Key::new(
        "flows",
        Kind::List(&FLOW),
        "[{ steps = [{ request = \"GET /\" }] }]",
        "What users do, over and over, chosen by weight",
    ),
    Key::new("feeds", Kind::Named(&FEED), "{ accounts = { file = \"accounts.csv\" } }", "Data, by name"),
    Key::new(
        "thresholds",
        Kind::Named(&THRESHOLD),
        "{ all = { errors = \"1%\" } }",
        "Limits beyond the manifest's objectives, by name",
    ),
];

static TARGET: [Key; 2] = [
    Key::new(
        "url",
        line("an HTTP server's URL"),
        "\"http://127.0.0.1:8080\"",
        "http:// or https://, host and port; --target replaces it",
    ),
    Key::new("http", line("`\"1.1\"` or `\"2\"`"), "\"2\"", "HTTP version: \"1.1\" (default) or \"2\""),
];

static STAGE: [Key; 4] = [
    Key::new("users", count(0, USERS_MAX, None), "150", "Users at work at its end"),
    Key::new(
        "rate",
        Kind::Rate(Bounds { min: 0.0, max: RATE_MAX, default: None }),
        "\"500/s\"",
        "Instead of users: flows begun per second at its end, whatever comes back",
    ),
    Key::new(
        "ramp",
        within(Duration::ZERO, DAY, Duration::ZERO),
        "\"30s\"",
        "From the level before to this one",
    ),
    Key::new("hold", within(Duration::ZERO, DAY, Duration::ZERO), "\"60s\"", "At this level"),
];

static FLOW: [Key; 5] = [
    Key::new("name", line("a name"), "\"list\"", "What reports call it; by default its first step's name"),
    Key::new(
        "weight",
        Kind::Number(Bounds { min: 0.0, max: 1e6, default: Some(1.0) }),
        "65",
        "How often it is chosen, compared with the other flows",
    ),
    Key::new("think", line(SPAN), "\"uniform(1s, 3s)\"", "Rest after each step's answer; none by default"),
    Key::new(
        "pacing",
        line(SPAN),
        "\"5s\"",
        "Instead of think: from one start to the next, or at once if the flow took longer",
    ),
    Key::new("steps", Kind::List(&STEP), "[{ request = \"GET /\" }]", "Its requests, in order").required(),
];

static STEP: [Key; 9] = [
    Key::new(
        "name",
        line("a name"),
        "\"create\"",
        "What reports call it; by default the request without query",
    ),
    Key::new("request", line("METHOD /path"), "\"GET /items?page=${page}\"", "Method, path and query")
        .required(),
    Key::new(
        "headers",
        other("a table of strings", strings),
        "{ authorization = \"Bearer ${token}\" }",
        "Headers of the request",
    ),
    Key::new("json", other("a table or a list", any), "{ email = \"${email}\" }", "The body, sent as JSON"),
    Key::new(
        "form",
        other("a table of strings", strings),
        "{ q = \"a b\" }",
        "The body, as an HTML form sends it",
    ),
    Key::new("body", line("a text"), "\"<xml/>\"", "The body as it is; content-type is up to headers"),
    Key::new(
        "extract",
        other("a table of strings", strings),
        "{ token = \"json:/access_token\" }",
        "What later steps use: json:/pointer, header:NAME or cookie:NAME",
    ),
    Key::new("expect", Kind::Table(&EXPECT), "{ status = 200 }", "What makes the answer right"),
    Key::new(
        "timeout",
        within(SHORTEST, Duration::from_hours(1), TIMEOUT),
        "\"10s\"",
        "Until the last byte of the answer",
    ),
];

static EXPECT: [Key; 3] = [
    Key::new("status", other("a status or a list of them", statuses), "200", "By default any 2xx or 3xx"),
    Key::new("contains", line("a text"), "\"ok\"", "The body contains this"),
    Key::new(
        "json",
        other("a table of JSON pointers", any_table),
        "{ \"/items/0/id\" = 1 }",
        "What the body has at each JSON pointer (RFC 6901)",
    ),
];

static FEED: [Key; 5] = [
    Key::new(
        "file",
        line("a CSV file"),
        "\"accounts.csv\"",
        "Rows from a file; its first line names the columns",
    )
    .filled(),
    Key::new("rows", other("a list of tables", rows), "[{ id = \"1\" }]", "Rows written here"),
    Key::new(
        "columns",
        other("a table of strings", strings),
        "{ email = \"user${row}@example.com\" }",
        "Rows made when asked for, always the same for the same row",
    ),
    Key::new("count", count(1, ROWS_MAX, None), "1000", "How many rows are made"),
    Key::new(
        "order",
        line("`\"sequential\"`, `\"random\"` or `\"unique\"`"),
        "\"unique\"",
        "Which row a flow takes: sequential (default), random, or unique: one row per user, kept",
    ),
];

static THRESHOLD: [Key; 9] = [
    Key::new(
        "step",
        line("a step's name"),
        "\"GET /\"",
        "The step it is about; absent: all of them together",
    ),
    Key::new("p50", latency(), "\"100ms\"", "Half of the requests take at most this long"),
    Key::new("p75", latency(), "\"150ms\"", "75 % of the requests take at most this long"),
    Key::new("p90", latency(), "\"200ms\"", "90 % of the requests take at most this long"),
    Key::new("p95", latency(), "\"300ms\"", "95 % of the requests take at most this long"),
    Key::new("p99", latency(), "\"1s\"", "99 % of the requests take at most this long"),
    Key::new("p999", latency(), "\"2s\"", "99.9 % of the requests take at most this long"),
    Key::new("errors", ratio(), "\"0.5%\"", "At most this share of the requests fails"),
    Key::new("availability", ratio(), "\"99.5%\"", "At least this share of the requests is answered"),
];

const fn line(what: &'static str) -> Kind {
    Kind::Text(Form::Other(what))
}

const fn other(what: &'static str, schema: fn() -> Value) -> Kind {
    Kind::Other { what, schema }
}

const fn count(min: u32, max: u32, default: Option<u32>) -> Kind {
    Kind::Count(Bounds { min, max, default })
}

const fn within(min: Duration, max: Duration, default: Duration) -> Kind {
    Kind::Duration(Bounds { min, max, default: Some(default) })
}

const fn latency() -> Kind {
    Kind::Duration(Bounds { min: SHORTEST, max: Duration::from_hours(1), default: None })
}

const fn ratio() -> Kind {
    Kind::Ratio(Bounds { min: 0.0, max: 1.0, default: None })
}

fn strings() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" } })
}

fn any() -> Value {
    json!({ "type": ["object", "array"] })
}

fn any_table() -> Value {
    json!({ "type": "object" })
}

fn statuses() -> Value {
    let status = json!({ "type": "integer", "minimum": 100, "maximum": 599 });
    json!({ "anyOf": [status.clone(), { "type": "array", "items": status }] })
}

fn rows() -> Value {
    json!({ "type": "array", "items": { "type": "object" } })
}
