//! The sections of push tasks: `[queues.NAME]` and `[tasks]`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{DAY, QUARTER, count, text, within};
use crate::defaults;
use crate::grammar::{Bounds, Form, Key, Kind};

/// Beyond it, no clock and no disk of one machine keeps up; say "unlimited".
pub(crate) const RATE_MAX: f64 = 1_000_000.0;
/// A task every other month.
pub(crate) const RATE_MIN: f64 = 1e-7;
/// Twice what Cloud Tasks allows; each is a connection and its body in memory.
const CONCURRENCY_MAX: u32 = 10_000;
const DEAD_MAX: u32 = 1_000_000;
pub(crate) const ATTEMPTS_MAX: u32 = 1_000_000;

// Named one by one, because subscriptions have them too.
pub(super) const RATE: Key = Key::new(
    "rate",
    Kind::Other { what: "a rate or `\"unlimited\"`", schema: rate },
    "\"500/s\"",
    "How many tasks begin per second; by default 500/s",
);
pub(super) const BURST: Key = Key::new(
    "burst",
    Kind::Count(Bounds { min: 1, max: ATTEMPTS_MAX, default: None }),
    "100",
    "How many may begin at once after a rest; by default what a fifth of a second brings",
);
pub(super) const CONCURRENCY: Key = Key::new(
    "concurrency",
    count(1, CONCURRENCY_MAX, defaults::QUEUE_CONCURRENCY),
    "50",
    "Tasks under way at once",
);
pub(super) const RETRY: Key =
    Key::new("retry", Kind::Table(&RETRY_KEYS), "{ attempts = 10 }", "When a failed task is tried again");
pub(super) const DEADLINE: Key = Key::new(
    "deadline",
    within(Duration::from_secs(1), DAY, defaults::QUEUE_DEADLINE),
    "\"10m\"",
    "How long an attempt may take, of tasks that do not say so themselves",
);

pub(super) static QUEUE: [Key; 6] = [
    Key::new(
        "target",
        Kind::Table(&TARGET),
        "{ service = \"x\", path = \"/tasks/import\" }",
        "Where all its tasks go, whatever their own URL says; absent: where that says",
    ),
    RATE,
    BURST,
    CONCURRENCY,
    RETRY,
    DEADLINE,
];

pub(super) static TARGET: [Key; 2] = [
    Key::new("service", text(Form::NameOf("services")), "\"x\"", "A service, internal ones too").required(),
    Key::new("path", text(Form::Path), "\"/tasks/import\"", "Instead of the path of the task's URL"),
];

static RETRY_KEYS: [Key; 5] = [
    Key::new(
        "attempts",
        Kind::Other { what: "a whole number or `\"unlimited\"`", schema: attempts },
        "10",
        "Attempts in all, the first included; by default 100",
    ),
    Key::new(
        "for",
        Kind::Duration(Bounds { min: Duration::from_secs(1), max: QUARTER, default: None }),
        "\"1h\"",
        "A task ends only when it was also tried for this long",
    ),
    Key::new("min", backoff(defaults::QUEUE_BACKOFF_MIN), "\"100ms\"", "Before the first retry"),
    Key::new("max", backoff(defaults::QUEUE_BACKOFF_MAX), "\"5m\"", "The longest time between two attempts"),
    Key::new(
        "doublings",
        count(0, 64, defaults::QUEUE_DOUBLINGS),
        "5",
        "How often the time doubles, before it grows by the same step each time",
    ),
];

pub(super) static TASKS: [Key; 5] = [
    Key::new(
        "project",
        text(Form::Other("a project's id")),
        "\"shop\"",
        "The PROJECT in the names of queues; by default the application's name",
    ),
    Key::new(
        "location",
        text(Form::Other("a location's id")),
        "\"local\"",
        "The LOCATION in the names of queues; by default local",
    ),
    Key::new(
        "external",
        Kind::Texts(Form::Other("a host, perhaps with a port")),
        "[\"api.example.com\", \"127.0.0.1:9100\"]",
        "Hosts outside the platform that a task's URL may name",
    ),
    Key::new(
        "window",
        within(Duration::ZERO, QUARTER, defaults::TASK_WINDOW),
        "\"1h\"",
        "How long the name of a task stays taken after its end",
    ),
    Key::new(
        "dead",
        count(1, DEAD_MAX, defaults::DEAD_LETTERS),
        "10000",
        "Tasks that used up their attempts and are kept, per queue: the latest",
    ),
];

const fn backoff(default: Duration) -> Kind {
    within(Duration::from_millis(1), DAY, default)
}

pub(super) fn rate() -> Value {
    json!({ "type": "string", "pattern": r"^(unlimited|\d+(\.\d+)?/[smh]|.*\$\{.*)$" })
}

fn attempts() -> Value {
    json!({ "type": ["integer", "string"], "minimum": 1, "maximum": ATTEMPTS_MAX, "pattern": r"^(unlimited|.*\$\{.*)$" })
}
