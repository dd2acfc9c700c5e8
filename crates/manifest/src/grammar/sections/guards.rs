//! What stands before a service: the guards of routes and `[defaults]`, and `[cache]`.

use std::time::Duration;

use serde_json::{Value, json};

use super::queues::{ATTEMPTS_MAX, rate};
use super::{DAY, MEMORY, SHORTEST, text, within};
use crate::defaults;
use crate::grammar::{Bounds, Choice, Form, Key, Kind};

/// As long as Chrome keeps a cookie; RFC 9111 calls a freshness of more than a year unlikely.
const YEAR: Duration = Duration::from_hours(24 * 366);
/// What the browsers' own lists of hosts ask for at most.
const HSTS_MAX: Duration = Duration::from_hours(24 * 366 * 2);
/// One answer that fills the memory is one too many; a file of this size is better served by `files`.
const ENTRY_MAX: u64 = 1 << 30;
/// Longer than this, the service itself is faster.
const REDIS_TIMEOUT_MAX: Duration = Duration::from_secs(10);

static CREDENTIALS: Choice = Choice::of("`none`, `jwt`, `key` or `any`", &["none", "jwt", "key", "any"]);
static FRAME: Choice = Choice::of("`DENY`, `SAMEORIGIN` or empty", &["DENY", "SAMEORIGIN"]);
/// W3C Referrer Policy, section 3.
static REFERRER: Choice = Choice::of(
    "a referrer policy",
    &[
        "no-referrer",
        "no-referrer-when-downgrade",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    ],
);
static SHARING: Choice = Choice::of("`all` or `user`", &["all", "user"]);

pub(super) static CACHE: [Key; 2] = [
    Key::new(
        "memory",
        Kind::Size(Bounds { default: Some(defaults::CACHE_MEMORY), ..MEMORY }),
        "\"64MiB\"",
        "Memory for answers",
    ),
    Key::new(
        "redis_timeout",
        within(SHORTEST, REDIS_TIMEOUT_MAX, defaults::CACHE_REDIS_TIMEOUT),
        "\"50ms\"",
        "How long one exchange with Redis may take",
    ),
];

pub(super) static DEFAULTS: [Key; 7] = [AUTHENTICATE, REQUIRE, LIMIT, CORS, HOSTS, NETWORKS, SECURITY];

// Named one by one, because routes have them too.
pub(super) const AUTHENTICATE: Key =
    Key::new("auth", text(Form::OneOf(&CREDENTIALS)), "\"jwt\"", "What a request must show; by default none")
        .filled();
pub(super) const REQUIRE: Key = Key::new(
    "require",
    Kind::Table(&REQUIRED),
    "{ scopes = [\"orders:read\"] }",
    "What its credentials must say",
);
pub(super) const LIMIT: Key =
    Key::new("limit", Kind::Table(&LIMITED), "{ rate = \"100/s\", burst = 200 }", "How often it may come");
pub(super) const CORS: Key = Key::new(
    "cors",
    Kind::Table(&CROSS_ORIGIN),
    "{ origins = [\"https://app.example.com\"] }",
    "Whose pages may ask, and read what comes",
);
pub(super) const HOSTS: Key = Key::new(
    "hosts",
    Kind::Texts(Form::Host),
    "[\"shop.example.com\", \"*.shop.example.com\"]",
    "The host names it is served under; absent or empty: all",
);
pub(super) const NETWORKS: Key =
    Key::new("networks", Kind::Table(&FROM), "{ allow = [\"10.0.0.0/8\"] }", "Where it may come from");
pub(super) const SECURITY: Key = Key::new(
    "security",
    Kind::Table(&HEADERS),
    "{ hsts = \"365d\" }",
    "Headers for browsers, where the service does not set them",
);
pub(super) const STICKY: Key = Key::new(
    "sticky",
    Kind::Table(&COOKIE),
    "{ ttl = \"1h\" }",
    "A client stays with its instance while there is one",
);
pub(super) const CACHING: Key =
    Key::new("cache", Kind::Table(&KEPT), "{ ttl = \"60s\" }", "Answers are kept and given again");

static REQUIRED: [Key; 3] = [
    Key::new("scopes", words("a scope"), "[\"orders:read\"]", "All of these").filled(),
    Key::new("roles", words("a role"), "[\"staff\", \"admin\"]", "One of these").filled(),
    Key::new(
        "claims",
        Kind::Other { what: "a table of strings", schema: strings },
        "{ tenant = \"x\" }",
        "Claims of the token with exactly this text",
    ),
];

