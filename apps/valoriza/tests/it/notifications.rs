use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;
use valoriza::domain::member::Role;
use valoriza::domain::notification::{Kind, Notification};
use valoriza::store::notifications;

use crate::support::{Server, User, id, on_both_databases};

on_both_databases!(notifications_are_listed_counted_and_read, old_ones_are_forgotten);

async fn notify(user: &User<'_>, count: usize) {
    let tenant: Uuid = user.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    let mut tx = user.server.app.db.write().await.unwrap();
    for number in 0..count {
        let now = jiff::Timestamp::now();
        let it = Notification::new(Kind::Import, format!("{number}"), "texto".to_owned(), None, now);
        notifications::insert(&mut tx, tenant, &it).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn notifications_are_listed_counted_and_read(server: Server) {
    let (ana, bia) = (server.user().await, server.user().await);
    notify(&ana, 3).await;
    notify(&bia, 1).await;
    let page = ana.read("/api/notifications?limit=2").await;
    assert_eq!((&page["items"][0]["title"], &page["items"][1]["title"]), (&json!("2"), &json!("1")));
    let next = format!("/api/notifications?cursor={}", page["next_cursor"].as_str().unwrap());
    let last = ana.read(&next).await;
    assert_eq!(last["items"][0]["title"], "0");
    assert_eq!(ana.read("/api/notifications/count").await, json!({ "unread": 3 }));

    let theirs = id(&bia.read("/api/notifications").await["items"][0]);
    let body = json!({ "ids": [id(&page["items"][0]), theirs] });
    let left = ana.post("/api/notifications/read", body).await.expect(StatusCode::OK);
    assert_eq!(left, json!({ "unread": 2 }));
    assert!(ana.read("/api/notifications").await["items"][0]["read_at"].is_string());
    assert_eq!(bia.read("/api/notifications/count").await["unread"], 1, "others' cannot be read");
    let viewer = ana.with_role(Role::Viewer);
    viewer.post("/api/notifications/read", json!({ "all": true })).await.expect_problem(403, "forbidden");
    let left = ana.post("/api/notifications/read", json!({ "all": true })).await.expect(StatusCode::OK);
    assert_eq!(left, json!({ "unread": 0 }));
    for body in [json!({}), json!({ "ids": [theirs], "all": true }), json!({ "all": false })] {
        ana.post("/api/notifications/read", body).await.expect_invalid(&[("ids", "required")]);
    }
    ana.post("/api/notifications/read", json!({ "ids": ["x"] }))
        .await
        .expect_invalid(&[("ids.0", "invalid")]);
}

async fn old_ones_are_forgotten(server: Server) {
    let ana = server.user().await;
    notify(&ana, 2).await;
    let mut tx = server.app.db.write().await.unwrap();
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let tenant: uuid::Uuid = ana.session["tenant"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(notifications::forget(&mut tx, later, 10).await.unwrap(), [tenant, tenant]);
    tx.commit().await.unwrap();
    assert_eq!(ana.read("/api/notifications").await["items"], json!([]));
}
