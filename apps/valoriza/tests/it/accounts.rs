use reqwest::StatusCode;
use serde_json::json;
use valoriza::domain::member::Role;

use crate::support::{Server, id, on_both_databases};

on_both_databases!(
    an_account_is_opened_changed_and_deleted,
    an_account_with_transactions_is_archived_and_not_deleted,
    a_balance_is_the_opening_plus_all_transactions,
    a_balance_never_leaves_its_limits,
    roles_may_do_what_they_may,
    a_write_leaves_its_event_and_a_refused_one_does_not,
);

async fn an_account_is_opened_changed_and_deleted(server: Server) {
    let ana = server.user().await;
    let opened = ana.create("/api/accounts", json!({ "name": " Nubank ", "kind": "checking" })).await;
    assert_eq!((&opened["name"], &opened["currency"]), (&json!("Nubank"), &json!("BRL")));
    assert_eq!((&opened["version"], &opened["archived"]), (&json!(1), &json!(false)));
    let path = format!("/api/accounts/{}", id(&opened));
    assert_eq!(ana.read(&path).await, opened);

    let changed = ana.patch(&path, json!({ "archived": true })).await.expect(StatusCode::OK);
    assert_eq!((&changed["name"], &changed["archived"]), (&json!("Nubank"), &json!(true)));
    let whole =
        json!({ "name": "Inter", "kind": "savings", "opening_balance_cents": 500, "archived": false });
    let replaced = ana.put(&path, whole).await.expect(StatusCode::OK);
    assert_eq!((&replaced["kind"], &replaced["balance_cents"]), (&json!("savings"), &json!(500)));
    assert_eq!(replaced["version"], 3);
    ana.put(&path, json!({ "name": "Inter" })).await.expect_invalid(&[
        ("kind", "required"),
        ("opening_balance_cents", "required"),
        ("archived", "required"),
    ]);

    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    ana.get(&path).await.expect_problem(404, "not_found");
}

async fn an_account_with_transactions_is_archived_and_not_deleted(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    ana.transaction(&account, "2026-11-01", -100, None).await;
    ana.delete(&format!("/api/accounts/{account}")).await.expect_problem(409, "account_in_use");
    assert_eq!(ana.balance(&account).await, -100);
}

async fn a_balance_is_the_opening_plus_all_transactions(server: Server) {
    let ana = server.user().await;
    let body = json!({ "name": "Conta", "kind": "checking", "opening_balance_cents": 1_000 });
    let (account, other) = (id(&ana.create("/api/accounts", body).await), ana.account().await);
    let first =
        format!("/api/transactions/{}", id(&ana.transaction(&account, "2026-11-01", -300, None).await));
    ana.transaction(&account, "2026-11-02", 50, None).await;
    assert_eq!(ana.balance(&account).await, 750);

    ana.patch(&first, json!({ "amount_cents": -400 })).await.expect(StatusCode::OK);
    assert_eq!(ana.balance(&account).await, 650);
    ana.patch(&first, json!({ "account_id": other })).await.expect(StatusCode::OK);
    assert_eq!((ana.balance(&account).await, ana.balance(&other).await), (1_050, -400));
    ana.patch(&format!("/api/accounts/{account}"), json!({ "opening_balance_cents": 0 }))
        .await
        .expect(StatusCode::OK);
    assert_eq!(ana.balance(&account).await, 50);
    ana.delete(&first).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(ana.balance(&other).await, 0);
}

async fn a_balance_never_leaves_its_limits(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    // No client gets there by itself: a transaction is at most a nine thousandth of a balance.
    let mut tx = server.app.db.write().await.unwrap();
    let tenant = ana.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    let near = valoriza::domain::money::BALANCE_CENTS_MAX - 10;
    valoriza::store::accounts::adjust(&mut tx, tenant, account.parse().unwrap(), near).await.unwrap();
    tx.commit().await.unwrap();
    let body = json!({ "account_id": account, "date": "2026-11-01", "description": "x", "amount_cents": 11 });
    ana.post("/api/transactions", body).await.expect_invalid(&[("amount_cents", "balance_out_of_range")]);
    assert_eq!(ana.balance(&account).await, near);
}

async fn roles_may_do_what_they_may(server: Server) {
    let ana = server.user().await;
    let (viewer, member) = (ana.with_role(Role::Viewer), ana.with_role(Role::Member));
    let body = json!({ "name": "Conta", "kind": "cash" });
    viewer.read("/api/accounts").await;
    viewer.post("/api/accounts", body.clone()).await.expect_problem(403, "forbidden");
    let path = format!("/api/accounts/{}", id(&member.create("/api/accounts", body).await));
    viewer.patch(&path, json!({ "name": "Minha" })).await.expect_problem(403, "forbidden");
    member.patch(&path, json!({ "name": "Minha" })).await.expect(StatusCode::OK);
    member.delete(&path).await.expect_problem(403, "forbidden");
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let category = format!("/api/categories/{}", member.category("Cofre", "expense", None).await);
    member.delete(&category).await.expect_problem(403, "forbidden");
    ana.delete(&category).await.expect(StatusCode::NO_CONTENT);
}

async fn a_write_leaves_its_event_and_a_refused_one_does_not(server: Server) {
    let ana = server.user().await;
    let tenant = ana.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    let account = ana.account().await;
    ana.transaction(&account, "2026-11-01", -100, None).await;
    ana.delete(&format!("/api/accounts/{account}")).await.expect_problem(409, "account_in_use");
    let mut tx = server.app.db.snapshot().await.unwrap();
    for (topic, expected) in [("account.created", 1), ("transaction.created", 1), ("account.deleted", 0)] {
        assert_eq!(
            valoriza::store::outbox::pending(&mut tx, tenant, topic).await.unwrap(),
            expected,
            "{topic}"
        );
    }
}
