use super::*;
use crate::model::{Attempt, Progress, State};

pub(crate) async fn a_lease_counts_its_attempt(bench: Bench) {
    let created = bench.create("a").await.expect("a new name");
    bench.clock.advance(SECOND);
    let now = bench.clock.now();
    let leased = bench.lease_one().await;
    let attempt = Attempt { scheduled: created.schedule_time, dispatched: now, outcome: None };
    let progress = Progress {
        dispatched: 1,
        answered: 0,
        executed: 0,
        first_attempt: Some(now),
        last_attempt: Some(attempt.clone()),
    };
    assert_eq!((&leased.task.progress, &leased.previous), (&progress, &None));
    assert_eq!(bench.task("a").await, Ok(leased.task.clone()));

    bench.clock.advance(SECOND);
    let outcome = Outcome { at: bench.clock.now(), answer: status(404) };
    let settled = bench.end(&leased, End::Attempted(outcome.clone())).await;
    assert_eq!(settled, Settled::Retrying(bench.clock.now() + 10 * SECOND));
    let progress = Progress {
        answered: 1,
        executed: 1,
        last_attempt: Some(Attempt { outcome: Some(outcome.clone()), ..attempt }),
        ..progress
    };
    let task = bench.task("a").await.expect("it lives");
    assert_eq!((&task.progress, task.schedule_time), (&progress, bench.clock.now() + 10 * SECOND));
    bench.clock.advance(10 * SECOND);
    let again = bench.lease_one().await;
    assert_eq!((again.previous, again.task.progress.dispatched), (Some(outcome), 2));
    assert_eq!(again.task.progress.first_attempt, Some(now));
}

pub(crate) async fn an_unsettled_lease_ends_and_its_task_is_due_again(bench: Bench) {
    let task = bench.create("a").await.expect("a new name");
    let first = bench.lease(9).await;
    assert_eq!(first.again_at, Some(bench.clock.now() + LEASE));
    bench.clock.advance(LEASE - Duration::from_micros(1));
    assert_eq!((bench.lease(9).await.tasks.len(), bench.stats().await.leased), (0, 1));
    bench.clock.advance(Duration::from_micros(1));
    let stats = bench.stats().await;
    assert_eq!(
        (stats.leased, stats.backlog, stats.due, stats.oldest_due),
        (0, 1, 1, Some(task.schedule_time))
    );
    let second = bench.lease_one().await;
    assert_eq!((second.task.progress.dispatched, second.task.progress.answered), (2, 0));
    assert_eq!((second.previous.clone(), second.task.schedule_time), (None, task.schedule_time));
    assert_eq!(bench.settle(&first.tasks[0], status(200)).await, Settled::Fenced);
    assert_eq!(bench.settle(&second, status(200)).await, Settled::Succeeded);
}

pub(crate) async fn only_the_latest_lease_settles(bench: Bench) {
    bench.create("a").await.expect("a new name");
    let first = bench.lease_one().await;
    let forced = bench.store.run(&first.task.name).await.expect("it lives");
    let before = bench.task("a").await;
    assert_eq!(bench.settle(&first, status(200)).await, Settled::Fenced);
    assert_eq!(bench.end(&first, End::NotDelivered { wait: SECOND }).await, Settled::Fenced);
    assert_eq!(bench.task("a").await, before);
    assert_eq!(bench.settle(&forced, status(200)).await, Settled::Succeeded);
    assert_eq!(bench.settle(&forced, status(200)).await, Settled::Fenced, "once");
}

pub(crate) async fn an_ended_lease_settles_until_there_is_another(bench: Bench) {
    bench.create_all(&["a", "b"]).await;
    let leased = bench.lease(2).await.tasks;
    bench.clock.advance(LEASE + SECOND);
    assert_eq!(bench.stats().await.due, 2);
    assert_eq!(bench.settle(&leased[0], status(200)).await, Settled::Succeeded);
    let settled = bench.settle(&leased[1], status(500)).await;
    assert_eq!(settled, Settled::Retrying(bench.clock.now() + 10 * SECOND));
    assert_eq!(bench.lease(9).await.tasks.len(), 0);
    let stats = bench.stats().await;
    assert_eq!((stats.backlog, stats.due, stats.leased), (1, 0, 0));
}

