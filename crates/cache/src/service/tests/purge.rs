//! What a purge ends, and when.

use super::*;
use crate::purge::Unsafe;

const TAGGED: [(&str, &str); 2] = [MINUTE, ("cache-tag", "x")];

#[tokio::test(start_paused = true)]
async fn a_purge_ends_what_has_its_tag() {
    let world = World::new(&shared());
    let check = async |purge: Purge, ended: bool| {
        world.cache.purge(Purge::All).await;
        world.store(&Request::get("/a/b?c=d"), &TAGGED, "one").await;
        world.cache.purge(purge.clone()).await;
        assert_eq!(matches!(world.look(&Request::get("/a/b?c=d")), Look::Ask(_)), ended, "{purge:?}");
    };
    let address = |text| Purge::address(text).expect("an address");
    check(Purge::named(["x"]), true).await;
    check(Purge::named(["y", "x"]), true).await;
    check(Purge::All, true).await;
    check(address("/a/b"), true).await;
    check(address("/a/b?other"), true).await;
    check(address("/a/%62"), true).await;
    check(address("http://SHOP.example:80/a/b"), true).await;
    check(address("https://shop.example/a/b"), true).await;
    check(Purge::named(["y", "X", "/a/b"]), false).await;
    check(Purge::named([]), false).await;
    check(address("/a"), false).await;
    check(address("http://shop.example:81/a/b"), false).await;
    check(address("http://other.example/a/b"), false).await;
    assert_eq!(Purge::address("a/b"), None);
    assert_eq!(Purge::address("shop.example"), None);
    assert_eq!(Purge::address("*"), None);
}

