use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;
use valoriza::categorise::Source;
use valoriza::domain::categorised::{Alternative, Confidence, Suggestion};
use valoriza::domain::member::Role;
use valoriza::domain::review::Similar;
use valoriza::worker::Worker;

use crate::support::{Server, User, id, on_both_databases, relay};

on_both_databases!(
    what_has_no_category_waits_with_what_it_could_be,
    a_correction_then_undo_restores_everything,
    a_correction_teaches_at_once_and_undo_unteaches,
    what_people_record_is_known_too,
    similar_ones_are_corrected_and_restored_too,
    undo_leaves_what_was_said_since,
    suggestions_are_accepted_in_one_go,
    a_person_chooses_by_editing_too,
    only_whole_transactions_are_corrected,
    the_most_similar_come_first,
    viewers_correct_nothing,
    a_category_that_goes_takes_its_suggestions_along,
);

mod vectors {
    use crate::support::Server;

    #[tokio::test]
    async fn the_most_similar_come_first() {
        super::the_most_similar_come_first(Server::over_vectors().await).await;
    }

    #[tokio::test]
    async fn who_may_not_make_the_extension_does_without() {
        let database = servers::Postgres::shared_with_vectors().modest_database();
        for _ in 0..2 {
            assert!(!valoriza::db::Db::connect(&database).await.unwrap().has_vectors());
        }
    }

    #[tokio::test]
    async fn instances_that_start_at_once_make_them_once() {
        let database = servers::Postgres::shared_with_vectors().fresh_database();
        let connect = || async { valoriza::db::Db::connect(&database).await.unwrap().has_vectors() };
        assert_eq!(tokio::join!(connect(), connect(), connect()), (true, true, true));
    }

    #[tokio::test]
    async fn the_database_finds_what_comparing_one_by_one_finds() {
        super::the_database_finds_what_comparing_one_by_one_finds(Server::over_vectors().await).await;
    }
}

/// Gives a transaction a suggestion, as the worker would.
async fn suggest(ana: &User<'_>, transaction: &str, category: &str, others: &[&str]) {
    let tenant: Uuid = ana.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    let mut tx = ana.server.app.db.write().await.unwrap();
    let found = valoriza::store::transactions::find(&mut tx, tenant, transaction.parse().unwrap()).await;
    let mut found = found.unwrap().unwrap();
    found.suggestion = Some(Suggestion {
        category_id: category.parse().unwrap(),
        confidence: Confidence::of(0.625),
        source: Source::Neighbours,
        reason: "Parecido com outro".to_owned(),
    });
    let other =
        |id: &&str| Alternative { category_id: id.parse().unwrap(), confidence: Confidence::of(0.25) };
    let others: Vec<_> = others.iter().map(other).collect();
    let now = jiff::Timestamp::now();
    assert!(valoriza::store::transactions::mark(&mut tx, tenant, &found, &others, now).await.unwrap());
    tx.commit().await.unwrap();
}

async fn correct(ana: &User<'_>, transaction: &str, category: &str, similar: bool) -> Value {
    let body = json!({ "category_id": category, "similar": similar });
    ana.post(&format!("/api/transactions/{transaction}/categorise"), body).await.expect(StatusCode::OK)
}

async fn read(ana: &User<'_>, transaction: &str) -> Value {
    ana.read(&format!("/api/transactions/{transaction}")).await
}

/// What may differ after a change was taken back.
fn without_versions(mut transaction: Value) -> Value {
    for field in ["version", "updated_at"] {
        transaction.as_object_mut().unwrap().remove(field);
    }
    transaction
}

