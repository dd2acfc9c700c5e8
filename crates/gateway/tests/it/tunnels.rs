//! WebSocket and other upgrades.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::rig::{API, Rig};
use crate::upstream::{Refusing, Upstream};
use crate::wire::Wire;

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x, raw\r\n\r\n";
const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n";

/// A WebSocket server that sends everything back.
async fn echo() -> Upstream {
    Upstream::scripted(|wire, _| async move {
        let socket = tokio_tungstenite::accept_async(wire.into_stream()).await.expect("a handshake");
        let (mut out, mut incoming) = socket.split();
        while let Some(Ok(message)) = incoming.next().await {
            if (message.is_text() || message.is_binary()) && out.send(message).await.is_err() {
                return;
            }
        }
    })
    .await
}

/// A server that switches protocols and then sends every byte back.
async fn raw() -> Upstream {
    Upstream::scripted(|mut wire, _| async move {
        wire.head().await.expect("a request");
        wire.send(SWITCHING).await;
        while wire.fill().await {
            let bytes = wire.take();
            wire.send(bytes).await;
        }
    })
    .await
}

async fn websocket(rig: &Rig) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(rig.public).await.expect("connects");
    let (socket, response) = client_async("ws://shop.example/ws", stream).await.expect("a handshake");
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert!(response.headers().contains_key("x-request-id"));
    socket
}

#[tokio::test]
async fn a_websocket_carries_messages_both_ways_and_its_close() {
    let upstream = echo().await;
    let rig = Rig::before(&upstream, "");
    let mut socket = websocket(&rig).await;
    for size in [0, 1, 125, 126, 70_000, 1 << 20] {
        let message = Message::binary(vec![b'x'; size]);
        socket.send(message.clone()).await.expect("sends");
        assert_eq!(socket.next().await.expect("an echo").expect("an echo"), message);
    }
    rig.observed("api", |seen| seen.in_flight == 1).await;
    let frame = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
    socket.close(Some(frame.clone())).await.expect("closes");
    let Some(Ok(Message::Close(answer))) = socket.next().await else { panic!("the close is answered") };
    assert_eq!(answer, Some(frame));
    assert!(socket.next().await.is_none());
    drop(socket);
    rig.settled().await;
}

#[tokio::test]
async fn the_upstreams_choice_of_protocol_and_what_it_says_first_pass() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        let head = wire.head().await.expect("a request");
        assert_eq!((head.get("connection"), head.get("upgrade")), (Some("upgrade"), Some("x, raw")));
        wire.send(format!("{SWITCHING}at once")).await;
        wire.expect("early").await;
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    // The client's first bytes come with the request; they wait for the upstream's agreement.
    client.send(format!("{UPGRADE}early")).await;
    let head = client.head().await.expect("a head");
    assert_eq!(
        (head.status(), head.get("upgrade"), head.get("connection")),
        (101, Some("raw"), Some("upgrade"))
    );
    client.expect("at once").await;
    client.ends().await;
    drop(client);
    assert_eq!(upstream.panicked(), 0);
    rig.settled().await;
}

#[tokio::test]
async fn a_refused_upgrade_is_an_ordinary_answer() {
    let refusal = "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nx-why: a\r\n\r\nno";
    let upstream = Upstream::answering(refusal).await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    for _ in 0..2 {
        let reply = client.ask(UPGRADE).await;
        assert_eq!((reply.status(), reply.text().as_str(), reply.head.get("x-why")), (403, "no", Some("a")));
        assert_eq!(reply.head.get("upgrade"), None);
    }
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_refused_upgrade_is_bound_by_the_services_timeout_too() {
    let upstream = Upstream::scripted(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 5\r\n\r\nno").await;
        while wire.fill().await {}
    })
    .await;
    let rig = Rig::new(&API.replace("run = 'api'", "run = 'api'\ntimeout = '400ms'"));
    rig.announce("api", &[(upstream.address, 8)]);
    let reply = rig.client().await.ask(UPGRADE).await;
    assert_eq!((reply.text().as_str(), reply.is_complete), ("no", false));
    rig.settled().await;
}

