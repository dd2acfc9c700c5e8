//! Mistakes about guards.

use super::check;

#[test]
fn credentials_are_asked_for_only_where_somebody_has_some() {
    check(
        r#"
[defaults]
auth = "any"
[[routes]]
match = "/a"
url = "http://x"
auth = "jwt"
[[routes]]
match = "/b"
url = "http://x"
auth = "JWT"
"#,
        r#"
error: `auth` takes tokens, and there is no `[auth]`
 --> mare.toml:3:8
  |
3 | auth = "any"
  |        ^^^^^ whose tokens
  |
  = help: say whose: `[auth]` with `jwks = { url = "https://…" }` or `[[auth.keys]]`

error: `auth` takes API keys, and there is no `[api_keys.NAME]`
 --> mare.toml:3:8
  |
3 | auth = "any"
  |        ^^^^^ whose keys
  |
  = help: `mare key` makes a key and the lines to put here

error: `auth` takes tokens, and there is no `[auth]`
 --> mare.toml:7:8
  |
7 | auth = "jwt"
  |        ^^^^^ whose tokens
  |
  = help: say whose: `[auth]` with `jwks = { url = "https://…" }` or `[[auth.keys]]`

error: `auth` must be `none`, `jwt`, `key` or `any`
  --> mare.toml:11:8
   |
11 | auth = "JWT"
   |        ^^^^^ none of them
   |
   = help: did you mean `jwt`?
"#,
    );
}

#[test]
fn what_credentials_say_needs_credentials() {
    check(
        r#"
[[routes]]
match = "/a"
url = "http://x"
require = { scopes = ["read"], roles = [] }
"#,
        r#"
error: `require` without `auth`
 --> mare.toml:5:11
  |
5 | require = { scopes = ["read"], roles = [] }
  |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ of whom
  |
  = help: add `auth = "jwt"`, `"key"` or `"any"`, or take `require = {}`

error: `roles` must not be empty
 --> mare.toml:5:40
  |
5 | require = { scopes = ["read"], roles = [] }
  |                                        ^^ empty
  |
  = help: for example `roles = ["staff", "admin"]`
"#,
    );
    check(
        r#"
[api_keys.partner]
hash = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
[[routes]]
match = "/c"
url = "http://x"
auth = "key"
require = { claims = { tenant = 5 } }
[[routes]]
match = "/d"
url = "http://x"
auth = "key"
require = { claims = { tenant = "x" } }
"#,
        r#"
error: `tenant` must be a string
 --> mare.toml:8:33
  |
8 | require = { claims = { tenant = 5 } }
  |                                 ^ claims are compared as text
  |
  = help: put it into quotes

error: `claims` of an API key
  --> mare.toml:13:11
   |
13 | require = { claims = { tenant = "x" } }
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ it has scopes and roles, but no claims
   |
   = help: remove `claims`, or let `auth` be `"jwt"`
"#,
    );
}

#[test]
fn a_limit_for_each_user_needs_users() {
    check(
        r#"
[defaults]
limit = { rate = "5/s", per = "user" }
[[routes]]
match = "/a"
url = "http://x"

[[routes]]
match = "/b"
url = "http://x"
limit = { rate = "5/s", per = "key" }
"#,
        r#"
error: a limit for each user, and no `auth`
 --> mare.toml:3:31
  |
3 | limit = { rate = "5/s", per = "user" }
  |                               ^^^^^^ no user is known
  |
  = help: add `auth = "jwt"`, or let it be `per = "ip"`

error: a limit for each API key, and none is asked for
  --> mare.toml:11:31
   |
11 | limit = { rate = "5/s", per = "key" }
   |                               ^^^^^ no key is known
   |
   = help: add `auth = "key"` or `"any"`, or let it be `per = "ip"`
"#,
    );
}

#[test]
fn a_limit_is_a_rate_for_somebody() {
    check(
        r#"
[defaults]
limit = { burst = 0 }
[[routes]]
match = "/a"
url = "http://x"
limit = { rate = "0/s", per = "uesr" }
[[routes]]
match = "/b"
url = "http://x"
limit = { rate = 5, per = "header:X Tenant" }
"#,
        r#"
error: `[defaults.limit]` needs `rate`
 --> mare.toml:3:9
  |
3 | limit = { burst = 0 }
  |         ^^^^^^^^^^^^^ `rate` is missing
  |
  = help: for example `rate = "100/s"`

error: `burst` must be between 1 and 1000000
 --> mare.toml:3:19
  |
3 | limit = { burst = 0 }
  |                   ^ out of bounds

error: `rate` must be a rate or `"unlimited"`
 --> mare.toml:7:18
  |
7 | limit = { rate = "0/s", per = "uesr" }
  |                  ^^^^^ so little is never
  |
  = help: write a number and `/s`, `/m` or `/h` in quotes, for example `rate = "500/s"`; to refuse all requests, remove the route

error: `per` must be `ip`, `user`, `key`, `route` or `header:NAME`
 --> mare.toml:7:31
  |
7 | limit = { rate = "0/s", per = "uesr" }
  |                               ^^^^^^ none of them
  |
  = help: did you mean `user`?

error: `rate` must be a rate or `"unlimited"`
  --> mare.toml:11:18
   |
11 | limit = { rate = 5, per = "header:X Tenant" }
   |                  ^ this is a whole number
   |
   = help: for example `rate = "100/s"`

error: `per` must be `ip`, `user`, `key`, `route` or `header:NAME`
  --> mare.toml:11:27
   |
11 | limit = { rate = 5, per = "header:X Tenant" }
   |                           ^^^^^^^^^^^^^^^^^ behind `header:` is no header's name
   |
   = help: for example `per = "user"` or `per = "header:x-tenant"`
"#,
    );
}

