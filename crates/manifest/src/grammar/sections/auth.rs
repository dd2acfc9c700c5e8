//! Who is believed: `[auth]` and `[api_keys.NAME]`.

use std::time::Duration;

use super::guards::words;
use super::{HTTP, text, within};
use crate::defaults;
use crate::grammar::{Choice, Form, Key, Kind};

/// More than this is no difference of clocks but a wrong one, and a token would live as much longer.
const LEEWAY_MAX: Duration = Duration::from_mins(10);

/// Of keys that a JWKS brings.
static PUBLIC_ALGORITHMS: Choice = Choice {
    what: "a signature's algorithm",
    words: &["EdDSA", "ES256", "RS256"],
    refused: &[UNSIGNED, ("HS256", "its key is a secret, which no JWKS has: it stands in `[[auth.keys]]`")],
};
static ALGORITHMS: Choice = Choice {
    what: "a signature's algorithm",
    words: &["EdDSA", "ES256", "RS256", "HS256"],
    refused: &[UNSIGNED],
};
const UNSIGNED: (&str, &str) = ("none", "anybody can write a token that nobody signed");

pub(super) static AUTH: [Key; 6] = [
    Key::new(
        "jwks",
        Kind::Table(&JWKS),
        "{ url = \"https://id.example.com/.well-known/jwks.json\" }",
        "Where the public keys are",
    ),
    Key::new(
        "algorithms",
        Kind::Texts(Form::OneOf(&PUBLIC_ALGORITHMS)),
        "[\"EdDSA\", \"ES256\"]",
        "The signatures taken with keys of jwks; by default EdDSA, ES256 and RS256",
    )
    .filled(),
    Key::new(
        "issuer",
        text(Form::Other("an issuer's name")),
        "\"https://id.example.com\"",
        "The iss a token must have; absent: any",
    )
    .filled(),
    Key::new(
        "audience",
        Kind::Texts(Form::Other("a name")),
        "[\"shop\"]",
        "One of these must be in a token's aud; absent: whatever is",
    )
    .filled(),
    Key::new(
        "leeway",
        within(Duration::ZERO, LEEWAY_MAX, defaults::LEEWAY),
        "\"60s\"",
        "How far the clock of who made the token may be off",
    ),
    Key::new(
        "keys",
        Kind::List(&AUTH_KEY),
        "[{ algorithm = \"HS256\", secret = \"0123456789abcdef0123456789abcdef\" }]",
        "Keys that stand here",
    ),
];

static JWKS: [Key; 3] = [
    Key::new("service", text(Form::NameOf("services")), "\"x\"", "This service answers with them").filled(),
    Key::new(
        "url",
        text(Form::Url(HTTP)),
        "\"https://id.example.com/.well-known/jwks.json\"",
        "They are outside the platform",
    )
    .filled(),
    Key::new(
        "path",
        text(Form::Path),
        "\"/.well-known/jwks.json\"",
        "Beside service; by default /.well-known/jwks.json",
    ),
];

static AUTH_KEY: [Key; 4] = [
    Key::new(
        "id",
        text(Form::Other("a key's id")),
        "\"2026-01\"",
        "The kid of its tokens; absent: for tokens without one",
    ),
    Key::new("algorithm", text(Form::OneOf(&ALGORITHMS)), "\"HS256\"", "The only one it is good for")
        .required(),
    Key::new(
        "secret",
        text(Form::Other("a secret")),
        "\"0123456789abcdef0123456789abcdef\"",
        "Of HS256: at least 32 bytes",
    )
    .filled(),
    Key::new(
        "public",
        text(Form::Other("a public key in PEM")),
        "\"-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\\n-----END PUBLIC KEY-----\"",
        "Of the others: the public key in PEM",
    )
    .filled(),
];

pub(super) static API_KEY: [Key; 3] = [
    Key::new(
        "hash",
        text(Form::Other("a key's hash")),
        "\"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"",
        "The SHA-256 of the key; `mare key` makes both",
    )
    .required(),
    Key::new("scopes", words("a scope"), "[\"orders:read\"]", "What it may do"),
    Key::new("roles", words("a role"), "[\"partner\"]", "What it is"),
];
