//! Mistakes about objectives and alerts.

use super::check;

#[test]
fn an_objective_promises_something_of_some_requests() {
    check(
        r#"
[services.api]
run = "api"
[[routes]]
match = "/api/*"
service = "api"
[objectives.a]
p95 = "300ms"
[objectives.b]
route = "/api/x"
[objectives.c]
route = "/api/x"
service = "api"
p95 = "300ms"
p99 = "200ms"
[objectives.d]
route = "GET /pix"
errors = 0.5
"#,
        r#"
error: an objective is about nothing
 --> mare.toml:7:13
  |
7 | [objectives.a]
  |             ^ one of four is missing
  |
  = help: add `route = "GET /api/items"`, `service = "api"`, `queue = "…"` or `backlog = "…"`

error: an objective without a limit
 --> mare.toml:9:13
  |
9 | [objectives.b]
  |             ^ promises nothing
  |
  = help: add one, for example `p95 = "300ms"`, `errors = "0.5%"` or `availability = "99.5%"`

error: an objective is about one thing
  --> mare.toml:13:11
   |
12 | route = "/api/x"
   |         -------- the other one
13 | service = "api"
   |           ^^^^^ `service` beside `route`
   |
   = help: write one objective for each

error: a higher percentile with a lower limit
  --> mare.toml:15:7
   |
14 | p95 = "300ms"
   |       ------- `p95` allows more
15 | p99 = "200ms"
   |       ^^^^^^^ never the one that is broken
   |
   = help: remove `p95`, or raise `p99`

error: no route leads such requests anywhere
  --> mare.toml:17:9
   |
17 | route = "GET /pix"
   |         ^^^^^^^^^^ never counted
   |
   = help: objectives and alerts are about what comes in through `[[routes]]`

error: `errors` needs a unit
  --> mare.toml:18:10
   |
18 | errors = 0.5
   |          ^^^ a number without a unit
   |
   = help: write a number and `%` in quotes, for example `errors = "0.5%"`
"#,
    );
}

#[test]
fn an_alert_rule_is_about_some_requests() {
    check(
        r#"
[services.api]
run = "api"
[[routes]]
match = "GET /api/*"
service = "api"
[objectives.items]
route = "/api/items"
errors = "60%"
[alerts]
email = { from = "me", to = [] }
[alerts.slow]
items = "/api/items over 5s"
pix = "POST /api/pix over 5s"
any = "/api/pix > 5s"
"#,
        r#"
error: `errors` must be between 0.001% and 50%
 --> mare.toml:9:10
  |
9 | errors = "60%"
  |          ^^^^^ out of bounds

error: `[alerts.email]` needs `smtp`
  --> mare.toml:11:9
   |
11 | email = { from = "me", to = [] }
   |         ^^^^^^^^^^^^^^^^^^^^^^^^ `smtp` is missing
   |
   = help: for example `smtp = "smtps://user:${SMTP_PASSWORD}@mail.example.com"`

error: `from` must be a mail address
  --> mare.toml:11:18
   |
11 | email = { from = "me", to = [] }
   |                  ^^^^ this is not one
   |
   = help: for example `from = "mare@example.com"`

error: `to` must not be empty
  --> mare.toml:11:29
   |
11 | email = { from = "me", to = [] }
   |                             ^^ empty
   |
   = help: for example `to = ["team@example.com"]`

error: an objective is called `items` too
  --> mare.toml:13:1
   |
13 | items = "/api/items over 5s"
   | ^^^^^ alerts are known by their name
   |
   = help: give it another

error: no route leads such requests anywhere
  --> mare.toml:14:7
   |
14 | pix = "POST /api/pix over 5s"
   |       ^^^^^^^^^^^^^^^^^^^^^^^ never counted
   |
   = help: objectives and alerts are about what comes in through `[[routes]]`

error: `any` must say which requests may not take longer
  --> mare.toml:15:7
   |
15 | any = "/api/pix > 5s"
   |       ^^^^^^^^^^^^^^^ it is not a path, ` over ` and a duration
   |
   = help: for example `pix = "POST /api/pix over 5s"`
"#,
    );
}

#[test]
fn an_objective_on_a_queue_names_one_that_is_there() {
    check(
        r#"
[services.worker]
run = "worker"
[topics.events]
[queues.imports]
[subscriptions.mail]
topic = "events"
target = { service = "worker" }
[objectives.a]
queue = "subscription-mial"
p95 = "1m"
[objectives.b]
backlog = "imports"
p99 = "1m"
errors = "1%"
"#,
        r#"
error: there is no queue `subscription-mial`
  --> mare.toml:10:9
   |
10 | queue = "subscription-mial"
   |         ^^^^^^^^^^^^^^^^^^^ not declared
   |
   = help: did you mean `subscription-mail`?

error: a backlog cannot fail
  --> mare.toml:15:10
   |
15 | errors = "1%"
   |          ^^^^ never counted
   |
   = help: promise its age, for example `p99 = "60s"`; that tasks fail is of `queue = "…"`
"#,
    );
}
