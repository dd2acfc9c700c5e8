//! Whatever a client sends, the upstream sees nothing, or exactly the requests the client was entitled to.

use crate::rig::Rig;
use crate::upstream::{OK, Upstream};

/// What the upstream may have seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Seen {
    Nothing,
    /// One well-formed request with this body; `Wire::request` panics at anything else.
    One(&'static str),
    /// A request that never became complete.
    Broken,
}

/// Sends `bytes`, ends, and looks at what the upstream saw and with which status the client's first answer came.
async fn check(bytes: &str, seen: Seen, status: u16) {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    // The gateway may have hung up before the end.
    let _ = client.try_send(bytes).await;
    let reply = client.head().await.map(|head| head.status());
    assert_eq!(reply, Some(status).filter(|status| *status > 0), "{bytes:?}");
    drop(client);
    rig.settled().await;
    let requests = upstream.requests();
    let found: Vec<_> = requests.iter().map(|it| (it.is_complete, it.text())).collect();
    let expected = match seen {
        Seen::Nothing => {
            assert_eq!(upstream.accepted(), 0, "{bytes:?}");
            vec![]
        }
        Seen::One(body) => vec![(true, body.to_owned())],
        Seen::Broken => {
            assert!(found.iter().all(|(is_complete, _)| !is_complete), "{bytes:?}: {found:?}");
            return;
        }
    };
    assert_eq!(found, expected, "{bytes:?}");
}

/// A second request that must not come out of the body of the first.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";

async fn check_head(lines: &str, seen: Seen, status: u16) {
    check(&format!("POST / HTTP/1.1\r\nhost: a\r\n{lines}"), seen, status).await;
}

#[tokio::test]
async fn a_request_with_two_framings_is_read_as_chunked_and_nothing_follows() {
    let body = format!("3\r\nabc\r\n0\r\n\r\n{HIDDEN}");
    for head in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n",
        "transfer-encoding: Chunked\r\ncontent-length: 500\r\n\r\n",
        "transfer-encoding:\tchunked\r\ncontent-length: 4\r\n\r\n",
    ] {
        check_head(&format!("{head}{body}"), Seen::One("abc"), 200).await;
    }
}

#[tokio::test]
async fn a_transfer_coding_that_is_not_plain_chunked_is_refused() {
    let body = format!("3\r\nabc\r\n0\r\n\r\n{HIDDEN}");
    for coding in [
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: identity, chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked, chunked",
        "transfer-encoding: \"chunked\"",
        "transfer-encoding: chunked;q=1",
        "transfer-encoding: identity\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "transfer-encoding: x\r\n chunked",
        "transfer-encoding\t: chunked",
        "transfer-encoding : chunked",
        " transfer-encoding: chunked",
        "transfer-encoding: \u{b}chunked",
        "transfer-encoding: chunked\0",
        "transfer-encoding:\r\n chunked",
        "transfer-encoding:",
    ] {
        check_head(&format!("{coding}\r\ncontent-length: 4\r\n\r\n{body}"), Seen::Nothing, 400).await;
        check_head(&format!("{coding}\r\n\r\n{body}"), Seen::Nothing, 400).await;
    }
}

#[tokio::test]
async fn a_doubtful_length_is_refused() {
    for length in [
        "content-length: 3\r\ncontent-length: 4",
        "content-length: +3",
        "content-length: -3",
        "content-length: 3, 3",
        "content-length: 3,4",
        "content-length: 0x3",
        "content-length: 3 3",
        "content-length: 3\r\n content-length: 40",
        "content-length: 99999999999999999999999999",
        "content-length: ",
        "content-length : 3",
        "content-length: \u{b}3",
        "content-length: 3\0",
        "content-\0length: 3",
    ] {
        check_head(&format!("{length}\r\n\r\nabc{HIDDEN}"), Seen::Nothing, 400).await;
    }
    let same_twice = "content-length: 3\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc";
    check_head(&format!("{same_twice}{HIDDEN}"), Seen::One("abc"), 200).await;
}

#[tokio::test]
async fn chunks_that_are_malformed_break_the_request_off() {
    for body in [
        "3 \u{b}\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "\r\nabc\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
        "3\rabc\r\n0\r\n\r\n",
        "3;a=\nb\r\nabc\r\n0\r\n\r\n",
    ] {
        check_head(&format!("transfer-encoding: chunked\r\n\r\n{body}{HIDDEN}"), Seen::Broken, 400).await;
    }
    let long = format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(100_000));
    check_head(&format!("transfer-encoding: chunked\r\n\r\n{long}"), Seen::Broken, 400).await;
    let trailers = format!("3\r\nabc\r\n0\r\n{}\r\n", "x: 1\r\n".repeat(100_000));
    check_head(&format!("transfer-encoding: chunked\r\n\r\n{trailers}"), Seen::Broken, 400).await;
    let extended = format!("3;name=\"value\"\r\nabc\r\n0\r\n\r\n{HIDDEN}");
    let head = "transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    check_head(&format!("{head}{extended}"), Seen::One("abc"), 200).await;
}

