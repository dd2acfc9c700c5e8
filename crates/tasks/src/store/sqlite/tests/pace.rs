//! Measures, with `cargo test --release -p mare-tasks --lib sqlite::tests::pace -- --ignored --nocapture`.

use std::time::Instant;

use super::*;
use crate::model::RateLimits;

/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(3);

/// What one caller does again and again; how many tasks that was.
#[derive(Clone, Copy, Debug)]
enum Work {
    Create(usize),
    /// Create, lease, settle.
    Cycle(usize),
}

async fn work(store: &SqliteStore, work: Work, clock: &Manual) -> usize {
    let queue = queue_name("q");
    let mut new = NewTask { id: None, ..new_task(&queue, "x") };
    new.spec.request.body = vec![b'x'; 500].into();
    let (Work::Create(count) | Work::Cycle(count)) = work;
    for created in store.create(vec![new; count]).await {
        created.expect("there is room");
    }
    if let Work::Cycle(count) = work {
        let leased = store.lease(&queue, count).await.expect("the queue is there").tasks;
        let settlements: Vec<_> = leased.iter().map(|leased| settlement(leased, 200, clock)).collect();
        store.settle(settlements).await.expect("the file works");
        return leased.len();
    }
    count
}

async fn measure(callers: usize, what: Work) {
    let (options, clock) = options();
    let directory = tempfile::tempdir_in(".").expect("a directory on a disk");
    let store = Arc::new(SqliteStore::open(&directory.path().join("tasks.db"), options).expect("a new file"));
    let limits = RateLimits { per_second: f64::INFINITY, burst: 1, concurrent: 1_000_000 };
    store.put_queue(QueueSettings { limits, ..settings("q") }, Put::Create).await.expect("a new queue");
    let start = Instant::now();
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let (store, clock) = (Arc::clone(&store), clock.clone());
            tokio::spawn(async move {
                let mut done = 0;
                while start.elapsed() < SPAN {
                    done += work(&store, what, &clock).await;
                }
                done
            })
        })
        .collect();
    let count = callers.len();
    let mut done = 0;
    for caller in callers {
        done += caller.await.expect("no panic");
    }
    println!(
        "{count:>4} callers {:<12} {:>8.0}/s",
        format!("{what:?}"),
        done as f64 / start.elapsed().as_secs_f64()
    );
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn durable_tasks_per_second() {
    for what in [Work::Create(1), Work::Create(100), Work::Cycle(1), Work::Cycle(100)] {
        for callers in [1, 64, 256] {
            measure(callers, what).await;
        }
    }
}
