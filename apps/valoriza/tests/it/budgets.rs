use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Server, id, on_both_databases};

on_both_databases!(
    what_is_spent_counts_descendants_splits_and_refunds,
    a_category_has_one_budget_a_month_and_is_an_expense,
    a_summary_adds_up_a_month,
);

async fn what_is_spent_counts_descendants_splits_and_refunds(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let top = ana.category("Barco", "expense", None).await;
    let below = ana.category("Marina", "expense", Some(&top)).await;
    let budget = json!({ "category_id": top, "month": "2026-11", "amount_cents": 1_000 });
    let budget = ana.create("/api/budgets", budget).await;
    assert_eq!((&budget["spent_cents"], &budget["left_cents"]), (&json!(0), &json!(1_000)));
    ana.transaction(&account, "2026-11-01", -300, Some(&top)).await;
    ana.transaction(&account, "2026-11-30", -200, Some(&below)).await;
    ana.transaction(&account, "2026-11-15", 50, Some(&below)).await; // a refund
    ana.transaction(&account, "2026-10-31", -7, Some(&top)).await;
    ana.transaction(&account, "2026-12-01", -7, Some(&top)).await;
    let splits = json!([{ "amount_cents": -60, "category_id": below }, { "amount_cents": -40 }]);
    let split = json!({
        "account_id": account, "date": "2026-11-02", "description": "x", "amount_cents": -100, "splits": splits,
    });
    ana.create("/api/transactions", split).await;

    let path = format!("/api/budgets/{}", id(&budget));
    let read = ana.read(&path).await;
    assert_eq!((&read["spent_cents"], &read["left_cents"]), (&json!(510), &json!(490)));
    let list = ana.read("/api/budgets?month=2026-11").await;
    assert_eq!(list["items"], json!([read]));
    assert_eq!(ana.read("/api/budgets?month=2026-10").await["items"], json!([]));
    let changed = ana.patch(&path, json!({ "amount_cents": 400 })).await.expect(StatusCode::OK);
    assert_eq!((&changed["left_cents"], &changed["version"]), (&json!(-110), &json!(2)));
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
}

async fn a_category_has_one_budget_a_month_and_is_an_expense(server: Server) {
    let ana = server.user().await;
    let expense = ana.category("Barco", "expense", None).await;
    let income = ana.category("Regata", "income", None).await;
    let body =
        |category: &str, month: &str| json!({ "category_id": category, "month": month, "amount_cents": 1 });
    ana.create("/api/budgets", body(&expense, "2026-11")).await;
    ana.post("/api/budgets", body(&expense, "2026-11")).await.expect_problem(409, "budget_exists");
    let next = ana.create("/api/budgets", body(&expense, "2026-12")).await;
    let path = format!("/api/budgets/{}", id(&next));
    ana.patch(&path, json!({ "month": "2026-11" })).await.expect_problem(409, "budget_exists");
    ana.post("/api/budgets", body(&income, "2026-11"))
        .await
        .expect_invalid(&[("category_id", "not_an_expense")]);
    let wrong = json!({ "category_id": "x", "month": "2026-13", "amount_cents": 0 });
    ana.post("/api/budgets", wrong).await.expect_invalid(&[
        ("category_id", "invalid"),
        ("month", "invalid"),
        ("amount_cents", "not_positive"),
    ]);
}

async fn a_summary_adds_up_a_month(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let expense = ana.category("Barco", "expense", None).await;
    let income = ana.category("Regata", "income", None).await;
    ana.transaction(&account, "2026-11-05", 1_000, Some(&income)).await;
    ana.transaction(&account, "2026-11-05", -300, Some(&expense)).await;
    ana.transaction(&account, "2026-11-06", 20, Some(&expense)).await;
    ana.transaction(&account, "2026-11-07", -5, None).await;
    ana.transaction(&account, "2026-10-07", -80, Some(&expense)).await;
    let summary = ana.read("/api/summary?month=2026-11").await;
    let figures = ["income_cents", "expense_cents", "net_cents", "balance_cents", "uncategorised_count"];
    assert_eq!(figures.map(|it| summary[it].as_i64().unwrap()), [1_000, 285, 715, 635, 1]);
    let previous = json!({ "month": "2026-10", "income_cents": 0, "expense_cents": 80, "net_cents": -80 });
    assert_eq!(summary["previous"], previous);
    assert_eq!(summary["by_category"][1]["amount_cents"], 280);
    assert_eq!(summary["by_category"][2]["name"], "Sem categoria");
    let day = json!({ "date": "2026-11-05", "income_cents": 1_000, "expense_cents": 300 });
    assert_eq!(summary["by_day"][4], day);
    assert_eq!(ana.read("/api/summary").await["month"].as_str().map(str::len), Some(7));
    ana.get("/api/summary?month=novembro").await.expect_invalid(&[("month", "invalid")]);
}
