//! Requests that no instance can take at the moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::rig::{API, Rig};
use crate::upstream::{OK, Upstream};

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

fn scaled(scale: &str) -> String {
    API.replace("run = 'api'", &format!("run = 'api'\nscale = {{ {scale} }}"))
}

#[tokio::test]
async fn a_request_is_held_until_an_instance_is_announced() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::new(API);
    let mut client = rig.client().await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc").await;
    // Reported at once, or nobody would start one.
    rig.observed("api", |seen| seen.waiting == 1).await;
    rig.announce("api", &[(upstream.address, 8)]);
    assert_eq!(client.reply().await.text(), "ok");
    assert_eq!(upstream.request().text(), "abc");
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn who_came_first_is_served_first() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::new(API);
    let mut clients = Vec::new();
    for number in 0..6 {
        let mut client = rig.client().await;
        client.send(format!("GET /{number} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        rig.observed("api", |seen| seen.waiting == number + 1).await;
        clients.push(client);
    }
    // Who leaves is not served, and holds up nobody.
    drop(clients.remove(2));
    rig.observed("api", |seen| seen.waiting == 5).await;
    rig.announce("api", &[(upstream.address, 1)]);
    for client in &mut clients {
        assert_eq!(client.reply().await.status(), 200);
    }
    let order: Vec<_> =
        upstream.requests().iter().map(|request| request.head.line[5..6].to_owned()).collect();
    assert_eq!(order, ["0", "1", "3", "4", "5"]);
    drop(clients);
    rig.settled().await;
}

#[tokio::test]
async fn a_full_line_turns_away() {
    let rig = Rig::new(&scaled("waiting = 2"));
    let (mut one, mut two) = (rig.client().await, rig.client().await);
    one.send(GET).await;
    two.send(GET).await;
    rig.observed("api", |seen| seen.waiting == 2).await;
    let mut client = rig.client().await;
    for _ in 0..2 {
        let reply = client.ask(GET).await;
        assert_eq!((reply.status(), reply.code().as_str()), (503, "overloaded"));
        assert_eq!(reply.head.get("retry-after"), Some("1"));
    }
    rig.measured("mare_refusals_total{code=\"overloaded\"}", 2.0).await;
    drop((one, two, client));
    rig.settled().await;
}

#[tokio::test]
async fn nobody_waits_longer_than_allowed() {
    let rig = Rig::new(&scaled("wait = '100ms'"));
    let mut client = rig.client().await;
    let reply = client.ask(GET).await;
    assert_eq!((reply.status(), reply.code().as_str()), (503, "no-instance"));
    assert!(reply.head.get("retry-after").is_some());
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_service_that_fails_to_start_is_not_waited_for() {
    let rig = Rig::new(API);
    let mut waiting = rig.client().await;
    waiting.send(GET).await;
    rig.observed("api", |seen| seen.waiting == 1).await;
    rig.announce_failing("api", Duration::from_secs(7));
    let mut later = rig.client().await;
    for reply in [waiting.reply().await, later.ask(GET).await] {
        assert_eq!((reply.status(), reply.code().as_str()), (503, "service-failing"));
        assert_eq!(reply.head.get("retry-after"), Some("7"));
    }
    let upstream = Upstream::answering(OK).await;
    rig.announce("api", &[(upstream.address, 1)]);
    rig.observed("api", |seen| seen.instances.len() == 1).await;
    assert_eq!(later.ask(GET).await.status(), 200);
    drop((waiting, later));
    rig.settled().await;
}

#[tokio::test]
async fn an_answers_time_does_not_run_while_the_request_waits() {
    let upstream = Upstream::answering(OK).await;
    let manifest = API.replace("run = 'api'", "run = 'api'\ntimeout = '400ms'").replace("/*", "/api");
    let rig = Rig::new(&format!("[limits]\nidle = '600ms'\n{manifest}"));
    let mut client = rig.client().await;
    client.send("GET /api HTTP/1.1\r\nhost: a\r\n\r\n").await;
    rig.observed("api", |seen| seen.waiting == 1).await;
    // A resting connection is closed after more than the service's timeout.
    let mut clock = rig.client().await;
    assert_eq!(clock.ask(GET).await.code(), "no-route");
    clock.ends().await;
    rig.announce("api", &[(upstream.address, 1)]);
    assert_eq!(client.reply().await.status(), 200);
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn an_instance_that_is_taken_away_finishes_what_it_has() {
    let (answer, answers) = watch::channel(false);
    let upstream = Upstream::scripted(move |mut wire, _| {
        let mut answers = answers.clone();
        async move {
            wire.request().await;
            answers.wait_for(|now| *now).await.expect("the test runs");
            wire.send(OK).await;
            wire.ends().await;
        }
    })
    .await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    client.send(GET).await;
    rig.observed("api", |seen| seen.in_flight == 1).await;
    rig.announce("api", &[]);
    rig.observed("api", |seen| seen.instances.is_empty()).await;
    answer.send_replace(true);
    assert_eq!(client.reply().await.text(), "ok");
    // Nothing else goes there.
    client.send(GET).await;
    rig.observed("api", |seen| seen.waiting == 1).await;
    drop(client);
    rig.settled().await;
    assert_eq!((upstream.accepted(), upstream.panicked()), (1, 0));
}

#[tokio::test]
async fn an_instance_never_has_more_than_its_slots() {
    let (gate, busy, busiest) = (Arc::new(Semaphore::new(0)), Arc::default(), Arc::<AtomicUsize>::default());
    let (opened, most) = (Arc::clone(&gate), Arc::clone(&busiest));
    let upstream = Upstream::scripted(move |mut wire, _| {
        let (opened, busy, most) = (Arc::clone(&opened), Arc::<AtomicUsize>::clone(&busy), Arc::clone(&most));
        async move {
            while wire.request().await.is_some() {
                most.fetch_max(busy.fetch_add(1, Relaxed) + 1, Relaxed);
                opened.acquire().await.expect("never closed").forget();
                busy.fetch_sub(1, Relaxed);
                wire.send(OK).await;
            }
        }
    })
    .await;
    let rig = Rig::new(API);
    rig.announce("api", &[(upstream.address, 2)]);
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = rig.client().await;
        client.send(GET).await;
        clients.push(client);
    }
    rig.observed("api", |seen| seen.in_flight == 2 && seen.waiting == 3).await;
    // The end of one answer lets the next request in.
    gate.add_permits(1);
    rig.observed("api", |seen| seen.in_flight == 2 && seen.waiting == 2).await;
    gate.add_permits(4);
    for client in &mut clients {
        assert_eq!(client.reply().await.status(), 200);
    }
    assert_eq!(busiest.load(Relaxed), 2);
    drop(clients);
    rig.settled().await;
}
