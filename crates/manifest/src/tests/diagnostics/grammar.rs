//! Mistakes about keys, kinds and names.

use super::check;

#[test]
fn unknown_keys_get_a_suggestion() {
    check(
        r#"
[ap]
[limits]
headers_time = "1s"
"#,
        r#"
error: unknown section `ap`
 --> mare.toml:2:2
  |
2 | [ap]
  |  ^^ not known here
  |
  = help: did you mean `app`?

error: unknown key `headers_time` in `[limits]`
 --> mare.toml:4:1
  |
4 | headers_time = "1s"
  | ^^^^^^^^^^^^ not known here
  |
  = help: did you mean `header_time`?
"#,
    );
    check(
        r#"
[services.api]
run = "api"
scale = { minimum = 1 }
colour = "red"
"#,
        r#"
error: unknown key `minimum` in `[services.api.scale]`
 --> mare.toml:4:11
  |
4 | scale = { minimum = 1 }
  |           ^^^^^^^ not known here
  |
  = help: did you mean `min`?

error: unknown key `colour` in `[services.api]`
 --> mare.toml:5:1
  |
5 | colour = "red"
  | ^^^^^^ not known here
  |
  = help: known are `run`, `image`, `database`, `scale`, `resources`, `health`, `timeout`, `grace`, `internal`, `env`
"#,
    );
    check(
        r#"
[channels]
[[routes]]
match = "/*"
files = "x"
breaker = {}
"#,
        r"
error: unknown section `channels`
 --> mare.toml:2:2
  |
2 | [channels]
  |  ^^^^^^^^ not known here
  |
  = help: `channels` is not in this version of mare

error: unknown key `breaker` in `[[routes]]`
 --> mare.toml:6:1
  |
6 | breaker = {}
  | ^^^^^^^ not known here
  |
  = help: `breaker` is not in this version of mare
",
    );
}

#[test]
fn wrong_types_say_what_was_expected() {
    check(
        r#"
[app]
drain = true
[limits]
connections = "many"
"#,
        r#"
error: `drain` must be a duration
 --> mare.toml:3:9
  |
3 | drain = true
  |         ^^^^ this is a flag
  |
  = help: for example `drain = "30s"`

error: `connections` must be a whole number
 --> mare.toml:5:15
  |
5 | connections = "many"
  |               ^^^^^^ this is a string
  |
  = help: for example `connections = 10000`
"#,
    );
    check(
        r#"
services = 3
routes = { match = "/*" }
[databases]
main = "postgres://x"
"#,
        r#"
error: `services` must be a table of tables
 --> mare.toml:2:12
  |
2 | services = 3
  |            ^ this is a whole number
  |
  = help: for example `services = { api = { run = "./api" } }`

error: `routes` must be a list of tables
 --> mare.toml:3:10
  |
3 | routes = { match = "/*" }
  |          ^^^^^^^^^^^^^^^^ one table
  |
  = help: write `[[routes]]` for each

error: `main` must be a table
 --> mare.toml:5:8
  |
5 | main = "postgres://x"
  |        ^^^^^^^^^^^^^^ this is none
  |
  = help: write `[databases.NAME]` and its keys below
"#,
    );
    check(
        r#"
[services.api]
run = ["api", "--port"]
internal = "yes"
env = { N = 3 }
"#,
        r#"
error: `run` must be a command in one string
 --> mare.toml:3:7
  |
3 | run = ["api", "--port"]
  |       ^^^^^^^^^^^^^^^^^ this is a list
  |
  = help: for example `run = "./api --port $PORT"`

error: `internal` must be `true` or `false`
 --> mare.toml:4:12
  |
4 | internal = "yes"
  |            ^^^^^ this is a string
  |
  = help: for example `internal = true`

error: `N` must be a string
 --> mare.toml:5:13
  |
5 | env = { N = 3 }
  |             ^ environment variables are strings
  |
  = help: put it into quotes
"#,
    );
}

