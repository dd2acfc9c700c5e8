//! The real worker process, killed in the middle of an import.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;
use valoriza::db::Statement;

use crate::support::{Server, User, id, on_both_databases};

on_both_databases!(a_worker_killed_in_the_middle_imports_everything_once);

/// Twelve steps of the worker.
const ROWS: i64 = 6_000;
const KILLS: usize = 3;

/// For a busy machine; the whole takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `valoriza worker --poll`, killed with -9 when dropped.
struct Worker(Child);

impl Worker {
    fn start(server: &Server) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_valoriza"));
        command.args(["worker", "--poll"]).env("DATABASE_URL", &server.database);
        command.env("VALORIZA_FILES", server.folder.path().join("files")).env("RUST_LOG", "error");
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn wait_until(ana: &User<'_>, import: &Value, is_so: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/api/imports/{}", id(import));
    let watch = async {
        loop {
            let import = ana.read(&path).await;
            if is_so(&import) {
                return import;
            }
        }
    };
    timeout(PATIENCE, watch).await.expect("the worker goes on")
}

async fn a_worker_killed_in_the_middle_imports_everything_once(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let rows: Vec<_> =
        (1..=ROWS).map(|n| format!("{:02}/11/2026;Compra;-0,0{}\n", n % 28 + 1, n % 9 + 1)).collect();
    let cents: i64 = (1..=ROWS).map(|n| n % 9 + 1).sum();
    let path = format!("/api/imports?account_id={account}");
    let import = ana.call(Method::POST, &path).body(rows.concat()).send().await.expect(StatusCode::ACCEPTED);
    let worker = Worker::start(&server);
    wait_until(&ana, &import, |it| it["status"] == "preview").await;
    drop(worker);
    let commit = format!("/api/imports/{}/commit", id(&import));
    ana.call(Method::POST, &commit).send().await.expect(StatusCode::ACCEPTED);
    let done = |it: &Value| it["rows_done"].as_i64().unwrap();
    let mut reached = 0;
    for _ in 0..KILLS {
        let worker = Worker::start(&server);
        wait_until(&ana, &import, |it| done(it) > reached).await;
        drop(worker);
        reached = done(&ana.import(&id(&import)).await);
        assert!(reached < ROWS, "killed in the middle");
        // Whatever was reached, rows and balance agree.
        let sum =
            Statement::new("SELECT CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT) AS n FROM transactions");
        let mut tx = server.app.db.snapshot().await.unwrap();
        let sum: i64 = tx.one(sum).await.unwrap();
        drop(tx);
        assert_eq!(ana.balance(&account).await, sum);
    }
    let worker = Worker::start(&server);
    let finished = wait_until(&ana, &import, |it| it["status"] == "done").await;
    drop(worker);
    assert_eq!((finished["rows_done"].as_i64(), ana.balance(&account).await), (Some(ROWS), -cents));
    let count = |sql| Statement::new(sql);
    let mut tx = server.app.db.snapshot().await.unwrap();
    let transactions: i64 = tx.one(count("SELECT COUNT(*) AS n FROM transactions")).await.unwrap();
    let told = count("SELECT COUNT(*) AS n FROM outbox WHERE topic = 'import.committed'");
    let told: i64 = tx.one(told).await.unwrap();
    assert_eq!((transactions, told), (ROWS, 1));
    drop(tx);
    // And all the way back.
    let undo = format!("/api/imports/{}/undo", id(&import));
    ana.call(Method::POST, &undo).send().await.expect(StatusCode::ACCEPTED);
    let worker = Worker::start(&server);
    wait_until(&ana, &import, |it| done(it) < ROWS).await;
    drop(worker);
    server.work().await;
    let undone = ana.import(&id(&import)).await;
    assert_eq!((&undone["status"], &undone["warnings"]), (&json!("undone"), &json!([])));
    assert_eq!(ana.balance(&account).await, 0);
}
