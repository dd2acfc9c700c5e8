use super::*;
use crate::policy::backoff::RETENTION;

pub(crate) async fn attempts_used_up_make_a_dead_letter(bench: Bench) {
    bench.kill("a").await;
    assert_eq!(bench.task("a").await, Err(Error::TaskEnded));
    let letters = bench.store.dead_letters(&bench.queue, whole()).await.expect("the queue is there").items;
    assert_eq!(letters.len(), 1);
    assert_eq!((&*letters[0].task.name.id, letters[0].died_at), ("a", bench.clock.now()));
    assert_eq!((letters[0].task.progress.dispatched, &*letters[0].task.spec), (2, &spec()));
    let attempt = letters[0].task.progress.last_attempt.as_ref().expect("there were two");
    assert_eq!(attempt.outcome.as_ref().map(|outcome| &outcome.answer), Some(&status(500)));
}

pub(crate) async fn a_lease_that_ends_can_be_the_last(bench: Bench) {
    bench.create("a").await.expect("a new name");
    for _ in 0..2 {
        assert_eq!(bench.lease(1).await.tasks.len(), 1);
        bench.clock.advance(LEASE);
    }
    assert_eq!(bench.lease(1).await.tasks.len(), 0);
    assert_eq!(bench.dead_ids().await, ["a"]);
    let stats = bench.stats().await;
    assert_eq!((stats.backlog, stats.leased, stats.dead), (0, 0, 1));
}

pub(crate) async fn dead_letters_are_redriven_or_forgotten(bench: Bench) {
    for id in ["a", "b", "c"] {
        bench.kill(id).await;
    }
    bench.clock.advance(SECOND);
    let some = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    assert_eq!(bench.store.redrive(&bench.queue, some(&["a", "none", "a"])).await, Ok(1));
    assert_eq!(bench.store.forget_dead(&bench.queue, some(&["b", "none"])).await, Ok(1));
    assert_eq!(bench.dead_ids().await, ["c"]);
    let task = bench.task("a").await.expect("it lives again");
    assert_eq!((task.progress, task.schedule_time), (crate::model::Progress::default(), bench.clock.now()));
    assert_eq!(task.create_time, bench.clock.now() - SECOND);
    assert_eq!(bench.create("a").await, Err(Error::TaskExists));
    assert_eq!(bench.store.redrive(&bench.queue, None).await, Ok(1));
    assert_eq!(ids(&bench.lease(9).await.tasks), ["a", "c"]);
    bench.kill("d").await;
    assert_eq!(bench.store.forget_dead(&bench.queue, None).await, Ok(1));
    assert!(bench.dead_ids().await.is_empty());
    assert_eq!(bench.stats().await.forgotten, 0, "on purpose does not count");
}

pub(crate) async fn a_redrive_does_not_touch_a_living_task_of_the_name(bench: Bench) {
    bench.kill("a").await;
    bench.clock.advance(WINDOW);
    let living = bench.create("a").await.expect("the window has passed");
    assert_eq!(bench.store.redrive(&bench.queue, None).await, Ok(0));
    assert_eq!(bench.dead_ids().await, ["a"]);
    assert_eq!(bench.task("a").await, Ok(living));
    for _attempt in 0..2 {
        let leased = bench.store.run(&bench.queue.task("a").expect("a name")).await.expect("it lives");
        bench.settle(&leased, status(400)).await;
    }
    let letters = bench.store.dead_letters(&bench.queue, whole()).await.expect("the queue is there").items;
    assert_eq!((letters.len(), letters[0].died_at), (1, bench.clock.now()), "the later death is kept");
    assert_eq!(bench.stats().await.dead, 1);
}

pub(crate) async fn the_oldest_dead_letters_give_way(bench: Bench) {
    for id in ["d", "c", "b", "a"] {
        bench.kill(id).await;
        bench.clock.advance(SECOND);
    }
    assert_eq!(bench.dead_ids().await, ["a", "b", "c"]);
    let stats = bench.stats().await;
    assert_eq!((stats.dead, stats.forgotten), (DEAD_MAX as u64, 1));
}

pub(crate) async fn dead_letters_grow_old(bench: Bench) {
    bench.kill("old").await;
    bench.clock.advance(2 * SECOND);
    bench.kill("young").await;
    bench.clock.advance(RETENTION - SECOND);
    assert_eq!(bench.dead_ids().await, ["young"]);
    assert_eq!(bench.store.redrive(&bench.queue, Some(vec!["old".to_owned()])).await, Ok(0));
    let stats = bench.stats().await;
    assert_eq!((stats.dead, stats.forgotten), (1, 1));
}
