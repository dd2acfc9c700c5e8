//! The relay with real databases and the reference store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::Instant;
use uuid::Uuid;

use super::*;
use crate::model::{QueueName, QueueSettings, RateLimits, Retry};
use crate::store::reference::Reference;
use crate::store::{Options, Put, Slice, Store};
use crate::topic::{Subscription, Topic};

const PATIENCE: Duration = Duration::from_secs(30);

struct Bench {
    store: Arc<Reference>,
    topics: Topics,
    queue: QueueName,
}

async fn bench() -> Bench {
    let queue = QueueName::below("projects/p/locations/l", "subscription-all").expect("a name");
    let store = Arc::new(Reference::new(&Options::default()));
    let settings = QueueSettings {
        name: queue.clone(),
        limits: RateLimits::default(),
        retry: Retry::default(),
        target: None,
        declared: true,
    };
    store.put_queue(settings, Put::Create).await.expect("a new queue");
    let subscription = Subscription {
        name: "all".to_owned(),
        queue: queue.clone(),
        only: Vec::new(),
        url: "http://worker.mare.internal/".to_owned(),
        deadline: Duration::from_secs(60),
    };
    let topic = Topic { subscriptions: vec![subscription], fair: None };
    let topics = Topics::new(store.clone(), BTreeMap::from([("events".to_owned(), topic)]));
    Bench { store, topics, queue }
}

impl Bench {
    fn relay(&self, database: Database) -> Service {
        let outbox = Outbox { topic: "events".to_owned(), table: "outbox".to_owned(), database };
        Service::new(outbox, self.topics.clone(), &Metrics::default())
    }

    async fn ids(&self) -> Vec<String> {
        let slice = Slice { after: None, size: 10_000 };
        let page = self.store.tasks(&self.queue, slice).await.expect("the queue is there");
        page.items.into_iter().map(|task| task.name.id.to_string()).collect()
    }

    /// Waits for the store to hold `count` tasks.
    async fn until(&self, count: usize) -> Vec<String> {
        let mut changes = self.store.changes();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ids = self.ids().await;
            if ids.len() >= count {
                return ids;
            }
            tokio::time::timeout_at(deadline, changes.changed()).await.expect("in time").expect("open");
        }
    }
}

/// The table as an application makes it, here with UUIDs as blobs.
fn create(file: &Path) -> Connection {
    let connection = Connection::open(file).expect("a new file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE outbox (id BLOB PRIMARY KEY, tenant_id BLOB, topic TEXT NOT NULL, payload TEXT NOT NULL,
                attempts INTEGER, dispatched_at INTEGER);",
        )
        .expect("a table");
    connection
}

fn insert(connection: &Connection, id: Uuid) {
    let insert = "INSERT INTO outbox VALUES (?1, ?2, 'order.paid', '{\"n\":1}', 3, NULL)";
    connection.execute(insert, rusqlite::params![id.as_bytes(), Uuid::nil().as_bytes()]).expect("a row");
}

fn pending(connection: &Connection) -> i64 {
    let count = "SELECT COUNT(*) FROM outbox WHERE dispatched_at IS NULL";
    connection.query_row(count, [], |row| row.get(0)).expect("a number")
}

#[tokio::test]
async fn a_row_becomes_a_message_once_it_is_committed() {
    let bench = bench().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.db");
    let relay = bench.relay(Database::Sqlite(file.clone()));
    let mut open = None;
    // Neither the file nor the table is there before the application made them.
    assert!(matches!(relay.step(&mut open).await, Err(RelayError::NoTable)));
    let mut connection = create(&file);
    assert_eq!(relay.step(&mut open).await.expect("a step"), 0);

    let id = Uuid::now_v7();
    let transaction = connection.transaction().expect("a transaction");
    insert(&transaction, id);
    assert_eq!(relay.step(&mut open).await.expect("a step"), 0);
    transaction.commit().expect("a commit");
    assert_eq!(relay.step(&mut open).await.expect("a step"), 1);
    assert_eq!(relay.step(&mut open).await.expect("a step"), 0);
    assert_eq!(pending(&connection), 0);

    let ids = bench.ids().await;
    assert_eq!(ids, [format!("m-{id}")]);
    let task = bench.store.task(&bench.queue.task(&ids[0]).expect("a name")).await.expect("it is there");
    let body: serde_json::Value = serde_json::from_slice(&task.spec.request.body).expect("JSON");
    assert_eq!(body["message"]["messageId"], id.to_string());
    assert_eq!(body["message"]["data"], "eyJuIjoxfQ==");
    let attributes = serde_json::json!({ "tenant_id": Uuid::nil(), "topic": "order.paid", "attempts": "3" });
    assert_eq!(body["message"]["attributes"], attributes);
}

