//! Mistakes about tokens, their keys and API keys.

use super::check;

#[test]
fn algorithms_are_those_of_public_keys() {
    check(
        r#"
[auth]
jwks = { url = "https://x" }
algorithms = ["none", "HS256", "eddsa", "ES384"]
leeway = "1h"
"#,
        r#"
error: each of `algorithms` must be a signature's algorithm
 --> mare.toml:4:15
  |
4 | algorithms = ["none", "HS256", "eddsa", "ES384"]
  |               ^^^^^^ anybody can write a token that nobody signed
  |
  = help: known are `EdDSA`, `ES256`, `RS256`

error: each of `algorithms` must be a signature's algorithm
 --> mare.toml:4:23
  |
4 | algorithms = ["none", "HS256", "eddsa", "ES384"]
  |                       ^^^^^^^ its key is a secret, which no JWKS has: it stands in `[[auth.keys]]`
  |
  = help: known are `EdDSA`, `ES256`, `RS256`

error: each of `algorithms` must be a signature's algorithm
 --> mare.toml:4:32
  |
4 | algorithms = ["none", "HS256", "eddsa", "ES384"]
  |                                ^^^^^^^ none of them
  |
  = help: did you mean `EdDSA`?

error: each of `algorithms` must be a signature's algorithm
 --> mare.toml:4:41
  |
4 | algorithms = ["none", "HS256", "eddsa", "ES384"]
  |                                         ^^^^^^^ none of them
  |
  = help: known are `EdDSA`, `ES256`, `RS256`

error: `leeway` must be between 0s and 10m
 --> mare.toml:5:10
  |
5 | leeway = "1h"
  |          ^^^^ out of bounds
"#,
    );
}

#[test]
fn tokens_are_verified_with_some_key() {
    check(
        r#"
[auth]
algorithms = ["ES256"]
audience = []
"#,
        r#"
error: `[auth]` has no key
 --> mare.toml:2:1
  |
2 | [auth]
  | ^^^^^^ neither `jwks` nor `keys`
  |
  = help: say where the keys are: `jwks = { url = "https://…" }` or `{ service = "…" }`; or write one down: `[[auth.keys]]`

error: `algorithms` without `jwks`
 --> mare.toml:3:14
  |
3 | algorithms = ["ES256"]
  |              ^^^^^^^^^ never used
  |
  = help: each of `[[auth.keys]]` has its own `algorithm`

error: `audience` must not be empty
 --> mare.toml:4:12
  |
4 | audience = []
  |            ^^ empty
  |
  = help: for example `audience = ["shop"]`
"#,
    );
    check(
        r#"
[auth]
jwks = { path = "/x" }
"#,
        r#"
error: `jwks` says not where
 --> mare.toml:3:8
  |
3 | jwks = { path = "/x" }
  |        ^^^^^^^^^^^^^^^ neither `url` nor `service`
  |
  = help: add `url = "https://…"` or `service = "…"`
"#,
    );
}

#[test]
fn a_key_set_is_in_one_place() {
    check(
        r#"
[services.api]
run = "api"
[auth]
jwks = { service = "apy", path = "keys" }
"#,
        r#"
error: there is no service `apy`
 --> mare.toml:5:20
  |
5 | jwks = { service = "apy", path = "keys" }
  |                    ^^^^^ not declared
  |
  = help: did you mean `api`?

error: `path` must be a path
 --> mare.toml:5:34
  |
5 | jwks = { service = "apy", path = "keys" }
  |                                  ^^^^^^ not the path of a URL
  |
  = help: for example `path = "/.well-known/jwks.json"`
"#,
    );
    check(
        r#"
[services.api]
run = "api"
[auth]
jwks = { service = "api", url = "https://x" }
"#,
        r#"
error: `jwks` is in one place
 --> mare.toml:5:33
  |
5 | jwks = { service = "api", url = "https://x" }
  |                    -----        ^^^^^^^^^^^ `url` beside `service`
  |                    |
  |                    the other one
  |
  = help: keep `service` if it is one of this manifest, else `url`
"#,
    );
    check(
        r#"
[auth]
jwks = { url = "https://x", path = "/x" }
"#,
        r#"
error: `path` beside `url`
 --> mare.toml:3:36
  |
3 | jwks = { url = "https://x", path = "/x" }
  |                                    ^^^^ never used
  |
  = help: the URL has a path of its own
"#,
    );
}

#[test]
fn a_key_is_of_its_algorithm() {
    check(
        r#"
[[auth.keys]]
algorithm = "HS256"
secret = "${SECRET}"
[[auth.keys]]
id = "a"
algorithm = "RS256"
secret = "0123456789abcdef0123456789abcdef"
[[auth.keys]]
id = "b"
algorithm = "none"
[[auth.keys]]
id = "c"
algorithm = "HS256"
"#,
        r#"
error: `secret` is too short
 --> mare.toml:4:10
  |
4 | secret = "${SECRET}"
  |          ^^^^^^^^^^^ fewer than 32 bytes
  |
  = help: who sees a token can guess a short one; `openssl rand -base64 32` makes one

error: `secret` does not go with this algorithm
 --> mare.toml:8:10
  |
7 | algorithm = "RS256"
  |             ------- this one
8 | secret = "0123456789abcdef0123456789abcdef"
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its key is `public`

error: `algorithm` must be a signature's algorithm
  --> mare.toml:11:13
   |
11 | algorithm = "none"
   |             ^^^^^^ anybody can write a token that nobody signed
   |
   = help: known are `EdDSA`, `ES256`, `RS256`, `HS256`

error: a key needs `secret`
  --> mare.toml:14:13
   |
14 | algorithm = "HS256"
   |             ^^^^^^^ its key is missing
   |
   = help: for example `secret = "${JWT_SECRET}"`
"#,
    );
}

