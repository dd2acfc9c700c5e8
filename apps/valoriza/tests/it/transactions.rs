use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Server, id, on_both_databases};

on_both_databases!(
    a_transaction_is_recorded_changed_and_deleted,
    a_transaction_is_split_and_made_whole_again,
    a_change_without_splits_keeps_the_category,
    references_of_the_tenant_only_are_accepted,
    lists_are_filtered,
    a_search_ignores_case_and_accents_and_takes_wildcards_literally,
);

fn body(account: &str, cents: i64) -> Value {
    json!({ "account_id": account, "date": "2026-11-20", "description": "PIX ENVIADO", "amount_cents": cents })
}

async fn a_transaction_is_recorded_changed_and_deleted(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let category = ana.category("Barco", "expense", None).await;
    let mut wanted = body(&account, -1_990);
    wanted["notes"] = json!("primeira linha\nsegunda");
    wanted["category_id"] = json!(category);
    let created = ana.create("/api/transactions", wanted.clone()).await;
    assert_eq!((&created["kind"], &created["currency"]), (&json!("normal"), &json!("BRL")));
    assert_eq!((&created["splits"], &created["version"]), (&json!([]), &json!(1)));
    let path = format!("/api/transactions/{}", id(&created));
    assert_eq!(ana.read(&path).await, created);

    let cleared = ana.patch(&path, json!({ "category_id": null })).await.expect(StatusCode::OK);
    assert_eq!((&cleared["category_id"], &cleared["notes"]), (&json!(null), &wanted["notes"]));
    // What was read may be written back.
    let mut back = cleared.clone();
    for field in [
        "id",
        "currency",
        "transfer_id",
        "import_id",
        "categorised",
        "suggestion",
        "version",
        "created_at",
        "updated_at",
    ] {
        back.as_object_mut().unwrap().remove(field);
    }
    let same = ana.put(&path, back).await.expect(StatusCode::OK);
    assert_eq!(same["version"], 3);
    ana.patch(&path, json!({ "kind": "transfer" })).await.expect_invalid(&[("kind", "immutable")]);
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    ana.patch(&path, json!({})).await.expect_problem(404, "not_found");
    assert_eq!(ana.balance(&account).await, 0);
}

async fn a_transaction_is_split_and_made_whole_again(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let category = ana.category("Barco", "expense", None).await;
    let created = ana.transaction(&account, "2026-11-20", -100, Some(&category)).await;
    let path = format!("/api/transactions/{}", id(&created));
    let splits = json!([{ "amount_cents": -70, "category_id": category }, { "amount_cents": -30, "description": "resto" }]);
    let split = ana.patch(&path, json!({ "splits": splits })).await.expect(StatusCode::OK);
    assert_eq!(split["category_id"], json!(null));
    assert_eq!(split["splits"][1]["description"], "resto");
    assert_eq!(ana.read(&path).await, split);

    ana.patch(&path, json!({ "amount_cents": -90 })).await.expect_invalid(&[("splits", "sum_differs")]);
    let both = json!({ "category_id": category });
    ana.patch(&path, both).await.expect_invalid(&[("category_id", "split")]);
    assert_eq!(ana.read(&path).await, split, "a refused change changes nothing");
    let whole =
        ana.patch(&path, json!({ "splits": [], "category_id": category })).await.expect(StatusCode::OK);
    assert_eq!((&whole["splits"], &whole["category_id"]), (&json!([]), &json!(category)));
    assert_eq!(ana.balance(&account).await, -100);
}

async fn a_change_without_splits_keeps_the_category(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let category = ana.category("Barco", "expense", None).await;
    let created = ana.transaction(&account, "2026-11-20", -100, Some(&category)).await;
    let path = format!("/api/transactions/{}", id(&created));
    for none in [json!([]), json!(null)] {
        let kept = ana.patch(&path, json!({ "splits": none, "notes": "x" })).await.expect(StatusCode::OK);
        assert_eq!(kept["category_id"], json!(category));
    }
}

async fn references_of_the_tenant_only_are_accepted(server: Server) {
    let (ana, bia) = (server.user().await, server.user().await);
    let (account, foreign) = (ana.account().await, bia.account().await);
    let category = bia.category("Barco", "expense", None).await;
    let mut wanted = body(&foreign, -100);
    wanted["splits"] = json!([{ "amount_cents": -60 }, { "amount_cents": -40, "category_id": category }]);
    let expected = [("account_id", "unknown_reference"), ("splits.1.category_id", "unknown_reference")];
    ana.post("/api/transactions", wanted).await.expect_invalid(&expected);
    let path = format!("/api/transactions/{}", id(&ana.transaction(&account, "2026-11-20", -1, None).await));
    ana.patch(&path, json!({ "account_id": foreign })).await.expect_invalid(&expected[..1]);
    assert_eq!((ana.balance(&account).await, bia.balance(&foreign).await), (-1, 0));
}

async fn lists_are_filtered(server: Server) {
    let ana = server.user().await;
    let (account, other) = (ana.account().await, ana.account().await);
    let top = ana.category("Barco", "expense", None).await;
    let below = ana.category("Marina", "expense", Some(&top)).await;
    let a = id(&ana.transaction(&account, "2026-11-01", -1, Some(&top)).await);
    let b = id(&ana.transaction(&account, "2026-11-02", -2, Some(&below)).await);
    let c = id(&ana.transaction(&other, "2026-11-03", -3, None).await);
    let mut split = body(&other, -10);
    split["splits"] = json!([{ "amount_cents": -4, "category_id": below }, { "amount_cents": -6 }]);
    let d = id(&ana.create("/api/transactions", split).await);

    let check = async |query: String, expected: &[&String]| {
        let list = ana.read(&format!("/api/transactions?{query}")).await;
        let found: Vec<_> = list["items"].as_array().unwrap().iter().map(id).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    };
    check(String::new(), &[&d, &c, &b, &a]).await;
    check(format!("account_id={account}"), &[&b, &a]).await;
    check(format!("category_id={top}"), &[&d, &b, &a]).await;
    check(format!("category_id={below}&account_id={account}"), &[&b]).await;
    check("from=2026-11-02&to=2026-11-03".to_owned(), &[&c, &b]).await;
    check("uncategorised=true".to_owned(), &[&d, &c]).await;
    check(format!("category_id={a}"), &[]).await;
    let wrong = ana.get("/api/transactions?from=ontem&limit=0&conta=1&uncategorised=sim").await;
    wrong.expect_invalid(&[
        ("limit", "out_of_range"),
        ("from", "invalid"),
        ("uncategorised", "invalid"),
        ("conta", "unknown_field"),
    ]);
}

async fn a_search_ignores_case_and_accents_and_takes_wildcards_literally(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    for (description, notes) in [("Pão de Açúcar", None), ("Desconto 10%_!", None), ("PIX", Some("da AVÓ"))]
    {
        let mut wanted = body(&account, -1);
        wanted["description"] = json!(description);
        wanted["notes"] = json!(notes);
        ana.create("/api/transactions", wanted).await;
    }
    for (q, expected) in [
        ("PAO%20de%20acucar", 1),
        ("a%C3%A7%C3%BA", 1),
        ("%25", 1),
        ("_", 1),
        ("!", 1),
        ("avo", 1),
        ("%00", 422),
    ] {
        let reply = ana.get(&format!("/api/transactions?q={q}")).await;
        match expected {
            422 => reply.expect_invalid(&[("q", "control_character")]),
            count => assert_eq!(reply.body["items"].as_array().map(Vec::len), Some(count), "{q}"),
        }
    }
}
