//! Mistakes about queues and tasks.

use super::check;

#[test]
fn a_queue_leads_to_a_service_that_exists() {
    check(
        r#"
[services.worker]
run = "worker"
internal = true
[queues.Imports]
target = { service = "wroker", path = "tasks" }
concurency = 5
[queues.b.target]
path = "/x"
"#,
        r#"
error: `Imports` is not a valid name
 --> mare.toml:5:9
  |
5 | [queues.Imports]
  |         ^^^^^^^ becomes a host name
  |
  = help: a name is 1 to 40 of a-z, 0-9 and -, begins with a letter and does not end with -; for example `imports`

error: there is no service `wroker`
 --> mare.toml:6:22
  |
6 | target = { service = "wroker", path = "tasks" }
  |                      ^^^^^^^^ not declared
  |
  = help: did you mean `worker`?

error: `path` must be a path
 --> mare.toml:6:39
  |
6 | target = { service = "wroker", path = "tasks" }
  |                                       ^^^^^^^ not the path of a URL
  |
  = help: for example `path = "/tasks/import"`

error: unknown key `concurency` in `[queues.Imports]`
 --> mare.toml:7:1
  |
7 | concurency = 5
  | ^^^^^^^^^^ not known here
  |
  = help: did you mean `concurrency`?

error: `[queues.b.target]` needs `service`
 --> mare.toml:8:1
  |
8 | [queues.b.target]
  | ^^^^^^^^^^^^^^^^^ `service` is missing
  |
  = help: for example `service = "x"`
"#,
    );
}

#[test]
fn rates_and_retries_have_bounds() {
    check(
        r#"
[queues.a]
rate = "0/s"
retry = { attempts = 0, min = "2h" }
[queues.b]
rate = 500
retry = { attempts = "forever", min = "2s", max = "1s" }
[queues.c]
rate = "2000000/s"
concurrency = 20_000
"#,
        r#"
error: `rate` must be a rate or `"unlimited"`
 --> mare.toml:3:8
  |
3 | rate = "0/s"
  |        ^^^^^ so little is never
  |
  = help: write a number and `/s`, `/m` or `/h` in quotes, for example `rate = "500/s"`; to hold a queue, pause it

error: `attempts` must be between 1 and 1000000
 --> mare.toml:4:22
  |
4 | retry = { attempts = 0, min = "2h" }
  |                      ^ out of bounds
  |
  = help: for as many as it takes write `attempts = "unlimited"`

error: `min` is above `max`
 --> mare.toml:4:31
  |
4 | retry = { attempts = 0, min = "2h" }
  |                               ^^^^ never so long
  |
  = help: `max` is 1h unless it is set

error: `rate` must be a rate or `"unlimited"`
 --> mare.toml:6:8
  |
6 | rate = 500
  |        ^^^ this is a whole number
  |
  = help: for example `rate = "500/s"`

error: `attempts` must be a whole number or `"unlimited"`
 --> mare.toml:7:22
  |
7 | retry = { attempts = "forever", min = "2s", max = "1s" }
  |                      ^^^^^^^^^ neither
  |
  = help: for example `attempts = 10`

error: `min` is above `max`
 --> mare.toml:7:39
  |
7 | retry = { attempts = "forever", min = "2s", max = "1s" }
  |                                       ^^^^ never so long
  |
  = help: raise `max` or lower `min`

error: `rate` must be a rate or `"unlimited"`
 --> mare.toml:9:8
  |
9 | rate = "2000000/s"
  |        ^^^^^^^^^^^ above a million per second
  |
  = help: write a number and `/s`, `/m` or `/h` in quotes, for example `rate = "500/s"`; to hold a queue, pause it

error: `concurrency` must be between 1 and 10000
  --> mare.toml:10:15
   |
10 | concurrency = 20_000
   |               ^^^^^^ out of bounds
"#,
    );
}

#[test]
fn outside_is_named_by_hosts() {
    check(
        r#"
[tasks]
project = "my shop"
location = "local_1"
external = ["https://api.example.com", "api.example.com/x", "10.0.0.1:9100", "::1"]
"#,
        r#"
error: `project` must be a project's id
 --> mare.toml:3:11
  |
3 | project = "my shop"
  |           ^^^^^^^^^ becomes a part of queues' names
  |
  = help: it is 1 to 100 letters, digits and `:`, `.`, `-`

error: `location` must be a location's id
 --> mare.toml:4:12
  |
4 | location = "local_1"
  |            ^^^^^^^^^ becomes a part of queues' names
  |
  = help: it is 1 to 100 letters, digits and `-`

error: `external` must be a list of hosts
 --> mare.toml:5:13
  |
5 | external = ["https://api.example.com", "api.example.com/x", "10.0.0.1:9100", "::1"]
  |             ^^^^^^^^^^^^^^^^^^^^^^^^^ neither a host nor host:port
  |
  = help: for example `external = ["api.example.com", "127.0.0.1:9100"]`: no scheme, no path

error: `external` must be a list of hosts
 --> mare.toml:5:40
  |
5 | external = ["https://api.example.com", "api.example.com/x", "10.0.0.1:9100", "::1"]
  |                                        ^^^^^^^^^^^^^^^^^^^ neither a host nor host:port
  |
  = help: for example `external = ["api.example.com", "127.0.0.1:9100"]`: no scheme, no path
"#,
    );
}
