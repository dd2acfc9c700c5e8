//! Mistakes about guards, credentials and caching.

use super::check;

#[test]
fn credentials_are_asked_for_only_where_somebody_has_some() {
    check(
        r#"
[services.api]
run = "api"
[defaults]
auth = "any"
[[routes]]
match = "/a"
service = "api"
auth = "jwt"
[[routes]]
match = "/b"
service = "api"
auth = "JWT"
"#,
        r#"
error: `auth` takes tokens, and there is no `[auth]`
 --> mare.toml:5:8
  |
5 | auth = "any"
  |        ^^^^^ whose tokens
  |
  = help: say whose: `[auth]` with `jwks = { url = "https://…" }` or `[[auth.keys]]`

error: `auth` takes API keys, and there is no `[api_keys.NAME]`
 --> mare.toml:5:8
  |
5 | auth = "any"
  |        ^^^^^ whose keys
  |
  = help: `mare key` makes a key and the lines to put here

error: `auth` takes tokens, and there is no `[auth]`
 --> mare.toml:9:8
  |
9 | auth = "jwt"
  |        ^^^^^ whose tokens
  |
  = help: say whose: `[auth]` with `jwks = { url = "https://…" }` or `[[auth.keys]]`

error: `auth` must be `none`, `jwt`, `key` or `any`
  --> mare.toml:13:8
   |
13 | auth = "JWT"
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
[services.api]
run = "api"
[api_keys.partner]
hash = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
[defaults]
limit = { rate = "5/s", per = "user" }
[[routes]]
match = "/a"
service = "api"
require = { scopes = ["read"], roles = [] }
[[routes]]
match = "/b"
service = "api"
auth = "none"
cache = { per = "user" }
[[routes]]
match = "/c"
service = "api"
auth = "key"
require = { claims = { tenant = 5 } }
[[routes]]
match = "/d"
service = "api"
auth = "key"
require = { claims = { tenant = "x" } }
[[routes]]
match = "/e"
service = "api"
limit = { rate = "5/s", per = "key" }
"#,
        r#"
error: a limit for each user, and no `auth`
 --> mare.toml:7:31
  |
7 | limit = { rate = "5/s", per = "user" }
  |                               ^^^^^^ no user is known
  |
  = help: add `auth = "jwt"`, or let it be `per = "ip"`

error: `require` without `auth`
  --> mare.toml:11:11
   |
11 | require = { scopes = ["read"], roles = [] }
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ of whom
   |
   = help: add `auth = "jwt"`, `"key"` or `"any"`, or take `require = {}`

error: `roles` must not be empty
  --> mare.toml:11:40
   |
11 | require = { scopes = ["read"], roles = [] }
   |                                        ^^ empty
   |
   = help: for example `roles = ["staff", "admin"]`

error: a cache for each user, and no `auth`
  --> mare.toml:16:17
   |
16 | cache = { per = "user" }
   |                 ^^^^^^ no user is known
   |
   = help: add `auth = "jwt"`, or let all share the answers: `per = "all"`

error: `tenant` must be a string
  --> mare.toml:21:33
   |
21 | require = { claims = { tenant = 5 } }
   |                                 ^ claims are compared as text
   |
   = help: put it into quotes

error: `claims` of an API key
  --> mare.toml:26:11
   |
26 | require = { claims = { tenant = "x" } }
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ it has scopes and roles, but no claims
   |
   = help: remove `claims`, or let `auth` be `"jwt"`

error: a limit for each API key, and none is asked for
  --> mare.toml:30:31
   |
30 | limit = { rate = "5/s", per = "key" }
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
fn networks_and_hosts_are_written_exactly() {
    check(
        r#"
[limits]
trusted = ["10.1.2.3/8", "::ffff:10.0.0.1"]
[[routes]]
match = "/a"
url = "http://x"
networks = { allow = ["10.0.0.0/33", "::/129", "example.com", "${SECRET}"], deny = [] }
hosts = ["https://shop.example.com", "a.*.example.com", ""]
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

error: each of `hosts` must be a host name
 --> mare.toml:8:10
  |
8 | hosts = ["https://shop.example.com", "a.*.example.com", ""]
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^ it has no scheme and no port
  |
  = help: for example `hosts = ["shop.example.com", "*.shop.example.com"]`

error: each of `hosts` must be a host name
 --> mare.toml:8:38
  |
8 | hosts = ["https://shop.example.com", "a.*.example.com", ""]
  |                                      ^^^^^^^^^^^^^^^^^ a `*` may only stand for the first label: `*.example.com`
  |
  = help: for example `hosts = ["shop.example.com", "*.shop.example.com"]`

error: `hosts` must not have empty strings in it
 --> mare.toml:8:57
  |
8 | hosts = ["https://shop.example.com", "a.*.example.com", ""]
  |                                                         ^^ empty
  |
  = help: for example `hosts = ["shop.example.com", "*.shop.example.com"]`
"#,
    );
}

#[test]
fn instances_and_caches_are_of_services() {
    check(
        r#"
[services.api]
run = "api"
[cache]
memory = "2MiB"
redis_timeout = "1m"
[[routes]]
match = "/a"
files = "x"
sticky = { cookie = "a b" }
cache = {}
[[routes]]
match = "POST /b"
service = "api"
cache = { size = "3MiB", only = ["utm_*", "a=b"], ignore = ["a*b"], per = "users" }
"#,
        r#"
error: `redis_timeout` must be between 1ms and 10s
 --> mare.toml:6:17
  |
6 | redis_timeout = "1m"
  |                 ^^^^ out of bounds

error: `sticky` without `service`
  --> mare.toml:10:10
   |
10 | sticky = { cookie = "a b" }
   |          ^^^^^^^^^^^^^^^^^^ no instances to stay with
   |
   = help: only a service has instances; remove it

error: `cookie` must be a cookie's name
  --> mare.toml:10:21
   |
10 | sticky = { cookie = "a b" }
   |                     ^^^^^ only letters, digits and some signs stand in one
   |
   = help: for example `cookie = "mare_instance"`

error: `cache` of files
  --> mare.toml:11:9
   |
11 | cache = {}
   |         ^^ they are near already
   |
   = help: remove it: files are answered with ETags, and browsers keep them

error: `cache` of a method that changes things
  --> mare.toml:15:9
   |
13 | match = "POST /b"
   |         --------- only GET and HEAD are kept
14 | service = "api"
15 | cache = { size = "3MiB", only = ["utm_*", "a=b"], ignore = ["a*b"], per = "users" }
   |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ never used
   |
   = help: remove it; answers to changes drop what they outdate all the same

error: no answer of this size fits into the cache
  --> mare.toml:15:18
   |
15 | cache = { size = "3MiB", only = ["utm_*", "a=b"], ignore = ["a*b"], per = "users" }
   |                  ^^^^^^ the whole cache has 2MiB
   |
   = help: lower it, or raise `memory` in `[cache]`

error: each of `only` must be a parameter's name
  --> mare.toml:15:34
   |
15 | cache = { size = "3MiB", only = ["utm_*", "a=b"], ignore = ["a*b"], per = "users" }
   |                                  ^^^^^^^ a `*` stands in `ignore` only
   |
   = help: name each parameter that counts

error: each of `only` must be a parameter's name
  --> mare.toml:15:43
   |
15 | cache = { size = "3MiB", only = ["utm_*", "a=b"], ignore = ["a*b"], per = "users" }
   |                                           ^^^^^ a name only, neither `=` nor `&`
   |
   = help: for example `page`: values tell answers apart by themselves

error: `ignore` beside `only`
  --> mare.toml:15:60
   |
15 | cache = { size = "3MiB", only = ["utm_*", "a=b"], ignore = ["a*b"], per = "users" }
   |                                 ----------------           ^^^^^^^ the others are ignored already
   |                                 |
   |                                 only these count
   |
   = help: keep one of the two

error: each of `ignore` must be a parameter's name
  --> mare.toml:15:61
   |
15 | cache = { size = "3MiB", only = ["utm_*", "a=b"], ignore = ["a*b"], per = "users" }
   |                                                             ^^^^^ a `*` may only be its last character
   |
   = help: for example `utm_*`

error: `per` must be `all` or `user`
  --> mare.toml:15:75
   |
15 | cache = { size = "3MiB", only = ["utm_*", "a=b"], ignore = ["a*b"], per = "users" }
   |                                                                           ^^^^^^^ none of them
   |
   = help: did you mean `user`?
"#,
    );
}
