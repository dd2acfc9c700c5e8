//! When an attempt is made again, and when not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::rig::{API, Rig};
use crate::upstream::{OK, Refusing, Upstream};
use crate::wire::Wire;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
const RETRIES: &str = "mare_upstream_retries_total{target=\"api\"}";

/// Reads a request and ends with `start` of an answer, every time; counts.
async fn breaking(start: &'static str) -> (Upstream, Arc<AtomicUsize>) {
    let got = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&got);
    let upstream = Upstream::scripted(move |mut wire, _| {
        let count = Arc::clone(&count);
        async move {
            wire.request().await;
            count.fetch_add(1, Relaxed);
            let _ = wire.try_send(start).await;
        }
    });
    (upstream.await, got)
}

#[tokio::test]
async fn a_refused_connection_is_tried_elsewhere_whatever_the_method() {
    for request in [GET, POST] {
        let good = Upstream::answering(OK).await;
        let (dead, gone) = (Refusing::new(), Refusing::new());
        let rig = Rig::new(API);
        rig.announce("api", &[(dead.address, 8), (good.address, 8), (gone.address, 8)]);
        let mut client = rig.client().await;
        for _ in 0..5 {
            assert_eq!(client.ask(request).await.status(), 200, "{request:?}");
        }
        let whole = request.lines().last().expect("a line").to_owned();
        assert!(good.requests().iter().all(|request| request.text() == whole));
        assert!(rig.metric(RETRIES) <= 2.0, "an instance that refused is passed over");
        drop(client);
        rig.settled().await;
    }
}

#[tokio::test]
async fn a_broken_attempt_is_made_again_only_if_that_is_harmless() {
    async fn check(request: &str, start: &'static str, again: bool) {
        let (bad, got) = breaking(start).await;
        let good = Upstream::answering(OK).await;
        let rig = Rig::new(API);
        // Ties go round, so the first request meets the bad one.
        rig.announce("api", &[(bad.address, 8), (good.address, 8)]);
        let mut client = rig.client().await;
        let reply = client.ask(request).await;
        if again {
            assert_eq!((reply.status(), good.requests().len()), (200, 1), "{request:?}");
        } else {
            assert_eq!((reply.code().as_str(), good.requests().len()), ("upstream-failed", 0), "{request:?}");
        }
        assert_eq!(got.load(Relaxed), 1, "{request:?}");
        drop(client);
        rig.settled().await;
    }
    for start in ["", "HTTP/1.1 200 OK\r\ncontent-"] {
        check(GET, start, true).await;
        check("DELETE / HTTP/1.1\r\nhost: a\r\n\r\n", start, true).await;
        check("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n", start, true).await;
        check(POST, start, false).await;
        check("POST / HTTP/1.1\r\nhost: a\r\n\r\n", start, false).await;
        check("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc", start, false).await;
        check("PATCH / HTTP/1.1\r\nhost: a\r\n\r\n", start, false).await;
    }
}

#[tokio::test]
async fn an_answer_that_has_begun_is_not_asked_for_again() {
    let (bad, got) = breaking("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab").await;
    let good = Upstream::answering(OK).await;
    let rig = Rig::new(API);
    rig.announce("api", &[(bad.address, 8), (good.address, 8)]);
    let mut client = rig.client().await;
    client.send(GET).await;
    assert!(client.try_reply().await.is_none_or(|reply| !reply.is_complete));
    assert_eq!((got.load(Relaxed), good.requests().len()), (1, 0));
    rig.settled().await;
}

#[tokio::test]
async fn a_request_is_tried_a_few_times_and_no_more() {
    let (bad, got) = breaking("").await;
    let rig = Rig::before(&bad, "");
    let mut client = rig.client().await;
    assert_eq!(client.ask(GET).await.code(), "upstream-failed");
    assert_eq!(got.load(Relaxed), 8);
    rig.measured(RETRIES, 7.0).await;
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn retries_have_a_budget() {
    let refusing = Refusing::new();
    let dead = refusing.address;
    let rig = Rig::new(&format!("[[routes]]\nmatch = '/*'\nurl = 'http://{dead}'\n"));
    let mut client = rig.client().await;
    for _ in 0..300 {
        let reply = client.ask(GET).await;
        assert_eq!((reply.status(), reply.code().as_str()), (502, "upstream-unreachable"));
    }
    let retries = rig.metric(&format!("mare_upstream_retries_total{{target=\"{dead}\"}}"));
    // The reserve, and a fifth of the requests.
    assert!((500.0..=560.0).contains(&retries), "{retries}");
    rig.measured("mare_refusals_total{code=\"upstream-unreachable\"}", 300.0).await;
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn when_every_instance_refuses_the_request_waits_until_one_is_back() {
    let (one, other) = (Refusing::new(), Refusing::new());
    let rig = Rig::new(API);
    rig.announce("api", &[(one.address, 8), (other.address, 8)]);
    let mut client = rig.client().await;
    client.send(POST).await;
    // Both were tried and are passed over: nobody has it now.
    rig.observed("api", |seen| seen.waiting == 1 && seen.in_flight == 0).await;
    let listener = one.listen();
    let accepted = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("accepts");
        let mut wire = Wire::new(stream);
        let request = wire.request().await.expect("a request");
        wire.send(OK).await;
        request.text()
    });
    assert_eq!(client.reply().await.text(), "ok");
    assert_eq!(accepted.await.expect("no panic"), "abc");
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_task_is_not_sent_again() {
    async fn check(is_inner: bool, sent: usize) {
        let (bad, got) = breaking("").await;
        let rig = Rig::before(&bad, "");
        let address = if is_inner { rig.service("api") } else { rig.public };
        let request = "GET / HTTP/1.1\r\nhost: localhost\r\nx-cloudtasks-taskname: 1\r\n\r\n";
        let reply = Wire::connect(address).await.ask(request).await;
        assert_eq!((reply.code().as_str(), reply.head.get("x-mare-refused")), ("upstream-failed", None));
        assert_eq!(got.load(Relaxed), sent, "on its service's listener: {is_inner}");
        rig.settled().await;
    }
    check(true, 1).await;
    // A stranger cannot say that it is one.
    check(false, 8).await;
}
