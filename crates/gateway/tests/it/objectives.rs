//! What is promised of requests is counted exactly.

use std::time::Duration;

use mare_gateway::Counts;
use tokio::sync::mpsc;

use crate::rig::{API, Rig};
use crate::upstream::{OK, Upstream};
use crate::wire::Wire;

/// Nothing here takes an hour.
const OBJECTIVE: &str = "
    [objectives.items]
    route = 'GET /items*'
    p50 = '1h'
    [alerts.slow]
    items-slow = 'GET /items* over 1h'
    all-slow = '/* over 50ms'
";

fn rig(upstream: &Upstream) -> Rig {
    let rig = Rig::new(&format!("{API}{OBJECTIVE}"));
    rig.announce("api", &[(upstream.address, 8)]);
    rig
}

/// Waits until everything is over, and looks. The clients must be gone.
async fn counted(rig: Rig, expected: Counts) {
    rig.settled().await;
    assert_eq!(rig.objectives.snapshot().objectives["items"], expected);
}

fn counts(total: u64, errors: u64, unavailable: u64) -> Counts {
    Counts { total, errors, unavailable, within: vec![total] }
}

#[tokio::test]
async fn requests_count_by_what_came_of_them() {
    async fn check(request: &str, answer: &str, expected: Counts) {
        let upstream = Upstream::answering(answer).await;
        let rig = rig(&upstream);
        let mut client = rig.client().await;
        client.ask(&format!("{request} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        drop(client);
        counted(rig, expected).await;
    }
    let answer = |line: &str| format!("HTTP/1.1 {line}\r\ncontent-length: 2\r\n\r\nok");
    check("GET /items", OK, counts(1, 0, 0)).await;
    check("GET /items/1?a=b", OK, counts(1, 0, 0)).await;
    check("GET /items", &answer("404 Not Found"), counts(1, 0, 0)).await;
    check("GET /items", &answer("429 Too Many Requests"), counts(1, 1, 0)).await;
    check("GET /items", &answer("500 Internal Server Error"), counts(1, 1, 1)).await;
    check("GET /items", "not http at all\r\n\r\n", counts(1, 1, 1)).await;
    check("GET /items", "HTTP/1.1 304 Not Modified\r\n\r\n", counts(1, 0, 0)).await;
    check("POST /items", OK, counts(0, 0, 0)).await;
    check("GET /others", OK, counts(0, 0, 0)).await;
}

#[tokio::test]
async fn the_answer_to_head_counts_without_its_body() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n").await;
    let rig = rig(&upstream);
    let mut client = rig.client().await;
    client.send("HEAD /items HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.head().await.expect("an answer");
    drop(client);
    counted(rig, counts(1, 0, 0)).await;
}

#[tokio::test]
async fn what_the_gateway_refuses_for_lack_of_room_counts() {
    let api = API.replace("[[routes]]", "scale = { waiting = 0 }\n[[routes]]");
    let rig = Rig::new(&format!("{api}{OBJECTIVE}"));
    rig.announce("api", &[]);
    let mut client = rig.client().await;
    let answer = client.ask("GET /items HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(answer.status(), 503);
    drop(client);
    counted(rig, counts(1, 1, 1)).await;
}

/// An upstream whose connections the test plays.
async fn played() -> (Upstream, mpsc::Receiver<Wire>) {
    let (hand, connections) = mpsc::channel(8);
    let upstream = Upstream::scripted(move |wire, _| {
        let hand = hand.clone();
        async move { drop(hand.send(wire).await) }
    });
    (upstream.await, connections)
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error() {
    let (upstream, mut connections) = played().await;
    let rig = rig(&upstream);
    let mut client = rig.client().await;
    client.send("GET /items HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut server = connections.recv().await.expect("a connection");
    server.request().await.expect("a request");
    server.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    client.head().await.expect("a head");
    client.expect("half").await;
    drop(server);
    client.ends().await;
    drop(client);
    counted(rig, counts(1, 1, 1)).await;
}

#[tokio::test]
async fn a_client_that_left_in_the_middle_of_its_upload_is_not_counted() {
    for body in ["content-length: 1000\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let (upstream, mut connections) = played().await;
        let rig = Rig::new(&format!("{API}{}", OBJECTIVE.replace("GET /", "POST /")));
        rig.announce("api", &[(upstream.address, 8)]);
        let mut client = rig.client().await;
        client.send(format!("POST /items HTTP/1.1\r\nhost: a\r\n{body}")).await;
        let mut server = connections.recv().await.expect("a connection");
        server.head().await.expect("a head");
        drop(client);
        server.rest().await;
        counted(rig, counts(0, 0, 0)).await;
    }
}

#[tokio::test]
async fn a_tunnel_counts_when_it_is_agreed() {
    let upgrade = "GET /items HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    for (answer, expected) in [
        ("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", counts(1, 0, 0)),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", counts(1, 0, 0)),
        ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno", counts(1, 1, 1)),
        ("", counts(1, 1, 1)),
    ] {
        let upstream = Upstream::scripted(move |mut wire, _| async move {
            wire.head().await;
            let _ = wire.try_send(answer).await;
        })
        .await;
        let rig = rig(&upstream);
        let mut client = rig.client().await;
        client.send(upgrade).await;
        client.head().await.expect("an answer");
        drop(client);
        counted(rig, expected).await;
    }
}

#[tokio::test]
async fn calls_between_services_are_not_counted() {
    let upstream = Upstream::answering(OK).await;
    let rig = rig(&upstream);
    let mut client = Wire::connect(rig.service("api")).await;
    client.ask("GET /items HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    drop(client);
    counted(rig, counts(0, 0, 0)).await;
}

#[tokio::test]
async fn a_client_that_left_is_not_counted() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"] {
        let (upstream, mut connections) = played().await;
        let rig = rig(&upstream);
        let mut client = rig.client().await;
        client.send("GET /items HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let mut server = connections.recv().await.expect("a connection");
        server.request().await.expect("a request");
        if !answer.is_empty() {
            server.send(answer).await;
            client.head().await.expect("a head");
        }
        drop(client);
        counted(rig, counts(0, 0, 0)).await;
    }
}

#[tokio::test]
async fn a_client_that_breaks_off_its_upload_is_no_error_of_the_service() {
    async fn check(settings: &str, upload: &str) {
        let (upstream, mut connections) = played().await;
        let objective = OBJECTIVE.replace("GET /", "POST /");
        let rig = Rig::new(&format!("{settings}\n{API}{objective}"));
        rig.announce("api", &[(upstream.address, 8)]);
        let mut client = rig.client().await;
        client.send("POST /items HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let mut server = connections.recv().await.expect("a connection");
        server.head().await.expect("a head");
        server.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
        client.head().await.expect("a head");
        client.send(upload).await;
        if upload.is_empty() {
            drop(client);
        } else {
            client.rest().await;
        }
        server.rest().await;
        counted(rig, counts(0, 0, 0)).await;
    }
    // It leaves, stalls, sends too much, sends what makes no sense.
    check("", "").await;
    check("[limits]\nstall = '100ms'", "1\r\n").await;
    check("[limits]\nbody = '10B'", "b\r\nhello world\r\n").await;
    check("", "x\r\n").await;
}

#[tokio::test]
async fn the_time_for_which_a_request_waits_for_an_instance_counts() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::new(&format!("{API}{OBJECTIVE}"));
    rig.announce("api", &[]);
    let mut client = rig.client().await;
    client.send("GET /items HTTP/1.1\r\nhost: a\r\n\r\n").await;
    rig.observed("api", |seen| seen.waiting == 1).await;
    // Not for something to happen: this is the time that is to be counted. More of it changes nothing.
    tokio::time::sleep(Duration::from_millis(51)).await;
    rig.announce("api", &[(upstream.address, 8)]);
    client.reply().await;
    drop(client);
    rig.settled().await;
    let slow = rig.objectives.snapshot().slow;
    assert_eq!((slow["items-slow"], slow["all-slow"]), (0, 1));
    assert!((rig.metric("mare_slow_requests_total{alert=\"all-slow\"}") - 1.0).abs() < 0.1);
}

#[tokio::test]
async fn prometheus_sees_the_limit_as_a_bound() {
    let upstream = Upstream::answering(OK).await;
    let rig = rig(&upstream);
    let mut client = rig.client().await;
    for _ in 0..3 {
        client.ask("GET /items HTTP/1.1\r\nhost: a\r\n\r\n").await;
    }
    drop(client);
    rig.settled().await;
    for series in [
        "mare_objective_requests_total{objective=\"items\"}",
        "mare_objective_duration_seconds_bucket{le=\"3600.0\",objective=\"items\"}",
        "mare_objective_duration_seconds_bucket{le=\"+Inf\",objective=\"items\"}",
        "mare_objective_duration_seconds_count{objective=\"items\"}",
    ] {
        assert!((rig.metric(series) - 3.0).abs() < 0.1, "{series} is {}", rig.metric(series));
    }
    assert!(rig.metric("mare_objective_errors_total{objective=\"items\"}") < 0.1);
    assert!(rig.metric("mare_objective_duration_seconds_sum{objective=\"items\"}") > 0.0);
}
