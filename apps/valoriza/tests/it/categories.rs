use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Server, id, on_both_databases};

on_both_databases!(
    a_new_tenant_has_the_default_categories,
    a_category_is_created_changed_and_deleted,
    siblings_have_different_names,
    the_tree_keeps_its_shape,
    a_category_in_use_is_not_deleted,
);

async fn a_new_tenant_has_the_default_categories(server: Server) {
    let ana = server.user().await;
    let list = ana.read("/api/categories").await;
    let names: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(["Moradia", "Alimentação", "Supermercado", "Salário"].iter().all(|name| names.contains(name)));
    assert_eq!(list["next_cursor"], json!(null));
}

async fn a_category_is_created_changed_and_deleted(server: Server) {
    let ana = server.user().await;
    let body = json!({ "name": "Barco", "kind": "expense", "color": "#ABCDEF", "icon": "⛵" });
    let created = ana.create("/api/categories", body).await;
    assert_eq!((&created["color"], &created["icon"]), (&json!("#abcdef"), &json!("⛵")));
    let path = format!("/api/categories/{}", id(&created));
    let changed = ana.patch(&path, json!({ "name": "Veleiro", "icon": null })).await.expect(StatusCode::OK);
    assert_eq!((&changed["name"], &changed["icon"]), (&json!("Veleiro"), &json!(null)));
    assert_eq!(ana.read(&path).await, changed);
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    ana.delete(&path).await.expect_problem(404, "not_found");
    let body = json!({ "name": "", "kind": "other", "color": "red", "icon": "abc", "parent_id": 1 });
    ana.post("/api/categories", body).await.expect_invalid(&[
        ("name", "required"),
        ("kind", "invalid"),
        ("parent_id", "wrong_type"),
        ("color", "invalid"),
        ("icon", "invalid"),
    ]);
}

async fn siblings_have_different_names(server: Server) {
    let ana = server.user().await;
    let body = json!({ "name": "ALIMENTACAO", "kind": "expense" });
    ana.post("/api/categories", body).await.expect_problem(409, "category_name_taken");
    let other = ana.category("Barco", "expense", None).await;
    ana.category("Alimentação", "expense", Some(&other)).await;
    let path = format!("/api/categories/{other}");
    ana.patch(&path, json!({ "name": "alimentação" })).await.expect_problem(409, "category_name_taken");
    ana.patch(&path, json!({ "name": "BARCO" })).await.expect(StatusCode::OK);
}

async fn the_tree_keeps_its_shape(server: Server) {
    let ana = server.user().await;
    let top = ana.category("Barco", "expense", None).await;
    let middle = ana.category("Marina", "expense", Some(&top)).await;
    let bottom = ana.category("Vaga", "expense", Some(&middle)).await;
    let body = |parent: &str, kind: &str| json!({ "name": "Nova", "kind": kind, "parent_id": parent });
    ana.post("/api/categories", body(&bottom, "expense")).await.expect_invalid(&[("parent_id", "too_deep")]);
    ana.post("/api/categories", body(&top, "income")).await.expect_invalid(&[("kind", "parent_differs")]);
    let path = format!("/api/categories/{top}");
    ana.patch(&path, json!({ "parent_id": bottom })).await.expect_invalid(&[("parent_id", "cycle")]);
    ana.patch(&path, json!({ "kind": "income" })).await.expect_invalid(&[("kind", "children_differ")]);
    ana.delete(&path).await.expect_problem(409, "category_in_use");
}

async fn a_category_in_use_is_not_deleted(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let (whole, part, planned) = (
        ana.category("Inteira", "expense", None).await,
        ana.category("Parte", "expense", None).await,
        ana.category("Planejada", "expense", None).await,
    );
    ana.transaction(&account, "2026-11-01", -100, Some(&whole)).await;
    let splits = json!([{ "amount_cents": -60, "category_id": part }, { "amount_cents": -40 }]);
    let body = json!({
        "account_id": account, "date": "2026-11-01", "description": "x", "amount_cents": -100, "splits": splits,
    });
    ana.create("/api/transactions", body).await;
    let budget = json!({ "category_id": planned, "month": "2026-11", "amount_cents": 100 });
    ana.create("/api/budgets", budget).await;
    for used in [&whole, &part, &planned] {
        ana.delete(&format!("/api/categories/{used}")).await.expect_problem(409, "category_in_use");
    }
    let income = json!({ "kind": "income" });
    ana.patch(&format!("/api/categories/{planned}"), income).await.expect_invalid(&[("kind", "has_budgets")]);
}
