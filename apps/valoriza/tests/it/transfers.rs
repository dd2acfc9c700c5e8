use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Server, User, id, on_both_databases};

on_both_databases!(
    a_transfer_has_two_sides_that_change_and_go_together,
    a_transfer_is_neither_income_nor_expense,
    a_transfer_needs_two_accounts_of_one_currency,
    opposite_transfers_at_once_lose_no_money,
);

fn body(from: &str, to: &str, cents: i64) -> Value {
    json!({
        "kind": "transfer", "account_id": from, "transfer_account_id": to, "date": "2026-11-10",
        "description": "TRANSF", "amount_cents": cents,
    })
}

/// The other side of a transfer.
async fn other_side(ana: &User<'_>, side: &Value) -> Value {
    let account = side["transfer_account_id"].as_str().unwrap();
    let list = ana.read(&format!("/api/transactions?account_id={account}")).await;
    let items = list["items"].as_array().unwrap();
    items.iter().find(|it| it["transfer_id"] == side["transfer_id"]).unwrap().clone()
}

async fn a_transfer_has_two_sides_that_change_and_go_together(server: Server) {
    let ana = server.user().await;
    let (from, to) = (ana.account().await, ana.account().await);
    let out = ana.create("/api/transactions", body(&from, &to, 500)).await;
    assert_eq!((&out["amount_cents"], &out["account_id"]), (&json!(-500), &json!(from)));
    let into = other_side(&ana, &out).await;
    assert_eq!((&into["amount_cents"], &into["transfer_account_id"]), (&json!(500), &json!(from)));
    assert_eq!((ana.balance(&from).await, ana.balance(&to).await), (-500, 500));

    let path = format!("/api/transactions/{}", id(&into));
    let change = json!({ "amount_cents": 700, "date": "2026-11-12", "description": "POUPANÇA" });
    ana.patch(&path, change).await.expect(StatusCode::OK);
    let out = ana.read(&format!("/api/transactions/{}", id(&out))).await;
    assert_eq!((&out["amount_cents"], &out["date"]), (&json!(-700), &json!("2026-11-12")));
    assert_eq!((&out["description"], &out["version"]), (&json!("POUPANÇA"), &json!(2)));
    assert_eq!((ana.balance(&from).await, ana.balance(&to).await), (-700, 700));
    let category = ana.category("Barco", "expense", None).await;
    ana.patch(&path, json!({ "category_id": category })).await.expect_invalid(&[("category_id", "transfer")]);

    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    ana.get(&format!("/api/transactions/{}", id(&out))).await.expect_problem(404, "not_found");
    assert_eq!((ana.balance(&from).await, ana.balance(&to).await), (0, 0));
}

async fn a_transfer_is_neither_income_nor_expense(server: Server) {
    let ana = server.user().await;
    let (from, to) = (ana.account().await, ana.account().await);
    ana.create("/api/transactions", body(&from, &to, 500)).await;
    let summary = ana.read("/api/summary?month=2026-11").await;
    assert_eq!((&summary["income_cents"], &summary["expense_cents"]), (&json!(0), &json!(0)));
    assert_eq!((&summary["balance_cents"], &summary["uncategorised_count"]), (&json!(0), &json!(0)));
}

async fn a_transfer_needs_two_accounts_of_one_currency(server: Server) {
    let (ana, bia) = (server.user().await, server.user().await);
    let (from, foreign) = (ana.account().await, bia.account().await);
    let dollars = json!({ "name": "Dólares", "kind": "cash", "currency": "USD" });
    let dollars = id(&ana.create("/api/accounts", dollars).await);
    let check = async |from: &str, to: &str, expected: &[(&str, &str)]| {
        ana.post("/api/transactions", body(from, to, 1)).await.expect_invalid(expected);
    };
    check(&from, &from, &[("transfer_account_id", "same_account")]).await;
    check(&from, &foreign, &[("transfer_account_id", "unknown_reference")]).await;
    check(&foreign, &from, &[("account_id", "unknown_reference")]).await;
    check(&from, &dollars, &[("transfer_account_id", "currencies_differ")]).await;
}

async fn opposite_transfers_at_once_lose_no_money(server: Server) {
    let ana = server.user().await;
    let (a, b) = (ana.account().await, ana.account().await);
    let calls = (0..20).map(|n| {
        let (from, to) = if n % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let call = ana.call(reqwest::Method::POST, "/api/transactions").json(&body(from, to, 10 + n));
        tokio::spawn(call.send())
    });
    let calls: Vec<_> = calls.collect();
    for call in calls {
        call.await.unwrap().expect(StatusCode::CREATED);
    }
    // Ten transfers each way, each way back one centavo larger.
    assert_eq!((ana.balance(&a).await, ana.balance(&b).await), (10, -10));
}