async fn what_has_no_category_waits_with_what_it_could_be(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let (a, b) = (ana.category("Barco", "expense", None).await, ana.category("Vela", "expense", None).await);
    let first = id(&ana.transaction(&account, "2026-11-01", -1, None).await);
    let second = id(&ana.transaction(&account, "2026-11-02", -1, None).await);
    ana.transaction(&account, "2026-11-03", -1, Some(&a)).await;
    let split = json!({
        "account_id": account, "date": "2026-11-04", "description": "x", "amount_cents": -10,
        "splits": [{ "amount_cents": -4 }, { "amount_cents": -6 }],
    });
    ana.create("/api/transactions", split).await;
    suggest(&ana, &first, &a, &[&b]).await;

    let page = ana.read("/api/review").await;
    let ids: Vec<_> = page["items"].as_array().unwrap().iter().map(|it| id(&it["transaction"])).collect();
    assert_eq!(ids, [second.as_str(), first.as_str()]);
    assert_eq!(page["items"][0]["suggestion"], json!(null));
    assert_eq!(page["items"][0]["alternatives"], json!([]));
    let suggestion = json!({ "category_id": a, "confidence": 0.625, "source": "neighbours", "reason": "Parecido com outro" });
    assert_eq!(page["items"][1]["suggestion"], suggestion);
    assert_eq!(page["items"][1]["transaction"]["suggestion"], suggestion);
    assert_eq!(page["items"][1]["alternatives"], json!([{ "category_id": b, "confidence": 0.25 }]));
    assert_eq!(ana.read("/api/review/count").await, json!({ "count": 2 }));
    let one = ana.read("/api/review?limit=1").await;
    let next = format!("/api/review?limit=1&cursor={}", one["next_cursor"].as_str().unwrap());
    assert_eq!(id(&ana.read(&next).await["items"][0]["transaction"]), first);
}

async fn a_correction_then_undo_restores_everything(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let (a, b) = (ana.category("Barco", "expense", None).await, ana.category("Vela", "expense", None).await);
    let waiting = id(&ana.described(&account, "2026-11-01", "MARINA DA GLORIA", -500).await);
    suggest(&ana, &waiting, &a, &[&b]).await;
    let before = read(&ana, &waiting).await;

    let call = || {
        let path = format!("/api/transactions/{waiting}/categorise");
        ana.call(Method::POST, &path).header("idempotency-key", "k").json(&json!({ "category_id": b }))
    };
    let corrected = call().send().await.expect(StatusCode::OK);
    assert_eq!(call().send().await.expect(StatusCode::OK), corrected, "repeated, it is done once");
    let transaction = &corrected["transaction"];
    assert_eq!((&transaction["category_id"], &transaction["suggestion"]), (&json!(b), &json!(null)));
    assert_eq!(transaction["categorised"]["source"], "user");
    assert_eq!(corrected["learned"]["id"], corrected["correction_id"]);
    assert_eq!(corrected["learned"]["affected"], 0);
    assert!(corrected["learned"]["reason"].as_str().unwrap().ends_with("será Vela"));
    assert_eq!(read(&ana, &waiting).await, *transaction);

    // Said again over what was said: each is taken back by itself.
    let again = correct(&ana, &waiting, &a, false).await;
    let undo = async |correction: &Value| {
        let path = format!("/api/corrections/{}", correction["correction_id"].as_str().unwrap());
        ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
        ana.delete(&path).await.expect_problem(404, "not_found");
    };
    undo(&again).await;
    assert_eq!(without_versions(read(&ana, &waiting).await), without_versions(transaction.clone()));
    undo(&corrected).await;
    assert_eq!(without_versions(read(&ana, &waiting).await), without_versions(before));
    assert_eq!(ana.read("/api/review").await["items"][0]["alternatives"][0]["category_id"], json!(b));
}

/// Records a purchase and returns what became of it.
async fn recorded(ana: &User<'_>, worker: &Worker, account: &str, description: &str) -> Value {
    let made = id(&ana.described(account, "2026-11-20", description, -1_500).await);
    relay(ana.server, worker).await;
    read(ana, &made).await
}

async fn a_correction_teaches_at_once_and_undo_unteaches(server: Server) {
    let (ana, bia, worker) = (server.user().await, server.user().await, server.worker());
    let (account, hers) = (ana.account().await, bia.account().await);
    let category = ana.category("Barco", "expense", None).await;
    let first = recorded(&ana, &worker, &account, "QUIOSQUE XODOBRE 0012").await;
    assert_ne!(first["category_id"], json!(category));
    let corrected = correct(&ana, &id(&first), &category, false).await;
    let second = recorded(&ana, &worker, &account, "QUIOSQUE XODOBRE 0047").await;
    assert_eq!(second["category_id"], json!(category), "{second}");
    assert_eq!(second["categorised"]["source"], "memory");
    assert!(second["categorised"]["reason"].as_str().unwrap().contains("Barco"), "{second}");
    let other = recorded(&bia, &worker, &hers, "QUIOSQUE XODOBRE 0047").await;
    assert_ne!(other["categorised"]["source"], "memory", "nobody else learned it");

    let path = format!("/api/corrections/{}", corrected["correction_id"].as_str().unwrap());
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let third = recorded(&ana, &worker, &account, "QUIOSQUE XODOBRE 0051").await;
    assert_ne!(third["category_id"], json!(category), "{third}");
}