pub(crate) async fn not_delivered_never_happened(bench: Bench) {
    bench.create("a").await.expect("a new name");
    let first = bench.lease_one().await;
    bench.settle(&first, status(404)).await;
    bench.clock.advance(10 * SECOND);
    let before = bench.task("a").await.expect("it lives");
    let second = bench.lease_one().await;
    let settled = bench.end(&second, End::NotDelivered { wait: 3 * SECOND }).await;
    assert_eq!(settled, Settled::Retrying(bench.clock.now() + 3 * SECOND));
    let after = bench.task("a").await.expect("it lives");
    assert_eq!(after, Task { schedule_time: bench.clock.now() + 3 * SECOND, ..before });
    bench.clock.advance(3 * SECOND);
    let third = bench.lease_one().await;
    assert_eq!((third.task.progress.dispatched, third.previous), (2, second.previous));
}

pub(crate) async fn a_failed_task_waits_as_its_retry_rule_says(bench: Bench) {
    bench.set(|settings| settings.retry.attempts = Some(7)).await;
    bench.create("a").await.expect("a new name");
    let after = |wait| Answer::Status { status: 429, retry_after: Some(Duration::from_secs(wait)) };
    let answers = [
        (status(500), 10),
        (Answer::Deadline, 20),
        (Answer::Broken("no connection".to_owned()), 40),
        (after(5), 80),
        (after(1000), 1000),
        (after(99_999), 3600),
    ];
    for (answer, wait) in answers {
        let leased = bench.lease_one().await;
        bench.clock.advance(SECOND);
        let settled = bench.settle(&leased, answer).await;
        assert_eq!(settled, Settled::Retrying(bench.clock.now() + wait * SECOND));
        bench.clock.advance(wait * SECOND - Duration::from_micros(1));
        assert_eq!(bench.lease(1).await.tasks.len(), 0);
        bench.clock.advance(Duration::from_micros(1));
    }
    let last = bench.lease_one().await;
    let attempt = last.task.progress.last_attempt.as_ref().expect("there is one");
    assert_eq!((last.task.progress.answered, attempt.scheduled), (4, bench.clock.now()));
    assert_eq!(bench.settle(&last, status(302)).await, Settled::Dead);
}

pub(crate) async fn a_tasks_own_retry_rule_goes_before_its_queues(bench: Bench) {
    let mut new = new_task(&bench.queue, "a");
    let own = Retry { attempts: Some(1), duration: Some(5 * SECOND), min: SECOND, max: SECOND, doublings: 0 };
    new.spec.retry = Some(own);
    bench.create_with(new).await.expect("a new name");
    for _ in 0..5 {
        let leased = bench.lease_one().await;
        assert_eq!(bench.settle(&leased, status(500)).await, Settled::Retrying(bench.clock.now() + SECOND));
        bench.clock.advance(SECOND);
    }
    let leased = bench.lease_one().await;
    assert_eq!(bench.settle(&leased, status(500)).await, Settled::Dead);
}

pub(crate) async fn run_ignores_state_and_limits(bench: Bench) {
    bench.set(|settings| settings.limits = RateLimits { per_second: 0.1, burst: 1, concurrent: 1 }).await;
    bench.create_all(&["a", "b"]).await;
    let later =
        NewTask { schedule_time: Some(bench.clock.now() + 60 * SECOND), ..new_task(&bench.queue, "c") };
    bench.create_with(later).await.expect("a new name");
    let name = |id: &str| bench.queue.task(id).expect("a name");
    assert_eq!(ids(&bench.lease(9).await.tasks), ["a"]);
    bench.store.set_state(&bench.queue, State::Paused).await.expect("the queue is there");
    let early = bench.store.run(&name("c")).await.expect("it lives");
    assert_eq!(early.task.progress.dispatched, 1);
    bench.store.run(&name("b")).await.expect("it lives");
    assert_eq!(bench.stats().await.leased, 3);
    let settled = bench.settle(&early, status(500)).await;
    assert_eq!(settled, Settled::Retrying(bench.clock.now() + 10 * SECOND));
    let stats = bench.stats().await;
    assert_eq!((stats.leased, stats.backlog, stats.due), (2, 1, 0));
}