#[tokio::test]
async fn either_side_may_end_a_tunnel() {
    let (leave, leaves) = watch::channel(false);
    let upstream = Upstream::scripted(move |mut wire, _| {
        let mut leaves = leaves.clone();
        async move {
            wire.head().await;
            wire.send(SWITCHING).await;
            tokio::select! {
                _ = leaves.wait_for(|leaves| *leaves) => {}
                () = async { while wire.fill().await {} } => {}
            }
        }
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let (mut one, mut other) = (rig.client().await, rig.client().await);
    for client in [&mut one, &mut other] {
        client.send(UPGRADE).await;
        assert_eq!(client.head().await.expect("a head").status(), 101);
    }
    rig.observed("api", |seen| seen.in_flight == 2).await;
    drop(one);
    rig.observed("api", |seen| seen.in_flight == 1).await;
    leave.send_replace(true);
    other.ends().await;
    drop(other);
    rig.settled().await;
}

#[tokio::test]
async fn a_tunnel_may_be_quiet_on_one_side_for_longer_than_a_client_may_rest() {
    let (say, said) = watch::channel(0);
    let upstream = Upstream::scripted(move |mut wire, _| {
        let mut said = said.clone();
        async move {
            wire.head().await;
            wire.send(SWITCHING).await;
            while said.changed().await.is_ok() {
                wire.send("tick").await;
            }
        }
    })
    .await;
    let rig = Rig::before(&upstream, "[limits]\nheader_time = '200ms'\nidle = '200ms'");
    for first in ["", "hello"] {
        let mut client = rig.client().await;
        client.send(UPGRADE).await;
        assert_eq!(client.head().await.expect("a head").status(), 101);
        client.send(first).await;
        for _ in 0..3 {
            // Another connection that only rests is closed in this time.
            rig.client().await.ends().await;
            say.send_modify(|count| *count += 1);
            client.expect("tick").await;
        }
    }
    drop(say);
    rig.settled().await;
}

#[tokio::test]
async fn a_tunnel_silent_on_both_sides_is_closed() {
    let upstream = raw().await;
    let rig = Rig::new(&API.replace("run = 'api'", "run = 'api'\ntimeout = '400ms'"));
    rig.announce("api", &[(upstream.address, 8)]);
    let mut client = rig.client().await;
    client.send(UPGRADE).await;
    client.head().await.expect("a head");
    client.send("x").await;
    client.expect("x").await;
    client.ends().await;
    rig.settled().await;
}

#[tokio::test]
async fn an_upgrade_goes_to_another_instance_when_one_refuses_the_connection() {
    let upstream = raw().await;
    let (dead, rig) = (Refusing::new(), Rig::new(API));
    rig.announce("api", &[(dead.address, 8), (upstream.address, 8)]);
    for _ in 0..4 {
        let mut client: Wire = rig.client().await;
        client.send(UPGRADE).await;
        assert_eq!(client.head().await.expect("a head").status(), 101);
    }
    rig.settled().await;
}

#[tokio::test]
async fn a_tunnel_is_one_of_the_connections_allowed() {
    let upstream = raw().await;
    let rig = Rig::before(&upstream, "[limits]\nconnections = 1");
    let mut client = rig.client().await;
    client.send(format!("{UPGRADE}x")).await;
    assert_eq!(client.head().await.expect("a head").status(), 101);
    client.expect("x").await;
    let mut other = rig.client().await;
    other.send(UPGRADE).await;
    client.send("y").await;
    client.expect("y").await;
    rig.measured("mare_connections{listener=\"public\"}", 1.0).await;
    assert_eq!(upstream.accepted(), 1);
    drop(client);
    assert_eq!(other.head().await.expect("a head").status(), 101);
    drop(other);
    rig.settled().await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_upgrade_is_answered_frees_its_slot() {
    let upstream = Upstream::scripted(|mut wire, _| async move { while wire.fill().await {} }).await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.send(UPGRADE).await;
    rig.observed("api", |seen| seen.in_flight == 1).await;
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn switching_protocols_unasked_is_an_upstreams_fault() {
    let upstream = Upstream::answering(SWITCHING).await;
    let rig = Rig::before(&upstream, "");
    let reply = rig.client().await.ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!((reply.status(), reply.code().as_str()), (502, "upstream-failed"));
    rig.settled().await;
}
