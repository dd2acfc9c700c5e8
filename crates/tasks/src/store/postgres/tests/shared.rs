//! Several processes on one database: two stores, each with its own connections.

use std::time::Duration;

use super::*;
use crate::store::LEASE_MARGIN;

/// Two stores on one database, with one clock that goes by hand.
async fn two() -> (PostgresStore, PostgresStore, crate::store::clock::Manual) {
    let (url, (options, clock)) = (fresh_database(), options());
    // They also race to make the schema.
    let (one, other) = tokio::join!(open(&url, options.clone()), open(&url, options));
    (one, other, clock)
}

#[tokio::test]
async fn no_task_is_leased_twice() {
    const TASKS: usize = 600;
    let url = fresh_database();
    let (one, other) = tokio::join!(open(&url, Options::default()), open(&url, Options::default()));
    one.put_queue(fast(50), Put::Create).await.expect("a new queue");
    let created = create(&one, unnamed(TASKS)).await;
    let queue = queue_name("q");
    let drain = async |store: &PostgresStore| {
        let mut done = Vec::new();
        loop {
            let leased = store.lease(&queue, 7).await.expect("the queue is there").tasks;
            if leased.is_empty() {
                break done;
            }
            let settled = succeed(store, &leased).await.expect("the store works");
            assert!(settled.iter().all(|settled| *settled == Settled::Succeeded));
            done.extend(leased.into_iter().map(|leased| leased.task.name.id));
        }
    };
    let (a, b, c, d) = tokio::join!(drain(&one), drain(&other), drain(&one), drain(&other));
    let all: Vec<_> = [a, b, c, d].concat();
    assert_eq!(all.len(), TASKS);
    assert_eq!(all.into_iter().collect::<HashSet<_>>(), created);
}

#[tokio::test]
async fn limits_hold_for_all_processes_together() {
    let (one, other, clock) = two().await;
    let queue = queue_name("q");
    let check = async |limits: RateLimits, expected: usize| {
        one.put_queue(QueueSettings { limits, ..settings("q") }, Put::Upsert).await.expect("a queue");
        let lease = async |store: &PostgresStore| {
            let mut tasks = Vec::new();
            loop {
                let some = store.lease(&queue, 3).await.expect("the queue is there").tasks;
                if some.is_empty() {
                    break tasks;
                }
                tasks.extend(some);
            }
        };
        let (a, b, c, d) = tokio::join!(lease(&one), lease(&other), lease(&one), lease(&other));
        let leased = [a, b, c, d].concat();
        assert_eq!(leased.len(), expected, "{limits:?}");
        succeed(&other, &leased).await.expect("the store works");
    };
    let limits = |per_second, burst, concurrent| RateLimits { per_second, burst, concurrent };
    one.put_queue(QueueSettings { limits: limits(10.0, 40, 1000), ..settings("q") }, Put::Create)
        .await
        .expect("new");
    create(&one, unnamed(300)).await;
    check(limits(10.0, 40, 1000), 40).await;
    clock.advance(Duration::from_secs(1));
    check(limits(10.0, 40, 1000), 10).await;
    check(limits(f64::INFINITY, 1, 17), 17).await;
}

#[tokio::test]
async fn who_comes_back_after_its_lease_is_fenced() {
    let (one, other, clock) = two().await;
    let queue = queue_name("q");
    one.put_queue(fast(1), Put::Create).await.expect("a new queue");
    create(&one, unnamed(1)).await;
    let late = one.lease(&queue, 1).await.expect("the queue is there").tasks;
    assert_eq!(other.lease(&queue, 1).await.expect("the queue is there").tasks.len(), 0);
    clock.advance(late[0].task.spec.dispatch_deadline + LEASE_MARGIN);
    let current = other.lease(&queue, 1).await.expect("the queue is there").tasks;
    assert_eq!((current.len(), current[0].task.progress.dispatched), (1, 2));
    assert_ne!(current[0].token, late[0].token);
    for answer in [status(200), status(500)] {
        let settled = one.settle(vec![settlement(&late[0], answer)]).await;
        assert_eq!(settled, Ok(vec![Settled::Fenced]));
    }
    let forged = Leased { token: LeaseToken(u64::MAX), ..current[0].clone() };
    assert_eq!(succeed(&one, &[forged]).await, Ok(vec![Settled::Fenced]));
    assert_eq!(succeed(&other, &current).await, Ok(vec![Settled::Succeeded]));
}

#[tokio::test]
async fn what_one_process_does_the_others_hear_of() {
    let (one, other, _clock) = two().await;
    one.put_queue(fast(1), Put::Create).await.expect("a new queue");
    let mut changes = other.changes();
    changes.mark_unchanged();
    create(&one, unnamed(1)).await;
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, changes.changed()).await.expect("soon").expect("the store is open");
}

