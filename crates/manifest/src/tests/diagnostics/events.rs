//! Mistakes about schedules, topics and subscriptions.

use super::check;

#[test]
fn a_schedule_ticks_and_leads_somewhere() {
    check(
        r#"
[services.worker]
run = "worker"
[queues.plain]
[queues.led]
target = { service = "worker" }
[schedules.a]
cron = "61 * * * *"
queue = "plain"
[schedules.b]
cron = "@every 1h"
timezone = "Sao_Paulo"
queue = "led"
target = { service = "worker", path = "/x" }
missed = "never"
"#,
        r#"
error: the tasks of a schedule lead nowhere
 --> mare.toml:7:12
  |
7 | [schedules.a]
  |            ^ no target, and none in its queue
  |
  = help: add `target = { service = "…", path = "/…" }` here or in the queue

error: `cron` must be a cron expression or `@every`
 --> mare.toml:8:8
  |
8 | cron = "61 * * * *"
  |        ^^^^^^^^^^^^ value must be in range 0..=59; found 61
  |
  = help: for example `cron = "0 6 1 * *"` (on the 1st at 6:00) or `cron = "@every 15m"`

error: `timezone` must be a time zone's name
  --> mare.toml:12:12
   |
12 | timezone = "Sao_Paulo"
   |            ^^^^^^^^^^^ there is none of this name
   |
   = help: for example `timezone = "America/Sao_Paulo"`

error: the queue has a target, and so all its tasks go there
  --> mare.toml:14:10
   |
14 | target = { service = "worker", path = "/x" }
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ never used
   |
   = help: remove this one, or let the schedule have a queue of its own

error: `missed` must be `skip`, `once` or `all`
  --> mare.toml:15:10
   |
15 | missed = "never"
   |          ^^^^^^^ none of them
   |
   = help: what becomes of ticks while nothing ran: lost, the last one made up for, or all
"#,
    );
}

#[test]
fn a_subscription_has_a_topic_and_a_target() {
    check(
        r#"
[databases.main]
[topics.events]
outbox = { database = "mian", table = "drop table" }
[subscriptions.mail]
topic = "event"
"#,
        r#"
error: there is no database `mian`
 --> mare.toml:4:23
  |
4 | outbox = { database = "mian", table = "drop table" }
  |                       ^^^^^^ not declared
  |
  = help: did you mean `main`?

error: `table` must be a table's name
 --> mare.toml:4:39
  |
4 | outbox = { database = "mian", table = "drop table" }
  |                                       ^^^^^^^^^^^^ not plain letters, digits and `_`
  |
  = help: for example `table = "outbox"` or `table = "app.outbox"`

error: `[subscriptions.mail]` needs `target`
 --> mare.toml:5:16
  |
5 | [subscriptions.mail]
  |                ^^^^ `target` is missing
  |
  = help: for example `target = { service = "x", path = "/events" }`

error: there is no topic `event`
 --> mare.toml:6:9
  |
6 | topic = "event"
  |         ^^^^^^^ not declared
  |
  = help: did you mean `events`?
"#,
    );
}
