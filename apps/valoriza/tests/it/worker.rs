use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;
use valoriza::worker::{Event, Subscription};

use crate::support::{Server, id, on_both_databases, relay};

on_both_databases!(
    an_event_of_what_is_gone_changes_nothing,
    an_event_that_names_nothing_is_refused,
    what_is_described_anew_is_looked_at_anew,
    several_workers_at_once_do_it_once,
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
    assert_eq!(ana.read(&path).await["category_id"], json!(a));
    ana.patch(&path, json!({ "notes": "x" })).await.expect(StatusCode::OK);
    relay(&server, &worker).await;
    assert_eq!(ana.read(&path).await["version"], 3, "other edits are no reason");
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
    assert_eq!(ana.read(&path).await["version"], 2);
    assert_eq!(ana.read("/api/notifications/count").await["unread"], 1);
}
