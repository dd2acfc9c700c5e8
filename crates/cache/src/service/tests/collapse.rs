//! Many clients at once.

use tokio::task::JoinSet;

use super::*;

/// What a client that settled was told: `Some(text)` for an answer; those who must fill hand that over.
struct Crowd {
    waiting: JoinSet<Settled>,
}

impl Crowd {
    /// Looks up at once, in this order, and waits.
    async fn of(world: &World, requests: impl IntoIterator<Item = Request>) -> Self {
        let mut waiting = JoinSet::new();
        for request in requests {
            let ask = world.ask(&request);
            waiting.spawn(ask.settle());
        }
        settle_down().await;
        Self { waiting }
    }

    /// Those who know by now.
    async fn settled(&mut self) -> (Vec<String>, Vec<Fill>) {
        settle_down().await;
        let (mut answers, mut fills) = (Vec::new(), Vec::new());
        while let Some(settled) = self.waiting.try_join_next() {
            match settled.expect("no panic") {
                Settled::Answer(response) | Settled::Stale(response, _) => answers.push(text(&response)),
                Settled::Fill(fill) => fills.push(fill),
                Settled::Pass(bypass) => panic!("{bypass:?}"),
            }
        }
        (answers, fills)
    }

    /// The one who fills; nobody else may have settled.
    async fn only_fill(&mut self) -> Fill {
        let (answers, mut fills) = self.settled().await;
        assert_eq!((answers.len(), fills.len()), (0, 1));
        fills.remove(0)
    }
}