#[tokio::test(start_paused = true)]
async fn a_fill_that_began_before_a_purge_is_not_used_after_it() {
    let world = World::new(&shared());
    let request = Request::get("/a");
    let before = world.fill(&request).await;
    let recorder = before.record(&TAGGED);
    world.purge("x").await;
    // Who comes now waits, but not for this answer.
    let later = tokio::spawn(world.ask(&request).settle());
    settle_down().await;
    recorder.give("old");
    settle_down().await;
    let Settled::Fill(fill) = later.await.expect("no panic") else { panic!("fetches again") };
    world.ask(&request);
    fill.record(&TAGGED).give("new");
    assert_eq!(world.hit(&request), "new");
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_does_not_displace_a_newer_one() {
    let world = World::new(&shared());
    let request = Request::get("/a").with("cache-control", "no-cache");
    let old = world.fill(&request).await.record(&TAGGED);
    world.purge("x").await;
    world.store(&request, &TAGGED, "new").await;
    old.give("old");
    assert_eq!(world.hit(&Request::get("/a")), "new");
}

#[tokio::test(start_paused = true)]
async fn purges_faster_than_the_service_do_not_keep_a_client_waiting() {
    let world = World::new(&shared());
    let request = Request::get("/a");
    let mut fill = world.fill(&request).await;
    let patient = tokio::spawn(world.ask(&request).settle());
    settle_down().await;
    let mut others = 0;
    while !patient.is_finished() {
        // Somebody else always gets there first.
        let next = tokio::spawn(world.ask(&request).settle());
        let recorder = fill.record(&TAGGED);
        world.purge("x").await;
        recorder.give("old");
        settle_down().await;
        others += 1;
        assert!(others < 10, "it waits for one after another");
        match next.await.expect("no panic") {
            Settled::Fill(next) => fill = next,
            other => panic!("{}", other.name()),
        }
        settle_down().await;
    }
    assert!(matches!(patient.await.expect("no panic"), Settled::Fill(_)));
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_counts_from_when_it_was_asked_for() {
    let world = World::new(&shared());
    let request = Request::get("/a");
    let headers = [MINUTE, ("cache-tag", "x"), ("etag", "\"1\"")];
    world.store(&request, &headers, "one").await;
    world.purge("y").await;
    pass(Duration::from_secs(61)).await;
    // Purged while it is under way: this client asked before, the next one did not.
    let fill = world.fill(&request).await;
    world.purge("x").await;
    assert_eq!(fill.answered(head(304, &headers[..])).name(), "Answer(200 OK one)");
    world.ask(&request);

    world.store(&request, &headers, "two").await;
    pass(Duration::from_secs(61)).await;
    assert_eq!(world.fill(&request).await.answered(head(304, &[])).name(), "Answer(200 OK two)");
    world.purge("y").await;
    assert_eq!(world.hit(&request), "two");
    world.purge("x").await;
    world.ask(&request);
}

/// Confirmed by a date of one second's precision, a purged answer could come back.
#[tokio::test(start_paused = true)]
async fn what_was_purged_is_not_confirmed() {
    let world = World::new(&shared());
    let request = Request::get("/a");
    for request in [request.clone(), request.with("cache-control", "no-cache")] {
        world.store(&request, &[MINUTE, ("cache-tag", "x"), ("etag", "\"1\"")], "one").await;
        pass(Duration::from_secs(61)).await;
        let ask = world.ask(&request);
        world.purge("x").await;
        let Settled::Fill(fill) = ask.settle().await else { panic!("a fill") };
        let mut sent = HeaderMap::new();
        fill.prepare(&mut sent);
        assert!(sent.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_stale_outlives_a_purge() {
    let stale = ("cache-control", "max-age=60, stale-while-revalidate=600, stale-if-error=600");
    let request = Request::get("/a");
    let world = World::new(&shared());
    world.store(&request, &[stale, ("cache-tag", "x")], "old").await;
    pass(Duration::from_secs(61)).await;
    let Look::Stale(_, ask) = world.look(&request) else { panic!("stale") };
    let Settled::Fill(fill) = ask.settle().await else { panic!("a fill") };
    world.purge("x").await;
    assert!(fill.failed().is_none(), "not in place of an error");
    world.ask(&request);

    world.store(&request, &[stale, ("cache-tag", "x")], "old").await;
    pass(Duration::from_secs(61)).await;
    let Look::Stale(_, ask) = world.look(&request) else { panic!("stale") };
    let Settled::Fill(fill) = ask.settle().await else { panic!("a fill") };
    world.purge("x").await;
    assert_eq!(fill.answered(head(503, &[])).name(), "Pass(503 Service Unavailable)");
}

#[tokio::test(start_paused = true)]
async fn a_subjects_purge_ends_its_entries_and_nobody_elses() {
    let world = World::new(&per_user());
    for (user, target) in [(1, "/a"), (1, "/b?c"), (2, "/a"), (2, "/b?c")] {
        world.store(&Request::get(target).of(user), &[MINUTE], target).await;
    }
    let method = Method::POST;
    let unknown = Unsafe {
        method: &method,
        scheme: &Scheme::HTTP,
        authority: "shop.example",
        target: "/elsewhere",
        subject: Some(&Subject([1; 32])),
        answer: None,
    };
    world.cache.purge(world.cache.of_unsafe(&unknown).expect("a purge")).await;
    world.ask(&Request::get("/a").of(1));
    world.ask(&Request::get("/b?c").of(1));
    assert_eq!(world.hit(&Request::get("/a").of(2)), "/a");
    assert_eq!(world.hit(&Request::get("/b?c").of(2)), "/b?c");
}

#[tokio::test(start_paused = true)]
async fn an_exchange_ends_what_it_changed() {
    let world = World::new(&per_user());
    let check = async |method: Method, answer: Option<(u16, &[(&'static str, &str)])>, ended: &[&str]| {
        let tagged = [MINUTE, ("cache-tag", "x")];
        let all = ["/a", "/b", "/c"];
        for target in all {
            let headers = if target == "/c" { &tagged[..] } else { &tagged[..1] };
            let request = Request::get(target).of(1);
            if let Look::Ask(_) = world.look(&request) {
                world.store(&request, headers, target).await;
            }
        }
        let answer = answer.map(|(status, headers)| head(status, headers));
        let exchange = Unsafe {
            method: &method,
            scheme: &Scheme::HTTP,
            authority: "Shop.example:80",
            target: "/a?q",
            subject: None,
            answer: answer.as_ref().map(|head| (head.status, &head.headers)),
        };
        if let Some(purge) = world.cache.of_unsafe(&exchange) {
            world.cache.purge(purge).await;
        }
        let is_ended = |target: &&str| matches!(world.look(&Request::get(target).of(1)), Look::Ask(_));
        let seen: Vec<&str> = all.into_iter().filter(is_ended).collect();
        assert_eq!(seen, ended, "{method} {answer:?}");
    };
    check(Method::POST, Some((200, &[])), &["/a"]).await;
    check(Method::PUT, Some((303, &[("location", "/b")])), &["/a", "/b"]).await;
    check(Method::POST, Some((201, &[("location", "http://other.example/b")])), &["/a"]).await;
    check(Method::POST, Some((404, &[])), &[]).await;
    check(Method::POST, Some((500, &[("cache-purge", "x")])), &["/c"]).await;
    check(Method::GET, Some((200, &[("cache-purge", "x, y")])), &["/c"]).await;
    check(Method::GET, Some((200, &[])), &[]).await;
    check(Method::DELETE, None, &["/a"]).await;
    check(Method::GET, None, &[]).await;
    check(Method::POST, Some((200, &[("cache-purge", "a b")])), &["/a", "/b", "/c"]).await;
}
