//! Redis killed, standing still, and back.

use std::time::Duration;

use mare_cache::{Answered, Purge, Settled};
use servers::Redis;

use crate::gateway::{Gateway, HASTY, Outcome, PATIENT, Request, app, give, head, text};

const MINUTE: (&str, &str) = ("cache-control", "max-age=60");
const TAGGED: &[(&str, &str)] = &[MINUTE, ("cache-tag", "a")];

fn answer(text: &str) -> Outcome {
    Outcome::Answer(text.to_owned())
}

/// The service answers what must not be kept.
fn refuse(fill: mare_cache::Fill, headers: &[(&'static str, &str)]) -> String {
    match fill.answered(head(200, headers)) {
        Answered::Pass(head) => head.headers["cache-status"].to_str().expect("text").to_owned(),
        Answered::Answer(_) | Answered::Record(..) | Answered::Again(_) => panic!("it should not be kept"),
    }
}

#[tokio::test]
async fn without_redis_what_is_tagged_comes_from_the_service_and_the_rest_from_memory() {
    let server = Redis::start();
    let gateway = Gateway::start(&server.url(), &app(), PATIENT).await;
    let (plain, tagged, mine) = (Request::get("/a"), Request::get("/b"), Request::get("/c").of(1));
    let windows =
        [("cache-control", "max-age=60, stale-while-revalidate=60, stale-if-error=60"), ("cache-tag", "a")];
    gateway.store(&plain, &[MINUTE], "plain").await;
    gateway.store(&tagged, &windows, "tagged").await;
    gateway.store(&mine, &[MINUTE], "mine").await;
    server.stop();
    gateway.redis.wait_until_away().await;
    assert_eq!(gateway.get(&plain).await, answer("plain"));
    for request in [&tagged, &mine] {
        let fill = gateway.fill(request).await;
        assert!(fill.failed().is_none(), "not even stale");
    }
    assert!(refuse(gateway.fill(&tagged).await, TAGGED).contains("unrecorded"));
    assert!(refuse(gateway.fill(&mine).await, &[MINUTE]).contains("unrecorded"));
    gateway.store(&Request::get("/d"), &[MINUTE], "new").await;
    assert_eq!(gateway.metric("mare_redis_up"), 0);

    server.start_again();
    gateway.redis.wait_until_up().await;
    assert_eq!(gateway.metric("mare_redis_up"), 1);
    for request in [&plain, &tagged, &mine] {
        assert_eq!(gateway.get(request).await, Outcome::Miss, "of another run");
    }
    gateway.store(&tagged, TAGGED, "again").await;
}

#[tokio::test]
async fn one_that_stands_still_is_waited_for_once() {
    let server = Redis::start();
    let gateway = Gateway::start(&server.url(), &app(), HASTY).await;
    let request = Request::get("/a");
    gateway.store(&request, TAGGED, "body").await;
    server.pause();
    assert_eq!(gateway.get(&request).await, Outcome::Miss);
    let timeouts = "mare_redis_failures_total{reason=\"timeout\"}";
    let waited = gateway.metric(timeouts);
    assert!(waited >= 1);
    let exchanges = gateway.metric("mare_redis_exchanges_total");
    for _ in 0..100 {
        assert_eq!(gateway.get(&request).await, Outcome::Miss);
    }
    // What went on meanwhile were the service's own attempts, which are made one after the other.
    let probes = gateway.metric("mare_redis_exchanges_total") - exchanges;
    assert!(probes < 100, "{probes} exchanges");
    server.resume();
    gateway.redis.wait_until_up().await;
    gateway.stored(&request, "body").await;
}

#[tokio::test]
async fn a_gateway_that_starts_without_redis_uses_it_once_it_is_there() {
    let server = Redis::start();
    server.stop();
    let gateway = Gateway::begin(&server.url(), &app(), PATIENT);
    let request = Request::get("/a");
    assert!(refuse(gateway.fill(&request).await, TAGGED).contains("unrecorded"));
    server.start_again();
    gateway.redis.wait_until_up().await;
    gateway.store(&request, TAGGED, "body").await;
}

#[tokio::test]
async fn a_restart_in_the_middle_of_a_fill_ends_it() {
    let server = Redis::start();
    let gateway = Gateway::start(&server.url(), &app(), PATIENT).await;
    let request = Request::get("/a");
    let fill = gateway.fill(&request).await;
    server.stop();
    gateway.redis.wait_until_away().await;
    server.start_again();
    gateway.redis.wait_until_up().await;
    give(fill, TAGGED, "old");
    // Whoever waited for it asks the service.
    gateway.store(&request, TAGGED, "new").await;
}

#[tokio::test]
async fn who_waits_for_a_fill_is_sent_on_if_redis_goes_away() {
    let server = Redis::start();
    let gateway = Gateway::start(&server.url(), &app(), PATIENT).await;
    let request = Request::get("/a");
    let fill = gateway.fill(&request).await;
    let waiter = gateway.settle(&request);
    let leader = async {
        server.stop();
        gateway.redis.wait_until_away().await;
        refuse_or_give(fill);
    };
    let (settled, ()) = tokio::join!(waiter, leader);
    assert!(matches!(settled, Settled::Fill(_)));
}

/// It has its number, so it is taken; but it cannot be recorded.
fn refuse_or_give(fill: mare_cache::Fill) {
    give(fill, TAGGED, "unrecorded");
}

#[tokio::test]
async fn a_purge_waits_for_redis_for_a_while() {
    let server = Redis::start();
    let (url, app) = (server.url(), app());
    let one = Gateway::start(&url, &app, HASTY).await;
    let request = Request::get("/a");
    one.store(&request, TAGGED, "old").await;
    server.pause();
    let purge = one.purge("a");
    let back = async {
        one.redis.wait_until_away().await;
        server.resume();
    };
    let (purged, ()) = tokio::join!(purge, back);
    assert!(purged.is_everywhere);
    assert_eq!(one.get(&request).await, Outcome::Miss);
}

/// The documented exception.
#[tokio::test]
async fn a_purge_that_is_given_up_is_recorded_before_its_gateway_uses_redis_again() {
    let server = Redis::start();
    let (url, app) = (server.url(), app());
    let one = Gateway::start(&url, &app, HASTY).await;
    let request = Request::get("/a");
    one.store(&request, TAGGED, "old").await;
    server.pause();
    assert!(!one.purge("a").await.is_everywhere);
    assert!(!one.cache.purge(Purge::named(["b"])).await.is_everywhere);
    assert_eq!(one.metric("mare_cache_purges_unrecorded_total"), 2);
    assert_eq!(one.get(&request).await, Outcome::Miss, "here it has ended at once");
    server.resume();
    one.redis.wait_until_up().await;
    let other = Gateway::start(&url, &app, PATIENT).await;
    assert_eq!(other.get(&request).await, Outcome::Miss);
    assert_eq!(one.get(&request).await, Outcome::Miss);
}

#[tokio::test]
async fn a_redis_that_refuses_to_write_is_away() {
    let server = Redis::start_with(&["--maxmemory-policy", "noeviction"]);
    let gateway = Gateway::start(&server.url(), &app(), PATIENT).await;
    let request = Request::get("/a");
    gateway.store(&request, TAGGED, "old").await;
    server.run(&["config", "set", "maxmemory", "1"]);
    assert!(!gateway.purge("a").await.is_everywhere);
    assert_eq!(gateway.get(&request).await, Outcome::Miss);
    server.run(&["config", "set", "maxmemory", "0"]);
    gateway.redis.wait_until_up().await;
    assert_eq!(gateway.get(&request).await, Outcome::Miss);
    gateway.store(&request, TAGGED, "new").await;
}

#[tokio::test]
async fn a_stale_answer_is_served_only_if_confirmed() {
    let server = Redis::start();
    let (url, app) = (server.url(), app());
    let (one, other) = (Gateway::start(&url, &app, PATIENT).await, Gateway::start(&url, &app, PATIENT).await);
    let request = Request::get("/a");
    let stale = [
        ("cache-control", "max-age=10, stale-while-revalidate=600, stale-if-error=600"),
        ("age", "60"),
        ("cache-tag", "a"),
    ];
    one.store(&request, &stale, "stale").await;
    let Settled::Stale(copy, refresh) = one.settle(&request).await else { panic!("it is stale") };
    assert_eq!(text(&copy), "stale");
    let Settled::Fill(fill) = refresh.settle().await else { panic!("it is to be revalidated") };
    assert_eq!(text(&fill.failed().expect("served on errors")), "stale");
    other.purge("a").await;
    assert!(one.fill(&request).await.failed().is_none());
}

/// So that what these tests wait for is bounded.
#[test]
fn the_patience_of_tests_is_longer_than_any_pause_of_the_service() {
    assert!(PATIENT > Duration::from_secs(2) && HASTY < Duration::from_secs(1));
}
