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
async fn a_connection_whose_framing_was_doubtful_is_not_used_again() {
    let two =
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let upstream = Upstream::answering(two).await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    for _ in 0..3 {
        assert_eq!(client.ask(GET).await.text(), "ok");
    }
    assert_eq!(upstream.accepted(), 3);
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_length_said_twice_is_passed_once() {
    for lines in ["content-length: 2, 2\r\n", "content-length: 2\r\ncontent-length: 2\r\n"] {
        // `Wire` panics at any other length.
        let reply = answered(GET, format!("HTTP/1.1 200 OK\r\n{lines}\r\nok")).await;
        assert_eq!(
            (reply.status(), reply.text().as_str(), reply.head.get("content-length")),
            (200, "ok", Some("2"))
        );
    }
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\n").await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    let reply = client.ask("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!((reply.status(), reply.head.get("content-length")), (200, Some("2")));
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn interim_answers_without_end_are_a_bad_gateway() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        wire.request().await;
        let flood = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(1000);
        while wire.try_send(&flood).await.is_ok() {}
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    let reply = client.ask(POST).await;
    assert_eq!((reply.status(), reply.code().as_str()), (502, "upstream-failed"));
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_few_interim_answers_are_passed_over_however_they_come() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        while wire.request().await.is_some() {
            let bytes = format!("{}{OK}", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(3));
            for byte in bytes.bytes() {
                wire.send([byte]).await;
            }
        }
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    for _ in 0..2 {
        assert_eq!(client.ask(GET).await.text(), "ok");
    }
    assert_eq!(upstream.accepted(), 1);
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_refusal_reaches_the_client_though_the_upstream_resets() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 413 Payload Too Large\r\ncontent-length: 2\r\n\r\nno").await;
        // With the rest of the upload unread, which resets the connection.
    })
    .await;
    let rig = Rig::before(&upstream, "");
    for _ in 0..10 {
        let mut client = rig.client().await;
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", 4 << 20)).await;
        // As many clients do: all of it, then a look at the answer.
        client.send(vec![b'x'; 4 << 20]).await;
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.text().as_str()), (413, "no"));
    }
    rig.settled().await;
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