#[test]
fn networks_are_written_exactly() {
    check(
        r#"
[limits]
trusted = ["10.1.2.3/8", "::ffff:10.0.0.1"]
[[routes]]
match = "/a"
url = "http://x"
networks = { allow = ["10.0.0.0/33", "::/129", "example.com", "${SECRET}"], deny = [] }
"#,
        r#"
error: each of `trusted` must be a network
 --> mare.toml:3:12
  |
3 | trusted = ["10.1.2.3/8", "::ffff:10.0.0.1"]
  |            ^^^^^^^^^^^^ an address with a prefix shorter than itself
  |
  = help: the network is `10.0.0.0/8`

error: each of `trusted` must be a network
 --> mare.toml:3:26
  |
3 | trusted = ["10.1.2.3/8", "::ffff:10.0.0.1"]
  |                          ^^^^^^^^^^^^^^^^^ no client has an address like this
  |
  = help: its IPv4 address is `10.0.0.1`

error: each of `allow` must be a network
 --> mare.toml:7:23
  |
7 | networks = { allow = ["10.0.0.0/33", "::/129", "example.com", "${SECRET}"], deny = [] }
  |                       ^^^^^^^^^^^^^ its prefix is not a number from 0 to 32
  |
  = help: for example `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`

error: each of `allow` must be a network
 --> mare.toml:7:38
  |
7 | networks = { allow = ["10.0.0.0/33", "::/129", "example.com", "${SECRET}"], deny = [] }
  |                                      ^^^^^^^^ its prefix is not a number from 0 to 128
  |
  = help: for example `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`

error: each of `allow` must be a network
 --> mare.toml:7:48
  |
7 | networks = { allow = ["10.0.0.0/33", "::/129", "example.com", "${SECRET}"], deny = [] }
  |                                                ^^^^^^^^^^^^^ neither an address nor ADDRESS/BITS
  |
  = help: for example `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`

error: each of `allow` must be a network
 --> mare.toml:7:63
  |
7 | networks = { allow = ["10.0.0.0/33", "::/129", "example.com", "${SECRET}"], deny = [] }
  |                                                               ^^^^^^^^^^^ neither an address nor ADDRESS/BITS
  |
  = help: for example `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`

error: `deny` must not be empty
 --> mare.toml:7:84
  |
7 | networks = { allow = ["10.0.0.0/33", "::/129", "example.com", "${SECRET}"], deny = [] }
  |                                                                                    ^^ empty
  |
  = help: for example `deny = ["10.1.2.3"]`
"#,
    );
}

#[test]
fn hosts_are_names() {
    check(
        r#"
[[routes]]
match = "/a"
url = "http://x"
hosts = ["https://shop.example.com", "a.*.example.com", ""]
"#,
        r#"
error: each of `hosts` must be a host name
 --> mare.toml:5:10
  |
5 | hosts = ["https://shop.example.com", "a.*.example.com", ""]
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^ it has no scheme and no port
  |
  = help: for example `hosts = ["shop.example.com", "*.shop.example.com"]`

error: each of `hosts` must be a host name
 --> mare.toml:5:38
  |
5 | hosts = ["https://shop.example.com", "a.*.example.com", ""]
  |                                      ^^^^^^^^^^^^^^^^^ a `*` may only stand for the first label: `*.example.com`
  |
  = help: for example `hosts = ["shop.example.com", "*.shop.example.com"]`

error: `hosts` must not have empty strings in it
 --> mare.toml:5:57
  |
5 | hosts = ["https://shop.example.com", "a.*.example.com", ""]
  |                                                         ^^ empty
  |
  = help: for example `hosts = ["shop.example.com", "*.shop.example.com"]`
"#,
    );
}

#[test]
fn instances_are_of_services() {
    check(
        r#"
[[routes]]
match = "/a"
files = "x"
sticky = { cookie = "a b" }
"#,
        r#"
error: `sticky` without `service`
 --> mare.toml:5:10
  |
5 | sticky = { cookie = "a b" }
  |          ^^^^^^^^^^^^^^^^^^ no instances to stay with
  |
  = help: only a service has instances; remove it

error: `cookie` must be a cookie's name
 --> mare.toml:5:21
  |
5 | sticky = { cookie = "a b" }
  |                     ^^^^^ only letters, digits and some signs stand in one
  |
  = help: for example `cookie = "mare_instance"`
"#,
    );
}

/// What a forgotten variable must not do.
#[test]
fn an_empty_string_opens_nothing() {
    check(
        r#"
[auth]
jwks = { url = "https://x" }
issuer = "${EMPTY}"
audience = ["${EMPTY}"]
[defaults]
auth = "${EMPTY}"
[[routes]]
match = "/a"
url = "http://x"
auth = "jwt"
cache = { per = "${EMPTY}" }
"#,
        r#"
error: `issuer` must not be empty
 --> mare.toml:4:10
  |
4 | issuer = "${EMPTY}"
  |          ^^^^^^^^^^ empty
  |
  = help: for example `issuer = "https://id.example.com"`

error: `audience` must not have empty strings in it
 --> mare.toml:5:13
  |
5 | audience = ["${EMPTY}"]
  |             ^^^^^^^^^^ empty
  |
  = help: for example `audience = ["shop"]`

error: `auth` must not be empty
 --> mare.toml:7:8
  |
7 | auth = "${EMPTY}"
  |        ^^^^^^^^^^ empty
  |
  = help: for example `auth = "jwt"`

error: `per` must not be empty
  --> mare.toml:12:17
   |
12 | cache = { per = "${EMPTY}" }
   |                 ^^^^^^^^^^ empty
   |
   = help: for example `per = "user"`
"#,
    );
}
