use reqwest::Method;
use serde_json::json;

use crate::support::{Server, on_both_databases};

on_both_databases!(
    a_bad_body_is_a_problem_and_never_a_500,
    unknown_addresses_and_methods_are_problems,
    anything_may_be_sent_and_nothing_is_half_written,
);

async fn a_bad_body_is_a_problem_and_never_a_500(server: Server) {
    let ana = server.user().await;
    let send = async |content_type: &str, body: Vec<u8>| {
        let call = ana.call(Method::POST, "/api/accounts").header("content-type", content_type);
        call.body(body).send().await
    };
    send("application/json", b"{".to_vec()).await.expect_problem(400, "bad_json");
    send("application/json", b"\xff\xfe".to_vec()).await.expect_problem(400, "bad_json");
    send("application/json", b"[".repeat(100_000)).await.expect_problem(400, "bad_json");
    send("application/json; charset=utf-8", b"[]".to_vec()).await.expect_problem(422, "invalid_input");
    send("text/plain", b"{}".to_vec()).await.expect_problem(415, "unsupported_media_type");
    send("application/json", vec![b' '; 300 * 1024]).await.expect_problem(413, "body_too_large");
}

async fn unknown_addresses_and_methods_are_problems(server: Server) {
    let ana = server.user().await;
    ana.get("/api/nada").await.expect_problem(404, "not_found");
    ana.get("/api/accounts/abc").await.expect_problem(404, "not_found");
    ana.delete("/api/accounts").await.expect_problem(405, "method_not_allowed");
    server.request(Method::GET, "/health").send().await.expect(reqwest::StatusCode::OK);
}

async fn anything_may_be_sent_and_nothing_is_half_written(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-0.5),
        json!(1e300),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}"),
        json!("x".repeat(5_000)),
        json!("2026-02-30"),
        json!([]),
        json!([[]]),
        json!({}),
        json!([{ "amount_cents": i64::MIN }, {}]),
    ];
    let fields =
        ["account_id", "date", "description", "amount_cents", "category_id", "notes", "splits", "kind"];
    for field in fields {
        for value in &odd {
            let mut body = json!({ "account_id": account, "date": "2026-11-20", "description": "x", "amount_cents": -1 });
            body[field] = value.clone();
            let status = ana.post("/api/transactions", body).await.status.as_u16();
            assert!(matches!(status, 201 | 422), "{field}: {value}: {status}");
        }
    }
    let list = ana.read("/api/transactions?limit=200").await;
    let sum: i64 =
        list["items"].as_array().unwrap().iter().map(|it| it["amount_cents"].as_i64().unwrap()).sum();
    assert_eq!(ana.balance(&account).await, sum);
}
