use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use valoriza::domain::calendar::{Month, today};

use crate::support::{Server, User, id, on_both_databases, relay, tick};

on_both_databases!(
    a_report_is_asked_for_made_and_read,
    its_figures_are_exact,
    the_schedule_asks_once_for_every_month,
    the_future_has_no_report,
);

async fn ask(ana: &User<'_>, month: &str) -> Value {
    ana.post("/api/reports", json!({ "month": month })).await.expect(StatusCode::ACCEPTED)
}

async fn a_report_is_asked_for_made_and_read(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let call = || {
        let call = ana.call(Method::POST, "/api/reports").header("idempotency-key", "k");
        call.json(&json!({ "month": "2026-10" }))
    };
    let asked = call().send().await.expect(StatusCode::ACCEPTED);
    let again = call().send().await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(StatusCode::ACCEPTED), asked);
    assert_eq!((&asked["status"], &asked["ready_at"]), (&json!("queued"), &json!(null)));
    let path = format!("/api/reports/{}", id(&asked));
    ana.get(&format!("{path}/html")).await.expect_problem(409, "report_not_ready");
    relay(&server, &worker).await;
    let ready = ana.read(&path).await;
    assert_eq!(ready["status"], "ready");
    assert!(ready["ready_at"].is_string());
    assert_eq!(ana.read("/api/reports").await["items"], json!([ready]));
    let html = ana.get(&format!("{path}/html")).await;
    assert_eq!(html.header("content-disposition"), Some("attachment; filename=\"valoriza-2026-10.html\""));
    assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(html.body.as_str().unwrap().contains("Relatório de outubro de 2026"));
    let csv = ana.get(&format!("{path}/csv")).await;
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"valoriza-2026-10.csv\""));
    let notifications = ana.read("/api/notifications").await;
    assert_eq!(notifications["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(notifications["items"][0]["kind"], "report");
    let newer = ask(&ana, "2026-09").await;
    let page = ana.read("/api/reports?limit=1").await;
    assert_eq!(id(&page["items"][0]), id(&newer));
    assert!(page["next_cursor"].is_string());
    let viewer = ana.with_role(valoriza::domain::member::Role::Viewer);
    viewer.post("/api/reports", json!({ "month": "2026-10" })).await.expect_problem(403, "forbidden");
}

async fn its_figures_are_exact(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let (account, savings) = (ana.account().await, ana.account().await);
    let top = ana.category("Barco & <vela>", "expense", None).await;
    let below = ana.category("Marina", "expense", Some(&top)).await;
    let income = ana.category("Regata", "income", None).await;
    let budget = json!({ "category_id": top, "month": "2026-10", "amount_cents": 100_000 });
    ana.create("/api/budgets", budget).await;
    ana.transaction(&account, "2026-10-05", 500_001, Some(&income)).await;
    ana.transaction(&account, "2026-10-06", -120_010, Some(&below)).await;
    ana.transaction(&account, "2026-10-07", 10, Some(&top)).await; // a refund
    ana.described(&account, "2026-10-08", "=1+1 <b>", -333).await;
    ana.transaction(&account, "2026-09-30", -700, Some(&top)).await;
    ana.transaction(&account, "2026-11-01", -9_999, Some(&top)).await;
    let split = json!({
        "account_id": account, "date": "2026-10-31", "description": "Mercado", "amount_cents": -1_001,
        "splits": [
            { "amount_cents": -1_000, "category_id": below }, { "amount_cents": -1, "description": "Sacola" },
        ],
    });
    ana.create("/api/transactions", split).await;
    let transfer = json!({
        "account_id": account, "date": "2026-10-09", "description": "Guardado", "amount_cents": 5_000,
        "kind": "transfer", "transfer_account_id": savings,
    });
    ana.create("/api/transactions", transfer).await;
    let path = format!("/api/reports/{}", id(&ask(&ana, "2026-10").await));
    relay(&server, &worker).await;

    let html = ana.read(&format!("{path}/html")).await;
    let html = html.as_str().unwrap();
    for figure in ["R$ 5.000,01", "R$ 1.213,34", "R$ 3.786,67", "R$ 1.210,00", "R$ 7,00", "121%", "R$ 3,34"] {
        assert!(html.contains(figure), "{figure} in {html}");
    }
    assert!(html.contains("Barco &amp; &lt;vela&gt;") && !html.contains("<b>"), "{html}");
    let csv = ana.read(&format!("{path}/csv")).await;
    let rows: Vec<&str> = csv.as_str().unwrap().lines().skip(1).collect();
    let expected = [
        "2026-10-05;Conta;PIX;entrada;Regata;5000,01;BRL;",
        "2026-10-06;Conta;PIX;saída;Barco & <vela> > Marina;-1200,10;BRL;",
        "2026-10-07;Conta;PIX;entrada;Barco & <vela>;0,10;BRL;",
        "2026-10-08;Conta;'=1+1 <b>;saída;;-3,33;BRL;",
        "2026-10-09;Conta;Guardado;transferência;;-50,00;BRL;",
        "2026-10-09;Conta;Guardado;transferência;;50,00;BRL;",
        "2026-10-31;Conta;Mercado;saída;Barco & <vela> > Marina;-10,00;BRL;",
        "2026-10-31;Conta;Sacola;saída;;-0,01;BRL;",
    ];
    assert_eq!(rows, expected);
}

async fn the_schedule_asks_once_for_every_month(server: Server) {
    let (ana, bia, worker) = (server.user().await, server.user().await, server.worker());
    let month = Month::of(today(jiff::Timestamp::now())).previous();
    let account = ana.account().await;
    ana.transaction(&account, &month.first_day().to_string(), -100, None).await;
    for _ in 0..2 {
        tick(&worker, "monthly-report").await;
    }
    relay(&server, &worker).await;
    let reports = ana.read("/api/reports").await;
    assert_eq!(reports["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&reports["items"][0]["month"], &reports["items"][0]["status"]),
        (&json!(month), &json!("ready"))
    );
    assert_eq!(bia.read("/api/reports").await["items"], json!([]), "nothing moved, nothing to report");
    // A person may ask for the same month again.
    ask(&ana, &month.to_string()).await;
    assert_eq!(ana.read("/api/reports").await["items"].as_array().map(Vec::len), Some(2));
}

async fn the_future_has_no_report(server: Server) {
    let ana = server.user().await;
    let next = Month::of(today(jiff::Timestamp::now())).next();
    ana.post("/api/reports", json!({ "month": next })).await.expect_invalid(&[("month", "in_the_future")]);
    ana.post("/api/reports", json!({})).await.expect_invalid(&[("month", "required")]);
}
