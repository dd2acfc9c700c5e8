//! Mistakes about what is said to browsers.

use super::check;

#[test]
fn origins_are_what_browsers_send() {
    check(
        r#"
[[routes]]
match = "/b"
url = "http://x"
cors = { origins = ["app.example.com", "https://app.example.com/"], headers = ["a, b"] }
[[routes]]
match = "/d"
url = "http://x"
cors = { max_age = "2d" }
"#,
        r#"
error: each of `origins` must be an origin
 --> mare.toml:5:21
  |
5 | cors = { origins = ["app.example.com", "https://app.example.com/"], headers = ["a, b"] }
  |                     ^^^^^^^^^^^^^^^^^ it has a scheme: `https://…`
  |
  = help: for example `https://app.example.com`, `https://*.example.com` or `http://localhost:5173`

error: each of `origins` must be an origin
 --> mare.toml:5:40
  |
5 | cors = { origins = ["app.example.com", "https://app.example.com/"], headers = ["a, b"] }
  |                                        ^^^^^^^^^^^^^^^^^^^^^^^^^^ it is a scheme, a host and perhaps a port: no `/` behind them
  |
  = help: for example `https://app.example.com`, `https://*.example.com` or `http://localhost:5173`

error: each of `headers` must be a name
 --> mare.toml:5:80
  |
5 | cors = { origins = ["app.example.com", "https://app.example.com/"], headers = ["a, b"] }
  |                                                                                ^^^^^^ not one name
  |
  = help: one name in each string, without spaces, commas and colons

error: `[routes.cors]` needs `origins`
 --> mare.toml:9:8
  |
9 | cors = { max_age = "2d" }
  |        ^^^^^^^^^^^^^^^^^^ `origins` is missing
  |
  = help: for example `origins = ["https://app.example.com"]`

error: `max_age` must be between 0s and 1d
 --> mare.toml:9:20
  |
9 | cors = { max_age = "2d" }
  |                    ^^^^ out of bounds
"#,
    );
}

#[test]
fn all_origins_are_all() {
    check(
        r#"
[[routes]]
match = "/a"
url = "http://x"
cors = { origins = ["*"], credentials = true, methods = ["*"] }
[[routes]]
match = "/c"
url = "http://x"
cors = { origins = ["*", "https://app.example.com"], expose = ["*"] }
"#,
        r#"
error: credentials for all origins
 --> mare.toml:5:41
  |
5 | cors = { origins = ["*"], credentials = true, methods = ["*"] }
  |                    ----- all            ^^^^ no browser allows it
  |
  = help: list the origins whose pages may act for their users, or remove `credentials`

error: each of `methods` must be a name
 --> mare.toml:5:58
  |
5 | cors = { origins = ["*"], credentials = true, methods = ["*"] }
  |                                                          ^^^ all is the default
  |
  = help: leave the list out: what a page asks for is allowed

error: `*` is all origins
 --> mare.toml:9:21
  |
9 | cors = { origins = ["*", "https://app.example.com"], expose = ["*"] }
  |                     ^^^ beside others it says too much
  |
  = help: write `["*"]`, or only the others

error: each of `expose` must be a name
 --> mare.toml:9:64
  |
9 | cors = { origins = ["*", "https://app.example.com"], expose = ["*"] }
  |                                                                ^^^ browsers want them one by one
  |
  = help: list those that pages read
"#,
    );
}

#[test]
fn headers_for_browsers_fit_into_headers() {
    check(
        r#"
[[routes]]
match = "/a"
url = "http://x"
security = { hsts = "3y", frame = "deny", referrer = "strict", content = "a\nb" }
"#,
        r#"
error: `hsts` must be a duration
 --> mare.toml:5:21
  |
5 | security = { hsts = "3y", frame = "deny", referrer = "strict", content = "a\nb" }
  |                     ^^^^ its unit is not one of ms, s, m, h, d
  |
  = help: write a whole number and its unit (ms, s, m, h, d) in quotes, for example `hsts = "365d"`

error: `frame` must be `DENY`, `SAMEORIGIN` or empty
 --> mare.toml:5:35
  |
5 | security = { hsts = "3y", frame = "deny", referrer = "strict", content = "a\nb" }
  |                                   ^^^^^^ none of them
  |
  = help: did you mean `DENY`?

error: `referrer` must be a referrer policy
 --> mare.toml:5:54
  |
5 | security = { hsts = "3y", frame = "deny", referrer = "strict", content = "a\nb" }
  |                                                      ^^^^^^^^ none of them
  |
  = help: did you mean `strict-origin`?

error: `content` must fit into a header
 --> mare.toml:5:74
  |
5 | security = { hsts = "3y", frame = "deny", referrer = "strict", content = "a\nb" }
  |                                                                          ^^^^^^ a line break or a letter outside of ASCII
  |
  = help: write it in one line; a TOML string goes on behind `\` at the end of a line
"#,
    );
}
