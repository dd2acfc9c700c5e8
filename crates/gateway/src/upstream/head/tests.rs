use proptest::prelude::*;

use super::*;

fn decoded(text: &str, method: &Method) -> Result<Option<Head>, BadHead> {
    decode(&mut Bytes::copy_from_slice(text.as_bytes()), method)
}

#[test]
fn the_framing_is_what_rfc_9112_says() {
    let check = |method: Method, head: &str, expected: &str, keeps_open: bool| {
        let head = decoded(&format!("{head}\r\n\r\n"), &method).expect("a head").expect("whole");
        assert_eq!((format!("{:?}", head.remaining).as_str(), head.keeps_open), (expected, keeps_open));
    };
    let chunked = format!("{:?}", Remaining::Chunked(Chunks::default()));
    check(Method::GET, "HTTP/1.1 200 OK\r\ncontent-length: 5", "Sized(5)", true);
    check(Method::GET, "HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\ncontent-length: 5", "Sized(5)", true);
    check(Method::GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked", &chunked, true);
    check(Method::GET, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1", &chunked, false);
    check(Method::GET, "HTTP/1.1 200 OK", "UntilClose", false);
    check(Method::HEAD, "HTTP/1.1 200 OK\r\ncontent-length: 5", "Sized(0)", true);
    check(Method::HEAD, "HTTP/1.1 200 OK", "Sized(0)", true);
    check(Method::GET, "HTTP/1.1 204 No Content", "Sized(0)", true);
    check(Method::GET, "HTTP/1.1 304 Not Modified\r\ncontent-length: 5", "Sized(0)", true);
    check(Method::GET, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: x, Close", "Sized(5)", false);
    check(Method::GET, "HTTP/1.0 200 OK\r\ncontent-length: 5", "Sized(5)", false);
    check(Method::GET, "HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive", "Sized(5)", true);
    check(
        Method::GET,
        "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200\r\ncontent-length: 1",
        "Sized(1)",
        true,
    );
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6",
        "HTTP/1.1 200 OK\r\ncontent-length: +5",
        "HTTP/1.1 200 OK\r\ncontent-length:",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked",
        "HTTP/1.1 99 Low",
        "HTTP/2.0 200 OK",
        "HTTP/1.1 200 OK\r\na b: c",
        "HTTP/1.1 200 OK\r\na: b\r\n c: folded",
    ] {
        assert!(decoded(&format!("{head}\r\n\r\n"), &Method::GET).is_err(), "{head:?}");
    }
}

#[test]
fn a_head_has_a_bound_whether_it_ends_or_not() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(HEAD_MAX));
    assert!(matches!(decoded(&long, &Method::GET), Err(BadHead::TooLarge)));
    assert!(matches!(decoded(&format!("{long}\r\n\r\n"), &Method::GET), Err(BadHead::TooLarge)));
}

#[test]
fn what_follows_a_head_stays() {
    let mut read =
        Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 418 Short\r\nx: \xe9\r\n\r\nbody");
    let head = decode(&mut read, &Method::GET).expect("a head").expect("whole");
    assert_eq!((head.parts.status.as_u16(), &read[..]), (418, &b"body"[..]));
    assert_eq!(head.parts.headers["x"].as_bytes(), b"\xe9");
    let reason = head.parts.extensions.get::<ReasonPhrase>().expect("not the usual one");
    assert_eq!(reason.as_bytes(), b"Short");
}

#[test]
fn the_framing_sent_is_the_bodys_alone() {
    let check = |lines: &[(&str, &str)], length: Length, expected: &str| {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, value.parse().expect("a value"));
        }
        let head = encode(&Method::PUT, &Uri::from_static("/a?b=c"), &headers, length);
        let expected = format!("PUT /a?b=c HTTP/1.1\r\n{expected}\r\n");
        assert_eq!(std::str::from_utf8(&head), Ok(expected.as_str()));
    };
    check(&[("host", "a"), ("x", "1"), ("x", "2")], Length::None, "host: a\r\nx: 1\r\nx: 2\r\n");
    check(
        &[("content-length", "7"), ("transfer-encoding", "gzip")],
        Length::Chunked,
        "transfer-encoding: chunked\r\n",
    );
    check(&[("content-length", "7")], Length::Exactly(3), "content-length: 3\r\n");
    check(&[("content-length", "0")], Length::None, "content-length: 0\r\n");
}

proptest! {
    #[test]
    fn nothing_panics_it(bytes: Vec<u8>, start in "(HTTP/1.1 [0-9]{3} |)[a-z: \r\n0-9]{0,60}") {
        let mut text = start.into_bytes();
        text.extend(bytes);
        let _ = decode(&mut Bytes::from(text), &Method::GET);
    }

    #[test]
    fn a_head_is_the_same_however_much_of_it_came_first(at in 0..70_usize) {
        let whole = Bytes::from_static(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: y\r\n\r\nok");
        let end = whole.len() - 2;
        let head = decode(&mut whole.slice(..at.min(whole.len())), &Method::GET).expect("no mistake");
        prop_assert_eq!(head.is_some(), at >= end);
    }
}
