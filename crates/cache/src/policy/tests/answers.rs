//! What clients get out of a stored response.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::super::{Asker, Forward, Handling, Stored, Time, mark};
use super::{NOW, ask, at, message, route, store, stored};

const ETAG: &str =
    "200 | cache-control: max-age=60 | etag: \"a\" | last-modified: Sun, 06 Nov 1994 08:00:00 GMT";
const WEAK: &str = "200 | cache-control: max-age=60 | etag: W/\"a\"";
const PLAIN: &str = "200 | cache-control: max-age=60";

fn answer(
    stored: &Stored,
    request: &str,
    body: &'static str,
    handling: Handling,
    now: Time,
) -> Response<Bytes> {
    let (wishes, headers) = ask(request);
    stored.answer(&wishes, &headers, &Bytes::from_static(body.as_bytes()), handling, now)
}

#[test]
fn a_clients_conditions_are_evaluated() {
    for (section, response, request, status) in [
        ("9110 13.1.2", ETAG, "GET | if-none-match: \"a\"", 304),
        ("9110 13.1.2", ETAG, "HEAD | if-none-match: \"a\"", 304),
        ("9110 13.1.2", ETAG, "GET | if-none-match: W/\"a\"", 304),
        ("9110 13.1.2", WEAK, "GET | if-none-match: \"a\"", 304),
        ("9110 13.1.2", ETAG, "GET | if-none-match: \"b\", \"a,b\" , \"a\"", 304),
        ("9110 13.1.2", ETAG, "GET | if-none-match: \"b\" | if-none-match: \"a\"", 304),
        ("9110 13.1.2", ETAG, "GET | if-none-match: \"a,b\"", 200),
        ("9110 13.1.2", ETAG, "GET | if-none-match: a", 200),
        ("9110 13.1.2", ETAG, "GET | if-none-match: \"a", 200),
        ("9110 13.1.2", ETAG, "GET | if-none-match: *", 304),
        ("9110 13.1.2", PLAIN, "GET | if-none-match: \"a\"", 200),
        ("9110 13.1.3", ETAG, "GET | if-modified-since: Sun, 06 Nov 1994 08:00:00 GMT", 304),
        ("9110 13.1.3", ETAG, "GET | if-modified-since: Sun, 06 Nov 1994 07:59:59 GMT", 200),
        ("9110 13.1.3", ETAG, "GET | if-modified-since: tomorrow", 200),
        (
            "9110 13.1.3",
            ETAG,
            "GET | if-none-match: \"b\" | if-modified-since: Sun, 06 Nov 1994 08:00:00 GMT",
            200,
        ),
        // Without Last-Modified: since the response was made
        ("9111 4.3.2", PLAIN, "GET | if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT", 304),
        ("9111 4.3.2", PLAIN, "GET | if-modified-since: Sun, 06 Nov 1994 08:49:36 GMT", 200),
        ("9110 13.2.1", "404 | cache-control: max-age=60 | etag: \"a\"", "GET | if-none-match: \"a\"", 404),
        // Conditions come before ranges
        ("9110 13.2.2", ETAG, "GET | if-none-match: \"a\" | range: bytes=0-1", 304),
    ] {
        let answer = answer(&stored(response), request, "0123456789", Handling::Hit, NOW);
        assert_eq!(answer.status().as_u16(), status, "{section}: {response}: {request}");
        let length = if status == 304 { 0 } else { 10 };
        assert_eq!(answer.body().len(), length, "{section}: {response}: {request}");
    }
}

