//! What comes by the clock and what comes by events: `[schedules.NAME]`, `[topics.NAME]`, `[subscriptions.NAME]`.

use super::queues::{BURST, CONCURRENCY, DEADLINE, RATE, RETRY, TARGET};
use super::text;
use crate::grammar::{Form, Key, Kind};

pub(super) static SCHEDULE: [Key; 5] = [
    Key::new(
        "cron",
        text(Form::Other("a cron expression or `@every`")),
        "\"0 6 1 * *\"",
        "Minute, hour, day of month, month, day of week; or @every 15m",
    )
    .required(),
    Key::new(
        "timezone",
        text(Form::Other("a time zone's name")),
        "\"America/Sao_Paulo\"",
        "Whose clock it means; by default UTC",
    ),
    Key::new("queue", text(Form::NameOf("queues")), "\"q\"", "The queue each tick puts a task into")
        .required(),
    Key::new(
        "target",
        Kind::Table(&TARGET),
        "{ service = \"x\", path = \"/tasks/report\" }",
        "Where its tasks go, if the queue does not say",
    ),
    Key::new(
        "missed",
        text(Form::Other("`skip`, `once` or `all`")),
        "\"once\"",
        "Ticks while nothing ran: lost, the last one made up for, or all; by default once",
    ),
];

pub(super) static TOPIC: [Key; 2] = [
    Key::new(
        "outbox",
        Kind::Table(&OUTBOX),
        "{ database = \"main\", table = \"outbox\" }",
        "A table whose rows become messages when they are committed",
    ),
    Key::new(
        "fair",
        text(Form::Other("an attribute's name")),
        "\"tenant_id\"",
        "The attribute whose values take turns in each subscription",
    ),
];

static OUTBOX: [Key; 2] = [
    Key::new("database", text(Form::NameOf("databases")), "\"main\"", "The database it is in").required(),
    Key::new("table", text(Form::Other("a table's name")), "\"outbox\"", "Its name, perhaps SCHEMA.TABLE")
        .required(),
];

pub(super) static SUBSCRIPTION: [Key; 8] = [
    Key::new("topic", text(Form::NameOf("topics")), "\"events\"", "Whose messages it gets").required(),
    Key::new(
        "only",
        Kind::Texts(Form::Other("a kind of message, perhaps with `*` at the end")),
        "[\"order.paid\", \"invoice.*\"]",
        "Only messages whose attribute topic is one of these",
    )
    .filled(),
    Key::new(
        "target",
        Kind::Table(&TARGET),
        "{ service = \"x\", path = \"/events\" }",
        "Where messages are pushed to",
    )
    .required(),
    RATE,
    BURST,
    CONCURRENCY,
    RETRY,
    DEADLINE,
];
