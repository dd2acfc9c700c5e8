//! What a stored response is good for, later and for other requests.

use super::super::{Asker, Change, Purges, Vary, Verdict, invalidated, purges};
use super::{NOW, Time, ask, at, message, route, store, stored, wishes, with_ttl};
use Verdict::{Fresh, Revalidate, Stale, Unusable};

/// Section, what is stored, the request, seconds later, and what it is good for.
type Row = (&'static str, &'static str, &'static str, u64, Verdict);

const MINUTE: &str = "200 | cache-control: max-age=60";
const WHILE: &str = "200 | cache-control: max-age=60, stale-while-revalidate=30";
const ERROR: &str = "200 | cache-control: max-age=60, stale-if-error=30";

const USES: &[Row] = &[
    ("9111 4.2", MINUTE, "GET", 0, Fresh),
    ("9111 4.2", MINUTE, "GET", 59, Fresh),
    ("9111 4.2", MINUTE, "GET", 60, Revalidate),
    ("9111 4.2", MINUTE, "HEAD", 59, Fresh),
    ("9111 5.2.2.4", "200 | cache-control: max-age=60, no-cache | etag: \"a\"", "GET", 0, Revalidate),
    // The request's directives
    ("9111 5.2.1.4", MINUTE, "GET | cache-control: no-cache", 0, Revalidate),
    ("9111 5.4", MINUTE, "GET | pragma: no-cache", 0, Revalidate),
    ("9111 5.4", MINUTE, "GET | pragma: no-cache | cache-control: max-age=90", 0, Fresh),
    ("9111 5.2.1.1", MINUTE, "GET | cache-control: max-age=0", 1, Revalidate),
    ("9111 5.2.1.1", MINUTE, "GET | cache-control: max-age=10", 10, Fresh),
    ("9111 5.2.1.1", MINUTE, "GET | cache-control: max-age=10", 11, Revalidate),
    ("9111 4.2.1", MINUTE, "GET | cache-control: max-age=x", 1, Revalidate),
    ("9111 4.2.1", MINUTE, "GET | cache-control: max-age=30, max-age=40", 1, Revalidate),
    ("9111 5.2", MINUTE, "GET | cache-control: max-age=30;", 1, Revalidate),
    ("9111 5.2.1.3", MINUTE, "GET | cache-control: min-fresh=10", 50, Fresh),
    ("9111 5.2.1.3", MINUTE, "GET | cache-control: min-fresh=10", 51, Revalidate),
    ("9111 5.2.1.3", MINUTE, "GET | cache-control: min-fresh=x", 1, Revalidate),
    ("9111 5.2.1.2", MINUTE, "GET | cache-control: max-stale=10", 70, Stale),
    ("9111 5.2.1.2", MINUTE, "GET | cache-control: max-stale=10", 71, Revalidate),
    ("9111 5.2.1.2", MINUTE, "GET | cache-control: max-stale", 7000, Stale),
    ("9111 5.2.1.2", MINUTE, "GET | cache-control: max-stale=x", 61, Revalidate),
    ("9111 5.2.1.2", MINUTE, "GET | cache-control: max-stale, max-stale=5", 66, Revalidate),
    ("9111 5.2.1.1", MINUTE, "GET | cache-control: max-stale=10, max-age=65", 65, Stale),
    ("9111 5.2.1.1", MINUTE, "GET | cache-control: max-stale=10, max-age=65", 66, Revalidate),
    ("9111 5.2.1.7", MINUTE, "GET | cache-control: only-if-cached", 59, Fresh),
    ("9111 5.2.1.7", MINUTE, "GET | cache-control: only-if-cached", 60, Revalidate),
    ("9111 5.2.1.6", MINUTE, "GET | cache-control: no-transform", 59, Fresh),
    // Stale by the origin's leave
    ("5861 3", WHILE, "GET", 60, Stale),
    ("5861 3", WHILE, "GET", 89, Stale),
    ("5861 3", WHILE, "GET", 90, Revalidate),
    ("9111 5.2.1.1", WHILE, "GET | cache-control: max-age=80", 70, Revalidate),
    ("9111 5.2.1.3", WHILE, "GET | cache-control: min-fresh=1", 70, Revalidate),
    ("9111 5.2.1.4", WHILE, "GET | cache-control: no-cache", 70, Revalidate),
    ("5861 3", "200 | cache-control: max-age=60, stale-while-revalidate=x", "GET", 60, Revalidate),
    ("5861 3", "200 | cache-control: max-age=60, stale-while-revalidate=0", "GET", 60, Revalidate),
    (
        "9111 4.2.4",
        "200 | cache-control: max-age=60, stale-while-revalidate=30, must-revalidate",
        "GET",
        60,
        Revalidate,
    ),
    (
        "9111 4.2.4",
        "200 | cache-control: max-age=60, stale-while-revalidate=30, proxy-revalidate",
        "GET",
        60,
        Revalidate,
    ),
    ("9111 4.2.4", "200 | cache-control: s-maxage=60, stale-while-revalidate=30", "GET", 60, Revalidate),
    (
        "9213 2.2",
        "200 | cdn-cache-control: max-age=60, stale-while-revalidate=30 | cache-control: no-store",
        "GET",
        60,
        Stale,
    ),
    (
        "9111 5.2.2.2",
        "200 | cache-control: max-age=60, must-revalidate",
        "GET | cache-control: max-stale",
        60,
        Revalidate,
    ),
    (
        "9111 5.2.2.8",
        "200 | cache-control: max-age=60, proxy-revalidate",
        "GET | cache-control: max-stale",
        60,
        Revalidate,
    ),
    ("9111 5.2.2.10", "200 | cache-control: s-maxage=60", "GET | cache-control: max-stale", 60, Revalidate),
    ("5861 4", ERROR, "GET", 60, Revalidate),
    // Vary
    ("9111 4.1", "200 | cache-control: max-age=60 | vary: accept", "GET", 0, Fresh),
    ("9111 4.1", "200 | cache-control: max-age=60 | vary: accept", "GET | accept: a", 0, Unusable),
];

#[test]
fn a_stored_response_is_used_as_the_directives_allow() {
    for (section, response, request, seconds, expected) in USES {
        let (wishes, headers) = ask(request);
        let verdict = stored(response).judge(&wishes, &headers, at(*seconds));
        assert_eq!(verdict, *expected, "{section}: {response}, {seconds} s later: {request}");
    }
}

#[test]
fn a_stale_response_may_stand_in_for_an_error() {
    let both = "200 | cache-control: max-age=60, stale-if-error=30, must-revalidate";
    for (section, response, request, seconds, expected) in [
        ("5861 4", ERROR, "GET", 60, true),
        ("5861 4", ERROR, "GET", 89, true),
        ("5861 4", ERROR, "GET", 90, false),
        ("5861 4", MINUTE, "GET", 60, false),
        ("5861 4", MINUTE, "GET | cache-control: stale-if-error=10", 69, true),
        ("5861 4", MINUTE, "GET | cache-control: stale-if-error=10", 70, false),
        ("9111 5.2.1.2", MINUTE, "GET | cache-control: max-stale=10", 70, true),
        ("9111 5.2.2.2", both, "GET", 60, false),
        ("9111 5.2.2.2", both, "GET | cache-control: stale-if-error=10", 60, false),
        ("9111 5.2.2.10", "200 | cache-control: s-maxage=60, stale-if-error=30", "GET", 60, false),
        ("9111 5.2.1.4", ERROR, "GET | cache-control: no-cache", 60, false),
        ("9111 5.2.1.1", ERROR, "GET | cache-control: max-age=80", 70, false),
        ("9111 5.2.1.1", ERROR, "GET | cache-control: max-age=80, stale-if-error=30", 70, true),
        ("9111 5.2.2.4", "200 | cache-control: no-cache, stale-if-error=30 | etag: \"a\"", "GET", 1, false),
    ] {
        let (wishes, headers) = ask(request);
        let usable = stored(response).on_error(&wishes, &headers, at(seconds));
        assert_eq!(usable, expected, "{section}: {response}, {seconds} s later: {request}");
    }
}

#[test]
fn the_time_an_answer_took_is_age() {
    let (wishes, request) = ask("GET");
    let (_, response) = message("200 | cache-control: max-age=60 | age: 10");
    let exchange = super::Exchange {
        wishes: &wishes,
        request: &request,
        status: http::StatusCode::OK,
        response: &response,
        sent: Time(NOW.0 - 2500),
        received: NOW,
    };
    let stored = super::Stored::read(&exchange, &route()).unwrap();
    assert_eq!(stored.age(NOW), 12_500); // 9111 4.2.3
    assert_eq!(stored.age(at(1)), 13_500);
    assert_eq!(stored.age(Time(0)), 12_500);
    assert_eq!(stored.horizon(), Time(NOW.0 + 47_500));
}

#[test]
fn an_answer_whose_lifetime_was_assumed_is_for_the_unknown_only() {
    let stored = store("GET", Asker::Unknown, "200", &with_ttl(30)).unwrap();
    let judge = |request, asker| {
        let (wishes, headers) = wishes(request, asker).unwrap();
        stored.judge(&wishes, &headers, NOW)
    };
    assert_eq!(judge("GET", Asker::Unknown), Fresh);
    assert_eq!(judge("GET | cookie: a=b", Asker::Unknown), Unusable);
    assert_eq!(judge("GET | authorization: Bearer t", Asker::Unknown), Unusable);
    assert_eq!(judge("GET", Asker::Known), Unusable);
}

#[test]
fn variants_are_told_apart_by_the_values_as_lists() {
    let stored = |request| {
        let response = "200 | cache-control: max-age=60 | vary: Accept-Language, accept | vary: accept";
        store(request, Asker::Unknown, response, &route()).unwrap()
    };
    // 9111 4.1: lines are a list, space around it means nothing; absent is not empty.
    let same = ["GET | accept: a | accept: b", "GET | accept:  a,b | other: x"];
    let others = [
        "GET",
        "GET | accept:",
        "GET | accept: b,a",
        "GET | accept: a,b | accept-language: pt",
        "GET | accept-language: a,b",
    ];
    let key = |request: &str, vary: &Vary| {
        let mut key = smallvec::SmallVec::<[u8; 64]>::new();
        Vary::key(vary.names(), &message(request).1, &mut key);
        key
    };
    let all: Vec<&str> = same.iter().chain(&others).copied().collect();
    for (a, one) in all.iter().enumerate() {
        for (b, other) in all.iter().enumerate() {
            let equal = a == b || (a < same.len() && b < same.len());
            let vary = stored(one).vary().clone();
            assert_eq!(vary.matches(&message(other).1), equal, "{one} and {other}");
            assert_eq!(key(one, &vary) == key(other, &vary), equal, "{one} and {other}");
        }
    }
    let names: Vec<_> = stored("GET").vary().names().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(names, ["accept", "accept-language"]);
}

#[test]
fn an_unsafe_request_ends_what_it_names_on_its_own_authority() {
    for (section, exchange, targets) in [
        ("9111 4.4", "POST 200", "/a/b?c"),
        ("9111 4.4", "SPACEJUMP 204", "/a/b?c"),
        ("9111 4.4", "DELETE 303", "/a/b?c"),
        ("9111 4.4", "POST 404", ""),
        ("9111 4.4", "POST 500", ""),
        ("9110 9.2.1", "GET 200 | location: /x", ""),
        ("9110 9.2.1", "OPTIONS 200", ""),
        ("9111 4.4", "POST 201 | location: /a/7", "/a/b?c /a/7"),
        ("9111 4.4", "POST 201 | location: http://EXAMPLE.com:80/a/7?x=1#y", "/a/b?c /a/7?x=1"),
        ("9111 4.4", "POST 201 | location: https://example.com", "/a/b?c /"),
        ("9111 4.4", "POST 201 | location: https://example.com?x=1", "/a/b?c /?x=1"),
        ("9111 4.4", "POST 201 | location: //example.com/7", "/a/b?c /7"),
        ("9111 4.4", "POST 201 | location: https://example.com.evil.test/7", "/a/b?c"),
        ("9111 4.4", "POST 201 | location: https://example.com@evil.test/7", "/a/b?c"),
        ("9111 4.4", "POST 201 | location: mailto:ana@example.com", "/a/b?c"),
        ("9111 4.4", "PUT 200 | location: /x | content-location: /y", "/a/b?c /x /y"),
        ("3986 5.2", "POST 201 | location: 7", "/a/b?c /a/7"),
        ("3986 5.2", "POST 201 | location: ../7", "/a/b?c /7"),
        ("3986 5.2", "POST 201 | location: ../../../7/.", "/a/b?c /7/"),
        ("3986 5.2", "POST 201 | location: ?d", "/a/b?c /a/b?d"),
        ("3986 5.2", "POST 201 | location: #here", "/a/b?c"),
    ] {
        let (line, response) = message(exchange);
        let (method, status) = line.split_once(' ').unwrap();
        let change = Change {
            method: &method.parse().unwrap(),
            authority: "example.com",
            target: "/a/b?c",
            status: status.parse().unwrap(),
            response: &response,
        };
        assert_eq!(invalidated(&change).join(" "), targets, "{section}: {exchange}");
    }
}

#[test]
fn a_purge_that_cannot_be_read_is_of_everything() {
    let many =
        format!("200 | cache-purge: {}", (0..1025).map(|tag| tag.to_string()).collect::<Vec<_>>().join(","));
    for (response, expected) in [
        ("200", Purges::Nothing),
        ("200 | cache-purge: ,", Purges::Nothing),
        ("200 | cache-purge: b, a | cache-purge: a", Purges::Tags(vec!["a".into(), "b".into()])),
        ("200 | cache-purge: a b", Purges::All),
        ("200 | cache-purge: \u{e9}", Purges::All),
        (many.as_str(), Purges::All),
    ] {
        assert_eq!(purges(&message(response).1), expected, "{response:.60}");
    }
}
