//! One client at a time.

use super::*;
use crate::policy::Bypass;

#[tokio::test(start_paused = true)]
async fn a_stored_answer_is_served_without_copying_its_body() {
    let world = World::new(&shared());
    let request = Request::get("/a?b=1");
    world.store(&request, &[MINUTE, ("cache-tag", "x"), ("content-type", "text/plain")], "one").await;
    pass(Duration::from_secs(7)).await;
    let Look::Answer(first) = world.look(&request) else { panic!("a hit") };
    let Look::Answer(second) = world.look(&request) else { panic!("a hit") };
    assert_eq!(first.body().as_ptr(), second.body().as_ptr());
    assert_eq!((header(&first, "age"), header(&first, "content-type")), ("7", "text/plain"));
    assert_eq!(header(&first, "cache-status"), "mare; hit");
    assert_eq!(header(&first, "cache-tag"), "");
    assert_eq!((world.count(Outcome::Miss), world.count(Outcome::Hit)), (1, 2));
    pass(Duration::from_secs(60)).await;
    world.ask(&request);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_received_whole_is_not_stored() {
    let world = World::new(&shared());
    let request = Request::get("/a");
    let mut recorder = world.fill(&request).await.record(&[MINUTE]);
    recorder.push(&Bytes::from_static(b"half"));
    drop(recorder);
    drop(world.fill(&request).await);
    assert!(world.fill(&request).await.failed().is_none());
    world.ask(&request);
}

#[tokio::test(start_paused = true)]
async fn bodies_larger_than_the_route_allows_are_not_stored() {
    let world = World::new(&Caching { size: 10, ..shared() });
    let request = Request::get("/a");
    let declared = world.fill(&request).await.answered(head(200, &[MINUTE, ("content-length", "11")]));
    assert_eq!(declared.name(), "Pass(200 OK)");
    let mut recorder = world.fill(&request).await.record(&[MINUTE]);
    for _ in 0..3 {
        recorder.push(&Bytes::from_static(b"1234"));
    }
    recorder.finish();
    world.ask(&request);
    world.store(&request, &[MINUTE], "1234567890").await;
    assert_eq!(world.hit(&request), "1234567890");
}

#[tokio::test(start_paused = true)]
async fn users_share_only_what_is_public() {
    let world = World::new(&shared());
    let request = Request::get("/a").of(1);
    let refused = world.fill(&request).await.answered(head(200, &[MINUTE]));
    assert_eq!(refused.name(), "Pass(200 OK)");
    world.store(&request, &[("cache-control", "public, max-age=60")], "everybody's").await;
    assert_eq!(world.hit(&Request::get("/a").of(2)), "everybody's");

    let world = World::new(&per_user());
    world.store(&request, &[MINUTE], "of 1").await;
    world.store(&Request::get("/a").of(2), &[MINUTE], "of 2").await;
    assert_eq!(world.hit(&request), "of 1");
    assert_eq!(world.hit(&Request::get("/a").of(2)), "of 2");
    world.ask(&Request::get("/a").of(3));
    world.ask(&Request::get("/a"));
}

#[tokio::test(start_paused = true)]
async fn variants_are_kept_side_by_side() {
    let world = World::new(&shared());
    let of = |coding| Request::get("/a").with("accept-encoding", coding);
    let varies = ("vary", "Accept-Encoding");
    world.store(&of("gzip"), &[MINUTE, varies], "zipped").await;
    world.store(&of("br"), &[MINUTE, varies], "broken").await;
    world.store(&Request::get("/a"), &[MINUTE, varies], "plain").await;
    assert_eq!(world.hit(&of("gzip")), "zipped");
    assert_eq!(world.hit(&of("br")), "broken");
    assert_eq!(world.hit(&Request::get("/a")), "plain");
}

#[tokio::test(start_paused = true)]
async fn a_head_and_a_range_are_served_from_what_a_get_stored() {
    let world = World::new(&shared());
    let mut of_head = Request::get("/a");
    of_head.method = Method::HEAD;
    let of_range = Request::get("/a").with("range", "bytes=1-2");
    assert_eq!(world.look(&of_head).name(), "Pass(Head)");
    assert_eq!(world.look(&of_range).name(), "Pass(Range)");
    world.store(&Request::get("/a"), &[MINUTE], "0123").await;
    assert_eq!(world.hit(&of_head), "");
    assert_eq!(world.hit(&of_range), "12");
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_none_of_its_business_pass() {
    let world = World::new(&shared());
    let check = |request: Request, expected: Bypass| match world.look(&request) {
        Look::Pass(bypass) => assert_eq!(bypass, expected),
        other => panic!("{}", other.name()),
    };
    check(Request { method: Method::POST, ..Request::get("/a") }, Bypass::Method);
    check(Request::get("/a").with("cache-control", "no-store"), Bypass::NoStore);
    check(Request::get("/a").with("cache-control", "only-if-cached"), Bypass::OnlyIfCached);
    assert_eq!(world.count(Outcome::Passed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_answer_is_served_and_fresh_again() {
    let world = World::new(&shared());
    let request = Request::get("/a").with("if-none-match", "\"other\"");
    world.store(&request, &[MINUTE, ("etag", "\"1\"")], "one").await;
    pass(Duration::from_secs(61)).await;
    let fill = world.fill(&request).await;
    let mut sent = request.headers.clone();
    fill.prepare(&mut sent);
    assert_eq!(sent.get("if-none-match"), Some(&HeaderValue::from_static("\"1\"")));
    let Answered::Answer(response) = fill.answered(head(304, &[MINUTE, ("etag", "\"1\"")])) else {
        panic!("a confirmation")
    };
    assert_eq!((response.status(), text(&response)), (StatusCode::OK, "one".into()));
    assert_eq!(world.count(Outcome::Revalidated), 1);
    pass(Duration::from_secs(30)).await;
    assert_eq!(world.hit(&request), "one");
}

#[tokio::test(start_paused = true)]
async fn a_confirmations_session_goes_to_its_own_client_only() {
    let world = World::new(&shared());
    let request = Request::get("/a");
    let headers = [("cache-control", "max-age=60, no-cache=\"set-cookie\""), ("etag", "\"1\"")];
    world.store(&request, &headers, "one").await;
    pass(Duration::from_secs(61)).await;
    let confirmed = [headers[0], headers[1], ("set-cookie", "session=1")];
    let Answered::Answer(response) = world.fill(&request).await.answered(head(304, &confirmed)) else {
        panic!("a confirmation")
    };
    assert_eq!(header(&response, "set-cookie"), "session=1");
    let Look::Answer(response) = world.look(&request) else { panic!("a hit") };
    assert_eq!(header(&response, "set-cookie"), "");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_knows_the_answer_gets_a_304() {
    let world = World::new(&shared());
    world.store(&Request::get("/a"), &[MINUTE, ("etag", "\"1\"")], "one").await;
    let Look::Answer(response) = world.look(&Request::get("/a").with("if-none-match", "\"1\"")) else {
        panic!("a hit")
    };
    assert_eq!((response.status(), text(&response)), (StatusCode::NOT_MODIFIED, String::new()));
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_of_something_else_is_asked_for_again() {
    let world = World::new(&shared());
    let request = Request::get("/a");
    world.store(&request, &[MINUTE, ("etag", "\"1\"")], "one").await;
    pass(Duration::from_secs(61)).await;
    let fill = world.fill(&request).await;
    let Answered::Again(again) = fill.answered(head(304, &[("etag", "\"2\"")])) else { panic!("again") };
    let mut sent = HeaderMap::new();
    again.prepare(&mut sent);
    assert!(sent.is_empty());
    // Nobody who asked without a condition is told that nothing changed.
    assert_eq!(again.answered(head(304, &[("etag", "\"2\"")])).name(), "Again");
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_replaces_an_error_where_it_may() {
    let world = World::new(&shared());
    let request = Request::get("/a");
    world.store(&request, &[("cache-control", "max-age=60, stale-if-error=60")], "old").await;
    pass(Duration::from_secs(61)).await;
    let answered = world.fill(&request).await.answered(head(503, &[]));
    assert_eq!(answered.name(), "Answer(200 OK old)");
    let response = world.fill(&request).await.failed().expect("a stale answer");
    assert_eq!(text(&response), "old");
    pass(Duration::from_secs(60)).await;
    assert!(world.fill(&request).await.failed().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_newer_answer_that_is_not_to_be_stored_ends_the_older_one() {
    let request = Request::get("/a");
    let check = async |status, is_left: bool| {
        let world = World::new(&shared());
        world.store(&request, &[("cache-control", "max-age=60, stale-if-error=600")], "old").await;
        pass(Duration::from_secs(61)).await;
        let no_store = [("cache-control", "no-store")];
        let passed = world.fill(&request).await.answered(head(status, &no_store));
        assert!(matches!(passed, Answered::Pass(_)), "{status}");
        assert_eq!(world.fill(&request).await.failed().is_some(), is_left, "{status}");
    };
    check(200, false).await;
    check(403, false).await;
    check(404, false).await;
    check(429, true).await;
    check(501, false).await;
    check(505, true).await;
}

#[tokio::test(start_paused = true)]
async fn what_clients_get_of_a_fill_says_nothing_of_tags() {
    let world = World::new(&shared());
    let headers = [MINUTE, ("cache-tag", "x"), ("cache-purge", "y")];
    let Answered::Record(head, _) = world.fill(&Request::get("/a")).await.answered(head(200, &headers))
    else {
        panic!("to be kept")
    };
    assert_eq!((head.headers.get("cache-tag"), head.headers.get("cache-purge")), (None, None));
    let status = head.headers.get("cache-status").and_then(|value| value.to_str().ok());
    assert_eq!(status, Some("mare; fwd=uri-miss; fwd-status=200; stored"));
}
