use std::time::Duration;

use tempfile::TempDir;

use super::super::clock::Manual;
use super::super::contract::{
    Fresh, contract_suite, ids, new_task, options, queue_name, settings, spec, status, whole,
};
use super::*;
use crate::model::{Outcome, Spec};
use crate::store::End;

mod crash;
mod pace;

async fn fresh(options: Options) -> Fresh {
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(&directory.path().join("tasks.db"), options).expect("a new file");
    Fresh { store: Arc::new(store), keep: Box::new(directory) }
}

contract_suite!(fresh, 32);

/// A file that is opened again and again.
struct File {
    directory: TempDir,
    options: Options,
    clock: Manual,
}

impl File {
    async fn new() -> (Self, SqliteStore) {
        let (options, clock) = options();
        let file = Self { directory: tempfile::tempdir().expect("a directory"), options, clock };
        let store = file.open();
        store.put_queue(settings("q"), Put::Create).await.expect("a new queue");
        (file, store)
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.directory.path().join("tasks.db"), self.options.clone()).expect("a good file")
    }
}

async fn create(store: &SqliteStore, id: &str) -> Result<Task, Error> {
    store.create(vec![new_task(&queue_name("q"), id)]).await.pop().expect("a result for each")
}

async fn lease(store: &SqliteStore, max: usize) -> Vec<Leased> {
    store.lease(&queue_name("q"), max).await.expect("the queue is there").tasks
}

fn settlement(leased: &Leased, answered: u16, clock: &Manual) -> Settlement {
    let outcome = Outcome { at: clock.now(), answer: status(answered) };
    Settlement { name: leased.task.name.clone(), token: leased.token, end: End::Attempted(outcome) }
}

async fn settle(store: &SqliteStore, leased: &Leased, answered: u16, clock: &Manual) -> Settled {
    let settled = store.settle(vec![settlement(leased, answered, clock)]).await;
    settled.expect("the file works").pop().expect("a result for each")
}

#[tokio::test]
async fn everything_but_leases_is_there_after_reopening() {
    let (file, store) = File::new().await;
    store.put_queue(settings("paused"), Put::Create).await.expect("a new queue");
    store.set_state(&queue_name("paused"), State::Paused).await.expect("it is there");
    store.put_queue(settings("deleted"), Put::Create).await.expect("a new queue");
    store.delete_queue(&queue_name("deleted")).await.expect("it is there");
    for id in ["done", "dead", "tried", "leased", "waiting"] {
        create(&store, id).await.expect("a new name");
    }
    let leased = lease(&store, 4).await;
    settle(&store, &leased[0], 200, &file.clock).await;
    settle(&store, &leased[1], 500, &file.clock).await;
    let again = store.run(&leased[1].task.name).await.expect("it lives");
    assert_eq!(settle(&store, &again, 500, &file.clock).await, Settled::Dead);
    settle(&store, &leased[2], 404, &file.clock).await;
    let (stats, tasks) = (store.stats().await, store.tasks(&queue_name("q"), whole()).await.expect("a page"));
    store.close().await;

    let store = file.open();
    assert_eq!(store.tasks(&queue_name("q"), whole()).await.expect("a page").items, tasks.items);
    let (stats, reopened) = (stats.expect("the file works"), store.stats().await.expect("the file works"));
    assert_eq!((stats[0].backlog, stats[0].leased, stats[0].dead), (0, 0, 0), "the paused one");
    assert_eq!(reopened[0], stats[0]);
    let (before, after) = (&stats[1], &reopened[1]);
    assert_eq!((before.leased, before.backlog, before.due, before.dead), (1, 2, 1, 1));
    assert_eq!(
        (after.leased, after.backlog, after.due, after.dead),
        (0, 3, 2, 1),
        "leases end with the process"
    );
    assert_eq!(create(&store, "done").await, Err(Error::TaskExists));
    let put = store.put_queue(settings("deleted"), Put::Create).await;
    assert_eq!(put, Err(Error::QueueExistedRecently));
    assert_eq!(settle(&store, &leased[3], 200, &file.clock).await, Settled::Fenced);
    create(&store, "new").await.expect("a new name");
    let order = lease(&store, 9).await;
    assert_eq!(ids(&order), ["leased", "waiting", "new"]);
    assert_eq!(order[0].task.progress.dispatched, 2);
}

#[tokio::test]
async fn a_task_that_ends_its_server_uses_up_its_attempts() {
    let (file, mut store) = File::new().await;
    create(&store, "poison").await.expect("a new name");
    for _attempt in 0..2 {
        assert_eq!(ids(&lease(&store, 1).await), ["poison"]);
        store.close().await;
        store = file.open();
    }
    assert!(lease(&store, 1).await.is_empty());
    let dead = store.dead_letters(&queue_name("q"), whole()).await.expect("a page").items;
    assert_eq!((dead.len(), dead[0].task.progress.dispatched), (1, 2));
}

#[tokio::test]
async fn a_file_found_with_a_backlog_begins_slowly() {
    let (file, store) = File::new().await;
    let new = NewTask { id: None, ..new_task(&queue_name("q"), "x") };
    store.create(vec![new; 200]).await;
    store.close().await;
    let store = file.open();
    assert_eq!(lease(&store, 200).await.len(), 10, "a tenth of the burst");
}