pub(crate) async fn deleting_a_leased_task_fences_it(bench: Bench) {
    bench.create("a").await.expect("a new name");
    let leased = bench.lease_one().await;
    bench.store.delete(&leased.task.name).await.expect("it lives");
    assert_eq!(bench.settle(&leased, status(500)).await, Settled::Fenced);
    let stats = bench.stats().await;
    assert_eq!((stats.leased, stats.backlog), (0, 0));
}

pub(crate) async fn stats_follow_every_task(bench: Bench) {
    let check = async |expected: (u64, u64, u64, u64), oldest: Option<Timestamp>| {
        let stats = bench.stats().await;
        assert_eq!((stats.backlog, stats.due, stats.leased, stats.dead), expected);
        assert_eq!(stats.oldest_due, oldest);
    };
    let start = bench.clock.now();
    check((0, 0, 0, 0), None).await;
    bench.create_all(&["a", "b"]).await;
    let later = NewTask { schedule_time: Some(start + SECOND), ..new_task(&bench.queue, "c") };
    bench.create_with(later).await.expect("a new name");
    check((3, 2, 0, 0), Some(start)).await;
    let leased = bench.lease(2).await.tasks;
    check((1, 0, 2, 0), None).await;
    bench.clock.advance(2 * SECOND);
    check((1, 1, 2, 0), Some(start + SECOND)).await;
    bench.settle(&leased[0], status(200)).await;
    bench.settle(&leased[1], status(500)).await;
    check((2, 1, 0, 0), Some(start + SECOND)).await;
    bench.clock.advance(10 * SECOND);
    check((2, 2, 0, 0), Some(start + SECOND)).await;
    let last = bench.store.run(&leased[1].task.name).await.expect("it lives");
    assert_eq!(bench.settle(&last, status(500)).await, Settled::Dead);
    check((1, 1, 0, 1), Some(start + SECOND)).await;
    bench.store.redrive(&bench.queue, None).await.expect("the queue is there");
    check((2, 2, 0, 0), Some(start + SECOND)).await;
}

pub(crate) async fn changes_are_told(bench: Bench) {
    /// Long enough for any store; a store that does not tell fails by it.
    const PATIENCE: Duration = Duration::from_secs(20);
    let mut changes = bench.store.changes();
    let mut told = async |of: &str| {
        let change = tokio::time::timeout(PATIENCE, changes.changed()).await;
        change.unwrap_or_else(|_late| panic!("nothing was told of {of}")).expect("the store is open");
    };
    bench.create("a").await.expect("a new name");
    told("a creation").await;
    let leased = bench.lease_one().await;
    bench.settle(&leased, status(500)).await;
    told("a settlement").await;
    for state in [State::Paused, State::Running] {
        bench.store.set_state(&bench.queue, state).await.expect("the queue is there");
    }
    told("a resumption").await;
    bench.kill("b").await;
    told("deaths").await;
    bench.store.redrive(&bench.queue, None).await.expect("the queue is there");
    told("a redrive").await;
}

pub(crate) async fn a_closed_store_is_busy(bench: Bench) {
    bench.store.close().await;
    assert_eq!(bench.create("a").await, Err(Error::Busy));
    assert_eq!(bench.store.lease(&bench.queue, 1).await.err(), Some(Error::Busy));
    assert_eq!(bench.store.queue(&bench.queue).await, Err(Error::Busy));
    assert_eq!(bench.task("a").await, Err(Error::Busy));
    bench.store.close().await;
}