#[test]
fn measures_need_a_unit() {
    check(
        r#"
[app]
drain = 30
[limits]
body = "100"
idle = "75 seconds"
"#,
        r#"
error: `drain` needs a unit
 --> mare.toml:3:9
  |
3 | drain = 30
  |         ^^ a number without a unit
  |
  = help: write a whole number and its unit (ms, s, m, h, d) in quotes, for example `drain = "30s"`

error: `body` must be a size
 --> mare.toml:5:8
  |
5 | body = "100"
  |        ^^^^^ a number without a unit
  |
  = help: write a whole number and its unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB) in quotes, for example `body = "100MiB"`

error: `idle` must be a duration
 --> mare.toml:6:8
  |
6 | idle = "75 seconds"
  |        ^^^^^^^^^^^^ not a whole number with a unit
  |
  = help: write a whole number and its unit (ms, s, m, h, d) in quotes, for example `idle = "75s"`
"#,
    );
}

#[test]
fn numbers_stay_within_their_bounds() {
    check(
        r#"
[limits]
stall = "2h"
connections = 0
"#,
        r#"
error: `stall` must be between 1ms and 1h
 --> mare.toml:3:9
  |
3 | stall = "2h"
  |         ^^^^ out of bounds

error: `connections` must be between 1 and 1000000
 --> mare.toml:4:15
  |
4 | connections = 0
  |               ^ out of bounds
"#,
    );
    check(
        r#"
[services.api]
run = "api"
scale = { min = 11, concurrency = 99999999999 }
resources = { cpu = 0, memory = 1.5 }
"#,
        r#"
error: `min` is above `max`
 --> mare.toml:4:17
  |
4 | scale = { min = 11, concurrency = 99999999999 }
  |                 ^^ more than may run at once
  |
  = help: `max` is 10 unless it is set

error: `concurrency` must be between 1 and 1000
 --> mare.toml:4:35
  |
4 | scale = { min = 11, concurrency = 99999999999 }
  |                                   ^^^^^^^^^^^ out of bounds

error: `cpu` must be above 0 and at most 1024
 --> mare.toml:5:21
  |
5 | resources = { cpu = 0, memory = 1.5 }
  |                     ^ out of bounds
  |
  = help: for example `cpu = 0.5`

error: `memory` needs a unit
 --> mare.toml:5:33
  |
5 | resources = { cpu = 0, memory = 1.5 }
  |                                 ^^^ a number without a unit
  |
  = help: write a whole number and its unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB) in quotes, for example `memory = "512MiB"`
"#,
    );
}

#[test]
fn names_are_labels() {
    check(
        r#"
[app]
name = "My Shop"
[databases.Main_DB]
[services."42"]
run = "x"
"#,
        r#"
error: `name` must be a name
 --> mare.toml:3:8
  |
3 | name = "My Shop"
  |        ^^^^^^^^^ not a valid one
  |
  = help: a name is 1 to 40 of a-z, 0-9 and -, begins with a letter and does not end with -; for example `my-shop`

error: `Main_DB` is not a valid name
 --> mare.toml:4:12
  |
4 | [databases.Main_DB]
  |            ^^^^^^^ becomes a host name
  |
  = help: a name is 1 to 40 of a-z, 0-9 and -, begins with a letter and does not end with -; for example `main-db`

error: `42` is not a valid name
 --> mare.toml:5:11
  |
5 | [services."42"]
  |           ^^^^ becomes a host name
  |
  = help: a name is 1 to 40 of a-z, 0-9 and -, begins with a letter and does not end with -
"#,
    );
}

#[test]
fn syntax_errors_do_not_hide_the_rest() {
    check(
        r#"
[app
name = "x"
[limits]
body = 5
idle =
stall = "1s"
stall = "2s"
[[routes]]
match = "/*"
service = "lost"
"#,
        r#"
error: unclosed table, expected `]`
 --> mare.toml:2:5
  |
2 | [app
  |     ^ not valid TOML

error: `body` needs a unit
 --> mare.toml:5:8
  |
5 | body = 5
  |        ^ a number without a unit
  |
  = help: write a whole number and its unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB) in quotes, for example `body = "100MiB"`

error: string values must be quoted, expected literal string
 --> mare.toml:6:7
  |
6 | idle =
  |       ^ not valid TOML

error: duplicate key
 --> mare.toml:8:1
  |
8 | stall = "2s"
  | ^^^^^ not valid TOML
"#,
    );
}