async fn what_people_record_is_known_too(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let category = ana.category("Barco", "expense", None).await;
    // Kept in memory before anything was said.
    recorded(&ana, &worker, &account, "QUIOSQUE XODOBRE 0001").await;
    let body = json!({
        "account_id": account, "date": "2026-11-19", "description": "QUIOSQUE XODOBRE 0012", "amount_cents": -900,
        "category_id": category,
    });
    ana.create("/api/transactions", body).await;
    relay(&server, &worker).await;
    let next = recorded(&ana, &worker, &account, "QUIOSQUE XODOBRE 0047").await;
    assert_eq!((&next["category_id"], &next["categorised"]["source"]), (&json!(category), &json!("memory")));
}

async fn similar_ones_are_corrected_and_restored_too(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let (a, b) = (ana.category("Barco", "expense", None).await, ana.category("Vela", "expense", None).await);
    let mut marina = Vec::new();
    for day in 1..=3 {
        let date = format!("2026-11-0{day}");
        marina.push(id(&ana.described(&account, &date, "MARINA DA GLORIA", -500 * day).await));
    }
    let back = id(&ana.described(&account, "2026-11-04", "MARINA DA GLORIA", 500).await);
    let other = id(&ana.described(&account, "2026-11-05", "PADARIA SOL", -500).await);
    let settled = id(&ana.described(&account, "2026-11-06", "MARINA DA GLORIA", -500).await);
    correct(&ana, &settled, &a, false).await;
    suggest(&ana, &marina[1], &a, &[]).await;
    let before = [read(&ana, &marina[0]).await, read(&ana, &marina[1]).await, read(&ana, &marina[2]).await];

    let corrected = correct(&ana, &marina[0], &b, true).await;
    assert_eq!(corrected["learned"]["affected"], 2);
    for transaction in &marina {
        assert_eq!(read(&ana, transaction).await["category_id"], json!(b));
    }
    let spread = read(&ana, &marina[1]).await;
    assert_eq!((&spread["categorised"]["source"], &spread["suggestion"]), (&json!("memory"), &json!(null)));
    assert!(spread["categorised"]["reason"].as_str().unwrap().ends_with("como Vela"));
    for (untouched, category) in [(&back, json!(null)), (&other, json!(null)), (&settled, json!(a))] {
        assert_eq!(read(&ana, untouched).await["category_id"], category);
    }
    let path = format!("/api/corrections/{}", corrected["correction_id"].as_str().unwrap());
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    for (transaction, before) in marina.iter().zip(before) {
        assert_eq!(without_versions(read(&ana, transaction).await), without_versions(before));
    }
}

async fn undo_leaves_what_was_said_since(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let (a, b) = (ana.category("Barco", "expense", None).await, ana.category("Vela", "expense", None).await);
    let first = id(&ana.described(&account, "2026-11-01", "MARINA", -500).await);
    let second = id(&ana.described(&account, "2026-11-02", "MARINA", -500).await);
    let corrected = correct(&ana, &first, &a, true).await;
    assert_eq!(corrected["learned"]["affected"], 1);
    let path = format!("/api/transactions/{second}");
    ana.patch(&path, json!({ "category_id": b })).await.expect(StatusCode::OK);
    let path = format!("/api/corrections/{}", corrected["correction_id"].as_str().unwrap());
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(read(&ana, &first).await["category_id"], json!(null));
    assert_eq!(read(&ana, &second).await["category_id"], json!(b));
}

