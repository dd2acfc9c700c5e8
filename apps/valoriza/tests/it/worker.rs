use std::fmt::Write as _;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;
use valoriza::worker::{Event, Subscription};

use crate::support::{Server, id, on_both_databases, relay};

on_both_databases!(
    an_event_of_what_is_gone_changes_nothing,
    an_event_that_names_nothing_is_refused,
    what_is_described_anew_is_looked_at_anew,
    several_workers_at_once_do_it_once,
    an_import_is_categorised_chunk_by_chunk,
);

fn event(tenant: &str, topic: &str, payload: serde_json::Value) -> Event {
    Event {
        id: Uuid::now_v7().to_string(),
        tenant: tenant.parse().unwrap(),
        topic: topic.to_owned(),
        payload,
        trace_id: String::new(),
    }
}

async fn an_event_of_what_is_gone_changes_nothing(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let made = ana.transaction(&account, "2026-11-01", -100, None).await;
    ana.delete(&format!("/api/transactions/{}", id(&made))).await.expect(StatusCode::NO_CONTENT);
    relay(&server, &worker).await;
    let tenant = ana.session["tenant"]["id"].as_str().unwrap();
    let gone = "01a1fd3c-63c3-73e4-81f0-4bc31ad61358";
    for (topic, field) in [
        ("transaction.created", "transaction_id"),
        ("automation.applied", "automation_id"),
        ("report.requested", "report_id"),
        ("budget.updated", "budget_id"),
        ("unheard.of", "x"),
    ] {
        for subscription in Subscription::ALL {
            worker.handle(subscription, &event(tenant, topic, json!({ field: gone }))).await.unwrap();
        }
    }
}

async fn an_event_that_names_nothing_is_refused(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let tenant = ana.session["tenant"]["id"].as_str().unwrap();
    let event = event(tenant, "transaction.created", json!({}));
    let error = worker.handle(Subscription::Categorise, &event).await.unwrap_err();
    assert!(format!("{:#}", anyhow::Error::new(error)).contains("find transaction_id in the payload"));
}

async fn what_is_described_anew_is_looked_at_anew(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let (a, b) = (ana.category("Barco", "expense", None).await, ana.category("Vela", "expense", None).await);
    for (text, category) in [("marina", &a), ("velame", &b)] {
        let rule = json!({ "name": text, "when": { "text": text }, "then": { "category_id": category } });
        ana.create("/api/automations", rule).await;
    }
    let made = ana.described(&account, "2026-11-01", "MARINA", -100).await;
    relay(&server, &worker).await;
    let path = format!("/api/transactions/{}", id(&made));
    let decided = ana.read(&path).await;
    assert_eq!(
        (&decided["category_id"], &decided["version"]),
        (&json!(a), &json!(1)),
        "not a person's doing"
    );
    ana.patch(&path, json!({ "notes": "x" })).await.expect(StatusCode::OK);
    relay(&server, &worker).await;
    assert_eq!(ana.read(&path).await["categorised"], decided["categorised"], "other edits are no reason");
    ana.patch(&path, json!({ "description": "VELAME" })).await.expect(StatusCode::OK);
    relay(&server, &worker).await;
    assert_eq!(ana.read(&path).await["category_id"], json!(b));
}

async fn several_workers_at_once_do_it_once(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let rule = json!({ "name": "x", "when": { "text": "pix" }, "then": { "tags": ["pix"], "notify": true } });
    ana.create("/api/automations", rule).await;
    let made = ana.transaction(&account, "2026-11-01", -100, None).await;
    let tenant = ana.session["tenant"]["id"].as_str().unwrap();
    let event = event(tenant, "transaction.created", json!({ "transaction_id": id(&made) }));
    let deliveries: Vec<_> = (0..6)
        .map(|_| {
            let (worker, event) = (server.worker(), event.clone());
            // One that comes too late finds the row changed, or the event claimed; either way it comes again.
            tokio::spawn(async move {
                while worker.handle(Subscription::Categorise, &event).await.is_err() {
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for delivery in deliveries {
        delivery.await.unwrap();
    }
    let path = format!("/api/transactions/{}", id(&made));
    assert_eq!(ana.read(&path).await["tags"], json!(["pix"]));
    assert_eq!(ana.read("/api/notifications/count").await["unread"], 1);
}

async fn an_import_is_categorised_chunk_by_chunk(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let account = ana.account().await;
    let category = ana.category("Barco", "expense", None).await;
    let rule = json!({ "name": "Marina", "when": { "text": "marina" }, "then": { "category_id": category, "notify": true } });
    ana.create("/api/automations", rule).await;
    let budget = json!({ "category_id": category, "month": "2026-10", "amount_cents": 45_000 });
    ana.create("/api/budgets", budget).await;
    let mut file = "Data,Valor,Identificador,Descrição\n".to_owned();
    for row in 0..450 {
        let day = row % 28 + 1;
        writeln!(file, "{day:02}/10/2026,-1.00,61b0c1d2-0000-4000-8000-{row:012},MARINA {row}").unwrap();
    }
    let upload = ana.call(Method::POST, "/api/imports?filename=extrato.csv").body(file).send().await;
    let path = format!("/api/imports/{}", id(&upload.expect(StatusCode::ACCEPTED)));
    relay(&server, &worker).await;
    let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
    ana.patch(&path, choice).await.expect(StatusCode::OK);
    relay(&server, &worker).await;
    ana.call(Method::POST, &format!("{path}/commit")).send().await.expect(StatusCode::ACCEPTED);
    let topics = relay(&server, &worker).await;
    assert_eq!(topics.iter().filter(|it| *it == "import.committed").count(), 3, "200, 200, 50");

    assert_eq!(ana.read("/api/review/count").await["count"], 0);
    assert_eq!(ana.read("/api/automations").await["items"][0]["matched"], 450);
    let page = ana.read("/api/transactions?limit=200").await;
    let is_found = |it: &Value| it["category_id"] == json!(category) && it["version"] == 1;
    assert!(page["items"].as_array().unwrap().iter().all(is_found), "{}", page["items"][0]);
    let notifications = ana.read("/api/notifications").await;
    let texts: Vec<_> = notifications["items"].as_array().unwrap().iter().map(|it| &it["text"]).collect();
    let of = |kind: &str| texts.iter().filter(|it| it.as_str().unwrap().contains(kind)).count();
    assert_eq!(
        (of("transações"), of("foram gastos")),
        (3, 2),
        "a notification for each chunk, an alert for each mark"
    );
    // Taken back, nothing of it is left behind.
    ana.call(Method::POST, &format!("{path}/undo")).send().await.expect(StatusCode::ACCEPTED);
    relay(&server, &worker).await;
    assert_eq!(ana.read("/api/automations").await["items"][0]["matched"], 0);
    assert_eq!(ana.read("/api/transactions").await["items"], json!([]));
}
