use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Server, User, id, on_both_databases, relay};

on_both_databases!(
    a_budget_tells_at_80_and_100_percent_once_each,
    a_jump_over_both_tells_once,
    any_cause_tells
);

async fn titles(ana: &User<'_>) -> Vec<String> {
    let page = ana.read("/api/notifications").await;
    page["items"].as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect()
}

async fn budget(ana: &User<'_>, category: &str, month: &str, cents: i64) -> Value {
    let body = json!({ "category_id": category, "month": month, "amount_cents": cents });
    ana.create("/api/budgets", body).await
}

async fn a_budget_tells_at_80_and_100_percent_once_each(server: Server) {
    let (ana, bia, worker) = (server.user().await, server.user().await, server.worker());
    let account = ana.account().await;
    let top = ana.category("Barco", "expense", None).await;
    let below = ana.category("Marina", "expense", Some(&top)).await;
    budget(&ana, &top, "2026-11", 100_000).await;
    budget(&ana, &top, "2026-12", 100_000).await;
    let spend = async |cents: i64, expected: &[&str]| {
        ana.transaction(&account, "2026-11-10", -cents, Some(&below)).await;
        relay(&server, &worker).await;
        assert_eq!(titles(&ana).await, expected);
    };
    spend(79_999, &[]).await;
    spend(1, &["80% do orçamento de Barco"]).await;
    spend(19_999, &["80% do orçamento de Barco"]).await;
    spend(1, &["Orçamento de Barco estourado", "80% do orçamento de Barco"]).await;
    spend(50_000, &["Orçamento de Barco estourado", "80% do orçamento de Barco"]).await;
    let last = &ana.read("/api/notifications").await["items"][0];
    assert_eq!(last["text"], "Em novembro de 2026 foram gastos R$ 1.000,00 de R$ 1.000,00.");
    assert_eq!((&last["kind"], &last["read_at"]), (&json!("budget"), &json!(null)));
    assert!(titles(&bia).await.is_empty());
    // Another month is another budget.
    ana.transaction(&account, "2026-12-01", -80_000, Some(&top)).await;
    relay(&server, &worker).await;
    assert_eq!(titles(&ana).await.len(), 3);
}

async fn a_jump_over_both_tells_once(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let category = ana.category("Barco", "expense", None).await;
    budget(&ana, &category, "2026-11", 1_000).await;
    let spent = ana.transaction(&account, "2026-11-10", -1_500, Some(&category)).await;
    relay(&server, &worker).await;
    assert_eq!(titles(&ana).await, ["Orçamento de Barco estourado"]);
    // Less, then more again: it has told.
    let path = format!("/api/transactions/{}", id(&spent));
    for cents in [-850, -2_000] {
        ana.patch(&path, json!({ "amount_cents": cents })).await.expect(StatusCode::OK);
        relay(&server, &worker).await;
    }
    assert_eq!(titles(&ana).await.len(), 1);
}

async fn any_cause_tells(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let (a, b) = (ana.category("Barco", "expense", None).await, ana.category("Vela", "expense", None).await);
    let waiting = id(&ana.transaction(&account, "2026-11-10", -1_000, None).await);
    budget(&ana, &a, "2026-11", 1_000).await;
    relay(&server, &worker).await;
    assert!(titles(&ana).await.is_empty());
    // A correction.
    let path = format!("/api/transactions/{waiting}/categorise");
    ana.post(&path, json!({ "category_id": a })).await.expect(StatusCode::OK);
    relay(&server, &worker).await;
    assert_eq!(titles(&ana).await, ["Orçamento de Barco estourado"]);
    // A budget set below what was spent.
    ana.transaction(&account, "2026-11-10", -900, Some(&b)).await;
    budget(&ana, &b, "2026-11", 1_000).await;
    relay(&server, &worker).await;
    assert_eq!(titles(&ana).await[0], "80% do orçamento de Vela");
    // An automation.
    let rule = json!({ "name": "Vela", "when": { "text": "vela" }, "then": { "category_id": b } });
    ana.create("/api/automations", rule).await;
    ana.described(&account, "2026-11-11", "VELA NOVA", -100).await;
    relay(&server, &worker).await;
    assert_eq!(titles(&ana).await[0], "Orçamento de Vela estourado");
}
