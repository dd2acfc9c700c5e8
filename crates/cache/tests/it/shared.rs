//! While Redis is there.

use mare_cache::policy::Bypass;
use mare_cache::{Answered, Purge};

use crate::gateway::{Gateway, Outcome, PATIENT, Request, app, give, head};

const MINUTE: (&str, &str) = ("cache-control", "max-age=60");
const TAGGED: &[(&str, &str)] = &[MINUTE, ("cache-tag", "a, b")];

fn answer(text: &str) -> Outcome {
    Outcome::Answer(text.to_owned())
}

async fn two() -> (Gateway, Gateway) {
    let (url, app) = (servers::Redis::shared().url(), app());
    (Gateway::start(&url, &app, PATIENT).await, Gateway::start(&url, &app, PATIENT).await)
}

#[tokio::test]
async fn what_one_gateway_stored_the_other_has() {
    let (one, other) = two().await;
    let request = Request::get("/a?b=c");
    one.store(&request, &[MINUTE], "body").await;
    assert_eq!(other.get(&request).await, answer("body"));
    assert_eq!(other.metric("mare_cache_second_tier_total{result=\"hit\"}"), 1);
    // Now from its own memory.
    assert_eq!(other.get(&request).await, answer("body"));
    assert_eq!(other.metric("mare_cache_second_tier_total{result=\"hit\"}"), 1);
    assert_eq!(other.get(&Request::get("/a")).await, Outcome::Miss);
}

#[tokio::test]
async fn applications_and_users_share_nothing() {
    let url = servers::Redis::shared().url();
    let one = Gateway::start(&url, &app(), PATIENT).await;
    let stranger = Gateway::start(&url, &app(), PATIENT).await;
    one.store(&Request::get("/a").of(1), &[MINUTE], "mine").await;
    assert_eq!(one.get(&Request::get("/a").of(2)).await, Outcome::Miss);
    assert_eq!(stranger.get(&Request::get("/a").of(1)).await, Outcome::Miss);
}

#[tokio::test]
async fn variants_are_found_by_their_fields() {
    let (one, other) = two().await;
    let request = |language: &str| Request::get("/a").with("accept-language", language);
    let headers = [MINUTE, ("vary", "accept-language")];
    one.store(&request("pt"), &headers, "maré").await;
    one.store(&request("en"), &headers, "tide").await;
    assert_eq!(other.get(&request("en")).await, answer("tide"));
    assert_eq!(other.get(&request("pt")).await, answer("maré"));
    assert_eq!(other.get(&request("fr")).await, Outcome::Miss);
}

#[tokio::test]
async fn a_purge_anywhere_ends_what_is_tagged_everywhere() {
    let (one, other) = two().await;
    let check = async |purge: Purge, expected: Outcome| {
        let request = Request::get("/a");
        one.store(&request, TAGGED, "body").await;
        assert_eq!(other.get(&request).await, answer("body"));
        assert!(one.cache.purge(purge.clone()).await.is_everywhere);
        assert_eq!(other.get(&request).await, expected, "{purge:?}");
        assert_eq!(one.get(&request).await, expected, "{purge:?}");
        one.cache.purge(Purge::named(["a"])).await;
    };
    check(Purge::named(["a"]), Outcome::Miss).await;
    check(Purge::named(["x", "b"]), Outcome::Miss).await;
    check(Purge::address("/a").expect("an address"), Outcome::Miss).await;
    check(Purge::address("http://shop.example/a").expect("an address"), Outcome::Miss).await;
    check(Purge::All, Outcome::Miss).await;
    check(Purge::named(["c"]), answer("body")).await;
    check(Purge::address("/b").expect("an address"), answer("body")).await;
}

#[tokio::test]
async fn an_untagged_entry_in_memory_is_not_asked_about_but_one_in_redis_is() {
    let (one, other) = two().await;
    let (seen, unseen) = (Request::get("/seen"), Request::get("/unseen"));
    one.store(&seen, &[MINUTE], "body").await;
    one.store(&unseen, &[MINUTE], "body").await;
    assert_eq!(other.get(&seen).await, answer("body"));
    let exchanges = other.metric("mare_redis_exchanges_total");
    for path in ["/seen", "/unseen"] {
        one.cache.purge(Purge::address(path).expect("an address")).await;
    }
    assert!(matches!(other.look(&seen), mare_cache::Look::Answer(_)), "served for its time to live");
    assert!(other.metric("mare_redis_exchanges_total") - exchanges <= 1, "that of the look each second");
    assert_eq!(other.get(&unseen).await, Outcome::Miss);
    assert_eq!(one.get(&unseen).await, Outcome::Miss);
}

