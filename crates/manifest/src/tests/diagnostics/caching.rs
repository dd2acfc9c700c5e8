//! Mistakes about caches.

use super::check;

#[test]
fn a_cache_is_for_answers_of_services() {
    check(
        r#"
[cache]
memory = "2MiB"
redis_timeout = "1m"
[[routes]]
match = "/a"
files = "x"
cache = {}
[[routes]]
match = "POST /b"
url = "http://x"
cache = { size = "3MiB" }
"#,
        r#"
error: `redis_timeout` must be between 1ms and 10s
 --> mare.toml:4:17
  |
4 | redis_timeout = "1m"
  |                 ^^^^ out of bounds

error: `cache` of files
 --> mare.toml:8:9
  |
8 | cache = {}
  |         ^^ they are near already
  |
  = help: remove it: files are answered with ETags, and browsers keep them

error: `cache` of a method that changes things
  --> mare.toml:12:9
   |
10 | match = "POST /b"
   |         --------- only GET and HEAD are kept
11 | url = "http://x"
12 | cache = { size = "3MiB" }
   |         ^^^^^^^^^^^^^^^^^ never used
   |
   = help: remove it; answers to changes drop what they outdate all the same

error: no answer of this size fits into the cache
  --> mare.toml:12:18
   |
12 | cache = { size = "3MiB" }
   |                  ^^^^^^ the whole cache has 2MiB
   |
   = help: lower it, or raise `memory` in `[cache]`
"#,
    );
}

#[test]
fn a_cache_for_each_user_needs_users() {
    check(
        r#"
[[routes]]
match = "/a"
url = "http://x"
cache = { per = "user" }
[[routes]]
match = "/b"
url = "http://x"
cache = { per = "users" }
"#,
        r#"
error: a cache for each user, and no `auth`
 --> mare.toml:5:17
  |
5 | cache = { per = "user" }
  |                 ^^^^^^ no user is known
  |
  = help: add `auth = "jwt"`, or let all share the answers: `per = "all"`

error: `per` must be `all` or `user`
 --> mare.toml:9:17
  |
9 | cache = { per = "users" }
  |                 ^^^^^^^ none of them
  |
  = help: did you mean `user`?
"#,
    );
}

#[test]
fn parameters_are_told_by_name() {
    check(
        r#"
[[routes]]
match = "/a"
url = "http://x"
cache = { only = ["utm_*", "a=b"] }
[[routes]]
match = "/b"
url = "http://x"
cache = { only = ["a"], ignore = ["a*b"] }
"#,
        r#"
error: each of `only` must be a parameter's name
 --> mare.toml:5:19
  |
5 | cache = { only = ["utm_*", "a=b"] }
  |                   ^^^^^^^ a `*` stands in `ignore` only
  |
  = help: name each parameter that counts

error: each of `only` must be a parameter's name
 --> mare.toml:5:28
  |
5 | cache = { only = ["utm_*", "a=b"] }
  |                            ^^^^^ a name only, neither `=` nor `&`
  |
  = help: for example `page`: values tell answers apart by themselves

error: `ignore` beside `only`
 --> mare.toml:9:34
  |
9 | cache = { only = ["a"], ignore = ["a*b"] }
  |                  -----           ^^^^^^^ the others are ignored already
  |                  |
  |                  only these count
  |
  = help: keep one of the two

error: each of `ignore` must be a parameter's name
 --> mare.toml:9:35
  |
9 | cache = { only = ["a"], ignore = ["a*b"] }
  |                                   ^^^^^ a `*` may only be its last character
  |
  = help: for example `utm_*`
"#,
    );
}
