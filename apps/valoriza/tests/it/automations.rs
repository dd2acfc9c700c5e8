use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use valoriza::domain::member::Role;

use crate::support::{Server, User, id, on_both_databases, relay};

on_both_databases!(
    an_automation_is_made_changed_and_deleted,
    the_first_that_matches_gives_the_category_and_all_give_tags,
    a_category_a_person_chose_stays,
    the_past_is_changed_when_asked_for,
    a_preview_counts_and_writes_nothing,
    what_an_automation_names_cannot_be_deleted,
    viewers_make_no_automations,
);

fn automation(name: &str, text: &str, category: Option<&str>, tags: &[&str]) -> Value {
    json!({
        "name": name, "when": { "text": text },
        "then": { "category_id": category, "tags": tags, "notify": false },
    })
}

async fn an_automation_is_made_changed_and_deleted(server: Server) {
    let ana = server.user().await;
    let category = ana.category("Barco", "expense", None).await;
    let wanted = automation("Marina", "MARINA", Some(&category), &["mar"]);
    let call = || ana.call(Method::POST, "/api/automations").header("idempotency-key", "k").json(&wanted);
    let made = call().send().await.expect(StatusCode::CREATED);
    assert_eq!(call().send().await.expect(StatusCode::CREATED), made);
    assert_eq!((&made["enabled"], &made["position"], &made["matched"]), (&json!(true), &json!(1), &json!(0)));
    assert_eq!(made["when"]["account_id"], json!(null));
    let path = format!("/api/automations/{}", id(&made));
    assert_eq!(ana.read(&path).await, made);

    let second = ana.create("/api/automations", automation("Segunda", "x", None, &["t"])).await;
    assert_eq!(second["position"], 2);
    let moved = ana.patch(&path, json!({ "position": 9, "enabled": false })).await.expect(StatusCode::OK);
    assert_eq!(
        (&moved["position"], &moved["when"], &moved["version"]),
        (&json!(9), &made["when"], &json!(2))
    );
    let list = ana.read("/api/automations?limit=1").await;
    assert_eq!(list["items"][0]["name"], "Segunda");
    let next = format!("/api/automations?limit=1&cursor={}", list["next_cursor"].as_str().unwrap());
    assert_eq!(ana.read(&next).await["items"], json!([moved]));
    let stale = ana.call(Method::PUT, &path).header("if-match", "\"1\"").json(&wanted).send().await;
    stale.expect_problem(412, "version_mismatch");
    let whole = ana.put(&path, wanted).await.expect(StatusCode::OK);
    assert_eq!((&whole["position"], &whole["enabled"]), (&json!(9), &json!(true)));
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    ana.get(&path).await.expect_problem(404, "not_found");
    let unknown = automation("x", "x", Some("01a1fd3c-63c3-73e4-81f0-4bc31ad61358"), &[]);
    ana.post("/api/automations", unknown).await.expect_invalid(&[("then.category_id", "unknown_reference")]);
}

/// Reads a transaction.
async fn read(ana: &User<'_>, transaction: &Value) -> Value {
    ana.read(&format!("/api/transactions/{}", id(transaction))).await
}

