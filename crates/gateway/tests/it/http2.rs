//! HTTP/2 with prior knowledge on listeners of mounts.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Channel, Full};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::rig::{API, METHOD, Rig};
use crate::wire::{PATIENCE, Wire};

type Channelled = Channel<Bytes, hyper::Error>;

/// The connection's task ends when the connection does.
async fn connect<B>(address: SocketAddr) -> (SendRequest<B>, JoinHandle<hyper::Result<()>>)
where
    B: http_body::Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TcpStream::connect(address).await.expect("somebody listens");
    let (sender, connection) =
        Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream)).await.expect("HTTP/2");
    (sender, tokio::spawn(connection))
}

fn request<B>(method: Method, host: &str, path: &str, body: B) -> Request<B> {
    let uri = format!("http://{host}{path}");
    Request::builder().method(method).uri(uri).body(body).expect("a request")
}

async fn ends(connection: JoinHandle<hyper::Result<()>>) {
    let _whatever_it_says = timeout(PATIENCE, connection).await.expect("it ends in time").expect("no panic");
}

#[tokio::test]
async fn both_versions_are_spoken_on_one_port() {
    let rig = Rig::new(API);
    let (mut sender, connection) = connect::<Full<Bytes>>(rig.admin).await;
    for (method, sent) in [(Method::POST, "one"), (Method::PUT, "two"), (Method::GET, "")] {
        let body = Full::from(sent);
        let response = sender.send_request(request(method.clone(), "localhost", "/echo", body)).await;
        let answer = response.expect("an answer").into_body().collect().await.expect("a body");
        let trailers = answer.trailers().cloned().unwrap_or_default();
        assert_eq!(trailers, HeaderMap::from_iter([(METHOD, method.as_str().parse().expect("a value"))]));
        assert_eq!(answer.to_bytes(), sent);
    }
    // A method that begins as the preface does.
    let mut wire = Wire::connect(rig.admin).await;
    let reply = wire.ask("PRINT /echo HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!(reply.status(), 200);
    drop((sender, wire));
    ends(connection).await;
    rig.settled().await;
}

#[tokio::test]
async fn the_rules_are_the_same_in_both() {
    let rig = Rig::new(API);
    let (mut sender, connection) = connect::<Full<Bytes>>(rig.admin).await;
    let mut check = async |method: Method, host: &str, path: &str, expected: u16| {
        let response = sender.send_request(request(method, host, path, Full::from(""))).await;
        let response = response.expect("an answer");
        assert_eq!(response.status().as_u16(), expected, "{host} {path}");
        let _ = response.into_body().collect().await;
    };
    check(Method::GET, "localhost", "/hello", 200).await;
    check(Method::POST, "localhost", "/hello", 405).await;
    check(Method::GET, "evil.example", "/hello", 403).await;
    check(Method::GET, "localhost", "/nothing", 404).await;
    check(Method::GET, "localhost", "/hello/../echo", 400).await;
    drop(sender);
    ends(connection).await;
    rig.settled().await;
}

#[tokio::test]
async fn elsewhere_only_http1_is_spoken() {
    let rig = Rig::new(API);
    for address in [rig.public, rig.service("api")] {
        let mut wire = Wire::connect(address).await;
        wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        wire.ends().await;
    }
    rig.settled().await;
}

#[tokio::test]
async fn a_preface_that_does_not_come_is_not_waited_for() {
    let rig = Rig::new(&format!("[limits]\nheader_time = '100ms'\nidle = '1h'\nstall = '1h'\n{API}"));
    for start in ["", "PRI * HT"] {
        let mut wire = Wire::connect(rig.admin).await;
        wire.send(start).await;
        wire.ends().await;
    }
    rig.settled().await;
}

#[tokio::test]
async fn a_connection_rests_only_without_requests() {
    let rig = Rig::new(&format!("[limits]\nheader_time = '50ms'\nidle = '100ms'\nstall = '1h'\n{API}"));
    let (mut sender, connection) = connect::<Channelled>(rig.admin).await;
    let (mut upload, body) = Channel::new(1);
    upload.send_data(Bytes::from_static(b"begun, ")).await.expect("it is taken");
    let response =
        sender.send_request(request(Method::POST, "localhost", "/echo", body)).await.expect("an answer");
    // Longer than it may rest; another connection that does rest shows that the time has passed.
    let (_resting, rested) = connect::<Channelled>(rig.admin).await;
    ends(rested).await;
    upload.send_data(Bytes::from_static(b"finished")).await.expect("it is taken");
    drop(upload);
    assert_eq!(response.into_body().collect().await.expect("a body").to_bytes(), "begun, finished");
    ends(connection).await;
    drop(sender);
    rig.settled().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_not_waited_for() {
    let rig = Rig::new(&format!("[limits]\nheader_time = '1h'\nidle = '1h'\nstall = '100ms'\n{API}"));
    let (mut sender, connection) = connect::<Full<Bytes>>(rig.admin).await;
    // More than all windows, and nobody reads it.
    let body = Full::from(vec![b'x'; 16 * 1024 * 1024]);
    let response: http::Response<hyper::body::Incoming> =
        sender.send_request(request(Method::POST, "localhost", "/echo", body)).await.expect("an answer");
    ends(connection).await;
    assert!(response.into_body().collect().await.is_err(), "it was cut");
    rig.settled().await;
}

#[tokio::test]
async fn a_drain_finishes_what_is_under_way() {
    let rig = Rig::new(API);
    let (mut sender, connection) = connect::<Channelled>(rig.admin).await;
    let (mut upload, body) = Channel::new(1);
    upload.send_data(Bytes::from_static(b"begun")).await.expect("it is taken");
    let response =
        sender.send_request(request(Method::POST, "localhost", "/echo", body)).await.expect("an answer");
    rig.shut_down();
    drop(upload);
    assert_eq!(response.into_body().collect().await.expect("a body").to_bytes(), "begun");
    ends(connection).await;
    rig.ended().await;
}

#[tokio::test]
async fn the_drain_has_an_end_for_requests_that_have_none() {
    let rig = Rig::new(&format!("[app]\ndrain = '100ms'\n{API}"));
    let (mut sender, connection) = connect::<Channelled>(rig.admin).await;
    let (mut upload, body) = Channel::new(1);
    upload.send_data(Bytes::from_static(b"begun")).await.expect("it is taken");
    let response =
        sender.send_request(request(Method::POST, "localhost", "/echo", body)).await.expect("an answer");
    rig.shut_down();
    rig.ended().await;
    ends(connection).await;
    assert!(response.into_body().collect().await.is_err(), "it was cut");
}