#[tokio::test]
async fn a_name_is_never_free_between_a_task_and_its_tombstone() {
    let (one, other, _clock) = two().await;
    let queue = queue_name("q");
    one.put_queue(fast(10), Put::Create).await.expect("a new queue");
    for round in 0..40 {
        let new = || vec![new_task(&queue, &format!("n{round}"))];
        create(&one, new()).await;
        let leased = one.lease(&queue, 1).await.expect("the queue is there").tasks;
        let ((first, second), settled) = tokio::join!(
            async { (other.create(new()).await, other.create(new()).await) },
            succeed(&one, &leased)
        );
        assert_eq!(settled, Ok(vec![Settled::Succeeded]));
        assert_eq!((first, second), (vec![Err(Error::TaskExists)], vec![Err(Error::TaskExists)]));
    }
}

#[tokio::test]
async fn only_the_first_process_over_a_backlog_begins_slowly() {
    let url = fresh_database();
    let (options, clock) = options();
    let first = open(&url, options.clone()).await;
    first.put_queue(settings("q"), Put::Create).await.expect("a new queue");
    create(&first, unnamed(300)).await;
    let queue = queue_name("q");
    let joined = open(&url, options.clone()).await;
    assert_eq!(joined.lease(&queue, 999).await.expect("the queue is there").tasks.len(), 100);
    first.close().await;
    joined.close().await;
    clock.advance(Duration::from_secs(10));
    let alone = open(&url, options).await;
    assert_eq!(alone.lease(&queue, 999).await.expect("the queue is there").tasks.len(), 10);
}

#[tokio::test]
async fn what_nobody_needs_is_swept() {
    let url = fresh_database();
    let (options, clock) = options();
    let store = open(&url, options).await;
    for id in ["q", "gone"] {
        store.put_queue(settings(id), Put::Create).await.expect("a new queue");
        let task = |name: &str| new_task(&queue_name(id), name);
        create(&store, vec![task("deleted"), task("dead"), task("living")]).await;
        store.delete(&queue_name(id).task("deleted").expect("a name")).await.expect("it lives");
        for _attempt in 0..2 {
            let leased = store.run(&queue_name(id).task("dead").expect("a name")).await.expect("it lives");
            store.settle(vec![settlement(&leased, status(500))]).await.expect("the store works");
        }
    }
    // The store sweeps by itself, too, so one call of ours may find another one at it.
    let swept_to = async |expected: [i64; 4]| {
        const COUNTS: &str = "
            SELECT ARRAY[(SELECT count(*) FROM mare_tasks.tasks), (SELECT count(*) FROM mare_tasks.dead),
                (SELECT count(*) FROM mare_tasks.tombstones), (SELECT count(*) FROM mare_tasks.deleted_queues)]";
        let mut rows: Vec<i64> = Vec::new();
        for _sweep in 0..100 {
            sweep::sweep(&store.pool).await.expect("the store works");
            rows = sqlx::query_scalar(COUNTS).fetch_one(&store.pool.pool).await.expect("the server is there");
            if rows == expected {
                return;
            }
        }
        panic!("tasks, dead letters, tombstones, deleted queues: {rows:?}, not {expected:?}");
    };
    swept_to([2, 2, 4, 0]).await;
    store.delete_queue(&queue_name("gone")).await.expect("it is there");
    swept_to([1, 1, 4, 1]).await;
    clock.advance(Duration::from_hours(2));
    swept_to([1, 1, 0, 0]).await;
    clock.advance(crate::policy::backoff::RETENTION);
    swept_to([1, 0, 0, 0]).await;
    let stats = store.stats().await.expect("the store works");
    assert_eq!((stats[0].dead, stats[0].forgotten), (0, 1));
}

#[tokio::test]
async fn processes_that_declare_the_same_queue_agree() {
    let (one, other, _clock) = two().await;
    for round in 0..10 {
        let declared = || QueueSettings { declared: true, ..settings(&format!("q{round}")) };
        let (a, b) =
            tokio::join!(one.put_queue(declared(), Put::Upsert), other.put_queue(declared(), Put::Upsert));
        assert_eq!((a.is_ok(), b.is_ok()), (true, true), "{a:?} {b:?}");
    }
}

#[tokio::test]
async fn no_key_starves_among_more_than_are_looked_at() {
    const KEYS: usize = 2300;
    let store = open(&fresh_database(), Options::default()).await;
    store.put_queue(fast(100_000), Put::Create).await.expect("a new queue");
    let mut tasks = unnamed(2 * KEYS);
    for (number, task) in tasks.iter_mut().enumerate() {
        task.spec.fairness_key = format!("k{}", number % KEYS);
    }
    create(&store, tasks).await;
    let mut served = HashSet::new();
    // Each walk looks at a thousand; three are once around.
    for _lease in 0..3 {
        let leased = store.lease(&queue_name("q"), 1000).await.expect("the queue is there").tasks;
        assert_eq!(leased.len(), 1000);
        served.extend(leased.into_iter().map(|leased| leased.task.spec.fairness_key.clone()));
    }
    assert_eq!(served.len(), KEYS);
}
