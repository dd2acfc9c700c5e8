//! What crashes may cost an application: everything valoriza acknowledged, against what its database says in the end,
//! while the platform and all it runs are killed with -9 at random moments.
//!
//! Each round has an automation that notifies, a category, a budget and a statement of its own; [`client`] says what
//! is asked of valoriza, [`ledger`] what must have become of it. What was not acknowledged is sent again in the next
//! round with the same `Idempotency-Key`, so that in the end all is acknowledged and must be there exactly once.

mod client;
mod ledger;

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use super::{in_the_end, rounds, seeded};
use crate::support::{Folder, Mare, get, kill, until};
use crate::valoriza::shipped;
use client::{Client, Mission};
use ledger::Ledger;

/// Who records transactions at the same time.
const WRITERS: usize = 4;

/// The shipped manifest. A task whose process was killed is due again soon, also where another process could be at it.
fn manifest(backend: &str) -> String {
    let services = shipped();
    let prompt = services.replace("topic = \"events\"\n", "topic = \"events\"\ndeadline = \"15s\"\n");
    assert_ne!(prompt, services);
    format!("{prompt}{backend}")
}

async fn up(folder: Folder, url: &str) -> Mare {
    let files = folder.path().join("files").display().to_string();
    let log = "info,valoriza=debug,sqlx=warn";
    let variables = [("DATABASE_URL", url), ("VALORIZA_FILES", &files), ("RUST_LOG", log)];
    Mare::launch(folder, &variables, &[]).await
}

/// Work that goes on until mare is gone, or until all is acknowledged in the last round.
async fn begin(mare: &Mare, mission: &Arc<Mission>) -> JoinSet<()> {
    let token = Client::open(mare, "").await.log_in(mission).await;
    Client::open(mare, &token).await.prepare(mission).await;
    let mut work = JoinSet::new();
    for _ in 0..WRITERS {
        let (client, mission) = (Client::open(mare, &token).await, Arc::clone(mission));
        work.spawn(client.record(mission));
    }
    work.spawn(Client::open(mare, &token).await.import(Arc::clone(mission)));
    work
}

async fn finish(mut work: JoinSet<()>) {
    while let Some(ended) = work.join_next().await {
        ended.expect("a client ends with its connection, or has all acknowledged");
    }
}

/// Every event is relayed, and every task done.
async fn until_drained(mare: &Mare, ledger: &Ledger) {
    let dead = in_the_end("everything is handled", async || {
        let pending = ledger.pending().await;
        let status: Value = serde_json::from_str(&get(mare.admin, "/api/tasks").await.body).ok()?;
        let queues = status["queues"].as_array()?;
        let idle = queues.iter().all(|queue| queue["backlog"] == 0 && queue["running"] == 0);
        // What was under way may have made events of its own.
        let settled = idle && pending == 0 && ledger.pending().await == 0;
        settled.then(|| queues.iter().filter_map(|queue| queue["dead"].as_u64()).sum::<u64>())
    });
    assert_eq!(dead.await, 0, "nothing is dead");
}

/// How often the worker was brought an event it had handled; what it wrote last before a crash may be missing.
fn repeated(mare: &Mare) -> usize {
    mare.stdout.all().iter().chain(&mare.stderr.all()).filter(|line| line.contains("handled before")).count()
}

async fn killed_at_random(folder: Folder, url: String) {
    let mut random = seeded();
    let mission = Arc::new(Mission::default());
    let mut folder = folder;
    let mut deliveries = 0;
    for _ in 0..rounds(3) {
        let mut mare = up(folder, &url).await;
        let work = begin(&mare, &mission).await;
        let enough = mission.acknowledged() + random.usize(1..300);
        until("some are acknowledged", async || (mission.acknowledged() >= enough).then_some(())).await;
        kill(mare.pid);
        finish(work).await;
        mare.child.wait().await.expect("ours");
        mare.folder.until_nothing_runs().await;
        deliveries += repeated(&mare);
        folder = std::mem::replace(&mut mare.folder, Folder::new(""));
    }
    let mare = up(folder, &url).await;
    mission.end();
    finish(begin(&mare, &mission).await).await;
    let ledger = Ledger::open(&url).await;
    until_drained(&mare, &ledger).await;
    ledger.check(&mission).await;
    deliveries += repeated(&mare);
    println!("{} acknowledged, {deliveries} delivered more than once", mission.acknowledged());
    mare.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn valoriza_loses_and_repeats_nothing_on_sqlite() {
    let folder = Folder::new(&manifest(""));
    let url = format!("sqlite:{}", folder.path().join("finance.sqlite3").display());
    killed_at_random(folder, url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn valoriza_loses_and_repeats_nothing_on_postgres() {
    let server = servers::Postgres::shared();
    let (tasks, url) = (server.fresh_database(), server.fresh_database());
    killed_at_random(Folder::new(&manifest(&format!("[backends]\npostgres = \"{tasks}\"\n"))), url).await;
}
