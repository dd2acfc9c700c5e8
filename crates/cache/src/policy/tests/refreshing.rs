//! Revalidation: what is asked, and what a 304 or a HEAD's answer changes.

use http::StatusCode;

use super::super::{Exchange, Mismatch, Refreshed, Refusal, Stored, Verdict};
use super::{NOW, ask, at, message, route, stored};

const ETAG: &str = "200 | cache-control: max-age=60 | etag: \"a\"";
const DATED: &str = "200 | cache-control: max-age=60 | last-modified: Sun, 06 Nov 1994 08:00:00 GMT";
const BOTH: &str =
    "200 | cache-control: max-age=60 | etag: \"a\" | last-modified: Sun, 06 Nov 1994 08:00:00 GMT";

/// A response to `request` comes 100 s after what is stored.
fn later<T>(request: &str, response: &str, then: impl FnOnce(&Exchange<'_>) -> T) -> T {
    let (wishes, headers) = ask(request);
    let (status, response) = message(response);
    then(&Exchange {
        wishes: &wishes,
        request: &headers,
        status: status.parse().unwrap(),
        response: &response,
        sent: at(100),
        received: at(100),
    })
}

fn refresh(stored: &Stored, response: &str) -> Result<Refreshed, Mismatch> {
    later("GET", response, |exchange| stored.refresh(exchange, &route()))
}

#[test]
fn a_revalidation_asks_by_the_stored_validators_alone() {
    let client = "GET | if-none-match: \"mine\" | if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT | range: bytes=0-1 | \
                  if-range: \"mine\" | accept: a";
    for (section, response, expected) in [
        ("9111 4.3.1", ETAG, "accept if-none-match=\"a\""),
        ("9111 4.3.1", DATED, "accept if-modified-since=Sun, 06 Nov 1994 08:00:00 GMT"),
        ("9111 4.3.1", BOTH, "accept if-modified-since=Sun, 06 Nov 1994 08:00:00 GMT if-none-match=\"a\""),
        ("9111 4.3.1", "200 | cache-control: max-age=60 | etag: a", "accept"),
        ("9111 4.3.1", "200 | cache-control: max-age=60 | etag: \"a\" | etag: \"b\"", "accept"),
        ("9111 4.3.1", "200 | cache-control: max-age=60 | last-modified: 1994", "accept"),
    ] {
        let (_, mut headers) = message(client);
        stored(response).condition(&mut headers);
        let mut all: Vec<_> = headers
            .iter()
            .map(|(name, value)| {
                if name == "accept" {
                    name.to_string()
                } else {
                    format!("{name}={}", value.to_str().unwrap())
                }
            })
            .collect();
        all.sort();
        assert_eq!(all.join(" "), expected, "{section}: {response}");
    }
}

#[test]
fn a_304_confirms_what_it_names() {
    const WEAK: &str = "200 | cache-control: max-age=60 | etag: W/\"a\"";
    for (section, response, confirmation, same) in [
        ("9111 4.3.4", ETAG, "304 | etag: \"a\"", true),
        ("9111 4.3.4", ETAG, "304 | etag: W/\"a\"", true),
        ("9111 4.3.4", WEAK, "304 | etag: W/\"a\"", true),
        ("9111 4.3.4", WEAK, "304 | etag: \"a\"", false),
        ("9111 4.3.4", ETAG, "304 | etag: \"b\"", false),
        ("9111 4.3.4", ETAG, "304 | etag: W/\"b\"", false),
        ("9111 4.3.4", ETAG, "304 | etag: \"a\" | etag: \"b\"", false),
        ("9111 4.3.4", DATED, "304 | etag: \"a\"", false),
        ("9111 4.3.4", DATED, "304 | last-modified: Sun, 06 Nov 1994 08:00:00 GMT", true),
        ("9111 4.3.4", DATED, "304 | last-modified: Sun, 06 Nov 1994 08:00:01 GMT", false),
        ("9111 4.3.4", BOTH, "304 | last-modified: Sun, 06 Nov 1994 08:00:01 GMT", false),
        ("9111 4.3.4", BOTH, "304 | etag: \"a\" | last-modified: Sun, 06 Nov 1994 08:00:01 GMT", true),
        // It has to name what a 200 would (9110 15.4.5); where it does not, only one was asked about.
        ("9111 4.3.4", ETAG, "304", true),
        ("9111 4.3.4", DATED, "304", true),
        // Nobody asked.
        ("9111 4.3.4", "200 | cache-control: max-age=60", "304", false),
    ] {
        assert_eq!(
            refresh(&stored(response), confirmation).is_ok(),
            same,
            "{section}: {response}: {confirmation}"
        );
    }
}

#[test]
fn a_304_replaces_fields_but_not_those_of_the_content() {
    let stored = stored(
        "200 | cache-control: max-age=60 | etag: \"a\" | content-type: text/plain | content-encoding: gzip | \
         content-length: 9 | x-old: 1 | x-new: 1 | cache-tag: one, two | age: 5 | date: Sun, 06 Nov 1994 08:49:37 GMT",
    );
    let confirmation = "304 | etag: \"a\" | cache-control: max-age=5 | content-type: text/html | content-length: 0 | \
                        content-digest: x | x-new: 2 | x-new: 3 | connection: x-hop | x-hop: 1";
    let Refreshed { stored, kept, once } = refresh(&stored, confirmation).unwrap();
    assert_eq!((kept, once.len()), (Ok(()), 0));
    let mut fields: Vec<_> = stored
        .headers
        .iter()
        .filter(|(name, _)| !["age", "cache-status"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    fields.sort();
    // 9111 3.2. Date is when the confirmation came, which had none.
    assert_eq!(
        fields,
        [
            "cache-control: max-age=5",
            "content-encoding: gzip",
            "content-length: 9",
            "content-type: text/plain",
            "date: Sun, 06 Nov 1994 08:51:17 GMT",
            "etag: \"a\"",
            "x-new: 2",
            "x-new: 3",
            "x-old: 1",
        ]
    );
    assert_eq!(stored.tags(), ["one", "two"].map(Box::<str>::from));
    assert_eq!(stored.age(at(100)), 0); // 4.3.4: fresh from now
    let (wishes, request) = ask("GET");
    assert_eq!(stored.judge(&wishes, &request, at(104)), Verdict::Fresh);
    assert_eq!(stored.judge(&wishes, &request, at(105)), Verdict::Revalidate);
}

#[test]
fn a_304_may_end_the_keeping_or_change_the_tags() {
    let tagged = "200 | cache-control: max-age=60 | etag: \"a\" | cache-tag: one";
    for (response, confirmation, kept, tags) in [
        (tagged, "304", Ok(()), "one"),
        (tagged, "304 | cache-tag: two", Ok(()), "two"),
        (tagged, "304 | cache-tag: two three", Err(Refusal::Tags), ""),
        (tagged, "304 | cache-control: no-store", Err(Refusal::NoStore), "one"),
        (tagged, "304 | cache-control: private", Err(Refusal::Private), "one"),
        (tagged, "304 | set-cookie: a=b", Err(Refusal::SetCookie), "one"),
        (tagged, "304 | vary: *", Err(Refusal::Vary), "one"),
        // The targeted field still stands, though no client ever saw it.
        ("200 | cdn-cache-control: max-age=60 | cache-control: no-store | etag: \"a\"", "304", Ok(()), ""),
    ] {
        let refreshed = refresh(&stored(response), confirmation).unwrap();
        assert_eq!(refreshed.kept, kept, "{response}: {confirmation}");
        assert_eq!(refreshed.stored.tags().join(" "), tags, "{response}: {confirmation}");
    }
}

#[test]
fn what_may_not_be_stored_of_a_304_is_this_clients() {
    let response = "200 | cache-control: max-age=60, no-cache=\"set-cookie\" | etag: \"a\" | set-cookie: a=1";
    let refreshed = refresh(&stored(response), "304 | set-cookie: a=2 | x: 1 | cache-tag: one").unwrap();
    assert_eq!(refreshed.kept, Ok(()));
    assert!(!refreshed.stored.headers.contains_key("set-cookie"));
    assert_eq!(refreshed.once, message("304 | set-cookie: a=2").1);
}

#[test]
fn a_heads_answer_updates_or_ends_what_is_stored() {
    for (section, response, head, same) in [
        ("9111 4.3.5", ETAG, "200 | etag: \"a\"", Some(true)),
        ("9111 4.3.5", ETAG, "200 | etag: \"a\" | content-length: 10", Some(true)),
        ("9111 4.3.5", ETAG, "200 | etag: \"a\" | content-length: 11", Some(false)),
        ("9111 4.3.5", ETAG, "200 | etag: \"b\" | content-length: 10", Some(false)),
        ("9111 4.3.5", DATED, "200 | last-modified: Sun, 06 Nov 1994 08:00:00 GMT", Some(true)),
        ("9111 4.3.5", ETAG, "200 | content-length: 10", Some(false)),
        ("9111 4.3.5", ETAG, "404", None),
        ("9111 4.3.5", "404 | cache-control: max-age=60 | etag: \"a\"", "200 | etag: \"a\"", Some(false)),
    ] {
        let outcome = later("HEAD", head, |exchange| stored(response).freshen(exchange, &route(), 10));
        let kept = outcome.map(|outcome| outcome.is_ok_and(|refreshed| refreshed.kept.is_ok()));
        assert_eq!(kept, same, "{section}: {response}: {head}");
    }
}

#[test]
fn a_conditional_head_refreshes_too() {
    let refreshed =
        later("HEAD", "304 | etag: \"a\"", |exchange| stored(ETAG).refresh(exchange, &route())).unwrap();
    assert_eq!((refreshed.kept, refreshed.stored.status()), (Ok(()), StatusCode::OK));
    assert_eq!(refreshed.stored.horizon(), super::Time(NOW.0 + 160_000));
}
