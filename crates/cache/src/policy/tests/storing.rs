//! What is stored, and how long it is fresh then.

use super::super::{Asker, Bypass, Refusal};
use super::{Wishes, message, route, store, wishes, with_ttl};
use Asker::{Known, Owner, Unknown};
use Refusal::{
    Credentials, Malformed, Method, NoStore, Private, SetCookie, Silent, Status, Tags, Useless, Vary,
};

/// Section, request, response, and how long it is fresh, in seconds: 0 is stored but to be confirmed each time.
type Row = (&'static str, &'static str, &'static str, Result<u64, Refusal>);

fn check(asker: Asker, route: &mare_manifest::model::guard::Caching, rows: &[Row]) {
    for (section, request, response, expected) in rows {
        let outcome = store(request, asker, response, route);
        let fresh = outcome.map(|stored| {
            let lifetime = if stored.terms.no_cache { 0 } else { stored.terms.lifetime };
            lifetime.saturating_sub(stored.terms.initial_age) / 1000
        });
        assert_eq!(fresh, *expected, "{section}: {asker:?} {request} -> {response}");
    }
}

const DATE: &str = "date: Sun, 06 Nov 1994 08:49:37 GMT";

/// Methods, statuses, and answers that say nothing.
const BY_KIND: &[Row] = &[
    ("9111 3", "GET", "200 | cache-control: max-age=60", Ok(60)),
    ("9111 3", "HEAD", "200 | cache-control: max-age=60", Err(Method)),
    ("9111 3", "GET", "299 | cache-control: max-age=60", Err(Status)),
    ("9111 3", "GET", "404 | cache-control: max-age=60", Ok(60)),
    ("9111 3", "GET", "302 | cache-control: max-age=60", Ok(60)),
    ("9111 3", "GET", "500 | cache-control: max-age=60", Err(Status)),
    ("9111 3", "GET", "503 | cache-control: max-age=60", Err(Status)),
    ("9111 3.3", "GET", "206 | cache-control: max-age=60 | content-range: bytes 0-1/9", Err(Status)),
    ("9111 4.3.4", "GET", "304 | cache-control: max-age=60", Err(Status)),
    ("6585 4", "GET", "429 | cache-control: max-age=60", Err(Status)),
    ("9111 3", "GET", "200", Err(Silent)),
    ("9111 3", "GET", "200 | cache-control: public", Err(Silent)),
    ("9111 4.2.2", "GET", "200 | last-modified: Sat, 05 Nov 1994 08:49:37 GMT", Err(Silent)),
];
const BY_DIRECTIVE: &[Row] = &[
    ("9111 5.2.2.5", "GET", "200 | cache-control: no-store", Err(NoStore)),
    ("9111 5.2.2.5", "GET", "200 | cache-control: max-age=60, NO-STORE", Err(NoStore)),
    ("9111 5.2.2.5", "GET", "200 | cache-control: max-age=60, no-store=1", Err(NoStore)),
    ("9111 5.2.2.5", "GET", "200 | cache-control: max-age=60 | cache-control: no-store", Err(NoStore)),
    ("9111 5.2.2.3", "GET", "200 | cache-control: must-understand, no-store, max-age=60", Err(NoStore)),
    ("9111 5.2.2.3", "GET", "200 | cache-control: must-understand, max-age=60", Ok(60)),
    ("9111 5.2.2.3", "GET", "299 | cache-control: must-understand, max-age=60", Err(Status)),
    ("9111 5.2.2.7", "GET", "200 | cache-control: private, max-age=60", Err(Private)),
    ("9111 5.2.2.7", "GET", "200 | cache-control: private=\"x-mine\", max-age=60 | x-mine: 1", Ok(60)),
    ("9111 5.2.2.7", "GET", "200 | cache-control: private=\"\", max-age=60", Err(Private)),
    ("9111 5.2.2.7", "GET", "200 | cache-control: private=\"a b\", max-age=60", Err(Private)),
    ("9111 5.2.2.7", "GET", "200 | cache-control: private=\"vary\", max-age=60", Err(Private)),
    ("9111 5.2.2.4", "GET", "200 | cache-control: no-cache, max-age=60 | etag: \"a\"", Ok(0)),
    ("9111 5.2.2.4", "GET", "200 | cache-control: no-cache, max-age=60", Err(Useless)),
    ("9111 5.2.2.4", "GET", "200 | cache-control: no-cache=\"x-mine\", max-age=60", Ok(60)),
    (
        "9111 5.2.2.4",
        "GET",
        "200 | cache-control: no-cache=\"content-type\", max-age=60 | etag: \"a\"",
        Ok(0),
    ),
    ("9111 5.4", "GET", "200 | pragma: no-cache | expires: Sun, 06 Nov 1994 08:50:37 GMT", Err(Useless)),
    ("9111 5.4", "GET", "200 | pragma: no-cache | cache-control: max-age=60", Ok(60)),
    ("9111 5.2.3", "GET", "200 | cache-control: max-age=60, community=\"UCI, no-store\"", Ok(60)),
    ("8246 2", "GET", "200 | cache-control: max-age=60, immutable", Ok(60)),
    ("8246 2", "GET", "200 | cache-control: immutable", Err(Silent)),
    ("9111 4.1", "GET", "200 | cache-control: max-age=60 | vary: *", Err(Vary)),
    ("9111 4.1", "GET", "200 | cache-control: max-age=60 | vary: accept, *", Err(Vary)),
    ("9111 4.1", "GET", "200 | cache-control: max-age=60 | vary: a b", Err(Vary)),
    ("9111 7.3", "GET", "200 | cache-control: max-age=60 | set-cookie: a=b", Err(SetCookie)),
    ("9111 7.3", "GET", "200 | cache-control: public, s-maxage=60 | set-cookie: a=b", Err(SetCookie)),
    (
        "9111 5.2.2.4",
        "GET",
        "200 | cache-control: no-cache=\"set-cookie\", max-age=60 | set-cookie: a=b",
        Ok(60),
    ),
];
const BY_GRAMMAR: &[Row] = &[
    ("9110 5.6.1", "GET", "200 | cache-control: ,, max-age=60 ,", Ok(60)),
    ("9111 5.2", "GET", "200 | cache-control: max-age=60; no-store", Err(Malformed)),
    ("9111 5.2", "GET", "200 | cache-control: max-age=60, private=\"x", Err(Malformed)),
    ("9111 5.2", "GET", "200 | cache-control: max-age =60", Err(Malformed)),
    ("9111 5.2", "GET", "200 | cache-control: max-age=60, \u{e9}", Err(Malformed)),
    // Tags: a lost one would be a lost purge
    ("Maré", "GET", "200 | cache-control: max-age=60 | cache-tag: account-1, account-2", Ok(60)),
    ("Maré", "GET", "200 | cache-control: max-age=60 | cache-tag: account-1 account-2", Err(Tags)),
    ("Maré", "GET", "200 | cache-control: max-age=60 | cache-tag: \u{e9}", Err(Tags)),
];

#[test]
fn only_what_the_rfc_and_the_service_allow_is_stored() {
    for rows in [BY_KIND, BY_DIRECTIVE, BY_GRAMMAR] {
        check(Unknown, &route(), rows);
    }
}

#[test]
fn freshness_is_what_the_service_says() {
    let useless = Err(Useless);
    check(
        Unknown,
        &route(),
        &[
            ("9111 4.2.1", "GET", "200 | cache-control: s-maxage=30, max-age=60", Ok(30)),
            ("9111 4.2.1", "GET", "200 | cache-control: max-age=60 | expires: 0", Ok(60)),
            (
                "9111 5.3",
                "GET",
                "200 | date: Sun, 06 Nov 1994 08:49:37 GMT | expires: Sun, 06 Nov 1994 08:50:37 GMT",
                Ok(60),
            ),
            ("9111 5.3", "GET", "200 | expires: Sunday, 06-Nov-94 08:50:37 GMT", Ok(60)),
            ("9111 5.3", "GET", "200 | expires: Sun Nov  6 08:50:37 1994", Ok(60)),
            ("9111 5.3", "GET", "200 | expires: 0", useless),
            ("9111 5.3", "GET", "200 | expires: Sun, 06 Nov 1994 08:50:37 +0100", useless),
            (
                "9111 4.2.1",
                "GET",
                "200 | expires: Sun, 06 Nov 1994 08:50:37 GMT | expires: Sun, 06 Nov 1994 08:51:37 GMT",
                useless,
            ),
            ("9110 6.6.1", "GET", "200 | date: yesterday | expires: Sun, 06 Nov 1994 08:50:37 GMT", Ok(60)),
            // Numbers
            ("9111 5.2.2.1", "GET", "200 | cache-control: max-age=\"60\"", Ok(60)),
            ("9111 4.2.1", "GET", "200 | cache-control: max-age=60, max-age=60", Ok(60)),
            ("9111 4.2.1", "GET", "200 | cache-control: max-age=60, max-age=30", useless),
            ("9111 4.2.1", "GET", "200 | cache-control: max-age=1.5", useless),
            ("9111 4.2.1", "GET", "200 | cache-control: max-age=-1", useless),
            ("9111 4.2.1", "GET", "200 | cache-control: max-age", useless),
            ("9111 4.2.1", "GET", "200 | cache-control: max-age=ten", useless),
            ("9111 4.2.1", "GET", "200 | cache-control: s-maxage=x, max-age=60", useless),
            ("9111 1.2.2", "GET", "200 | cache-control: max-age=99999999999999999999", Ok(1 << 31)),
            ("9111 4.2.1", "GET", "200 | cache-control: max-age=0", useless),
            ("9111 4.3.1", "GET", "200 | cache-control: max-age=0 | etag: \"a\"", Ok(0)),
            (
                "9111 4.3.1",
                "GET",
                "200 | cache-control: max-age=0 | last-modified: Sun, 06 Nov 1994 08:00:00 GMT",
                Ok(0),
            ),
            ("5861 3", "GET", "200 | cache-control: max-age=0, stale-while-revalidate=9", Ok(0)),
            // Age
            ("9111 4.2.3", "GET", "200 | cache-control: max-age=60 | age: 20", Ok(40)),
            (
                "9111 4.2.3",
                "GET",
                "200 | cache-control: max-age=60 | date: Sun, 06 Nov 1994 08:49:07 GMT",
                Ok(30),
            ),
            (
                "9111 4.2.3",
                "GET",
                "200 | cache-control: max-age=60 | age: 40 | date: Sun, 06 Nov 1994 08:49:07 GMT",
                Ok(20),
            ),
            (
                "9111 4.2.3",
                "GET",
                "200 | cache-control: max-age=60 | date: Sun, 06 Nov 1994 08:59:37 GMT",
                Ok(60),
            ),
            ("9111 5.1", "GET", "200 | cache-control: max-age=60 | age: 20, 50", Ok(40)),
            ("9111 5.1", "GET", "200 | cache-control: max-age=60 | age: 20 | age: 50", Ok(40)),
            ("9111 5.1", "GET", "200 | cache-control: max-age=60 | age: -20", Ok(60)),
            ("9111 4.2.3", "GET", "200 | cache-control: max-age=60 | age: 60", useless),
        ],
    );
}

#[test]
fn a_targeted_field_replaces_cache_control_and_expires() {
    check(
        Unknown,
        &route(),
        &[
            ("9213 2.2", "GET", "200 | cdn-cache-control: max-age=600 | cache-control: no-store", Ok(600)),
            ("9213 2.2", "GET", "200 | cdn-cache-control: max-age=600 | cache-control: s-maxage=60", Ok(600)),
            (
                "9213 2.2",
                "GET",
                "200 | cdn-cache-control: no-store | cache-control: max-age=60",
                Err(NoStore),
            ),
            ("9213 2.2", "GET", "200 | cdn-cache-control: none | cache-control: max-age=60", Err(Silent)),
            (
                "9213 2.2",
                "GET",
                "200 | cdn-cache-control: none | expires: Sun, 06 Nov 1994 08:50:37 GMT",
                Err(Silent),
            ),
            ("9213 2.2", "GET", "200 | cdn-cache-control: no-cache, max-age=60", Err(Useless)),
            ("9213 2.1", "GET", "200 | cdn-cache-control: | cache-control: max-age=60", Ok(60)),
            (
                "9213 2.1",
                "GET",
                "200 | cdn-cache-control: max-age=600, , | cache-control: max-age=60",
                Ok(60),
            ),
            ("9213 2.1", "GET", "200 | cdn-cache-control: MAX-AGE=600 | cache-control: max-age=60", Ok(60)),
            (
                "9213 2.1",
                "GET",
                "200 | cdn-cache-control: max-age=600;x=1 | cache-control: max-age=60",
                Ok(600),
            ),
            (
                "9213 2.1",
                "GET",
                "200 | cdn-cache-control: max-age=\"600\" | cache-control: max-age=60",
                Err(Useless),
            ),
            (
                "9213 2.1",
                "GET",
                "200 | cdn-cache-control: max-age=600.5 | cache-control: max-age=60",
                Err(Useless),
            ),
            ("9213 2.1", "GET", "200 | cdn-cache-control: max-age=600, no-store=?0", Err(NoStore)),
            ("9213 2.1", "GET", "200 | cdn-cache-control: private=\"x-mine\", max-age=600", Ok(600)),
            // The last of a key counts in a dictionary (RFC 9651 4.2.2), and lines are one.
            (
                "9213 2.1",
                "GET",
                "200 | cdn-cache-control: max-age=600 | cdn-cache-control: max-age=60",
                Ok(60),
            ),
        ],
    );
}

#[test]
fn a_routes_ttl_is_for_successes_that_say_nothing_of_freshness() {
    check(
        Unknown,
        &with_ttl(30),
        &[
            ("Maré", "GET", "200", Ok(30)),
            ("Maré", "GET", "301 | location: /", Ok(30)),
            ("Maré", "GET", "302 | location: /", Err(Silent)),
            ("Maré", "GET", "404", Err(Silent)),
            ("Maré", "GET", "404 | cache-control: max-age=5", Ok(5)),
            ("Maré", "GET", "200 | cache-control: max-age=60", Ok(60)),
            ("Maré", "GET", "200 | cache-control: max-age=x", Err(Useless)),
            ("Maré", "GET", "200 | cache-control: public", Ok(30)),
            ("Maré", "GET", "200 | cache-control: must-revalidate", Ok(30)),
            ("Maré", "GET", "200 | cache-control: no-cache", Err(Useless)),
            ("Maré", "GET", "200 | cache-control: no-store", Err(NoStore)),
            ("Maré", "GET", "200 | cache-control: private", Err(Private)),
            ("Maré", "GET", "200 | expires: 0", Err(Useless)),
            ("Maré", "GET", "200 | pragma: no-cache", Err(Useless)),
            // Cookies may say who asks; a service that shares its answers all the same has to say so.
            ("Maré", "GET | cookie: a=b", "200", Err(Credentials)),
            ("Maré", "GET | cookie: a=b", "200 | cache-control: public", Ok(30)),
            ("Maré", "GET | cookie: a=b", "200 | cache-control: max-age=60", Ok(60)),
            ("Maré", "GET | x-api-key: k", "200", Err(Credentials)),
        ],
    );
    let heuristic = mare_manifest::model::guard::Caching { heuristic: true, ..route() };
    check(
        Unknown,
        &heuristic,
        &[
            ("9111 4.2.2", "GET", "200 | last-modified: Sun, 06 Nov 1994 08:48:37 GMT", Ok(6)),
            ("9111 4.2.2", "GET", "200 | last-modified: Tue, 06 Nov 1984 08:48:37 GMT", Ok(24 * 60 * 60)),
            ("9111 4.2.2", "GET", "200 | last-modified: Sun, 06 Nov 1994 09:49:37 GMT", Ok(0)),
            ("9111 4.2.2", "GET", "200", Err(Silent)),
            ("9111 4.2.2", "GET", "302 | last-modified: Sun, 06 Nov 1994 08:48:37 GMT", Err(Silent)),
            (
                "9111 4.2.2",
                "GET",
                "200 | cache-control: max-age=1 | last-modified: Tue, 06 Nov 1984 08:48:37 GMT",
                Ok(1),
            ),
        ],
    );
}

#[test]
fn answers_to_somebody_are_shared_only_if_public() {
    let authorised = "GET | authorization: Bearer t";
    let public = "200 | cache-control: public, max-age=60";
    check(
        Unknown,
        &route(),
        &[
            ("9111 3.5", authorised, "200 | cache-control: max-age=60", Err(Credentials)),
            ("9111 3.5", authorised, public, Ok(60)),
            ("9111 3.5", authorised, "200 | cache-control: public=1, max-age=60", Err(Credentials)),
            // The RFC would let these count as well.
            ("9111 3.5", authorised, "200 | cache-control: s-maxage=60", Err(Credentials)),
            ("9111 3.5", authorised, "200 | cache-control: must-revalidate, max-age=60", Err(Credentials)),
            (
                "9213 2.2",
                authorised,
                "200 | cdn-cache-control: max-age=60 | cache-control: public",
                Err(Credentials),
            ),
        ],
    );
    check(
        Known,
        &with_ttl(30),
        &[
            ("9111 3.5", "GET", "200 | cache-control: max-age=60", Err(Credentials)),
            ("9111 3.5", "GET", public, Ok(60)),
            ("9111 3.5", "GET", "200", Err(Credentials)),
            // What the gateway says of who asks is not among the fields that are compared.
            ("9111 4.1", "GET", "200 | cache-control: public, max-age=60 | vary: X-Mare-Subject", Err(Vary)),
            ("9111 4.1", "GET", "200 | cache-control: public, max-age=60 | vary: x-forwarded-for", Err(Vary)),
        ],
    );
    check(
        Owner,
        &with_ttl(30),
        &[
            ("9111 3.5", authorised, "200 | cache-control: max-age=60", Ok(60)),
            ("9111 5.2.2.7", authorised, "200 | cache-control: private, max-age=60", Ok(60)),
            ("9111 5.2.2.7", authorised, "200 | cache-control: private", Ok(30)),
            ("9111 5.2.2.5", authorised, "200 | cache-control: private, no-store", Err(NoStore)),
            ("9111 7.3", authorised, "200 | cache-control: max-age=60 | set-cookie: a=b", Err(SetCookie)),
            ("Maré", "GET | authorization: Bearer t | cookie: a=b", "200", Ok(30)),
            ("9111 4.1", authorised, "200 | vary: x-mare-subject", Ok(30)),
        ],
    );
}

#[test]
fn fields_that_are_not_the_clients_are_not_kept() {
    let response = format!(
        "200 | {DATE} | cache-control: max-age=60, no-cache=\"x-once\", private=\"x-mine\" | x-once: 1 | x-mine: 1 | \
         connection: close, x-hop, cache-control | x-hop: 1 | keep-alive: 5 | transfer-encoding: chunked | cache-tag: a | \
         cache-purge: b | cdn-cache-control: max-age=60, private=\"x-mine\" | x-kept: 1"
    );
    let names = |asker| {
        let stored = store("GET", asker, &response, &route()).unwrap();
        let mut names: Vec<_> = stored.headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names.join(" ")
    };
    // 9111 3.1; Age and Cache-Status are places kept free. no-cache="x-once" stands in the field that is not obeyed.
    assert_eq!(names(Unknown), "age cache-control cache-status date x-kept x-once");
    assert_eq!(names(Owner), "age cache-control cache-status date x-kept x-mine x-once");
}

#[test]
fn a_response_without_a_date_gets_one() {
    let stored = super::stored("200 | cache-control: max-age=60 | date: tomorrow");
    assert_eq!(stored.headers["date"], &DATE["date: ".len()..]); // 9110 6.6.1
}

#[test]
fn requests_the_cache_has_no_part_in() {
    for (section, request, bypass) in [
        ("9111 3", "POST", Bypass::Method),
        ("9111 3", "OPTIONS", Bypass::Method),
        ("9111 3", "SPACEJUMP", Bypass::Method),
        ("9111 3", "get", Bypass::Method),
        ("9111 5.2.1.5", "GET | cache-control: no-store", Bypass::NoStore),
        ("9111 4.3.2", "GET | if-match: \"a\"", Bypass::Condition),
        ("9111 4.3.2", "GET | if-unmodified-since: Sun, 06 Nov 1994 08:49:37 GMT", Bypass::Condition),
        ("9110 9.3.1", "GET | content-length: 2", Bypass::Content),
        ("9110 9.3.1", "GET | transfer-encoding: chunked", Bypass::Content),
        ("9110 7.8", "GET | upgrade: websocket", Bypass::Upgrade),
    ] {
        assert_eq!(wishes(request, Unknown).unwrap_err(), bypass, "{section}: {request}");
    }
    assert!(wishes("GET | content-length: 0", Unknown).is_ok());
    let (_, headers) = message("GET | cache-control: only-if-cached");
    assert!(Wishes::read(&http::Method::GET, &headers, Unknown).unwrap().only_if_cached()); // 9111 5.2.1.7
}

#[test]
fn too_many_tags_or_fields_are_not_kept() {
    let list = |name: &str, count: usize, prefix: &str| {
        let all: Vec<_> = (0..count).map(|number| format!("{prefix}{number}")).collect();
        store(
            "GET",
            Unknown,
            &format!("200 | cache-control: max-age=60 | {name}: {}", all.join(",")),
            &route(),
        )
        .map(|stored| (stored.tags().len(), stored.vary().names().len()))
    };
    assert_eq!(list("cache-tag", 64, "t"), Ok((64, 0)));
    assert_eq!(list("cache-tag", 65, "t"), Err(Tags));
    assert_eq!(list("cache-tag", 1, &"t".repeat(128)), Err(Tags));
    assert_eq!(list("vary", 16, "x-"), Ok((0, 16)));
    assert_eq!(list("vary", 17, "x-"), Err(Vary));
}
