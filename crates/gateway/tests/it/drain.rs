//! The end of a gateway.

use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::rig::{API, Rig};
use crate::upstream::{OK, Upstream};
use crate::wire::Wire;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// An upstream whose connections the test plays itself.
async fn played() -> (Upstream, mpsc::Receiver<Wire>) {
    let (hand, connections) = mpsc::channel(8);
    let upstream = Upstream::scripted(move |wire, _| {
        let hand = hand.clone();
        async move { drop(hand.send(wire).await) }
    });
    (upstream.await, connections)
}

#[tokio::test]
async fn what_is_in_flight_is_finished_and_nothing_else_begun() {
    let (upstream, mut connections) = played().await;
    let rig = Rig::before(&upstream, "");
    let (mut busy, mut idle, mut fresh) = (rig.client().await, rig.client().await, rig.client().await);
    assert_eq!(idle.ask("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n").await.code(), "no-route");
    busy.send(GET).await;
    let mut server = connections.recv().await.expect("a connection");
    server.request().await.expect("a request");
    rig.measured("mare_connections{listener=\"public\"}", 3.0).await;
    rig.shut_down();
    idle.ends().await;
    fresh.ends().await;
    // Nobody is let in any more.
    assert!(TcpStream::connect(rig.public).await.is_err(), "the listener is closed");
    // The services' own listener is still there: the request in flight may need it.
    let inner = rig.service("api");
    let mut other = Wire::connect(inner).await;
    other.send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let mut second = connections.recv().await.expect("a connection");
    second.request().await.expect("a request");
    second.send(OK).await;
    assert_eq!(other.reply().await.status(), 200);
    server.send(OK).await;
    let reply = busy.reply().await;
    assert_eq!((reply.text().as_str(), reply.head.get("connection")), ("ok", Some("close")));
    busy.ends().await;
    other.ends().await;
    rig.ended().await;
    assert!(TcpStream::connect(inner).await.is_err(), "the listener is closed");
}

#[tokio::test]
async fn the_drain_has_an_end() {
    let (upstream, mut connections) = played().await;
    let rig = Rig::before(&upstream, "[app]\ndrain = '100ms'");
    let mut client = rig.client().await;
    client.send(GET).await;
    let mut server = connections.recv().await.expect("a connection");
    server.request().await.expect("a request");
    rig.shut_down();
    rig.ended().await;
    client.ends().await;
    server.ends().await;
}

#[tokio::test]
async fn an_open_tunnel_is_cut_at_the_end_of_the_drain() {
    let (upstream, mut connections) = played().await;
    let rig = Rig::before(&upstream, "[app]\ndrain = '100ms'");
    let mut client = rig.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n").await;
    let mut server = connections.recv().await.expect("a connection");
    server.request().await.expect("a request");
    server.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n").await;
    assert_eq!(client.head().await.expect("a head").status(), 101);
    rig.shut_down();
    // It goes on while others finish.
    client.send("ping").await;
    server.expect("ping").await;
    rig.ended().await;
    client.ends().await;
    server.ends().await;
}

#[tokio::test]
async fn a_tunnel_that_ends_by_itself_does_not_hold_up_the_drain() {
    let (upstream, mut connections) = played().await;
    let rig = Rig::before(&upstream, "[app]\ndrain = '1h'");
    let mut client = rig.client().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n").await;
    let mut server = connections.recv().await.expect("a connection");
    server.request().await.expect("a request");
    server.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n").await;
    client.head().await.expect("a head");
    rig.shut_down();
    drop((client, server));
    rig.ended().await;
}

#[tokio::test]
async fn requests_that_wait_when_the_drain_ends_are_told_so() {
    let rig = Rig::new(&format!("[app]\ndrain = '100ms'\n{API}"));
    let (mut client, mut other) = (rig.client().await, Wire::connect(rig.service("api")).await);
    client.send(GET).await;
    other.send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    rig.observed("api", |seen| seen.waiting == 2).await;
    rig.shut_down();
    for mut wire in [client, other] {
        let reply = wire.reply().await;
        assert_eq!((reply.status(), reply.code().as_str()), (503, "shutting-down"));
        assert_eq!(reply.head.get("retry-after"), Some("1"));
        wire.ends().await;
    }
    rig.ended().await;
}

#[tokio::test]
async fn a_gateway_with_nothing_to_do_ends_at_once() {
    let rig = Rig::new("[app]\ndrain = '1h'");
    let mut client = rig.client().await;
    assert_eq!(client.ask(GET).await.code(), "no-route");
    rig.shut_down();
    client.ends().await;
    rig.ended().await;
}