async fn suggestions_are_accepted_in_one_go(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let a = ana.category("Barco", "expense", None).await;
    let mut ids = Vec::new();
    for day in 1..=3 {
        ids.push(id(&ana.transaction(&account, &format!("2026-11-0{day}"), -1, None).await));
    }
    suggest(&ana, &ids[0], &a, &[]).await;
    suggest(&ana, &ids[1], &a, &[]).await;
    let body = json!({ "transaction_ids": [ids[1], ids[0], ids[2], ids[0]] });
    let accepted = ana.post("/api/review/accept", body.clone()).await.expect(StatusCode::OK);
    let accepted = accepted["accepted"].as_array().unwrap();
    assert_eq!(accepted.len(), 2, "the third had no suggestion");
    assert_eq!(ana.read("/api/review/count").await["count"], 1);
    assert_eq!(read(&ana, &ids[0]).await["categorised"]["source"], "user");
    let path = format!("/api/corrections/{}", accepted[0]["correction_id"].as_str().unwrap());
    ana.delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert_eq!(ana.read("/api/review/count").await["count"], 2);
    let none = ana.post("/api/review/accept", json!({ "transaction_ids": [] })).await;
    none.expect_invalid(&[("transaction_ids", "required")]);
    let many = json!({ "transaction_ids": vec![ids[0].clone(); 201] });
    ana.post("/api/review/accept", many).await.expect_invalid(&[("transaction_ids", "too_many")]);
}

async fn a_person_chooses_by_editing_too(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let a = ana.category("Barco", "expense", None).await;
    let waiting = id(&ana.transaction(&account, "2026-11-01", -1, None).await);
    suggest(&ana, &waiting, &a, &[]).await;
    let path = format!("/api/transactions/{waiting}");
    let noted = ana.patch(&path, json!({ "notes": "x", "tags": ["mar"] })).await.expect(StatusCode::OK);
    assert_eq!((&noted["suggestion"]["category_id"], &noted["tags"]), (&json!(a), &json!(["mar"])));
    let chosen = ana.patch(&path, json!({ "category_id": a })).await.expect(StatusCode::OK);
    assert_eq!((&chosen["categorised"]["source"], &chosen["suggestion"]), (&json!("user"), &json!(null)));
    let since = &chosen["categorised"]["decided_at"];
    let noted = ana.patch(&path, json!({ "notes": "y" })).await.expect(StatusCode::OK);
    assert_eq!(noted["categorised"]["decided_at"], *since, "chosen once");
    let cleared = ana.patch(&path, json!({ "category_id": null })).await.expect(StatusCode::OK);
    assert_eq!((&cleared["categorised"], &cleared["suggestion"]), (&json!(null), &json!(null)));
    assert_eq!(read(&ana, &waiting).await, cleared);
}

async fn only_whole_transactions_are_corrected(server: Server) {
    let ana = server.user().await;
    let (account, other) = (ana.account().await, ana.account().await);
    let a = ana.category("Barco", "expense", None).await;
    let transfer = json!({
        "account_id": account, "date": "2026-11-04", "description": "x", "amount_cents": 10, "kind": "transfer",
        "transfer_account_id": other,
    });
    let split = json!({
        "account_id": account, "date": "2026-11-04", "description": "x", "amount_cents": -10,
        "splits": [{ "amount_cents": -4 }, { "amount_cents": -6 }],
    });
    for (body, code) in [(transfer, "transfer"), (split, "split")] {
        let made = ana.create("/api/transactions", body).await;
        let path = format!("/api/transactions/{}/categorise", id(&made));
        ana.post(&path, json!({ "category_id": a })).await.expect_invalid(&[("category_id", code)]);
        assert_eq!(read(&ana, &id(&made)).await, made, "a refused change changes nothing");
        let unknown = json!({ "category_id": "01a1fd3c-63c3-73e4-81f0-4bc31ad61358", "x": 1 });
        ana.post(&path, unknown).await.expect_invalid(&[("x", "unknown_field")]);
        let unknown = json!({ "category_id": "01a1fd3c-63c3-73e4-81f0-4bc31ad61358" });
        ana.post(&path, unknown).await.expect_invalid(&[("category_id", "unknown_reference")]);
    }
}

