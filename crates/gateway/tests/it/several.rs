//! Two gateways that share a Redis: limits, and copies that a write at the other one ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use servers::Redis;

use crate::rig::{API, Rig};
use crate::upstream::{OK, Upstream};
use crate::wire::Message;

/// API keys with the SHA-256 of "one" and of "two".
const KEYS: &str = "[api_keys.one]\n\
    hash = 'sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed'\n\
    [api_keys.two]\n\
    hash = 'sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3'\n";

/// Two gateways of one application before one upstream, `settings` in its route, once they are connected.
async fn two(server: &Redis, upstream: &Upstream, settings: &str) -> [Rig; 2] {
    // Whoever is that patient never takes a Redis that is there for one that is not.
    let shared = format!("[cache]\nredis_timeout = '10s'\n[backends]\nredis = '{}'\n{KEYS}", server.url());
    let rigs = [(); 2].map(|()| Rig::new(&format!("{shared}{API}{settings}\n")));
    for rig in &rigs {
        rig.announce("api", &[(upstream.address, 8)]);
        rig.redis.as_ref().expect("the manifest names one").wait_until_up().await;
    }
    rigs
}

async fn ask(rig: &Rig, line: &str, lines: &str) -> Message {
    rig.client().await.ask(&format!("{line} HTTP/1.1\r\nhost: a\r\n{lines}\r\n")).await
}

/// The statuses of requests that go to the two in turn.
async fn statuses(rigs: &[Rig; 2], requests: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (at, lines) in requests.iter().enumerate() {
        statuses.push(ask(&rigs[at % 2], "GET /", lines).await.status());
    }
    statuses
}

#[tokio::test]
async fn limits_are_of_both_together() {
    let check = async |settings: &str, requests: &[&str], expected: &[u16]| {
        let (server, upstream) = (Redis::start(), Upstream::answering(OK).await);
        let rigs = two(&server, &upstream, settings).await;
        assert_eq!(statuses(&rigs, requests).await, expected, "{settings}");
    };
    let (one, other) = ("x-api-key: one\r\n", "x-api-key: two\r\n");
    check("limit = { rate = '1/h', burst = 3, per = 'route' }", &[""; 5], &[200, 200, 200, 429, 429]).await;
    let by_user = "auth = 'key'\nlimit = { rate = '1/h', burst = 2, per = 'user' }";
    let requests = [one, one, one, other, "", other, other];
    check(by_user, &requests, &[200, 200, 429, 200, 401, 200, 429]).await;
    let by_address = "auth = 'key'\nlimit = { rate = '1/h', burst = 2 }";
    check(by_address, &["", "", one], &[401, 401, 429]).await;
}

#[tokio::test]
async fn answers_say_what_is_left_of_the_shared_limit() {
    let (server, upstream) = (Redis::start(), Upstream::answering(OK).await);
    let rigs = two(&server, &upstream, "limit = { rate = '1/h', burst = 2 }").await;
    for (at, left) in [(0, 1), (1, 0)] {
        let reply = ask(&rigs[at], "GET /", "").await;
        let quota = reply.head.get("ratelimit").expect("a quota");
        assert!(quota.starts_with(&format!("\"ip\";r={left};t=")), "{quota}");
    }
    let refused = ask(&rigs[0], "GET /", "").await;
    assert_eq!(refused.code(), "rate-limited");
    let wait: u64 = refused.head.get("retry-after").expect("when to come again").parse().expect("seconds");
    assert!((1..=3600).contains(&wait), "{wait}");
}

/// Never an open door, never a closed shop.
#[tokio::test]
async fn without_redis_each_gateway_counts_on_its_own() {
    let (server, upstream) = (Redis::start(), Upstream::answering(OK).await);
    let rigs = two(&server, &upstream, "limit = { rate = '1/h', burst = 2, per = 'route' }").await;
    assert_eq!(statuses(&rigs, &[""; 3]).await, [200, 200, 429]);
    server.stop();
    for rig in &rigs {
        rig.redis.as_ref().expect("there is one").wait_until_away().await;
    }
    assert_eq!(statuses(&rigs, &[""; 6]).await, [200, 200, 200, 200, 429, 429]);
    assert!((rigs[0].metric("mare_limit_unshared_total{route=\"/*\"}") - 3.0).abs() < 0.1);
    server.start_again();
    for rig in &rigs {
        rig.redis.as_ref().expect("there is one").wait_until_up().await;
    }
    assert_eq!(statuses(&rigs, &[""; 3]).await, [200, 200, 429], "an empty one begins anew");
}

/// Counts its GETs in their answers, and tells of changes in those to POSTs.
async fn counting() -> Upstream {
    let count = Arc::new(AtomicUsize::new(0));
    Upstream::scripted(move |mut wire, _| {
        let count = Arc::clone(&count);
        async move {
            while let Some(request) = wire.request().await {
                let answer = if request.head.line.starts_with("GET") {
                    let body = count.fetch_add(1, Ordering::Relaxed).to_string();
                    let length = body.len();
                    format!("HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncache-tag: x\r\ncontent-length: {length}\r\n\r\n{body}")
                } else {
                    "HTTP/1.1 204 No Content\r\ncache-purge: x\r\n\r\n".to_owned()
                };
                if wire.try_send(answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn who_wrote_at_one_reads_it_at_the_other() {
    let (server, upstream) = (Redis::start(), counting().await);
    let rigs = two(&server, &upstream, "cache = {}").await;
    let mut last = 0;
    for turn in 0..10 {
        for rig in &rigs {
            let read: u64 = ask(rig, "GET /items", "").await.text().parse().expect("a count");
            assert!(read >= last, "{read} after {last}");
            last = read;
        }
        let before = last;
        ask(&rigs[turn % 2], "POST /other", "content-length: 0\r\n").await;
        let read: u64 = ask(&rigs[(turn + 1) % 2], "GET /items", "").await.text().parse().expect("a count");
        assert!(read > before, "{read} is from before the write");
        last = read;
    }
}
