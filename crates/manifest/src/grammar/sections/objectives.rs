//! What is promised, and who is told: `[objectives.NAME]` and `[alerts]`.

use std::time::Duration;

use super::{DAY, HOUR, HTTP, QUARTER, SHORTEST, WEEK, text, within};
use crate::defaults;
use crate::grammar::{Bounds, Form, Key, Kind};

const SMTP: &[&str] = &["smtp://", "smtps://"];

/// The keys of an objective that say whose requests it is about: exactly one stands in each.
pub(crate) const SUBJECTS: [&str; 4] = ["route", "service", "queue", "backlog"];

pub(super) static OBJECTIVE: [Key; 13] = [
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

pub(super) static ALERTS: [Key; 7] = [
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

const fn latency(name: &'static str, doc: &'static str) -> Key {
    Key::new(name, Kind::Duration(Bounds { min: SHORTEST, max: HOUR, default: None }), "\"300ms\"", doc)
}
