use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Reply, Server, User, id, on_both_databases};

on_both_databases!(
    a_stale_version_is_refused,
    of_edits_at_once_over_one_version_one_wins,
    edits_at_once_without_a_version_all_count,
    a_whole_edit_leaves_a_category_found_since,
);

async fn things(user: &User<'_>) -> Vec<String> {
    let account = user.account().await;
    let category = user.category("Barco", "expense", None).await;
    let transaction = id(&user.transaction(&account, "2026-11-01", -100, None).await);
    let budget = json!({ "category_id": category, "month": "2026-11", "amount_cents": 1 });
    let budget = id(&user.create("/api/budgets", budget).await);
    vec![
        format!("/api/budgets/{budget}"),
        format!("/api/transactions/{transaction}"),
        format!("/api/accounts/{account}"),
        format!("/api/categories/{category}"),
    ]
}

async fn a_stale_version_is_refused(server: Server) {
    let ana = server.user().await;
    for path in things(&ana).await {
        let version = |reply: &Reply| reply.header("etag").unwrap().split_once('-').unwrap().0.to_owned();
        assert_eq!(version(&ana.get(&path).await), "\"1");
        let edit = async |version: &str| {
            ana.call(Method::PATCH, &path).header("if-match", version).json(&json!({})).send().await
        };
        let edited = edit("\"1\"").await;
        assert_eq!(version(&edited), "\"2");
        edited.expect(StatusCode::OK);
        edit("\"1\"").await.expect_problem(412, "version_mismatch");
        edit("*").await.expect(StatusCode::OK);
        edit("3").await.expect_problem(400, "bad_if_match");
        let delete = ana.call(Method::DELETE, &path).header("if-match", "\"2\"");
        delete.send().await.expect_problem(412, "version_mismatch");
        assert_eq!(ana.read(&path).await["version"], 3, "a refused write does not count");
    }
}

async fn of_edits_at_once_over_one_version_one_wins(server: Server) {
    let ana = server.user().await;
    let path = format!("/api/accounts/{}", ana.account().await);
    let edits: Vec<_> = (0..8)
        .map(|n| {
            let call = ana.call(Method::PATCH, &path).header("if-match", "\"1\"");
            tokio::spawn(call.json(&json!({ "name": format!("Conta {n}") })).send())
        })
        .collect();
    let mut statuses = Vec::new();
    for edit in edits {
        statuses.push(edit.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    assert_eq!(ana.read(&path).await["version"], 2);
}

async fn edits_at_once_without_a_version_all_count(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let path = format!("/api/transactions/{}", id(&ana.transaction(&account, "2026-11-01", -1, None).await));
    let edits: Vec<_> = (2..10)
        .map(|n| tokio::spawn(ana.call(Method::PATCH, &path).json(&json!({ "amount_cents": -n })).send()))
        .collect();
    for edit in edits {
        edit.await.unwrap().expect(StatusCode::OK);
    }
    let last = ana.read(&path).await;
    assert_eq!(last["version"], 9);
    assert_eq!(Some(ana.balance(&account).await), last["amount_cents"].as_i64());
}

async fn a_whole_edit_leaves_a_category_found_since(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let found = ana.category("Barco", "expense", None).await;
    let rule = json!({ "name": "Marina", "when": { "text": "marina" }, "then": { "category_id": found } });
    ana.create("/api/automations", rule).await;
    let seen = ana.described(&account, "2026-11-10", "MARINA", -1_000).await;
    server.work().await;
    let path = format!("/api/transactions/{}", id(&seen));
    let before = ana.read(&path).await;
    assert_eq!((&before["category_id"], &before["version"]), (&json!(found), &json!(1)));
    let whole = |category: Option<&str>| {
        json!({ "account_id": account, "date": "2026-11-11", "description": "MARINA", "amount_cents": -1_000,
            "category_id": category })
    };
    let edit = ana.call(Method::PUT, &path).header("if-match", "\"1\"").json(&whole(None)).send().await;
    let edited = edit.expect(StatusCode::OK);
    assert_eq!((&edited["date"], &edited["category_id"]), (&json!("2026-11-11"), &json!(found)));
    assert_eq!(edited["categorised"], before["categorised"]);
    // Who means it says so, and what a person chose a person takes away.
    let cleared = ana.patch(&path, json!({ "category_id": null })).await.expect(StatusCode::OK);
    assert_eq!((&cleared["category_id"], &cleared["categorised"]), (&json!(null), &json!(null)));
    ana.put(&path, whole(Some(&found))).await.expect(StatusCode::OK);
    let cleared = ana.put(&path, whole(None)).await.expect(StatusCode::OK);
    assert_eq!((&cleared["category_id"], &cleared["categorised"]), (&json!(null), &json!(null)));
}
