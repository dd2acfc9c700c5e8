//! What holds for every response and request: a cached answer is one the origin could legally have given.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use proptest::prelude::*;

use super::super::{Asker, Change, Exchange, Handling, Stored, Time, Verdict, Wishes, invalidated, purges};
use super::{NOW, at, message, store, wishes, with_ttl};

/// One of these, or none.
fn maybe(choices: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), prop::sample::select(choices)]
}

fn directives() -> impl Strategy<Value = String> {
    let one = prop::sample::select(
        &[
            "no-store",
            "no-cache",
            "private",
            "public",
            "must-revalidate",
            "proxy-revalidate",
            "must-understand",
            "max-age=0",
            "max-age=10",
            "max-age=60",
            "max-age=x",
            "s-maxage=20",
            "stale-while-revalidate=15",
            "stale-if-error=40",
            "immutable",
            "no-cache=\"x-a\"",
            "private=\"x-a\"",
            "x=\"no-store\"",
        ][..],
    );
    prop::collection::vec(one, 0..4).prop_map(|all| all.join(", "))
}

fn response() -> impl Strategy<Value = String> {
    let status = prop::sample::select(&["200", "204", "206", "301", "404", "500"][..]);
    let field = maybe(&[
        " | expires: Sun, 06 Nov 1994 08:50:07 GMT",
        " | expires: 0",
        " | age: 7",
        " | set-cookie: a=b",
    ]);
    let validator =
        maybe(&[" | etag: \"a\"", " | etag: W/\"a\"", " | last-modified: Sun, 06 Nov 1994 08:00:00 GMT"]);
    let vary = maybe(&[" | vary: accept", " | vary: *"]);
    (status, directives(), field, validator, vary).prop_map(|(status, directives, field, validator, vary)| {
        let control =
            if directives.is_empty() { String::new() } else { format!(" | cache-control: {directives}") };
        format!("{status}{control}{field}{validator}{vary}")
    })
}

fn request() -> impl Strategy<Value = String> {
    let method = prop::sample::select(&["GET", "GET", "HEAD"][..]);
    let control = maybe(&[
        " | cache-control: no-cache",
        " | cache-control: max-age=5",
        " | cache-control: max-stale=20",
        " | cache-control: max-stale",
        " | cache-control: min-fresh=5",
        " | cache-control: max-age=90, max-stale=20",
        " | cache-control: stale-if-error=9",
        " | cache-control: no-store",
        " | pragma: no-cache",
    ]);
    let who = maybe(&[" | authorization: a", " | cookie: a=b", " | accept: a"]);
    let condition = maybe(&[" | if-none-match: \"a\"", " | range: bytes=1-2", " | range: bytes=20-"]);
    (method, control, who, condition)
        .prop_map(|(method, control, who, condition)| format!("{method}{control}{who}{condition}"))
}

fn asker() -> impl Strategy<Value = Asker> {
    prop::sample::select(&[Asker::Unknown, Asker::Known, Asker::Owner][..])
}

