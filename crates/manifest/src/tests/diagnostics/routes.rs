//! Mistakes about routes.

use super::check;

#[test]
fn references_lead_somewhere() {
    check(
        r#"
[databases.finance]
[services.api]
run = "api"
database = "finanse"
[services.worker]
run = "worker"
internal = true
[[routes]]
match = "/*"
service = "apy"
[[routes]]
match = "/work"
service = "worker"
"#,
        r#"
error: there is no database `finanse`
 --> mare.toml:5:12
  |
5 | database = "finanse"
  |            ^^^^^^^^^ not declared
  |
  = help: did you mean `finance`?

error: there is no service `apy`
  --> mare.toml:11:11
   |
11 | service = "apy"
   |           ^^^^^ not declared
   |
   = help: did you mean `api`?

error: a route leads to an internal service
  --> mare.toml:14:11
   |
14 | service = "worker"
   |           ^^^^^^^^ it has `internal = true`
   |
   = help: remove `internal`, or the route; other services reach it through `MARE_URL_<SERVICE>`
"#,
    );
}

#[test]
fn a_route_leads_to_one_place() {
    check(
        r#"
[[routes]]
match = "/a"
[[routes]]
match = "/b"
url = "http://x"
files = "x"
[[routes]]
match = "/c"
url = "${EMPTY}"
[[routes]]
files = ""
[[routes]]
match = "/e"
url = "https://x"
spa = true
"#,
        r#"
error: a route leads nowhere
 --> mare.toml:2:1
  |
2 | [[routes]]
  | ^^^^^^^^^^ one of three is missing
  |
  = help: add `service = "…"`, `url = "http://…"` or `files = "…"`

error: a route leads to one place
 --> mare.toml:7:9
  |
6 | url = "http://x"
  |       ---------- the other one
7 | files = "x"
  |         ^^^ `files` beside `url`
  |
  = help: write one route for each

error: `url` must not be empty
  --> mare.toml:10:7
   |
10 | url = "${EMPTY}"
   |       ^^^^^^^^^^ empty
   |
   = help: for example `url = "http://127.0.0.1:9000"`

error: `[[routes]]` needs `match`
  --> mare.toml:11:1
   |
11 | [[routes]]
   | ^^^^^^^^^^ `match` is missing
   |
   = help: for example `match = "/api/*"`

error: `files` must not be empty
  --> mare.toml:12:9
   |
12 | files = ""
   |         ^^ empty
   |
   = help: for example `files = "ui/dist"`

error: `url` must be an HTTP server's URL
  --> mare.toml:15:7
   |
15 | url = "https://x"
   |       ^^^^^^^^^^^ https to a server outside the platform is not supported yet
   |
   = help: for example `url = "http://127.0.0.1:9000"`

error: `spa` without `files`
  --> mare.toml:16:7
   |
16 | spa = true
   |       ^^^^ there is no index.html here
   |
   = help: `spa` is for routes that lead to a folder
"#,
    );
}

#[test]
fn a_route_matches_what_no_other_does() {
    check(
        r#"
[[routes]]
match = "get /x"
files = "x"
[[routes]]
match = "/a/*/b"
files = "x"
host = "http://x"
[[routes]]
match = "/x/*"
files = "x"
host = "A.example"
[[routes]]
match = "/x/*"
url = "http://x"
host = "a.example"
"#,
        r#"
error: `match` must be a path, perhaps with a method
 --> mare.toml:3:9
  |
3 | match = "get /x"
  |         ^^^^^^^^ its method is not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS
  |
  = help: did you mean `GET`?

error: `match` must be a path, perhaps with a method
 --> mare.toml:6:9
  |
6 | match = "/a/*/b"
  |         ^^^^^^^^ a `*` may only be its last character
  |
  = help: for example `/health`, `/api/*`, `/img*` or `GET /api/*`

error: `host` must be a host name
 --> mare.toml:8:8
  |
8 | host = "http://x"
  |        ^^^^^^^^^^ it has no scheme and no port

error: two routes match the same requests
  --> mare.toml:14:9
   |
10 | match = "/x/*"
   |         ------ this one is the same
...
14 | match = "/x/*"
   |         ^^^^^^ never reached
   |
   = help: remove one, or let them differ in method, host or path
"#,
    );
}