static LIMITED: [Key; 3] = [
    Key::new(
        "rate",
        Kind::Other { what: "a rate or `\"unlimited\"`", schema: rate },
        "\"100/s\"",
        "How many per second, minute or hour",
    )
    .required(),
    Key::new(
        "burst",
        Kind::Count(Bounds { min: 1, max: ATTEMPTS_MAX, default: None }),
        "200",
        "How many at once after a rest; by default what one second brings",
    ),
    Key::new(
        "per",
        text(Form::Other("`ip`, `user`, `key`, `route` or `header:NAME`")),
        "\"user\"",
        "Who shares it; by default ip",
    )
    .filled(),
];

static CROSS_ORIGIN: [Key; 6] = [
    Key::new(
        "origins",
        Kind::Texts(Form::Other("an origin")),
        "[\"https://app.example.com\"]",
        "Of these pages, or [\"*\"]",
    )
    .required(),
    Key::new("methods", words("a method"), "[\"GET\"]", "By default the one asked for").filled(),
    Key::new("headers", words("a header's name"), "[\"content-type\"]", "By default those asked for")
        .filled(),
    Key::new(
        "expose",
        words("a header's name"),
        "[\"etag\"]",
        "Headers of the answer that a page may read beside the harmless ones",
    )
    .filled(),
    Key::new("credentials", Kind::Flag, "true", "With cookies and the like"),
    Key::new(
        "max_age",
        within(Duration::ZERO, DAY, defaults::CORS_MAX_AGE),
        "\"10m\"",
        "How long a browser need not ask again",
    ),
];

static FROM: [Key; 2] = [
    Key::new("allow", words("a network"), "[\"10.0.0.0/8\"]", "From here only").filled(),
    Key::new("deny", words("a network"), "[\"10.1.2.3\"]", "Not from here, even if allowed").filled(),
];

static HEADERS: [Key; 5] = [
    Key::new(
        "hsts",
        Kind::Duration(Bounds { min: Duration::ZERO, max: HSTS_MAX, default: None }),
        "\"365d\"",
        "Strict-Transport-Security: HTTPS only, for this long",
    ),
    Key::new("frame", text(Form::OneOf(&FRAME)), "\"DENY\"", "X-Frame-Options; by default DENY"),
    Key::new(
        "referrer",
        text(Form::OneOf(&REFERRER)),
        "\"no-referrer\"",
        "Referrer-Policy; by default strict-origin-when-cross-origin",
    ),
    Key::new(
        "content",
        text(Form::Other("a content security policy")),
        "\"default-src 'self'\"",
        "Content-Security-Policy",
    ),
    Key::new("permissions", text(Form::Other("a permissions policy")), "\"camera=()\"", "Permissions-Policy"),
];

static COOKIE: [Key; 2] = [
    Key::new(
        "cookie",
        text(Form::Other("a cookie's name")),
        "\"mare_instance\"",
        "Its name; by default mare_instance",
    ),
    Key::new("ttl", lifetime(), "\"1h\"", "How long it stays; absent: until the browser closes"),
];

static KEPT: [Key; 6] = [
    Key::new("ttl", lifetime(), "\"60s\"", "How long an answer is fresh that does not say so itself"),
    Key::new(
        "per",
        text(Form::OneOf(&SHARING)),
        "\"user\"",
        "Whether each user has answers of his own; by default all share them",
    )
    .filled(),
    Key::new("only", words("a parameter's name"), "[\"page\"]", "Only these of the query tell answers apart")
        .filled(),
    Key::new(
        "ignore",
        words("a parameter's name"),
        "[\"utm_*\"]",
        "These of the query, perhaps with `*` at the end, do not tell answers apart",
    )
    .filled(),
    Key::new(
        "size",
        Kind::Size(Bounds { min: 1, max: ENTRY_MAX, default: Some(defaults::CACHE_SIZE) }),
        "\"1MiB\"",
        "Largest answer that is kept",
    ),
    Key::new(
        "heuristic",
        Kind::Flag,
        "true",
        "An answer that says nothing but when it was modified is fresh for a tenth of its age",
    ),
];

pub(super) const fn words(what: &'static str) -> Kind {
    Kind::Texts(Form::Other(what))
}

const fn lifetime() -> Kind {
    Kind::Duration(Bounds { min: Duration::from_secs(1), max: YEAR, default: None })
}

fn strings() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" } })
}