fn many(target: &str, count: usize) -> impl Iterator<Item = Request> {
    std::iter::repeat_n(Request::get(target), count)
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_long_for_a_client_that_reads_slowly() {
    let world = World::new(&shared());
    let mut crowd = Crowd::of(&world, many("/a", 20)).await;
    let slow = crowd.only_fill().await.record(&[MINUTE]);
    assert!(crowd.settled().await.1.is_empty());
    pass(Duration::from_secs(1)).await;
    let recorder = crowd.only_fill().await.record(&[MINUTE]);
    recorder.give("other");
    let (answers, fills) = crowd.settled().await;
    assert_eq!((answers, fills.len()), (vec!["other".to_owned(); 18], 0));
    // Its end is not the end of a flight that others began.
    let mut later = Crowd::of(&world, many("/b", 2)).await;
    let fill = later.only_fill().await;
    slow.give("slow");
    assert!(later.settled().await.0.is_empty());
    fill.record(&[MINUTE]).give("b");
    assert_eq!(later.settled().await.0, ["b"]);
}

#[tokio::test(start_paused = true)]
async fn one_fill_answers_all_who_wait() {
    let world = World::new(&shared());
    let mut crowd = Crowd::of(&world, many("/a", 50)).await;
    let recorder = crowd.only_fill().await.record(&[MINUTE]);
    assert!(crowd.settled().await.0.is_empty(), "nobody gets half an answer");
    recorder.give("one");
    let (answers, fills) = crowd.settled().await;
    assert_eq!((answers, fills.len()), (vec!["one".to_owned(); 49], 0));
    assert_eq!((world.count(Outcome::Miss), world.count(Outcome::Collapsed)), (1, 49));
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_away_is_replaced_by_one_who_waits() {
    let world = World::new(&shared());
    let mut crowd = Crowd::of(&world, many("/a", 5)).await;
    drop(crowd.only_fill().await);
    let mut recorder = crowd.only_fill().await.record(&[MINUTE]);
    recorder.push(&Bytes::from_static(b"half"));
    drop(recorder);
    assert!(crowd.only_fill().await.failed().is_none());
    crowd.only_fill().await.record(&[MINUTE]).give("one");
    assert_eq!(crowd.settled().await.0, ["one"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_may_not_be_shared_releases_all_and_is_remembered() {
    let world = World::new(&shared());
    let mut crowd = Crowd::of(&world, many("/a", 5)).await;
    let private = [("cache-control", "private")];
    assert_eq!(crowd.only_fill().await.answered(head(200, &private)).name(), "Pass(200 OK)");
    let (answers, fills) = crowd.settled().await;
    assert_eq!((answers.len(), fills.len()), (0, 4));
    // Nobody waits for anybody any more.
    assert_eq!(Crowd::of(&world, many("/a", 3)).await.settled().await.1.len(), 3);
    // But the first answer that may be shared is, at once.
    world.store(&Request::get("/a"), &[MINUTE], "one").await;
    assert_eq!(world.hit(&Request::get("/a")), "one");
    drop(fills);
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_is_forgotten_again() {
    let world = World::new(&shared());
    let mut crowd = Crowd::of(&world, many("/a", 2)).await;
    crowd.only_fill().await.answered(head(200, &[("cache-control", "no-store")]));
    pass(UNSHARED).await;
    Crowd::of(&world, many("/a", 2)).await.only_fill().await;
}

/// A URL that nobody shares costs no memory unless somebody waited there.
#[tokio::test(start_paused = true)]
async fn nothing_is_remembered_where_nobody_waited() {
    let world = World::new(&shared());
    world.fill(&Request::get("/a")).await.answered(head(200, &[("cache-control", "no-store")]));
    assert_eq!(world.cache.shared.memory.entries(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_grows_too_large_releases_all_at_once() {
    let world = World::new(&Caching { size: 4, ..shared() });
    let mut crowd = Crowd::of(&world, many("/a", 3)).await;
    let mut recorder = crowd.only_fill().await.record(&[MINUTE]);
    recorder.push(&Bytes::from_static(b"12345"));
    assert_eq!(crowd.settled().await.1.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_get_their_own_variant_only() {
    let world = World::new(&shared());
    let of = |coding: &str| Request::get("/a").with("accept-encoding", coding);
    let requests = [of("gzip"), of("gzip"), of("br"), of("br"), of("br")];
    let mut crowd = Crowd::of(&world, requests).await;
    let varies = ("vary", "accept-encoding");
    crowd.only_fill().await.record(&[MINUTE, varies]).give("zipped");
    let (answers, mut fills) = crowd.settled().await;
    assert_eq!((answers, fills.len()), (vec!["zipped".to_owned()], 1));
    fills.remove(0).record(&[MINUTE, varies]).give("broken");
    assert_eq!(crowd.settled().await.0, ["broken", "broken"]);
}

#[tokio::test(start_paused = true)]
async fn users_do_not_wait_for_one_another() {
    let world = World::new(&per_user());
    let mut crowd = Crowd::of(&world, (0..4).map(|user| Request::get("/a").of(user))).await;
    assert_eq!(crowd.settled().await.1.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn who_wants_to_be_confirmed_waits_for_nobody() {
    let world = World::new(&shared());
    let no_cache = Request::get("/a").with("cache-control", "no-cache");
    let mut crowd = Crowd::of(&world, [Request::get("/a"), no_cache]).await;
    assert_eq!(crowd.settled().await.1.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_must_always_be_confirmed_is_waited_for_once() {
    let world = World::new(&shared());
    let mut crowd = Crowd::of(&world, many("/a", 3)).await;
    let headers = [("cache-control", "no-cache"), ("etag", "\"1\"")];
    crowd.only_fill().await.record(&headers).give("one");
    // It cannot serve the others, nor would the next.
    let (answers, fills) = crowd.settled().await;
    assert_eq!((answers.len(), fills.len()), (0, 2));
    assert_eq!(Crowd::of(&world, many("/a", 3)).await.settled().await.1.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends() {
    let world = World::new(&shared());
    let mut crowd = Crowd::of(&world, many("/a", 3)).await;
    let slow = crowd.only_fill().await;
    pass(WAIT.saturating_sub(Duration::from_millis(1))).await;
    assert!(crowd.settled().await.1.is_empty());
    pass(Duration::from_millis(1)).await;
    let (_, mut fills) = crowd.settled().await;
    assert_eq!(fills.len(), 2);
    assert_eq!(world.route.route.metrics.gave_up.get(), 2);
    fills.remove(0).record(&[MINUTE]).give("quick");
    slow.record(&[MINUTE]).give("slow");
    assert_eq!(world.hit(&Request::get("/a")), "slow");
}

/// Between the look and the right to fill, another fill may have ended.
#[tokio::test(start_paused = true)]
async fn who_comes_late_to_a_fill_finds_its_answer() {
    let world = World::new(&shared());
    let late = world.ask(&Request::get("/a"));
    world.store(&Request::get("/a"), &[MINUTE], "one").await;
    assert_eq!(late.settle().await.name(), "Answer(one)");
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_revalidated_by_one_at_a_time() {
    let world = World::new(&shared());
    let request = Request::get("/a");
    let swr = [("cache-control", "max-age=60, stale-while-revalidate=60")];
    world.store(&request, &swr, "old").await;
    pass(Duration::from_secs(61)).await;
    let Look::Stale(response, ask) = world.look(&request) else { panic!("the first revalidates") };
    assert_eq!(text(&response), "old");
    assert_eq!(world.hit(&request), "old");
    let Settled::Fill(fill) = ask.settle().await else { panic!("a fill") };
    assert_eq!(world.hit(&request), "old");
    assert!(fill.failed().is_none());
    // Given up: the next one tries.
    let Look::Stale(_, ask) = world.look(&request) else { panic!("the next revalidates") };
    let Settled::Fill(fill) = ask.settle().await else { panic!("a fill") };
    fill.record(&swr).give("new");
    assert_eq!(world.hit(&request), "new");
    assert_eq!(world.count(Outcome::Stale), 4);
    assert_eq!(world.count(Outcome::Miss), 1, "nobody waited for the revalidations");
}

#[tokio::test(start_paused = true)]
async fn a_failure_answers_all_who_may_get_something_stale() {
    let world = World::new(&shared());
    world.store(&Request::get("/a"), &[("cache-control", "max-age=60, stale-if-error=60")], "old").await;
    pass(Duration::from_secs(61)).await;
    let picky = Request::get("/a").with("cache-control", "min-fresh=1");
    let mut crowd = Crowd::of(&world, many("/a", 3).chain([picky])).await;
    assert_eq!(crowd.only_fill().await.answered(head(500, &[])).name(), "Answer(200 OK old)");
    let (answers, fills) = crowd.settled().await;
    assert_eq!((answers, fills.len()), (vec!["old".to_owned(); 2], 1));
}

/// A stranger's request must not take from others what is theirs to share.
#[tokio::test(start_paused = true)]
async fn an_authorised_request_leaves_what_others_share() {
    let world = World::new(&Caching { ttl: Some(Duration::from_secs(60)), ..shared() });
    world.store(&Request::get("/a"), &[], "everybody's").await;
    let known = Request::get("/a").with("authorization", "Bearer x");
    let mut crowd = Crowd::of(&world, [known.clone(), known]).await;
    let (_, fills) = crowd.settled().await;
    assert_eq!(fills.len(), 2, "nobody's answer is for another");
    for fill in fills {
        assert_eq!(fill.answered(head(200, &[])).name(), "Pass(200 OK)");
    }
    assert_eq!(world.hit(&Request::get("/a")), "everybody's");
}