#[tokio::test]
async fn a_purge_of_all_reaches_what_is_untagged_too() {
    let (one, other) = two().await;
    let request = Request::get("/a");
    one.store(&request, &[MINUTE], "body").await;
    assert_eq!(other.get(&request).await, answer("body"));
    one.cache.purge(Purge::All).await;
    // The other one hears of it with whatever it asks next, or within a second.
    while other.get(&request).await != Outcome::Miss {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_fill_that_a_purge_elsewhere_overtook_is_stored_for_nobody() {
    let (one, other) = two().await;
    let request = Request::get("/a");
    let fill = one.fill(&request).await;
    other.purge("a").await;
    give(fill, TAGGED, "old");
    one.store(&request, TAGGED, "new").await;
    assert_eq!(other.get(&request).await, answer("new"));
}

#[tokio::test]
async fn an_evicted_record_brings_nothing_back() {
    let server = servers::Redis::start();
    let (url, app) = (server.url(), app());
    let (one, other) = (Gateway::start(&url, &app, PATIENT).await, Gateway::start(&url, &app, PATIENT).await);
    let request = Request::get("/a");
    one.store(&request, TAGGED, "old").await;
    let fill = other.fill(&Request::get("/b")).await;
    one.purge("a").await;
    // By a script: names are bytes.
    let delete = "for _, key in ipairs(redis.call('keys', ARGV[1])) do redis.call('del', key) end";
    server.run(&["eval", delete, "0", &format!("mare:*:{app}:t*")]);
    assert_eq!(one.get(&request).await, Outcome::Miss, "no record is as good as a purge");
    // The fill began before the purge; its tags get records again when it is stored.
    give(fill, TAGGED, "old too");
    other.store(&Request::get("/b"), TAGGED, "new").await;
    assert_eq!(one.get(&Request::get("/b")).await, answer("new"));
    assert_eq!(one.get(&request).await, Outcome::Miss);
}

#[tokio::test]
async fn without_the_sequence_everything_is_dead() {
    let server = servers::Redis::start();
    let (url, app) = (server.url(), app());
    let (one, other) = (Gateway::start(&url, &app, PATIENT).await, Gateway::start(&url, &app, PATIENT).await);
    let request = Request::get("/a");
    one.store(&request, TAGGED, "old").await;
    server.run(&["del", &format!("mare:{}:{app}:s", app.len())]);
    assert_eq!(one.get(&request).await, Outcome::Miss);
    assert_eq!(other.get(&request).await, Outcome::Miss);
    one.store(&request, TAGGED, "new").await;
    assert_eq!(other.get(&request).await, answer("new"));
    server.run(&["flushall"]);
    assert_eq!(other.get(&request).await, Outcome::Miss);
}

#[tokio::test]
async fn a_confirmed_entry_has_the_number_of_its_confirmation() {
    let (one, other) = two().await;
    let request = Request::get("/a");
    let headers = [("cache-control", "max-age=60, no-cache"), ("cache-tag", "a"), ("etag", "\"1\"")];
    give(one.fill(&request).await, &headers, "body");
    let confirm = async |expected: bool| loop {
        let fill = one.fill(&request).await;
        let mut sent = http::HeaderMap::new();
        fill.prepare(&mut sent);
        let is_asked = sent.contains_key("if-none-match");
        // What was just stored may still be on its way.
        if expected && !is_asked {
            tokio::task::yield_now().await;
            continue;
        }
        assert_eq!(is_asked, expected);
        match fill.answered(head(if expected { 304 } else { 200 }, &headers)) {
            Answered::Answer(answer) => assert_eq!(answer.body(), "body"),
            Answered::Record(_, recorder) => drop(recorder),
            Answered::Pass(_) | Answered::Again(_) => panic!("it may be kept"),
        }
        return;
    };
    confirm(true).await;
    confirm(true).await;
    other.purge("a").await;
    confirm(false).await;
}

#[tokio::test]
async fn what_asks_for_memory_alone_gets_what_is_confirmed_or_nothing() {
    let (one, other) = two().await;
    let request = Request::get("/a");
    let only = request.clone().with("cache-control", "only-if-cached");
    let part = request.clone().with("range", "bytes=0-1");
    one.store(&request, TAGGED, "body").await;
    assert_eq!(one.get(&only).await, answer("body"));
    assert_eq!(one.get(&part).await, answer("bo"));
    other.purge("a").await;
    assert_eq!(one.get(&only).await, Outcome::Pass(Bypass::OnlyIfCached));
    one.store(&request, TAGGED, "body").await;
    other.purge("a").await;
    assert_eq!(one.get(&part).await, Outcome::Pass(Bypass::Range));
}

#[tokio::test]
async fn what_is_large_stays_in_one_gateway() {
    let (one, other) = two().await;
    let body = "x".repeat((1 << 20) + 1);
    let request = Request::get("/a");
    one.store(&request, TAGGED, &body).await;
    assert_eq!(other.get(&request).await, Outcome::Miss);
}