#[tokio::test]
async fn a_row_published_and_not_marked_is_not_delivered_twice() {
    let bench = bench().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.db");
    let connection = create(&file);
    insert(&connection, Uuid::now_v7());
    let relay = bench.relay(Database::Sqlite(file));
    assert_eq!(relay.step(&mut None).await.expect("a step"), 1);
    // As after a crash between the two.
    connection.execute("UPDATE outbox SET dispatched_at = NULL", []).expect("all rows");
    assert_eq!(relay.step(&mut None).await.expect("a step"), 1);
    assert_eq!((bench.ids().await.len(), pending(&connection)), (1, 0));
}

#[tokio::test]
async fn more_rows_than_one_step_takes_are_all_relayed() {
    let bench = bench().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.db");
    let mut connection = create(&file);
    let count = 2 * ROWS_MAX + 1;
    let transaction = connection.transaction().expect("a transaction");
    (0..count).for_each(|_| insert(&transaction, Uuid::now_v7()));
    transaction.commit().expect("a commit");
    let shutdown = CancellationToken::new();
    let relay = tokio::spawn(bench.relay(Database::Sqlite(file)).run(shutdown.clone()));
    assert_eq!(bench.until(count).await.len(), count);
    shutdown.cancel();
    relay.await.expect("it ends");
}

#[tokio::test]
async fn two_relays_of_one_postgres_share_the_rows() {
    let bench = bench().await;
    let url = servers::Postgres::shared().fresh_database();
    let pool = PgPool::connect(&url).await.expect("a server");
    let database = || Database::Postgres(Text::plain(url.as_str()));
    let shutdown = CancellationToken::new();
    let relays: Vec<_> =
        (0..2).map(|_| tokio::spawn(bench.relay(database()).run(shutdown.clone()))).collect();
    let create = "CREATE TABLE outbox (id uuid PRIMARY KEY, topic text, payload jsonb, trace_id text, dispatched_at KIND)";
    sqlx::query(AssertSqlSafe(create.replace("KIND", "bigint"))).execute(&pool).await.expect("a table");
    let insert = "INSERT INTO outbox SELECT gen_random_uuid(), 'a', '{\"n\": 1}', NULL, NULL FROM generate_series(1, 1200)";
    sqlx::query(insert).execute(&pool).await.expect("rows");
    assert_eq!(bench.until(1200).await.len(), 1200);
    shutdown.cancel();
    for relay in relays {
        relay.await.expect("it ends");
    }
    // A relay that was stopped between publishing and marking leaves its rows for the next one.
    let relay = bench.relay(database());
    let mut open = None;
    while relay.step(&mut open).await.expect("a step") > 0 {}
    assert_eq!(bench.ids().await.len(), 1200);
    let times: (i64, i64) =
        sqlx::query_as("SELECT count(*), min(dispatched_at) FROM outbox WHERE dispatched_at IS NOT NULL")
            .fetch_one(&pool)
            .await
            .expect("a row");
    assert_eq!(times.0, 1200);
    assert!(times.1 > 1_600_000_000_000, "{} is not in milliseconds", times.1);
}

#[test]
fn a_row_without_id_or_payload_is_refused() {
    let columns = |names: &[&str]| {
        let columns: Vec<_> = names.iter().map(|name| ((*name).to_owned(), Some("x".to_owned()))).collect();
        row(columns.into_iter()).map_err(|error| error.to_string())
    };
    assert!(columns(&["id", "payload"]).is_ok());
    assert_eq!(columns(&["id"]), Err("the outbox lacks the column payload".to_owned()));
    assert_eq!(columns(&["payload"]), Err("the outbox lacks the column id".to_owned()));
}
