//! What an upstream may do wrong: the client gets 502 or a connection that ends early, never garbage, never another
//! request's answer.

use crate::rig::Rig;
use crate::upstream::{OK, Upstream};
use crate::wire::Message;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";

async fn answered(request: &str, bytes: String) -> Message {
    answered_if_at_all(request, bytes).await.expect("an answer")
}

/// The client's answer when every connection of the upstream gives these bytes and ends; `None` if the gateway
/// only hangs up.
async fn answered_if_at_all(request: &str, bytes: String) -> Option<Message> {
    let upstream = Upstream::scripted(move |mut wire, _| {
        let bytes = bytes.clone();
        async move {
            wire.request().await;
            let _ = wire.try_send(bytes).await;
        }
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.send(request).await;
    let reply = client.try_reply().await;
    drop(client);
    rig.settled().await;
    reply
}

#[tokio::test]
async fn a_head_that_is_none_is_a_bad_gateway() {
    let many = "x: 1\r\n".repeat(200);
    let large = "x".repeat(1 << 20);
    for bytes in [
        "",
        "hello",
        "\r\n\r\n",
        "garbage\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/3.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length: 2, 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\rb\r\n\r\n",
        &format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
        &format!("HTTP/1.1 200 OK\r\nx: {large}\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        for request in [GET, POST] {
            let reply = answered(request, bytes.to_owned()).await;
            let what = &bytes[..bytes.len().min(80)];
            assert_eq!((reply.status(), reply.code().as_str()), (502, "upstream-failed"), "{what:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_passed_as_whole() {
    for (bytes, got) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok", "ok"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", "ok"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", "ok"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nxyz\r\n", "ok"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nffffffffffffffffff\r\n", "ok"),
    ] {
        let reply = answered_if_at_all(GET, bytes.to_owned()).await;
        // What came before the break may get lost with it.
        if let Some(reply) = reply {
            assert!(!reply.is_complete && got.starts_with(&reply.text()), "{bytes:?}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_with_two_framings_is_passed_with_one() {
    for head in
        ["content-length: 1\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 1"]
    {
        let bytes = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        // `Wire` panics at two framings.
        let reply = answered(GET, bytes).await;
        assert_eq!((reply.status(), reply.text().as_str()), (200, "ok"));
    }
}

#[tokio::test]
async fn a_coding_that_cannot_be_passed_on_is_a_bad_gateway() {
    for coding in ["gzip, chunked", "chunked, gzip", "xchunked", "identity"] {
        let bytes = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: {coding}\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        assert_eq!(answered(GET, bytes).await.status(), 502, "{coding}");
    }
}

#[tokio::test]
async fn what_comes_behind_an_answer_is_nobodys() {
    for extra in ["HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen", "garbage", "\r\n"] {
        for first in
            [OK, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n"]
        {
            let upstream = Upstream::scripted(move |mut wire, before| async move {
                while wire.request().await.is_some() {
                    let bytes = if before == 0 { format!("{first}{extra}") } else { OK.to_owned() };
                    if wire.try_send(bytes).await.is_err() {
                        return;
                    }
                }
            })
            .await;
            let rig = Rig::before(&upstream, "");
            let mut client = rig.client().await;
            client.ask(GET).await;
            let reply = client.ask(GET).await;
            assert_eq!((reply.status(), reply.text().as_str()), (200, "ok"), "{extra:?} behind {first:?}");
            assert_eq!(upstream.accepted(), 2);
            drop(client);
            rig.settled().await;
        }
    }
}

#[tokio::test]
async fn an_instance_that_dies_in_the_middle_is_no_hang() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        wire.request().await;
        wire.reset();
    })
    .await;
    let rig = Rig::before(&upstream, "");
    for request in [GET, POST] {
        let reply = rig.client().await.ask(request).await;
        assert_eq!((reply.status(), reply.code().as_str()), (502, "upstream-failed"));
    }
    rig.settled().await;
}