#[test]
fn a_token_means_one_key() {
    check(
        r#"
[[auth.keys]]
algorithm = "HS256"
secret = "0123456789abcdef0123456789abcdef"
[[auth.keys]]
algorithm = "HS256"
secret = "0123456789abcdef0123456789abcdef"
[[auth.keys]]
id = "a"
algorithm = "HS256"
secret = "0123456789abcdef0123456789abcdef"
[[auth.keys]]
id = "a"
algorithm = "HS256"
secret = "0123456789abcdef0123456789abcdef"
"#,
        r#"
error: two keys have no id
 --> mare.toml:5:1
  |
2 | [[auth.keys]]
  | ------------- the other one
...
5 | [[auth.keys]]
  | ^^^^^^^^^^^^^ nobody can tell which of them a token means
  |
  = help: give each the `kid` that its tokens name

error: two keys have the same id
  --> mare.toml:13:6
   |
 9 | id = "a"
   |      --- the other one
...
13 | id = "a"
   |      ^^^ nobody can tell which of them a token means
   |
   = help: give each the `kid` that its tokens name
"#,
    );
}

#[test]
fn a_public_key_is_of_its_algorithm() {
    check(
        r#"
[[auth.keys]]
id = "a"
algorithm = "ES256"
public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----"
[[auth.keys]]
id = "b"
algorithm = "ES256"
public = "-----BEGIN PUBLIC KEY-----\nabcd\n-----END PUBLIC KEY-----"
[[auth.keys]]
id = "e"
algorithm = "RS256"
public = "keys/public.pem"
"#,
        r#"
error: `public` must be a public key in PEM
 --> mare.toml:5:10
  |
5 | public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----"
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a key of another algorithm
  |
  = help: `algorithm` says what its owner signs with

error: `public` must be a public key in PEM
 --> mare.toml:9:10
  |
9 | public = "-----BEGIN PUBLIC KEY-----\nabcd\n-----END PUBLIC KEY-----"
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no Ed25519, P-256 or RSA key is in it
  |
  = help: between its first and last line is what `openssl pkey -pubout` writes

error: `public` must be a public key in PEM
  --> mare.toml:13:10
   |
13 | public = "keys/public.pem"
   |          ^^^^^^^^^^^^^^^^^ this is none
   |
   = help: it begins with `-----BEGIN PUBLIC KEY-----`, and `"""` hold several lines together
"#,
    );
}

#[test]
fn a_public_key_is_public() {
    check(
        r#"
[[auth.keys]]
id = "c"
algorithm = "EdDSA"
public = "-----BEGIN PRIVATE KEY-----\nabcd\n-----END PRIVATE KEY-----"
[[auth.keys]]
id = "d"
algorithm = "RS256"
public = "-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----"
[[auth.keys]]
id = "e"
algorithm = "RS256"
public = "-----BEGIN RSA PUBLIC KEY-----\nabcd\n-----END RSA PUBLIC KEY-----"
"#,
        r#"
error: `public` must be a public key in PEM
 --> mare.toml:5:10
  |
5 | public = "-----BEGIN PRIVATE KEY-----\nabcd\n-----END PRIVATE KEY-----"
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is a private key
  |
  = help: it stays with who signs; `openssl pkey -in FILE -pubout` writes the public one

error: `public` must be a public key in PEM
 --> mare.toml:9:10
  |
9 | public = "-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----"
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is a certificate
  |
  = help: `openssl x509 -in FILE -pubkey -noout` writes the key in it

error: `public` must be a public key in PEM
  --> mare.toml:13:10
   |
13 | public = "-----BEGIN RSA PUBLIC KEY-----\nabcd\n-----END RSA PUBLIC KEY-----"
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ an older form
   |
   = help: `openssl rsa -RSAPublicKey_in -in FILE -pubout` writes the one of today
"#,
    );
}

#[test]
fn an_api_key_is_known_by_its_hash() {
    check(
        r#"
[api_keys.a]
hash = "mare_4f9d8s7f"
[api_keys.b]
hash = "sha256:2c26"
[api_keys.c]
hash = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
[api_keys.d]
hash = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
[api_keys.e]
scopes = [""]
"#,
        r#"
error: `hash` must be a key's hash
 --> mare.toml:3:8
  |
3 | hash = "mare_4f9d8s7f"
  |        ^^^^^^^^^^^^^^^ not `sha256:` and 64 digits
  |
  = help: a key itself has no place here, for who reads the file could use it; `mare key` makes a key and its `sha256:…`

error: `hash` must be a key's hash
 --> mare.toml:5:8
  |
5 | hash = "sha256:2c26"
  |        ^^^^^^^^^^^^^ not `sha256:` and 64 digits
  |
  = help: behind `sha256:` are 64 hexadecimal digits

error: two clients have the same key
 --> mare.toml:9:8
  |
7 | hash = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
  |        ------------------------------------------------------------------------- the other one
8 | [api_keys.d]
9 | hash = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nobody can tell whose it is
  |
  = help: make each its own with `mare key`

error: `[api_keys.e]` needs `hash`
  --> mare.toml:10:11
   |
10 | [api_keys.e]
   |           ^ `hash` is missing
   |
   = help: for example `hash = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"`

error: `scopes` must not have empty strings in it
  --> mare.toml:11:11
   |
11 | scopes = [""]
   |           ^^ empty
   |
   = help: for example `scopes = ["orders:read"]`
"#,
    );
}