/// Seconds a directive says, read as plainly as a text can be.
fn said(text: &str, name: &str) -> Option<u64> {
    let at = text.find(&format!("{name}="))?;
    let digits: String = text[at + name.len() + 1..].chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What the route's `ttl`, 30 s, adds to; in milliseconds.
fn lifetime(response: &str) -> u64 {
    let seconds = match () {
        () if response.contains("s-maxage") => 20,
        () if response.contains("max-age=") => said(response, "max-age").unwrap_or(0),
        () if response.contains("expires: 0") => 0,
        () => 30,
    };
    seconds * 1000
}

/// The age below which origin and client, between them, allow a response to be used so; in milliseconds.
fn limit(verdict: Verdict, failed: bool, response: &str, request: &str) -> u64 {
    let strict =
        ["must-revalidate", "proxy-revalidate", "s-maxage"].iter().any(|name| response.contains(name));
    let stale = |text: &str, name: &str| if strict { 0 } else { said(text, name).unwrap_or(0) * 1000 };
    let max_stale = match said(request, "max-stale") {
        _ if strict => 0,
        Some(seconds) => seconds * 1000 + 1,
        None if request.contains("max-stale") => u64::MAX / 2,
        None => 0,
    };
    let beyond = match verdict {
        Verdict::Fresh => 0,
        Verdict::Stale => stale(response, "stale-while-revalidate").max(max_stale),
        Verdict::Revalidate if failed => {
            stale(response, "stale-if-error").max(stale(request, "stale-if-error")).max(max_stale)
        }
        Verdict::Revalidate | Verdict::Unusable => return u64::MAX,
    };
    lifetime(response) + beyond
}

/// Whether a directive stands there without an argument; the one in quotes does not.
fn stands(text: &str, name: &str) -> bool {
    text.replace("\"no-store\"", "").replace(&format!("{name}="), "").contains(name)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_forbids_storing_is_obeyed(request in request(), response in response(), asker in asker()) {
        let Ok((asked, _)) = wishes(&request, asker) else {
            prop_assert!(request.contains("no-store"));
            return Ok(());
        };
        if store(&request, asker, &response, &with_ttl(30)).is_err() {
            return Ok(());
        }
        prop_assert!(!stands(&response, "no-store"));
        prop_assert!(!response.contains("vary: *") && !response.contains("set-cookie: "));
        prop_assert!(!response.starts_with("206") && !response.starts_with("500") && !asked.head());
        if asker != Asker::Owner {
            let known = request.contains("authorization") || asker == Asker::Known;
            prop_assert!(!stands(&response, "private"));
            prop_assert!(!known || response.contains("public"));
        }
    }

    #[test]
    fn nothing_is_served_longer_than_origin_and_client_allow(
        response in response(),
        requests in (request(), request()),
        asker in asker(),
        seconds in 0_u64..200,
    ) {
        let (first, request) = requests;
        let (Ok(_), Ok((wishes, headers))) = (wishes(&first, asker), wishes(&request, asker)) else { return Ok(()) };
        let Ok(stored) = store(&first, asker, &response, &with_ttl(30)) else { return Ok(()) };
        let age = stored.age(at(seconds));
        prop_assert!(age >= seconds * 1000);
        let verdict = stored.judge(&wishes, &headers, at(seconds));
        let failed = stored.on_error(&wishes, &headers, at(seconds));
        let limit = limit(verdict, failed, &response, &request);
        if limit < u64::MAX {
            prop_assert!(age < limit, "age {} of {}", age, limit);
            prop_assert!(!request.contains("no-cache") && !stands(&response, "no-cache"));
            prop_assert!(said(&request, "max-age").is_none_or(|limit| age <= limit * 1000));
            prop_assert!(stored.vary().matches(&headers));
        }
    }

    #[test]
    fn an_answer_is_the_stored_one_or_a_right_part_of_it(
        response in response(),
        request in request(),
        body in "[a-z]{0,12}",
        seconds in 0_u64..200,
    ) {
        let Ok(stored) = store("GET", Asker::Unknown, &response, &with_ttl(30)) else { return Ok(()) };
        let Ok((wishes, headers)) = wishes(&request, Asker::Unknown) else { return Ok(()) };
        let whole = Bytes::from(body);
        let answer = stored.answer(&wishes, &headers, &whole, Handling::Hit, at(seconds));
        let expected = match answer.status().as_u16() {
            206 => whole.slice(1..whole.len().min(3)),
            304 | 416 => Bytes::new(),
            status => {
                prop_assert_eq!(status, stored.status().as_u16());
                if wishes.head() { Bytes::new() } else { whole }
            }
        };
        prop_assert_eq!(answer.body(), &expected);
        for name in ["cache-tag", "cache-purge", "cdn-cache-control", "connection", "set-cookie"] {
            prop_assert!(!answer.headers().contains_key(name));
        }
    }

    #[test]
    fn a_304_keeps_the_contents_meaning(
        response in response(),
        confirmation in response(),
        seconds in 0_u64..200,
    ) {
        let response = format!("{response} | content-type: text/plain | content-encoding: gzip | content-length: 3");
        let Ok(stored) = store("GET", Asker::Unknown, &response, &with_ttl(30)) else { return Ok(()) };
        let (_, confirming) = message(&confirmation);
        let (wishes, request) = wishes("GET", Asker::Unknown).unwrap();
        let exchange = Exchange {
            wishes: &wishes,
            request: &request,
            status: StatusCode::NOT_MODIFIED,
            response: &confirming,
            sent: at(seconds),
            received: at(seconds),
        };
        let Ok(refreshed) = stored.refresh(&exchange, &with_ttl(30)) else { return Ok(()) };
        for name in ["content-type", "content-encoding", "content-length"] {
            prop_assert_eq!(&refreshed.stored.headers[name], &stored.headers[name]);
        }
        prop_assert_eq!(refreshed.stored.status(), stored.status());
        let cookie = confirmation.contains("set-cookie: ");
        if stands(&confirmation, "no-store") || confirmation.contains("vary: *") || cookie {
            prop_assert!(refreshed.kept.is_err());
        }
        // Confirming twice is confirming once.
        let again = refreshed.stored.refresh(&exchange, &with_ttl(30)).expect("it is the same representation");
        prop_assert_eq!(&again.stored.headers, &refreshed.stored.headers);
        prop_assert_eq!(again.kept, refreshed.kept);
    }

    #[test]
    fn any_bytes_are_read_without_harm(
        name in prop::sample::select(READ),
        bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
        let (_, mut headers) = message("200 | etag: \"a\" | cache-control: max-age=60");
        headers.append(HeaderName::from_static(name), value);
        let Ok(wishes) = Wishes::read(&Method::GET, &headers, Asker::Unknown) else { return Ok(()) };
        let exchange = Exchange {
            wishes: &wishes,
            request: &headers,
            status: StatusCode::OK,
            response: &headers,
            sent: NOW,
            received: Time(0),
        };
        if let Ok(stored) = Stored::read(&exchange, &with_ttl(30)) {
            _ = stored.answer(&wishes, &headers, &Bytes::from_static(b"abc"), Handling::Hit, NOW);
            _ = stored.refresh(&exchange, &with_ttl(30));
        }
        let change = Change { method: &Method::PUT, authority: "a", target: "/", status: StatusCode::OK, response: &headers };
        prop_assert!(invalidated(&change).iter().all(|target| target.starts_with('/')));
        _ = purges(&headers);
    }
}

const READ: &[&str] = &[
    "age",
    "cache-control",
    "cache-purge",
    "cache-tag",
    "cdn-cache-control",
    "date",
    "etag",
    "expires",
    "if-none-match",
    "if-range",
    "location",
    "pragma",
    "range",
    "vary",
];