#[tokio::test]
async fn a_head_with_bytes_that_do_not_belong_there_is_refused() {
    for head in [
        "GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: a\u{1}b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx\0: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx y: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx : b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx\r\n\r\n",
        "GET / HTTP/1.1\r\n host: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n folded\r\n\r\n",
        "GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / a HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /\u{7f} HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.2\r\nhost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nhost: a\r\n\r\n",
        "GET / http/1.1\r\nhost: a\r\n\r\n",
        "GET /\r\n\r\n",
        "G\0T / HTTP/1.1\r\nhost: a\r\n\r\n",
        "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ] {
        check(&format!("{head}{HIDDEN}"), Seen::Nothing, 400).await;
    }
    // The preface of HTTP/2 is hung up on without a word.
    check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Seen::Nothing, 0).await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    check(&format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(1 << 20)), Seen::Nothing, 431)
        .await;
    check(&format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: 1\r\n".repeat(200)), Seen::Nothing, 431).await;
    check(&format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(70_000)), Seen::Nothing, 431).await;
}

#[tokio::test]
async fn bare_line_feeds_end_lines_but_never_hide_a_request() {
    // RFC 9112 2.2 lets a recipient take them; what matters is that the upstream gets proper ones.
    let request = "POST / HTTP/1.1\nhost: a\ncontent-length: 3\nconnection: close\n\nabc";
    check(&format!("{request}{HIDDEN}"), Seen::One("abc"), 200).await;
}

#[tokio::test]
async fn the_host_is_one_and_is_a_host() {
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: user@a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\\b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a#b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a?b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: \u{e4}\r\n\r\n",
        "GET http://user:password@a/ HTTP/1.1\r\nhost: a\r\n\r\n",
        "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n",
    ] {
        check(head, Seen::Nothing, 400).await;
    }
}

#[tokio::test]
async fn an_absolute_target_overrides_the_host() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.ask("GET http://b.example:81/x?y=z HTTP/1.1\r\nhost: a.example\r\n\r\n").await;
    let request = upstream.request();
    assert_eq!(request.head.line, "GET /x?y=z HTTP/1.1");
    assert_eq!(request.head.get("host"), Some("b.example:81"));
    assert_eq!(request.head.get("x-forwarded-host"), Some("b.example:81"));
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn connection_cannot_take_away_what_the_gateway_or_the_framing_needs() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    let listed = "host, content-length, authorization, x-forwarded-for, x-forwarded-host, x-request-id, traceparent, via";
    let request = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nauthorization: Bearer x\r\nconnection: {listed}\r\n\r\nabc"
    );
    assert_eq!(client.ask(&request).await.status(), 200);
    let request = upstream.request();
    for name in listed.split(", ") {
        assert!(request.head.get(name).is_some(), "{name} is gone");
    }
    assert_eq!(request.text(), "abc");
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn an_upgrade_is_no_way_around_the_framing() {
    let upgrade = "upgrade: websocket\r\nconnection: upgrade\r\n";
    // What is sent ahead of an upgrade that is then refused is the next request, and goes through the router.
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::new("[services.api]\nrun = 'api'\n[[routes]]\nmatch = '/open'\nservice = 'api'\n");
    rig.announce("api", &[(upstream.address, 8)]);
    let mut client = rig.client().await;
    let closed = "GET /closed HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    client.send(format!("GET /open HTTP/1.1\r\nhost: a\r\n{upgrade}\r\n{closed}")).await;
    assert_eq!(client.reply().await.status(), 200);
    assert_eq!(client.reply().await.code(), "no-route");
    assert_eq!(upstream.request().head.get("upgrade"), Some("websocket"));
    drop(client);
    rig.settled().await;
    // A request with a body, of HTTP/1.0, or to h2c, is an ordinary one.
    check_head(&format!("{upgrade}connection: close\r\ncontent-length: 3\r\n\r\nabc"), Seen::One("abc"), 200)
        .await;
    let chunked = "transfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    check_head(&format!("{upgrade}{chunked}"), Seen::One("abc"), 200).await;
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\nconnection: upgrade, http2-settings\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket, H2C\r\nconnection: upgrade\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        "GET / HTTP/1.0\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ] {
        let upstream = Upstream::answering(OK).await;
        let rig = Rig::before(&upstream, "");
        assert_eq!(rig.client().await.ask(request).await.status(), 200);
        assert_eq!(upstream.request().head.get("upgrade"), None, "{request:?}");
        rig.settled().await;
    }
}

#[tokio::test]
async fn the_body_of_a_request_that_was_refused_is_not_the_next_request() {
    async fn check(request: &str, code: &str) {
        let upstream = Upstream::answering(OK).await;
        let rig = Rig::new(
            "[services.api]\nrun = 'api'\nscale.waiting = 0\n[[routes]]\nmatch = 'POST /small'\nservice = 'api'\n\
             body = '10B'\n[[routes]]\nmatch = '/full'\nservice = 'api'\n",
        );
        let mut client = rig.client().await;
        let _ = client.try_send(request).await;
        assert_eq!(client.reply().await.code(), code, "{request:?}");
        // Either the rest was read to its end, or the connection ends; then nothing else comes.
        assert_eq!(client.rest().await, "", "{request:?}");
        drop(client);
        rig.settled().await;
        assert_eq!(upstream.requests().len(), 0);
    }
    let length = HIDDEN.len();
    for (path, code) in [
        ("/small", "body-too-large"),
        ("/none", "no-route"),
        ("/full", "overloaded"),
        ("/../a", "bad-request"),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
        check(&format!("{head}content-length: {length}\r\n\r\n{HIDDEN}"), code).await;
        if path != "/small" {
            check(
                &format!("{head}transfer-encoding: chunked\r\n\r\n{length:x}\r\n{HIDDEN}\r\n0\r\n\r\n"),
                code,
            )
            .await;
        }
        // Only a part of a body is there yet.
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\n");
        check(&format!("{head}content-length: 100000\r\n\r\n{HIDDEN}"), code).await;
    }
}