async fn the_first_that_matches_gives_the_category_and_all_give_tags(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let (food, ride) =
        (ana.category("Comida", "expense", None).await, ana.category("Carro", "expense", None).await);
    let general =
        ana.create("/api/automations", automation("Uber", "uber", Some(&ride), &["app", "carro"])).await;
    let mut first = automation("Uber Eats", "Uber EATS", Some(&food), &["app"]);
    first["position"] = json!(0);
    first["then"]["notify"] = json!(true);
    ana.create("/api/automations", first).await;
    let eats = ana.described(&account, "2026-11-20", "ÚBER EATS *PEDIDO", -4_590).await;
    let trip = ana.described(&account, "2026-11-20", "UBER *TRIP", -1_990).await;
    relay(&server, &worker).await;

    let eats = read(&ana, &eats).await;
    assert_eq!((&eats["category_id"], &eats["tags"]), (&json!(food), &json!(["app", "carro"])));
    let categorised = &eats["categorised"];
    assert_eq!((&categorised["source"], &categorised["confidence"]), (&json!("rule"), &json!(1.0)));
    assert_eq!(categorised["reason"], "Pela sua automação “Uber Eats”");
    assert_eq!(read(&ana, &trip).await["category_id"], json!(ride));
    let met = ana.read(&format!("/api/automations/{}", id(&general))).await;
    assert_eq!(met["matched"], 2, "each transaction once, though events come twice");
    let notifications = ana.read("/api/notifications").await;
    assert_eq!(notifications["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(notifications["items"][0]["title"], "Uber Eats");
    assert_eq!(notifications["items"][0]["text"], "ÚBER EATS *PEDIDO: -R$ 45,90 em 20/11/2026");
}

async fn a_category_a_person_chose_stays(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let (chosen, other) =
        (ana.category("Comida", "expense", None).await, ana.category("Carro", "expense", None).await);
    let made = ana.transaction(&account, "2026-11-20", -100, Some(&chosen)).await;
    let rule = ana.create("/api/automations", automation("Pix", "pix", Some(&other), &["pix"])).await;
    let apply = format!("/api/automations/{}/apply", id(&rule));
    ana.post(&apply, Value::Null).await.expect(StatusCode::ACCEPTED);
    relay(&server, &worker).await;
    let kept = read(&ana, &made).await;
    assert_eq!((&kept["category_id"], &kept["tags"]), (&json!(chosen), &json!(["pix"])));
    assert_eq!(kept["categorised"]["source"], "user");
    // Described anew it is still theirs.
    let path = format!("/api/transactions/{}", id(&made));
    ana.patch(&path, json!({ "description": "PIX OUTRO" })).await.expect(StatusCode::OK);
    relay(&server, &worker).await;
    assert_eq!(read(&ana, &made).await["category_id"], json!(chosen));
}

async fn the_past_is_changed_when_asked_for(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let category = ana.category("Padaria do bairro", "expense", None).await;
    let mut made = Vec::new();
    // More than one event handles.
    for day in 0..205 {
        let date = jiff::civil::date(2026, 1, 1).saturating_add(jiff::Span::new().days(day));
        made.push(ana.described(&account, &date.to_string(), "ZZZ QQQ", -100).await);
    }
    relay(&server, &worker).await;
    let rule = ana.create("/api/automations", automation("Zzz", "zzz", Some(&category), &[])).await;
    relay(&server, &worker).await;
    assert_eq!(ana.read("/api/review/count").await["count"], 205, "only what comes, until asked");
    let path = format!("/api/automations/{}", id(&rule));
    ana.post(&format!("{path}/apply"), Value::Null).await.expect(StatusCode::ACCEPTED);
    let topics = relay(&server, &worker).await;
    assert_eq!(topics.iter().filter(|it| *it == "automation.applied").count(), 2);
    assert_eq!(ana.read("/api/review/count").await["count"], 0);
    assert_eq!(ana.read(&path).await["matched"], 205, "delivered twice, changed once");
    let notifications = ana.read("/api/notifications").await;
    assert_eq!(notifications["items"][0]["text"], "Aplicada ao passado; ao todo, 205 transações.");
    ana.patch(&path, json!({ "enabled": false })).await.expect(StatusCode::OK);
    ana.post(&format!("{path}/apply"), Value::Null).await.expect_problem(409, "automation_disabled");
}

async fn a_preview_counts_and_writes_nothing(server: Server) {
    let ana = server.user().await;
    let (account, other) = (ana.account().await, ana.account().await);
    for cents in [-1_000, -2_000, 3_000] {
        ana.described(&account, "2026-11-20", "PÃO DE AÇÚCAR", cents).await;
    }
    let mut noted =
        json!({ "account_id": other, "date": "2026-11-20", "description": "x", "amount_cents": -1_000 });
    noted["notes"] = json!("pao de acucar");
    ana.create("/api/transactions", noted).await;
    let check = async |when: Value, expected: usize| {
        let preview =
            ana.post("/api/automations/preview", json!({ "when": when })).await.expect(StatusCode::OK);
        assert_eq!(preview["count"], expected, "{when}");
        assert_eq!(preview["items"].as_array().map(Vec::len), Some(expected.min(20)));
    };
    check(json!({ "text": "pao de ACUCAR" }), 3).await;
    check(json!({ "text": "acucar", "direction": "out" }), 2).await;
    check(json!({ "text": "acucar", "min_cents": 2_000 }), 2).await;
    check(json!({ "max_cents": 1_000 }), 2).await;
    check(json!({ "account_id": other }), 1).await;
    ana.post("/api/automations/preview", json!({ "when": {} })).await.expect_invalid(&[("when", "required")]);
}

async fn what_an_automation_names_cannot_be_deleted(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let category = ana.category("Barco", "expense", None).await;
    let wanted =
        json!({ "name": "x", "when": { "account_id": account }, "then": { "category_id": category } });
    let made = ana.create("/api/automations", wanted).await;
    ana.delete(&format!("/api/categories/{category}")).await.expect_problem(409, "category_in_use");
    ana.delete(&format!("/api/accounts/{account}")).await.expect_problem(409, "account_in_use");
    ana.delete(&format!("/api/automations/{}", id(&made))).await.expect(StatusCode::NO_CONTENT);
    ana.delete(&format!("/api/categories/{category}")).await.expect(StatusCode::NO_CONTENT);
}

async fn viewers_make_no_automations(server: Server) {
    let ana = server.user().await;
    let viewer = ana.with_role(Role::Viewer);
    let wanted = automation("x", "x", None, &["t"]);
    viewer.post("/api/automations", wanted.clone()).await.expect_problem(403, "forbidden");
    let path = format!("/api/automations/{}", id(&ana.create("/api/automations", wanted).await));
    viewer.patch(&path, json!({})).await.expect_problem(403, "forbidden");
    viewer.delete(&path).await.expect_problem(403, "forbidden");
    viewer.post(&format!("{path}/apply"), Value::Null).await.expect_problem(403, "forbidden");
    viewer.read(&path).await;
}