#[test]
fn one_range_is_cut_out_of_the_whole() {
    const DATED: &str = "200 | cache-control: max-age=60 | last-modified: Sun, 06 Nov 1994 08:49:00 GMT";
    for (section, response, request, expected) in [
        ("9110 14.1.2", ETAG, "GET | range: bytes=0-3", "206 0123 bytes 0-3/10"),
        ("9110 14.1.2", ETAG, "GET | range: BYTES=8-", "206 89 bytes 8-9/10"),
        ("9110 14.1.2", ETAG, "GET | range: bytes=-2", "206 89 bytes 8-9/10"),
        ("9110 14.1.2", ETAG, "GET | range: bytes=-99", "206 0123456789 bytes 0-9/10"),
        ("9110 14.1.2", ETAG, "GET | range: bytes=9-99999999999999999999999", "206 9 bytes 9-9/10"),
        ("9110 15.5.17", ETAG, "GET | range: bytes=10-", "416  bytes */10"),
        ("9110 15.5.17", ETAG, "GET | range: bytes=-0", "416  bytes */10"),
        ("9110 15.5.17", ETAG, "GET | range: bytes=99999999999999999999999-", "416  bytes */10"),
        ("9110 14.2", ETAG, "GET | range: bytes=3-0", "200 0123456789 "),
        ("9110 14.2", ETAG, "GET | range: bytes=-", "200 0123456789 "),
        ("9110 14.2", ETAG, "GET | range: bytes=+1-2", "200 0123456789 "),
        ("9110 14.2", ETAG, "GET | range: lines=0-1", "200 0123456789 "),
        ("9110 14.2", ETAG, "GET | range: bytes=0-1,4-5", "200 0123456789 "),
        ("9110 14.2", ETAG, "GET | range: bytes=0-1 | range: bytes=4-5", "200 0123456789 "),
        ("9110 14.2", ETAG, "HEAD | range: bytes=0-1", "200  "),
        ("9110 14.2", "404 | cache-control: max-age=60", "GET | range: bytes=0-1", "404 0123456789 "),
        ("9110 13.1.5", ETAG, "GET | range: bytes=0-1 | if-range: \"a\"", "206 01 bytes 0-1/10"),
        ("9110 13.1.5", ETAG, "GET | range: bytes=0-1 | if-range: \"b\"", "200 0123456789 "),
        ("9110 13.1.5", ETAG, "GET | range: bytes=0-1 | if-range: W/\"a\"", "200 0123456789 "),
        ("9110 13.1.5", WEAK, "GET | range: bytes=0-1 | if-range: W/\"a\"", "200 0123456789 "),
        (
            "9110 13.1.5",
            ETAG,
            "GET | range: bytes=0-1 | if-range: Sun, 06 Nov 1994 08:00:00 GMT",
            "206 01 bytes 0-1/10",
        ),
        (
            "9110 13.1.5",
            ETAG,
            "GET | range: bytes=0-1 | if-range: Sun, 06 Nov 1994 08:00:01 GMT",
            "200 0123456789 ",
        ),
        (
            "9110 8.8.2.2",
            DATED,
            "GET | range: bytes=0-1 | if-range: Sun, 06 Nov 1994 08:49:00 GMT",
            "200 0123456789 ",
        ),
        ("9110 13.1.5", ETAG, "GET | range: bytes=0-1 | if-range: soon", "200 0123456789 "),
    ] {
        let answer = answer(&stored(response), request, "0123456789", Handling::Hit, NOW);
        let range = answer.headers().get("content-range").map_or("", |value| value.to_str().unwrap());
        let body = std::str::from_utf8(answer.body()).unwrap();
        assert_eq!(format!("{} {body} {range}", answer.status().as_u16()), expected, "{section}: {request}");
    }
    for (request, status) in [("bytes=0-", 416), ("bytes=-1", 200)] {
        let answer = answer(&stored(ETAG), &format!("GET | range: {request}"), "", Handling::Hit, NOW);
        assert_eq!(answer.status().as_u16(), status, "{request} of nothing");
    }
}

