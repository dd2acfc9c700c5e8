//! Keep-alive on both sides.

use tokio::sync::watch;

use crate::rig::Rig;
use crate::upstream::{OK, Upstream};
use crate::wire::Wire;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test]
async fn one_upstream_connection_serves_many_requests() {
    async fn check(method: &str, answer: &str, body: &str) {
        let upstream = Upstream::answering(answer).await;
        let rig = Rig::before(&upstream, "");
        let mut client = rig.client().await;
        for _ in 0..4 {
            let reply = client.ask(&format!("{method} / HTTP/1.1\r\nhost: a\r\n\r\n")).await;
            assert_eq!((reply.text().as_str(), reply.is_complete), (body, true), "{method} {answer:?}");
        }
        assert_eq!((upstream.accepted(), upstream.requests().len()), (1, 4), "{method} {answer:?}");
        drop(client);
        rig.settled().await;
    }
    check("GET", OK, "ok").await;
    check(
        "GET",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
        "ok!",
    )
    .await;
    check("GET", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "").await;
    check("GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "").await;
    check("GET", "HTTP/1.1 204 No Content\r\n\r\n", "").await;
    check("GET", "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n", "").await;
    check("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", "").await;
    check("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", "").await;
    check("HEAD", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "").await;
    check("POST", OK, "ok").await;
    check(
        "GET",
        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n!",
        "!",
    )
    .await;
}

#[tokio::test]
async fn head_answers_keep_the_framing_the_upstream_named() {
    async fn check(answer: &str, length: Option<&str>) {
        let upstream = Upstream::answering(answer).await;
        let rig = Rig::before(&upstream, "");
        let reply = rig.client().await.ask("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(reply.head.get("content-length"), length, "{answer:?}");
        rig.settled().await;
    }
    check("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", Some("100")).await;
    check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", None).await;
    check("HTTP/1.1 200 OK\r\n\r\n", None).await;
}

#[tokio::test]
async fn clients_share_the_connections_to_an_upstream_and_none_outlives_its_instance() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    // Each of the gateway's threads has its own.
    let threads = std::thread::available_parallelism().expect("it is known").get();
    let closing = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    for _ in 0..3 * threads {
        for request in [GET, closing, "GET / HTTP/1.0\r\n\r\n"] {
            assert_eq!(rig.client().await.ask(request).await.status(), 200);
        }
    }
    assert!(upstream.accepted() <= threads, "{} connections", upstream.accepted());
    let next = Upstream::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    rig.announce_as(2, "api", &[(next.address, 8)]);
    rig.settled().await;
    assert_eq!(rig.client().await.ask(GET).await.status(), 204);
    assert_eq!(upstream.requests().len(), 9 * threads);
    rig.settled().await;
}

#[tokio::test]
async fn requests_with_bodies_share_a_connection() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.ask("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc").await;
    client.ask("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n").await;
    client.ask("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await;
    let bodies: Vec<_> = upstream.requests().iter().map(crate::wire::Message::text).collect();
    assert_eq!((bodies, upstream.accepted()), (vec!["abc".to_owned(), "def".to_owned(), String::new()], 1));
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_body_reaches_the_upstream_whatever_the_method() {
    async fn check(method: &str, framing: &str) {
        let upstream = Upstream::answering(OK).await;
        let rig = Rig::before(&upstream, "");
        let mut client = rig.client().await;
        let reply = client.ask(&format!("{method} / HTTP/1.1\r\nhost: a\r\n{framing}")).await;
        assert_eq!(reply.status(), 200, "{method} {framing:?}");
        assert_eq!(upstream.request().text(), "abc", "{method} {framing:?}");
        drop(client);
        rig.settled().await;
    }
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        check(method, "content-length: 3\r\n\r\nabc").await;
        check(method, "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").await;
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        while let Some(request) = wire.request().await {
            let path = request.head.line.split(' ').nth(1).expect("a path").to_owned();
            wire.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{path}", path.len())).await;
        }
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    let requests: Vec<_> = (0..5).map(|n| format!("GET /{n} HTTP/1.1\r\nhost: a\r\n\r\n")).collect();
    client.send(requests.concat()).await;
    for n in 0..5 {
        assert_eq!(client.reply().await.text(), format!("/{n}"));
    }
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn the_client_decides_about_its_own_connection() {
    async fn check(request: &str, answer: &str, stays: bool) {
        let upstream = Upstream::answering(answer).await;
        let rig = Rig::before(&upstream, "");
        let mut client = rig.client().await;
        client.send(request).await;
        let reply = client.reply().await;
        assert_eq!(reply.text(), "ok", "{request:?}");
        if stays {
            assert_eq!(client.ask(GET).await.status(), 200, "{request:?}");
        } else {
            client.ends().await;
        }
        drop(client);
        rig.settled().await;
    }
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
    check(GET, OK, true).await;
    check("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", OK, false).await;
    check("GET / HTTP/1.1\r\nhost: a\r\nconnection: foo, close\r\n\r\n", OK, false).await;
    check("GET / HTTP/1.0\r\n\r\n", OK, false).await;
    check("GET / HTTP/1.0\r\nhost: a\r\n\r\n", chunked, false).await;
    check("GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n", OK, true).await;
    check(GET, closing, true).await;
}

#[tokio::test]
async fn a_client_of_http_1_0_never_sees_chunks() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let upstream = Upstream::answering(chunked).await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    let reply = client.ask("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    assert_eq!((reply.head.get("transfer-encoding"), reply.text().as_str()), (None, "ok"));
    drop(client);
    assert_eq!(upstream.request().head.line, "GET / HTTP/1.1");
    rig.settled().await;
}

/// Upstreams that answer `first` on their first connection and leave it as `leave` says, then behave.
async fn leaving(first: &'static str, leaves: watch::Receiver<bool>, left: watch::Sender<bool>) -> Upstream {
    Upstream::scripted(move |mut wire, before| {
        let (mut leaves, left) = (leaves.clone(), left.clone());
        async move {
            wire.request().await;
            if before == 0 {
                wire.send(first).await;
                leaves.wait_for(|now| *now).await.expect("the test runs");
                drop(wire);
                left.send_replace(true);
                return;
            }
            loop {
                wire.send(OK).await;
                if wire.request().await.is_none() {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_connection_the_upstream_closed_is_not_used_again() {
    async fn check(method: &str, first: &'static str) {
        let (leave, leaves) = watch::channel(false);
        let (left, mut has_left) = watch::channel(false);
        let upstream = leaving(first, leaves, left).await;
        let rig = Rig::before(&upstream, "");
        let mut client = rig.client().await;
        assert!(client.ask(GET).await.is_complete);
        leave.send_replace(true);
        has_left.wait_for(|left| *left).await.expect("the upstream runs");
        for _ in 0..2 {
            let request = format!("{method} / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
            assert_eq!(client.ask(&request).await.status(), 200, "{method} after {first:?}");
        }
        assert_eq!(upstream.accepted(), 2);
        drop(client);
        rig.settled().await;
    }
    for method in ["GET", "POST"] {
        check(method, OK).await;
        check(method, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n").await;
        check(method, "HTTP/1.1 204 No Content\r\n\r\n").await;
    }
}

#[tokio::test]
async fn an_upstream_that_closes_after_its_answer_without_saying_so_is_no_error() {
    let upstream = Upstream::scripted(|mut wire: Wire, _| async move {
        wire.request().await;
        wire.send(OK).await;
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    for _ in 0..20 {
        // A GET: whether the close is seen before the next request is written is a race, and a lost race may
        // be repeated only for what is idempotent.
        assert_eq!(client.ask(GET).await.text(), "ok");
    }
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn one_connection_more_than_allowed_waits_for_another_to_end() {
    let rig = Rig::new("[limits]\nconnections = 2");
    let (mut one, mut two, mut three) = (rig.client().await, rig.client().await, rig.client().await);
    three.send(GET).await;
    for client in [&mut one, &mut two] {
        assert_eq!(client.ask(GET).await.code(), "no-route");
    }
    rig.measured("mare_connections{listener=\"public\"}", 2.0).await;
    drop(one);
    assert_eq!(three.reply().await.code(), "no-route");
    drop((two, three));
    rig.settled().await;
}

#[tokio::test]
async fn an_upstream_of_http_1_0_is_understood() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        wire.request().await;
        wire.send("HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    for _ in 0..2 {
        let reply = client.ask(GET).await;
        assert_eq!((reply.head.line.as_str(), reply.text().as_str()), ("HTTP/1.1 200 OK", "until the end"));
    }
    drop(client);
    rig.settled().await;
}
