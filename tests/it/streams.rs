//! What does not come in one piece: WebSocket, server-sent events, bodies.

use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper::Method;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Connection, Mare, ask, within};

const WEB: &str = r#"
[services.web]
run = "{probe}"
[[routes]]
match = "/*"
service = "web"
"#;

#[tokio::test]
async fn a_websocket_goes_both_ways_and_holds_its_slot() {
    let mare = Mare::up(WEB).await;
    let stream = TcpStream::connect(mare.public).await.expect("accepts");
    let url = format!("ws://{}/ws", mare.public);
    let (mut socket, _) = within("the handshake", client_async(url, stream)).await.expect("upgrades");
    for message in [Message::text("hello"), Message::binary(vec![7; 300_000]), Message::text("again")] {
        socket.send(message.clone()).await.expect("sends");
        let back = within("the echo", socket.next()).await.expect("open").expect("a message");
        assert_eq!(back, message);
    }
    mare.until("web", "the socket is in flight", |web| web.0["in_flight"] == 1).await;
    socket.close(None).await.expect("closes");
    while let Some(Ok(_)) = within("the close", socket.next()).await {}
    mare.until("web", "the slot is free again", |web| web.0["in_flight"] == 0).await;
    mare.stop().await;
}

#[tokio::test]
async fn an_upgrade_the_service_declines_is_an_ordinary_answer() {
    let mare = Mare::up(WEB).await;
    let stream = TcpStream::connect(mare.public).await.expect("accepts");
    let error = client_async(format!("ws://{}/echo", mare.public), stream).await.expect_err("no WebSocket");
    let Error::Http(response) = error else { panic!("{error:?}") };
    assert_eq!(response.status(), 200);
    mare.until("web", "the slot is free", |web| web.0["in_flight"] == 0).await;
    mare.stop().await;
}

#[tokio::test]
async fn events_arrive_one_by_one() {
    let mare = Mare::up(WEB).await;
    let mut connection = Connection::open(mare.public).await;
    // The second event comes in an hour, so the first one was not held back for it.
    let response = connection.send(Method::GET, "/sse?chunks=2&ms=3600000", &[], "").await.expect("a head");
    let frame =
        within("the first event", response.into_body().frame()).await.expect("open").expect("a frame");
    assert_eq!(frame.into_data().expect("data"), "data: 0\n\n");
    drop(connection);
    mare.until("web", "the client's end frees the slot", |web| web.0["in_flight"] == 0).await;
    mare.stop().await;
}

#[tokio::test]
async fn bodies_pass_unchanged() {
    let mare = Mare::up(WEB).await;
    for length in [0, 1, 100_000, 5_000_000] {
        let body = "0123456789".repeat(length / 10 + 1);
        let answer = ask(mare.public, Method::POST, "/echo", &[], &body).await;
        assert!(answer.status == 200 && answer.body == body, "{length}: {}", answer.status);
    }
    mare.stop().await;
}

#[tokio::test]
async fn what_the_platform_says_cannot_be_forged() {
    let mare = Mare::up(WEB).await;
    let forged = [("x-mare-user", "root"), ("x-cloudtasks-queuename", "q"), ("x-ordinary", "kept")];
    let seen = ask(mare.public, Method::GET, "/headers", &forged, "").await.body;
    assert!(
        seen.contains("x-ordinary") && !seen.contains("root") && !seen.contains("x-cloudtasks"),
        "{seen}"
    );
    mare.stop().await;
}

#[tokio::test]
async fn a_websocket_is_cut_at_the_end_of_the_drain() {
    let mut mare = Mare::up(&format!("[app]\ndrain = \"500ms\"\n{WEB}")).await;
    let stream = TcpStream::connect(mare.public).await.expect("accepts");
    let url = format!("ws://{}/ws", mare.public);
    let (mut socket, _) = within("the handshake", client_async(url, stream)).await.expect("upgrades");
    mare.terminate();
    mare.stderr.until("draining").await;
    socket.send(Message::text("still there")).await.expect("sends");
    let back = within("the echo", socket.next()).await.expect("open").expect("a message");
    assert_eq!(back, Message::text("still there"));
    assert!(!matches!(within("the end", socket.next()).await, Some(Ok(_))));
    assert_eq!(mare.exit_code().await, Some(0));
    mare.folder.until_nothing_runs().await;
}
