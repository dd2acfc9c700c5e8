//! Bodies pass as they come, and nobody collects them.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::rig::Rig;
use crate::upstream::{OK, Upstream};
use crate::wire::Wire;

/// What may be on its way between two ends that do not read: the sockets' buffers of both connections, and ours.
const IN_TRANSIT_MAX: usize = 24 << 20;

/// An upstream whose first connection the test plays itself.
async fn played() -> (Upstream, mpsc::Receiver<Wire>) {
    let (hand, connections) = mpsc::channel(8);
    let upstream = Upstream::scripted(move |wire, _| {
        let hand = hand.clone();
        async move { drop(hand.send(wire).await) }
    });
    (upstream.await, connections)
}

#[tokio::test]
async fn an_answer_passes_chunk_by_chunk() {
    let (upstream, mut connections) = played().await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n").await;
    let mut server = connections.recv().await.expect("a connection");
    server.request().await.expect("a request");
    server
        .send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    assert_eq!(client.head().await.expect("a head").get("transfer-encoding"), Some("chunked"));
    for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
        server.send(format!("{:x}\r\n{event}\r\n", event.len())).await;
        // Before the next one is sent.
        assert_eq!(client.chunk().await.as_deref(), Some(event.as_bytes()));
    }
    server.send("0\r\n\r\n").await;
    assert_eq!(client.chunk().await.as_deref(), Some(&b""[..]));
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_request_passes_chunk_by_chunk_and_so_does_an_early_answer() {
    let (upstream, mut connections) = played().await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let mut server = connections.recv().await.expect("a connection");
    assert_eq!(server.head().await.expect("a head").get("transfer-encoding"), Some("chunked"));
    server.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
    assert_eq!(client.head().await.expect("a head").status(), 200);
    for text in ["one", "two", "three"] {
        client.send(format!("{:x}\r\n{text}\r\n", text.len())).await;
        assert_eq!(server.chunk().await.as_deref(), Some(text.as_bytes()));
        server.send(format!("{:x}\r\n{text}\r\n", text.len())).await;
        assert_eq!(client.chunk().await.as_deref(), Some(text.as_bytes()));
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(server.chunk().await.as_deref(), Some(&b""[..]));
    server.send("0\r\n\r\n").await;
    assert_eq!(client.chunk().await.as_deref(), Some(&b""[..]));
    assert_eq!(upstream.accepted(), 1);
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn many_tiny_chunks_pass_in_either_direction() {
    const COUNT: usize = 20_000;
    let upstream = Upstream::scripted(|mut wire, _| async move {
        let request = wire.request().await.expect("a request");
        assert_eq!(request.body, b"x".repeat(COUNT));
        let chunks = "1\r\ny\r\n".repeat(COUNT);
        wire.send(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")).await;
        wire.rest().await;
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    let chunks = "1\r\nx\r\n".repeat(COUNT);
    client
        .send(format!("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"))
        .await;
    let reply = client.reply().await;
    assert_eq!((reply.body.len(), reply.is_complete), (COUNT, true));
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn an_answer_that_ends_before_the_upload_is_whole_and_ends_the_connection() {
    let (upstream, mut connections) = played().await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nabc").await;
    let mut server = connections.recv().await.expect("a connection");
    server.head().await.expect("a head");
    server.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await;
    let reply = client.reply().await;
    assert_eq!((reply.status(), reply.text().as_str(), reply.is_complete), (403, "no", true));
    client.ends().await;
    // Half a request must not be followed by another one.
    server.expect("abc").await;
    server.ends().await;
    rig.settled().await;
}

/// Sends until nothing more is taken for a while; the number of bytes that went.
async fn send_until_it_blocks(wire: &mut Wire, total: usize) -> usize {
    let piece = vec![b'x'; 64 << 10];
    let mut sent = 0;
    while sent < total {
        match timeout(Duration::from_millis(300), wire.try_send_some(&piece[..piece.len().min(total - sent)]))
            .await
        {
            Ok(now) => sent += now.expect("the other side is there"),
            Err(_elapsed) => break,
        }
    }
    sent
}

#[tokio::test]
async fn a_large_upload_waits_for_a_slow_upstream() {
    const TOTAL: usize = 50 << 20;
    let (upstream, mut connections) = played().await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {TOTAL}\r\n\r\n")).await;
    let mut server = connections.recv().await.expect("a connection");
    server.head().await.expect("a head");
    let sent = send_until_it_blocks(&mut client, TOTAL).await;
    assert!(sent < IN_TRANSIT_MAX, "{sent} bytes are held somewhere");
    let (all, received) = oneshot::channel();
    let reading = tokio::spawn(async move {
        all.send(server.skip(TOTAL).await).expect("the test waits");
        server.send(OK).await;
        server
    });
    client.send(vec![b'x'; TOTAL - sent]).await;
    assert_eq!(received.await, Ok(TOTAL));
    assert_eq!(client.reply().await.text(), "ok");
    drop((client, reading.await));
    rig.settled().await;
}

#[tokio::test]
async fn a_large_download_waits_for_a_slow_client() {
    const TOTAL: usize = 50 << 20;
    let (upstream, mut connections) = played().await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut server = connections.recv().await.expect("a connection");
    server.head().await.expect("a head");
    server.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {TOTAL}\r\n\r\n")).await;
    client.head().await.expect("a head");
    let sent = send_until_it_blocks(&mut server, TOTAL).await;
    assert!(sent < IN_TRANSIT_MAX, "{sent} bytes are held somewhere");
    let sending = tokio::spawn(async move {
        server.send(vec![b'x'; TOTAL - sent]).await;
        server
    });
    assert_eq!(client.skip(TOTAL).await, TOTAL);
    drop((client, sending.await));
    rig.settled().await;
}

#[tokio::test]
async fn an_upload_above_the_limit_is_refused_however_its_length_is_said() {
    async fn check(body: &str, reaches_upstream: bool) {
        let (upstream, mut connections) = played().await;
        let rig = Rig::before(&upstream, "[limits]\nbody = '10B'");
        let mut client = rig.client().await;
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{body}")).await;
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code().as_str()), (413, "body-too-large"), "{body:?}");
        if reaches_upstream {
            let mut server = connections.recv().await.expect("a connection");
            assert!(server.request().await.is_none_or(|request| !request.is_complete), "{body:?}");
        } else {
            assert_eq!(upstream.accepted(), 0, "{body:?}");
        }
        drop(client);
        rig.settled().await;
        assert!((rig.metric("mare_refusals_total{code=\"body-too-large\"}") - 1.0).abs() < 0.1);
    }
    check("content-length: 11\r\n\r\nhello world", false).await;
    check("content-length: 1000000000\r\n\r\n", false).await;
    check("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", true).await;
    check("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n", true).await;
}

#[tokio::test]
async fn a_client_that_sends_on_after_a_refusal_still_gets_to_read_it() {
    const TOTAL: usize = 30 << 20;
    for path in ["/", "/none"] {
        let rig = Rig::new(&format!("[limits]\nbody = '10B'\n{}", crate::rig::API.replace("/*", "/")));
        let mut client = rig.client().await;
        client.send(format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {TOTAL}\r\n\r\n")).await;
        // As many clients do: all of it, then a look at the answer.
        client.send(vec![b'x'; TOTAL]).await;
        assert!(matches!(client.reply().await.status(), 413 | 404), "{path}");
        drop(client);
        rig.settled().await;
    }
}

#[tokio::test]
async fn an_upload_that_pauses_while_it_is_refused_is_not_reset_either() {
    let rig = Rig::new(&format!("[limits]\nbody = '10B'\n{}", crate::rig::API));
    let mut client = rig.client().await;
    let refused = client.ask("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4000000\r\n\r\n").await;
    assert_eq!(refused.status(), 413);
    // What was on its way when the answer was given; a reset would overtake the answer.
    for _ in 0..40 {
        client.send(vec![b'x'; 100_000]).await;
    }
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn an_upload_at_the_limit_passes() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "[limits]\nbody = '11B'");
    let mut client = rig.client().await;
    for body in [
        "content-length: 11\r\n\r\nhello world",
        "transfer-encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n",
    ] {
        assert_eq!(
            client.ask(&format!("POST / HTTP/1.1\r\nhost: a\r\n{body}")).await.status(),
            200,
            "{body:?}"
        );
    }
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_client_that_leaves_frees_its_slot_and_cancels_the_upstream() {
    async fn check(request: &str, answer: &str) {
        let (upstream, mut connections) = played().await;
        let rig = Rig::before(&upstream, "");
        let mut client = rig.client().await;
        client.send(request).await;
        let mut server = connections.recv().await.expect("a connection");
        server.head().await.expect("a head");
        server.send(answer).await;
        if !answer.is_empty() {
            client.head().await.expect("a head");
        }
        rig.observed("api", |seen| seen.in_flight == 1).await;
        drop(client);
        server.rest().await;
        rig.settled().await;
    }
    let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let upload = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nabc";
    let stream = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n";
    check(get, "").await;
    check(get, stream).await;
    check(upload, "").await;
    check(upload, stream).await;
    check("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "").await;
    check("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n", "").await;
}