/// Keeps the writer busy until the answer is dropped, so that what is sent meanwhile becomes one batch.
fn hold_up(store: &Arc<SqliteStore>) -> std::sync::mpsc::Sender<()> {
    let (go_on, held_up) = std::sync::mpsc::channel();
    let (begins, begun) = std::sync::mpsc::channel();
    let command: Command = Box::new(move |_engine| {
        begins.send(()).expect("it is waited for");
        let _dropped = held_up.recv();
        Performed { reply: Box::new(|_committed| None), broken: None }
    });
    store.command(command).expect("the store is open");
    begun.recv().expect("the writer comes to it");
    go_on
}

/// Has the work under way until it waits for the answer.
async fn started<F: Future<Output: Send + 'static> + Send + 'static>(
    store: &Arc<SqliteStore>,
    work: impl FnOnce(Arc<SqliteStore>) -> F,
) -> tokio::task::JoinHandle<F::Output> {
    let task = tokio::spawn(work(Arc::clone(store)));
    tokio::task::yield_now().await;
    task
}

fn limit_pages(store: &Arc<SqliteStore>, more: i64) {
    let command: Command = Box::new(move |engine| {
        let pages: i64 = engine.disk().query_row("PRAGMA page_count", (), |row| row.get(0)).expect("a count");
        let limit = format!("PRAGMA max_page_count = {}", pages + more);
        engine.disk().query_row(&limit, (), |_row| Ok(())).expect("a limit");
        Performed { reply: Box::new(|_committed| None), broken: None }
    });
    store.command(command).expect("the store is open");
}

#[tokio::test]
async fn a_full_disk_undoes_the_batch_and_keeps_the_leases() {
    let (file, store) = File::new().await;
    let store = Arc::new(store);
    for id in ["a", "b", "c"] {
        create(&store, id).await.expect("a new name");
    }
    let leased = lease(&store, 1).await;
    let before = store.stats().await;
    limit_pages(&store, 20);

    let mut big = new_task(&queue_name("q"), "big");
    big.spec = Spec {
        request: crate::model::HttpRequest { body: vec![7; 500_000].into(), ..spec().request },
        ..spec()
    };
    let go_on = hold_up(&store);
    let small = [settlement(&leased[0], 200, &file.clock)];
    let settled = started(&store, |store| async move { store.settle(small.to_vec()).await }).await;
    let leasing = started(&store, |store| async move { store.lease(&queue_name("q"), 1).await }).await;
    let created = started(&store, |store| async move { store.create(vec![big]).await }).await;
    drop(go_on);
    assert!(matches!(settled.await, Ok(Err(Error::Database(_)))));
    assert!(matches!(leasing.await, Ok(Err(Error::Database(_)))));
    assert!(matches!(created.await.expect("no panic")[..], [Err(Error::Database(_))]));
    assert_eq!(store.stats().await, before, "as if nothing had been asked");

    limit_pages(&store, 10_000);
    assert_eq!(settle(&store, &leased[0], 200, &file.clock).await, Settled::Succeeded);
    let rest = lease(&store, 9).await;
    assert_eq!(ids(&rest), ["b", "c"]);
    assert_eq!(rest[0].task.progress.dispatched, 1);
}

#[tokio::test]
async fn leases_nobody_waits_for_are_given_back() {
    let (_file, store) = File::new().await;
    let store = Arc::new(store);
    create(&store, "a").await.expect("a new name");
    let go_on = hold_up(&store);
    let leasing = started(&store, |store| async move { store.lease(&queue_name("q"), 1).await }).await;
    leasing.abort();
    assert!(leasing.await.is_err());
    drop(go_on);
    // The first batch leases, the second gives back.
    store.queue(&queue_name("q")).await.expect("it is there");
    let again = lease(&store, 1).await;
    assert_eq!((ids(&again), again[0].task.progress.dispatched), (vec!["a"], 1));
}

#[tokio::test]
async fn more_than_can_wait_is_busy() {
    let (_file, store) = File::new().await;
    let store = Arc::new(store);
    let go_on = hold_up(&store);
    let nothing =
        || -> Command { Box::new(|_engine| Performed { reply: Box::new(|_committed| None), broken: None }) };
    let waiting = (0..=WAITING_MAX).take_while(|_| store.command(nothing()).is_ok()).count();
    assert_eq!(waiting, WAITING_MAX);
    assert_eq!(create(&store, "a").await, Err(Error::Busy));
    drop(go_on);
    // Once there is room again.
    while let Err(error) = create(&store, "a").await {
        assert_eq!(error, Error::Busy);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused() {
    let (file, store) = File::new().await;
    store.close().await;
    let path = file.directory.path().join("tasks.db");
    Connection::open(&path).expect("a file").execute_batch("PRAGMA user_version = 2").expect("a version");
    let refused = SqliteStore::open(&path, file.options.clone()).err().expect("a refusal");
    assert!(refused.to_string().contains("version 2"), "{refused}");
}