async fn the_most_similar_come_first(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let wanted = id(&ana.described(&account, "2026-11-01", "PADARIA PAO QUENTE", -900).await);
    let near = id(&ana.described(&account, "2026-11-03", "PADARIA PAO FRESCO", -950).await);
    let same = id(&ana.described(&account, "2026-11-02", "PADARIA PAO QUENTE", -900).await);
    ana.described(&account, "2026-11-04", "XYZW 99", 100_000).await;
    // What the worker has not come to yet is found too.
    let path = format!("/api/transactions/{wanted}/similar?limit=2");
    let found = |similar: &Value| -> Vec<String> {
        similar["items"].as_array().unwrap().iter().map(|it| id(&it["transaction"])).collect()
    };
    assert_eq!(found(&ana.read(&path).await), [same.as_str(), near.as_str()]);
    relay(&server, &worker).await;
    let similar = ana.read(&path).await;
    let items = similar["items"].as_array().unwrap();
    assert_eq!(found(&similar), [same, near]);
    let similarity = |place: usize| items[place]["similarity"].as_f64().unwrap();
    assert!(similarity(0) > 0.99 && similarity(1) > 0.4 && similarity(1) < 0.99, "{items:?}");
    for limit in ["0", "51", "x"] {
        assert_eq!(ana.get(&format!("/api/transactions/{wanted}/similar?limit={limit}")).await.status, 422);
    }
}

async fn viewers_correct_nothing(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let a = ana.category("Barco", "expense", None).await;
    let waiting = id(&ana.transaction(&account, "2026-11-01", -1, None).await);
    let viewer = ana.with_role(Role::Viewer);
    let path = format!("/api/transactions/{waiting}/categorise");
    viewer.post(&path, json!({ "category_id": a })).await.expect_problem(403, "forbidden");
    let accept = json!({ "transaction_ids": [waiting] });
    viewer.post("/api/review/accept", accept).await.expect_problem(403, "forbidden");
    let corrected = correct(&ana, &waiting, &a, false).await;
    let path = format!("/api/corrections/{}", corrected["correction_id"].as_str().unwrap());
    viewer.delete(&path).await.expect_problem(403, "forbidden");
    viewer.read("/api/review").await;
}

async fn a_category_that_goes_takes_its_suggestions_along(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let (a, b) = (ana.category("Barco", "expense", None).await, ana.category("Vela", "expense", None).await);
    let first = id(&ana.transaction(&account, "2026-11-01", -1, None).await);
    let second = id(&ana.transaction(&account, "2026-11-02", -1, None).await);
    suggest(&ana, &first, &a, &[]).await;
    suggest(&ana, &second, &b, &[&a]).await;
    ana.delete(&format!("/api/categories/{a}")).await.expect(StatusCode::NO_CONTENT);
    let page = ana.read("/api/review").await;
    assert_eq!(page["items"][1]["suggestion"], json!(null));
    assert_eq!(page["items"][0]["suggestion"]["category_id"], json!(b));
    assert_eq!(page["items"][0]["alternatives"], json!([]));
}

async fn the_database_finds_what_comparing_one_by_one_finds(server: Server) {
    let (ana, bia) = (server.user().await, server.user().await);
    let words = ["PADARIA", "POSTO", "FARMACIA", "UBER", "MERCADO", "PIX JOAO", "LUZ"];
    let places = ["SUL", "NORTE", "CENTRO", "DO ZE"];
    for (who, count) in [(&ana, 120), (&bia, 40)] {
        let account = who.account().await;
        for n in 0..count {
            let text = format!("{} {}", words[n % words.len()], places[n % places.len()]);
            who.described(
                &account,
                &format!("2026-11-{:02}", n % 28 + 1),
                &text,
                -500 - i64::try_from(n % 11).unwrap(),
            )
            .await;
        }
    }
    server.work().await;
    let account = ana.account().await;
    let wanted = ana.described(&account, "2026-11-30", "PADARIA SUL", -505).await;
    let (tenant, id): (Uuid, Uuid) =
        (ana.session["tenant"]["id"].as_str().unwrap().parse().unwrap(), id(&wanted).parse().unwrap());
    let with = server.app.db.clone();
    let without = with.clone().without_vectors();
    for limit in [1, 5, 20, 50] {
        let in_database = valoriza::queries::review::similar(&with, tenant, id, limit).await.unwrap();
        let one_by_one = valoriza::queries::review::similar(&without, tenant, id, limit).await.unwrap();
        assert_eq!(in_database.len(), limit);
        let found =
            |all: &[Similar]| -> Vec<_> { all.iter().map(|it| (it.transaction.id, it.similarity)).collect() };
        assert_eq!(found(&in_database), found(&one_by_one));
    }
}