#[test]
fn the_fields_fit_the_answer() {
    let response = "200 | cache-control: max-age=60 | etag: \"a\" | content-type: text/plain | content-digest: x | \
                    x-kept: 1 | vary: accept";
    let names = |request| {
        let answer = answer(&stored(response), request, "0123456789", Handling::Hit, at(7));
        assert!(answer.headers().get("age").is_none_or(|age| age == "7"));
        let mut names: Vec<_> = answer
            .headers()
            .iter()
            .filter(|(name, _)| {
                !["cache-control", "cache-status", "date", "vary", "x-kept"].contains(&name.as_str())
            })
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("GET"), "age=7 content-digest=x content-type=text/plain etag=\"a\"");
    // 9110 9.3.2
    assert_eq!(names("HEAD"), "age=7 content-digest=x content-length=10 content-type=text/plain etag=\"a\"");
    // 9110 15.4.5
    assert_eq!(names("GET | if-none-match: \"a\""), "age=7 etag=\"a\"");
    // 9110 15.3.7
    let part = "age=7 content-length=2 content-range=bytes 0-1/10 content-type=text/plain etag=\"a\"";
    assert_eq!(names("GET | range: bytes=0-1"), part);
    assert_eq!(names("GET | range: bytes=10-"), "content-range=bytes */10");
}

#[test]
fn a_part_shares_the_memory_of_the_whole() {
    let (wishes, headers) = ask("GET | range: bytes=2-3");
    let body = Bytes::from("0123456789".repeat(10));
    let answer = stored(PLAIN).answer(&wishes, &headers, &body, Handling::Hit, NOW);
    assert_eq!(answer.body().as_ptr(), body[2..].as_ptr());
}

#[test]
fn cache_status_says_what_happened() {
    let failed = Some(StatusCode::BAD_GATEWAY);
    for (handling, expected) in [
        (Handling::Hit, "mare; hit"),
        (Handling::Failed(failed), "mare; fwd=stale; fwd-status=502"),
        (Handling::Failed(None), "mare; fwd=stale; detail=unreachable"),
        (Handling::Revalidated(Forward::Stale), "mare; fwd=stale; fwd-status=304"),
        (Handling::Collapsed(Forward::UriMiss), "mare; fwd=uri-miss; collapsed"),
    ] {
        let response = answer(&stored(PLAIN), "GET", "", handling, at(70));
        assert_eq!(response.headers()["cache-status"], expected);
        // 9111 5.1: no Age where the origin confirmed it for this request.
        let age = response.headers().get("age").map(|age| age.to_str().unwrap());
        assert_eq!(age, if matches!(handling, Handling::Revalidated(_)) { None } else { Some("70") });
        // 9211 2: caches keep the members before theirs.
        let chained = stored("200 | cache-control: max-age=60 | cache-status: inner; hit");
        let response = answer(&chained, "GET", "", handling, NOW);
        let members: Vec<_> = response.headers().get_all("cache-status").iter().collect();
        assert_eq!(members, ["inner; hit", expected]);
    }
    for (handling, expected) in [
        (
            Handling::Forwarded { why: Forward::VaryMiss, status: StatusCode::OK, kept: Ok(()) },
            "mare; fwd=vary-miss; fwd-status=200; stored",
        ),
        (
            Handling::Forwarded {
                why: Forward::Request,
                status: StatusCode::OK,
                kept: Err(super::Refusal::SetCookie),
            },
            "mare; fwd=request; fwd-status=200; detail=set-cookie",
        ),
        (Handling::Bypassed(super::Bypass::Method), "mare; fwd=method"),
        (Handling::Bypassed(super::Bypass::NoStore), "mare; fwd=bypass; detail=no-store"),
        (Handling::Bypassed(super::Bypass::OnlyIfCached), "mare; detail=only-if-cached"),
    ] {
        let (_, mut headers) = message("200 | cache-status: inner; hit");
        mark(&mut headers, handling);
        assert_eq!(headers.get_all("cache-status").iter().collect::<Vec<_>>(), ["inner; hit", expected]);
    }
}

#[test]
fn a_hit_takes_no_room_besides_the_copied_fields() {
    let stored = store("GET", Asker::Unknown, ETAG, &route()).unwrap();
    let copied = stored.headers.clone().capacity();
    assert_eq!(answer(&stored, "GET", "", Handling::Hit, at(1)).headers().capacity(), copied);
}
