use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Server, User, id, on_both_databases};

on_both_databases!(another_tenants_things_do_not_exist, every_endpoint_but_the_open_ones_demands_a_token);

/// One of everything.
async fn things(user: &User<'_>) -> Vec<String> {
    let account = user.account().await;
    let category = user.category("Barco", "expense", None).await;
    let transaction = id(&user.transaction(&account, "2026-11-01", -100, Some(&category)).await);
    let budget = json!({ "category_id": category, "month": "2026-11", "amount_cents": 1 });
    let budget = id(&user.create("/api/budgets", budget).await);
    let automation = json!({ "name": "x", "when": { "text": "x" }, "then": { "notify": true } });
    let automation = id(&user.create("/api/automations", automation).await);
    vec![
        format!("/api/automations/{automation}"),
        format!("/api/accounts/{account}"),
        format!("/api/categories/{category}"),
        format!("/api/transactions/{transaction}"),
        format!("/api/budgets/{budget}"),
    ]
}

async fn another_tenants_things_do_not_exist(server: Server) {
    let (ana, bia) = (server.user().await, server.user().await);
    for path in things(&ana).await {
        let mine = ana.read(&path).await;
        bia.get(&path).await.expect_problem(404, "not_found");
        bia.put(&path, json!({})).await.expect_problem(404, "not_found");
        bia.patch(&path, json!({ "name": "minha" })).await.expect_problem(404, "not_found");
        bia.delete(&path).await.expect_problem(404, "not_found");
        assert_eq!(ana.read(&path).await, mine);
        let list = bia.read(path.rsplit_once('/').unwrap().0).await;
        assert!(list["items"].as_array().unwrap().iter().all(|it| it["id"] != mine["id"]));
    }
    let account = ana.account().await;
    let category = ana.category("Vela", "expense", None).await;
    let mine = ana.read("/api/transactions").await["items"][0]["id"].as_str().unwrap().to_owned();
    let report = ana.post("/api/reports", json!({ "month": "2026-10" })).await.expect(StatusCode::ACCEPTED);
    let said =
        ana.post(&format!("/api/transactions/{mine}/categorise"), json!({ "category_id": category })).await;
    let correction = said.expect(StatusCode::OK)["correction_id"].as_str().unwrap().to_owned();
    let automation = ana.read("/api/automations").await["items"][0]["id"].as_str().unwrap().to_owned();
    let own = bia.category("Vela", "expense", None).await;
    bia.post(&format!("/api/transactions/{mine}/categorise"), json!({ "category_id": own }))
        .await
        .expect_problem(404, "not_found");
    bia.post(&format!("/api/automations/{automation}/apply"), Value::Null)
        .await
        .expect_problem(404, "not_found");
    bia.delete(&format!("/api/corrections/{correction}")).await.expect_problem(404, "not_found");
    let report = format!("/api/reports/{}", id(&report));
    for path in [format!("/api/transactions/{mine}/similar"), report.clone(), report + "/csv"] {
        bia.get(&path).await.expect_problem(404, "not_found");
    }
    let accept = bia.post("/api/review/accept", json!({ "transaction_ids": [mine] })).await;
    assert_eq!(accept.expect(StatusCode::OK)["accepted"], json!([]));
    for list in ["/api/review", "/api/automations", "/api/notifications", "/api/reports"] {
        assert_eq!(bia.read(list).await["items"], json!([]), "{list}");
    }
    for (path, body) in [
        (
            "/api/automations",
            json!({ "name": "x", "when": { "account_id": account }, "then": { "category_id": category } }),
        ),
        ("/api/categories", json!({ "name": "x", "kind": "expense", "parent_id": category })),
        ("/api/budgets", json!({ "category_id": category, "month": "2026-11", "amount_cents": 1 })),
        (
            "/api/transactions",
            json!({ "account_id": account, "date": "2026-11-01", "description": "x", "amount_cents": 1 }),
        ),
    ] {
        bia.post(path, body).await.expect_problem(422, "invalid_input");
    }
    for filter in [format!("account_id={account}"), format!("category_id={category}")] {
        assert_eq!(bia.read(&format!("/api/transactions?{filter}")).await["items"], json!([]));
    }
    assert_eq!(bia.read("/api/summary?month=2026-11").await["expense_cents"], 0);
}

async fn every_endpoint_but_the_open_ones_demands_a_token(server: Server) {
    const OPEN: [&str; 6] = [
        "/health",
        "/.well-known/jwks.json",
        "/api/auth/register",
        "/api/auth/login",
        "/api/auth/refresh",
        "/api/auth/logout",
    ];
    let document = server.request(Method::GET, "/api/openapi.json").send().await.expect(StatusCode::OK);
    let mut checked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().filter(|_| !OPEN.contains(&path.as_str())) {
            let method: Method = method.to_uppercase().parse().unwrap();
            let url = path.replace("{id}", "01a1fd3c-63c3-73e4-81f0-4bc31ad61358");
            let call = server.request(method, &url).json(&Value::Null);
            call.send().await.expect_problem(401, "bad_token");
            checked += 1;
        }
    }
    assert_eq!(
        checked,
        5 * 6 + 2 + 6 + 2 + 3 + 5 + 9,
        "five kinds of things, /api/me, the summary; of review, automations, notifications, reports, imports"
    );
}
