mod broken;
mod measure;
mod shared;

use std::collections::HashSet;
use std::sync::Arc;

use super::*;
use crate::model::{Answer, Outcome, RateLimits};
use crate::store::contract::{Fresh, contract_suite, new_task, options, queue_name, settings, status};
use crate::store::{End, LeaseToken};

async fn fresh(options: Options) -> Fresh {
    Fresh { store: Arc::new(open(&fresh_database(), options).await), keep: Box::new(()) }
}

contract_suite!(fresh, 8);

fn fresh_database() -> String {
    servers::Postgres::shared().fresh_database()
}

async fn open(url: &str, options: Options) -> PostgresStore {
    PostgresStore::open(url, options).await.expect("a database")
}

/// A queue that nothing but its concurrency slows down.
fn fast(concurrent: u32) -> QueueSettings {
    QueueSettings { limits: RateLimits { per_second: f64::INFINITY, burst: 1, concurrent }, ..settings("q") }
}

/// Tasks whose names we make.
fn unnamed(count: usize) -> Vec<NewTask> {
    vec![NewTask { id: None, ..new_task(&queue_name("q"), "x") }; count]
}

async fn create(store: &PostgresStore, tasks: Vec<NewTask>) -> HashSet<Arc<str>> {
    store.create(tasks).await.into_iter().map(|task| task.expect("created").name.id).collect()
}

fn settlement(leased: &Leased, answer: Answer) -> Settlement {
    let outcome = Outcome { at: jiff::Timestamp::UNIX_EPOCH, answer };
    Settlement { name: leased.task.name.clone(), token: leased.token, end: End::Attempted(outcome) }
}

async fn succeed(store: &PostgresStore, leased: &[Leased]) -> Result<Vec<Settled>, Error> {
    store.settle(leased.iter().map(|leased| settlement(leased, status(200))).collect()).await
}
