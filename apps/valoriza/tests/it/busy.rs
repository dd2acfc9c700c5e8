//! What happens when something else holds the database, or the client or the server leaves.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use valoriza::db::{self, Statement};
use valoriza::store::idempotency;

use crate::support::{Server, id, on_both_databases};

on_both_databases!(a_write_goes_on_when_its_client_leaves, a_write_under_way_is_finished_at_shutdown);

fn account() -> Value {
    json!({ "name": "Conta", "kind": "cash" })
}

/// Returns once `count` writes are under way.
async fn writes_under_way(server: &Server, count: usize) {
    while server.app.writes.len() != count {
        tokio::task::yield_now().await;
    }
}

/// Makes every category write of the tenant wait, until it is dropped.
async fn hold_tree(server: &Server, tenant: &Value) -> db::Tx {
    let mut tx = server.app.db.write().await.unwrap();
    let tenant = tenant.as_str().unwrap().parse().unwrap();
    valoriza::store::categories::lock_tree(&mut tx, tenant).await.unwrap();
    tx
}

async fn a_write_goes_on_when_its_client_leaves(server: Server) {
    let ana = server.user().await;
    let held = hold_tree(&server, &ana.session["tenant"]["id"]).await;
    let body = json!({ "name": "Barco", "kind": "expense" });
    let call = tokio::spawn(ana.call(Method::POST, "/api/categories").json(&body).send());
    writes_under_way(&server, 1).await;
    call.abort();
    assert!(call.await.is_err_and(|error| error.is_cancelled()));
    drop(held);
    writes_under_way(&server, 0).await;
    ana.post("/api/categories", body).await.expect_problem(409, "category_name_taken");
}

async fn a_write_under_way_is_finished_at_shutdown(server: Server) {
    let ana = server.user().await;
    let held = hold_tree(&server, &ana.session["tenant"]["id"]).await;
    let body = json!({ "name": "Barco", "kind": "expense" });
    let call = tokio::spawn(ana.call(Method::POST, "/api/categories").json(&body).send());
    writes_under_way(&server, 1).await;
    server.shutdown();
    drop(held);
    call.await.unwrap().expect(StatusCode::CREATED);
    server.stopped().await;
}

/// Takes the five seconds a request waits for the writer.
#[tokio::test]
async fn an_sqlite_file_held_for_too_long_is_503_and_not_500() {
    let server = Server::over_sqlite().await;
    let ana = server.user().await;
    let path = format!("/api/accounts/{}", ana.account().await);
    let held = server.app.db.write().await.unwrap();
    let reply = ana.post("/api/accounts", account()).await;
    assert_eq!(reply.header("retry-after"), Some("1"));
    reply.expect_problem(503, "busy");
    assert_eq!(id(&ana.read(&path).await).len(), 36, "readers do not wait for writers");
    drop(held);
    ana.post("/api/accounts", account()).await.expect(StatusCode::CREATED);
}

/// Takes seven seconds: the second comes two after the first.
#[tokio::test]
async fn on_sqlite_a_writer_behind_one_that_gave_up_waits_no_longer_than_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("valoriza.db").display());
    let db = db::Db::connect(&url).await.unwrap();
    let held = db.write().await.unwrap();
    let waits = async |late: Duration| {
        tokio::time::sleep(late).await;
        let began = tokio::time::Instant::now();
        assert!(db.write().await.is_err());
        began.elapsed()
    };
    let (first, second) = tokio::join!(waits(Duration::ZERO), waits(Duration::from_secs(2)));
    assert!(first.max(second) < Duration::from_millis(6_500), "{first:?} {second:?}");
    drop(held);
}

/// Takes the five seconds of `lock_timeout`. On SQLite the second request waits for the first and replays it.
#[tokio::test]
async fn on_postgres_a_key_claimed_by_a_request_under_way_is_in_progress() {
    let server = Server::over_postgres().await;
    let ana = server.user().await;
    let scope = ana.session["user"]["id"].as_str().unwrap();
    let mut held = server.app.db.write().await.unwrap();
    let expires_at = jiff::Timestamp::now() + Duration::from_mins(1);
    assert!(idempotency::claim(&mut held, scope, "k", b"other", expires_at).await.unwrap());
    let call = ana.call(Method::POST, "/api/accounts").header("idempotency-key", "k");
    call.json(&account()).send().await.expect_problem(409, "idempotency_in_progress");
}

#[tokio::test]
async fn on_postgres_a_commit_that_loses_its_connection_has_an_unknown_outcome() {
    let server = Server::over_postgres().await;
    let tx = server.app.db.write().await.unwrap();
    let mut other = server.app.db.write().await.unwrap();
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    other.execute(Statement::new(others)).await.unwrap();
    let error = tx.commit().await.unwrap_err();
    assert!(matches!(error, db::Error::OutcomeUnknown(_)), "{error:?}");
}
