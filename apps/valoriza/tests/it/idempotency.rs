use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, Server, User, on_both_databases};

on_both_databases!(
    a_repeated_post_is_answered_as_the_first_time_and_done_once,
    a_key_with_another_request_is_refused,
    a_refused_request_keeps_nothing,
    repeats_at_once_do_it_once,
    a_repeated_registration_opens_a_session_of_the_same_user,
    an_expired_answer_is_forgotten,
);

async fn post(user: &User<'_>, key: &str, path: &str, body: Value) -> Reply {
    user.call(Method::POST, path).header("idempotency-key", key).json(&body).send().await
}

fn account(name: &str) -> Value {
    json!({ "name": name, "kind": "cash" })
}

async fn count(user: &User<'_>) -> usize {
    user.read("/api/accounts").await["items"].as_array().unwrap().len()
}

async fn a_repeated_post_is_answered_as_the_first_time_and_done_once(server: Server) {
    let ana = server.user().await;
    let first = post(&ana, "k1", "/api/accounts", account("Conta")).await;
    let again = post(&ana, "k1", "/api/accounts", account("Conta")).await;
    assert_eq!(
        (first.header("idempotent-replayed"), again.header("idempotent-replayed")),
        (None, Some("true"))
    );
    assert_eq!(first.expect(StatusCode::CREATED), again.expect(StatusCode::CREATED));
    post(&ana, "k2", "/api/accounts", account("Conta")).await.expect(StatusCode::CREATED);
    assert_eq!(count(&ana).await, 2);
    // Keys belong to their user.
    let bia = server.user().await;
    assert_eq!(post(&bia, "k1", "/api/accounts", account("Conta")).await.header("idempotent-replayed"), None);
}

async fn a_key_with_another_request_is_refused(server: Server) {
    let ana = server.user().await;
    post(&ana, "k", "/api/accounts", account("Conta")).await.expect(StatusCode::CREATED);
    post(&ana, "k", "/api/accounts", account("Outra")).await.expect_problem(422, "idempotency_key_reused");
    let category = json!({ "name": "Barco", "kind": "expense" });
    post(&ana, "k", "/api/categories", category).await.expect_problem(422, "idempotency_key_reused");
    for key in ["", "com espaço", &"k".repeat(256)] {
        post(&ana, key, "/api/accounts", account("Conta")).await.expect_problem(400, "bad_idempotency_key");
    }
    assert_eq!(count(&ana).await, 1);
}

async fn a_refused_request_keeps_nothing(server: Server) {
    let ana = server.user().await;
    let budget = |category: &str| json!({ "category_id": category, "month": "2026-11", "amount_cents": 1 });
    let unknown = "01a1fd3c-63c3-73e4-81f0-4bc31ad61358";
    post(&ana, "k", "/api/budgets", budget(unknown)).await.expect_problem(422, "invalid_input");
    let category = ana.category("Barco", "expense", None).await;
    post(&ana, "k", "/api/budgets", budget(&category)).await.expect(StatusCode::CREATED);
}

async fn repeats_at_once_do_it_once(server: Server) {
    let ana = server.user().await;
    let call =
        || ana.call(Method::POST, "/api/accounts").header("idempotency-key", "k").json(&account("Conta"));
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(call().send())).collect();
    let mut bodies = Vec::new();
    for call in calls {
        bodies.push(call.await.unwrap().expect(StatusCode::CREATED));
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(count(&ana).await, 1);
}

async fn a_repeated_registration_opens_a_session_of_the_same_user(server: Server) {
    let register = async |email: &str, password: &str| {
        let body = json!({ "name": "Ana", "email": email, "password": password });
        let call = server.request(Method::POST, "/api/auth/register").header("idempotency-key", "k");
        call.json(&body).send().await
    };
    let first = register("a@b.com", PASSWORD).await.expect(StatusCode::CREATED);
    let again = register("a@b.com", PASSWORD).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let again = again.expect(StatusCode::CREATED);
    assert_eq!((&again["user"], &again["tenant"]), (&first["user"], &first["tenant"]));
    assert_ne!(again["refresh_token"], first["refresh_token"], "tokens are never kept");
    register("a@b.com", "outra senha longa").await.expect_problem(422, "idempotency_key_reused");
    register("c@d.com", PASSWORD).await.expect_problem(422, "idempotency_key_reused");
}

async fn an_expired_answer_is_forgotten(server: Server) {
    let ana = server.user().await;
    post(&ana, "k", "/api/accounts", account("Conta")).await.expect(StatusCode::CREATED);
    let mut tx = server.app.db.write().await.unwrap();
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(25);
    assert_eq!(valoriza::store::idempotency::delete_expired(&mut tx, later, 10).await.unwrap(), 1);
    assert_eq!(valoriza::store::refresh_tokens::delete_expired(&mut tx, later, 10).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(post(&ana, "k", "/api/accounts", account("Conta")).await.header("idempotent-replayed"), None);
}
