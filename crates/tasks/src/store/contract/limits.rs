use super::*;
use crate::model::State;

fn limits(per_second: f64, burst: u32, concurrent: u32) -> impl FnOnce(&mut QueueSettings) {
    move |settings| settings.limits = RateLimits { per_second, burst, concurrent }
}

async fn create_many(bench: &Bench, count: usize) {
    let new = NewTask { id: None, ..new_task(&bench.queue, "x") };
    for created in bench.store.create(vec![new; count]).await {
        created.expect("a made name");
    }
}

pub(crate) async fn the_bucket_bounds_what_begins(bench: Bench) {
    bench.set(limits(10.0, 4, 1000)).await;
    create_many(&bench, 30).await;
    let lease = bench.lease(99).await;
    assert_eq!(lease.tasks.len(), 4);
    let again = lease.again_at.expect("tokens come back");
    bench.clock.set(again - Duration::from_micros(2));
    assert_eq!(bench.lease(99).await.tasks.len(), 0);
    bench.clock.set(again);
    assert_eq!(bench.lease(99).await.tasks.len(), 1);
    bench.clock.advance(Duration::from_millis(250));
    assert_eq!(bench.lease(1).await.again_at, Some(bench.clock.now()), "asking for more brings more at once");
    assert_eq!(bench.lease(99).await.tasks.len(), 1);
    bench.clock.advance(60 * SECOND);
    assert_eq!(bench.lease(99).await.tasks.len(), 4, "no more than the burst is saved up");
}

pub(crate) async fn concurrency_bounds_what_is_under_way(bench: Bench) {
    bench.set(limits(500.0, 100, 3)).await;
    create_many(&bench, 9).await;
    let lease = bench.lease(99).await;
    assert_eq!(lease.tasks.len(), 3);
    assert_eq!(lease.again_at, Some(bench.clock.now() + LEASE), "or when a lease ends");
    assert_eq!(bench.settle(&lease.tasks[0], status(200)).await, Settled::Succeeded);
    assert_eq!(bench.lease(99).await.tasks.len(), 1);
    bench.settle(&lease.tasks[1], status(500)).await;
    bench.end(&lease.tasks[2], End::NotDelivered { wait: SECOND }).await;
    assert_eq!(bench.lease(99).await.tasks.len(), 2);
    assert_eq!(bench.stats().await.leased, 3);
}

pub(crate) async fn a_resumed_queue_starts_slowly(bench: Bench) {
    bench.set(limits(100.0, 50, 5000)).await;
    create_many(&bench, 900).await;
    for state in [State::Paused, State::Running] {
        bench.store.set_state(&bench.queue, state).await.expect("the queue is there");
    }
    assert_eq!(bench.lease(999).await.tasks.len(), 5);
    bench.clock.advance(SECOND);
    assert_eq!(bench.lease(999).await.tasks.len(), 14, "10/s at first, 19/s after a second");
    bench.store.set_state(&bench.queue, State::Running).await.expect("running is running");
    bench.clock.advance(9 * SECOND);
    assert_eq!(bench.lease(999).await.tasks.len(), 50);
    bench.clock.advance(SECOND / 4);
    assert_eq!(bench.lease(999).await.tasks.len(), 25);
}

pub(crate) async fn refusals_slow_the_queue(bench: Bench) {
    bench.set(limits(100.0, 10, 5000)).await;
    create_many(&bench, 200).await;
    let first = bench.lease(99).await.tasks;
    assert_eq!(first.len(), 10);
    for leased in &first[..4] {
        bench.settle(leased, status(503)).await;
    }
    bench.clock.advance(SECOND / 10);
    assert_eq!(bench.lease(99).await.tasks.len(), 5, "halved, once a second");
    for leased in &first[4..] {
        bench.settle(leased, status(200)).await;
    }
    bench.clock.advance(SECOND / 10);
    assert_eq!(bench.lease(99).await.tasks.len(), 5, "six 64ths are back");
}

pub(crate) async fn a_new_rate_counts_from_now_on(bench: Bench) {
    bench.set(limits(100.0, 50, 5000)).await;
    create_many(&bench, 100).await;
    bench.set(limits(2.0, 6, 5000)).await;
    assert_eq!(bench.lease(99).await.tasks.len(), 6);
    bench.clock.advance(SECOND);
    assert_eq!(bench.lease(99).await.tasks.len(), 2);
    bench.set(limits(f64::INFINITY, 1, 20)).await;
    assert_eq!(bench.lease(99).await.tasks.len(), 12, "only places are left to bound it");
}
