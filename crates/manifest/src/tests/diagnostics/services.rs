//! Mistakes about services and variables.

use super::check;

#[test]
fn a_command_is_one_program_and_its_words() {
    check(
        r#"
[services.a]
run = "cd /x && ./serve > log"
[services.b]
run = "RUST_LOG=info ./serve"
[services.c]
run = "echo 'oops"
"#,
        r#"
error: `run` looks as if it needs a shell
 --> mare.toml:3:14
  |
3 | run = "cd /x && ./serve > log"
  |              ^^ means nothing without one
  |
  = help: there is no shell around it; ask for one: `sh -c '…'`

error: `run` begins with a variable
 --> mare.toml:5:8
  |
5 | run = "RUST_LOG=info ./serve"
  |        ^^^^^^^^ means nothing without a shell
  |
  = help: say it in `env`: `env = { RUST_LOG = "…" }`

error: a quote in `run` has no end
 --> mare.toml:7:7
  |
7 | run = "echo 'oops"
  |       ^^^^^^^^^^^^ cannot be split into words
  |
  = help: quotes hold words together; a quote itself stands inside the other kind: `"it's"`
"#,
    );
}

#[test]
fn a_command_names_a_program() {
    check(
        r#"
[services.d]
run = " "
[services.f]
run = "${EMPTY} x"
[services.g]
"#,
        r#"
error: `run` names no command
 --> mare.toml:3:7
  |
3 | run = " "
  |       ^^^ no word in it

error: `run` names no command
 --> mare.toml:5:7
  |
5 | run = "${EMPTY} x"
  |       ^^^^^^^^^^^^ its first word is empty

error: `[services.g]` needs `run`
 --> mare.toml:6:11
  |
6 | [services.g]
  |           ^ `run` is missing
  |
  = help: for example `run = "./api --port $PORT"`
"#,
    );
}

#[test]
fn variables_are_named_when_they_are_missing() {
    check(
        r#"
[services.e]
run = "echo $HOME ${NAME:-a b}"
"#,
        r#"
error: a variable without braces
 --> mare.toml:3:13
  |
3 | run = "echo $HOME ${NAME:-a b}"
  |             ^^^^^ ambiguous
  |
  = help: write `${HOME}` for the variable, `$$HOME` for this text itself

error: a variable without an end
 --> mare.toml:3:19
  |
3 | run = "echo $HOME ${NAME:-a b}"
  |                   ^^^^^^^^^ its `}` is missing
  |
  = help: in a command, quote a word that holds spaces; for a `$` itself write `$$`
"#,
    );
    check(
        r#"
[app]
name = "${NAME}"
[databases.main]
url = "postgres://${USER_NAME}:${PASS}@db"
[backends]
redis = "redis://$HOST:$PORT"
"#,
        r#"
error: the environment variable `NAME` is not set
 --> mare.toml:3:9
  |
3 | name = "${NAME}"
  |         ^^^^^^^ needed here
  |
  = help: set it, or give a default: `${NAME:-…}`, which may be empty

error: the environment variable `USER_NAME` is not set
 --> mare.toml:5:19
  |
5 | url = "postgres://${USER_NAME}:${PASS}@db"
  |                   ^^^^^^^^^^^^ needed here
  |
  = help: set it, or give a default: `${USER_NAME:-…}`, which may be empty

error: the environment variable `PASS` is not set
 --> mare.toml:5:32
  |
5 | url = "postgres://${USER_NAME}:${PASS}@db"
  |                                ^^^^^^^ needed here
  |
  = help: set it, or give a default: `${PASS:-…}`, which may be empty

error: a variable without braces
 --> mare.toml:7:18
  |
7 | redis = "redis://$HOST:$PORT"
  |                  ^^^^^ ambiguous
  |
  = help: write `${HOST}` for the variable, `$$HOST` for this text itself

error: the port is not known here
 --> mare.toml:7:24
  |
7 | redis = "redis://$HOST:$PORT"
  |                        ^^^^^ known when an instance starts
  |
  = help: `$PORT` may stand in a service's `run` and `env`; for this text itself write `$$PORT`
"#,
    );
}

#[test]
fn interpolated_values_are_not_shown() {
    check(
        r#"
[databases.main]
url = "${SECRET}"
[services.api]
run = "api"
database = "${SECRET}"
timeout = "${SECRET}"
[[routes]]
match = "/x"
url = "${SECRET_URL}"
"#,
        r#"
error: `url` must be a URL
 --> mare.toml:3:7
  |
3 | url = "${SECRET}"
  |       ^^^^^^^^^^^ this is not one
  |
  = help: it begins with `postgres://` or `postgresql://` or `sqlite:`

error: `database` does not name a database
 --> mare.toml:6:12
  |
6 | database = "${SECRET}"
  |            ^^^^^^^^^^^ its value is not the name of one
  |
  = help: it must be the NAME of a `[databases.NAME]`

error: `timeout` must be a duration
 --> mare.toml:7:11
  |
7 | timeout = "${SECRET}"
  |           ^^^^^^^^^^^ not a whole number with a unit
  |
  = help: write a whole number and its unit (ms, s, m, h, d) in quotes, for example `timeout = "5m"`

error: `url` must be an HTTP server's URL
  --> mare.toml:10:7
   |
10 | url = "${SECRET_URL}"
   |       ^^^^^^^^^^^^^^^ it does not begin with `http://`
   |
   = help: for example `url = "http://127.0.0.1:9000"`
"#,
    );
}

#[test]
fn a_database_has_one_owner_unless_it_is_shared() {
    check(
        r#"
[databases.finance]
[services.worker]
run = "worker"
database = "finance"
[services.api]
run = "api"
database = "finance"
"#,
        r#"
error: two services name the same database
 --> mare.toml:8:12
  |
5 | database = "finance"
  |            --------- `worker` names it
...
8 | database = "finance"
  |            ^^^^^^^^^ named again here
  |
  = help: give each its own, or say `shared = true` in the database's section
"#,
    );
}

#[test]
fn some_environment_variables_are_the_platforms() {
    check(
        r#"
[databases.main]
[services.api]
run = "api"
database = "main"
env = { PORT = "1", MARE_TOKEN = "x", DATABASE_URL = "y", "A-B" = "z" }
"#,
        r#"
error: `PORT` cannot be set in `env`
 --> mare.toml:6:9
  |
6 | env = { PORT = "1", MARE_TOKEN = "x", DATABASE_URL = "y", "A-B" = "z" }
  |         ^^^^ not this name
  |
  = help: mare sets `PORT`, `HOST` and every `MARE_…` itself

error: `MARE_TOKEN` cannot be set in `env`
 --> mare.toml:6:21
  |
6 | env = { PORT = "1", MARE_TOKEN = "x", DATABASE_URL = "y", "A-B" = "z" }
  |                     ^^^^^^^^^^ not this name
  |
  = help: mare sets `PORT`, `HOST` and every `MARE_…` itself

error: `DATABASE_URL` cannot be set in `env`
 --> mare.toml:6:39
  |
6 | env = { PORT = "1", MARE_TOKEN = "x", DATABASE_URL = "y", "A-B" = "z" }
  |                                       ^^^^^^^^^^^^ not this name
  |
  = help: mare sets it, because the service has a `database`; put the URL into the database's section

error: `A-B` cannot be set in `env`
 --> mare.toml:6:59
  |
6 | env = { PORT = "1", MARE_TOKEN = "x", DATABASE_URL = "y", "A-B" = "z" }
  |                                                           ^^^^^ not this name
  |
  = help: a name is letters, digits and `_`, and does not begin with a digit
"#,
    );
}
