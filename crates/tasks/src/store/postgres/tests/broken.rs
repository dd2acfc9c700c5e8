//! PostgreSQL in trouble.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::{Connection, PgConnection};

use super::*;
use crate::store::LEASE_MARGIN;

/// What was acknowledged, and how often each task was attempted.
#[derive(Default)]
struct Ledger {
    created: Mutex<HashSet<Arc<str>>>,
    attempts: Mutex<HashMap<Arc<str>, u32>>,
}

impl Ledger {
    async fn create_until(&self, store: &PostgresStore, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let created = store.create(unnamed(5)).await;
            self.created.lock().extend(created.into_iter().flatten().map(|task| task.name.id));
            tokio::task::yield_now().await;
        }
    }

    /// Leases and settles; tells whether anything was leased.
    async fn attempt(&self, store: &PostgresStore) -> bool {
        let Ok(lease) = store.lease(&queue_name("q"), 20).await else { return true };
        for leased in &lease.tasks {
            *self.attempts.lock().entry(Arc::clone(&leased.task.name.id)).or_default() += 1;
        }
        // Whether it arrives or not: what is not settled is due again when its lease ends.
        let _ = succeed(store, &lease.tasks).await;
        !lease.tasks.is_empty()
    }

    fn created(&self) -> usize {
        self.created.lock().len()
    }
}

#[tokio::test]
async fn a_database_that_restarts_under_load_loses_nothing() {
    let server = Arc::new(servers::Postgres::start());
    let (options, clock) = options();
    let url = server.fresh_database();
    let (one, other) = tokio::join!(open(&url, options.clone()), open(&url, options));
    one.put_queue(fast(1000), Put::Create).await.expect("a new queue");
    let (ledger, is_over) = (Ledger::default(), AtomicBool::new(false));
    let attempt = async |store: &PostgresStore| {
        while !is_over.load(Ordering::Relaxed) {
            ledger.attempt(store).await;
        }
    };
    let control = async {
        for _crash in 0..2 {
            let target = ledger.created() + 200;
            while ledger.created() < target {
                tokio::task::yield_now().await;
            }
            let restarting = Arc::clone(&server);
            let restart = move || {
                restarting.stop();
                restarting.start_again();
            };
            tokio::task::spawn_blocking(restart).await.expect("it comes back");
        }
        let target = ledger.created() + 200;
        while ledger.created() < target {
            tokio::task::yield_now().await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    tokio::join!(
        control,
        ledger.create_until(&one, &is_over),
        ledger.create_until(&other, &is_over),
        attempt(&one),
        attempt(&other),
    );
    // Leases whose owner never learnt of them end.
    clock.advance(Duration::from_secs(30) + LEASE_MARGIN);
    while ledger.attempt(&one).await {}
    let stats = one.stats().await.expect("the store works");
    let (attempts, created) = (ledger.attempts.lock(), ledger.created.lock());
    assert!(created.iter().all(|id| attempts.contains_key(id)), "nothing acknowledged is lost");
    assert!(attempts.values().all(|&count| count <= 3), "twice only after a crash");
    assert_eq!((stats[0].backlog, stats[0].leased, stats[0].dead), (0, 0, 0));
}

#[tokio::test]
async fn listening_goes_on_after_a_restart() {
    let server = servers::Postgres::start();
    let url = server.fresh_database();
    let store = open(&url, Options::default()).await;
    let mut changes = store.changes();
    server.stop();
    server.start_again();
    changes.mark_unchanged();
    // The listener ticks once it has subscribed again.
    tokio::time::timeout(Duration::from_secs(20), changes.changed())
        .await
        .expect("soon")
        .expect("the store is open");
    store.put_queue(fast(1), Put::Create).await.expect("a new queue");
}

#[tokio::test]
async fn an_old_transaction_does_not_stop_progress() {
    const ROUNDS: usize = 20;
    const TASKS: usize = 200;
    let url = fresh_database();
    let store = open(&url, Options::default()).await;
    store.put_queue(fast(1000), Put::Create).await.expect("a new queue");
    create(&store, unnamed(TASKS)).await;
    let mut old = PgConnection::connect(&url).await.expect("the server is there");
    sqlx::raw_sql(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM mare_tasks.tasks; SELECT txid_current()",
    )
    .execute(&mut old)
    .await
    .expect("a snapshot");
    for _round in 0..ROUNDS {
        create(&store, unnamed(TASKS)).await;
        let leased = store.lease(&queue_name("q"), TASKS).await.expect("the queue is there").tasks;
        assert_eq!(leased.len(), TASKS);
        assert!(succeed(&store, &leased).await.is_ok());
    }
    sqlx::raw_sql("COMMIT").execute(&mut old).await.expect("it was open all the time");
    assert_eq!(store.lease(&queue_name("q"), 1000).await.expect("the queue is there").tasks.len(), TASKS);
}
