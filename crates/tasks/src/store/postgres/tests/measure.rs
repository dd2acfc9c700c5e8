//! How fast it is. Not a test: run it by hand, optimized, on an idle machine:
//! `cargo test --release -p mare-tasks postgres::tests::measure -- --ignored --nocapture`

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;

const TASKS: usize = 20_000;

/// Like an API with so many requests in flight.
const CALLERS: usize = 64;

/// Like a dispatcher with so many attempts in flight, which settles what has ended together.
const IN_FLIGHT: usize = 500;

const BODY: &[u8] = &[b'x'; 500];

fn tasks(count: usize) -> Vec<NewTask> {
    let mut tasks = unnamed(count);
    for task in &mut tasks {
        task.spec.request.body = Bytes::from_static(BODY);
    }
    tasks
}

async fn create_singly(store: &Arc<PostgresStore>) {
    let mut callers = JoinSet::new();
    for _caller in 0..CALLERS {
        let store = Arc::clone(store);
        callers.spawn(async move {
            for _task in 0..TASKS / CALLERS {
                create(&store, tasks(1)).await;
            }
        });
    }
    callers.join_all().await;
}

async fn create_in_batches(store: &Arc<PostgresStore>) {
    for _batch in 0..TASKS / 100 {
        create(store, tasks(100)).await;
    }
}

/// Until nothing is due; tells how many there were.
async fn drain(store: &Arc<PostgresStore>) -> usize {
    let mut count = 0;
    let mut settling: JoinSet<()> = JoinSet::new();
    loop {
        let leased = store.lease(&queue_name("q"), IN_FLIGHT / 2).await.expect("the queue is there").tasks;
        if leased.is_empty() {
            if settling.join_next().await.is_none() {
                return count;
            }
            continue;
        }
        count += leased.len();
        let store = Arc::clone(store);
        settling.spawn(async move {
            succeed(&store, &leased).await.expect("the store works");
        });
    }
}

fn print(what: &str, count: usize, took: Duration) {
    println!("{what:<40} {:>8.0}/s", count as f64 / took.as_secs_f64());
}

async fn measure(store: &Arc<PostgresStore>) {
    let start = Instant::now();
    create_singly(store).await;
    print("create, 64 callers, one each", TASKS, start.elapsed());
    let start = Instant::now();
    let drained = drain(store).await;
    print("lease + settle", drained, start.elapsed());
    let start = Instant::now();
    create_in_batches(store).await;
    print("create, one caller, 100 each", TASKS, start.elapsed());
    drain(store).await;
    let start = Instant::now();
    let mut cycled = 0;
    let creation = tokio::spawn({
        let store = Arc::clone(store);
        async move { create_singly(&store).await }
    });
    while !creation.is_finished() {
        cycled += drain(store).await;
    }
    creation.await.expect("it does not panic");
    cycled += drain(store).await;
    print("create + lease + settle at once", cycled, start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn cycles_per_second() {
    let server = servers::Postgres::start_durable();
    let store = Arc::new(open(&server.fresh_database(), Options::default()).await);
    store.put_queue(fast(u32::try_from(IN_FLIGHT).expect("small")), Put::Create).await.expect("a new queue");
    for round in 0..3 {
        println!("round {round}");
        measure(&store).await;
    }
}
