//! What is said to a cache in front: every read is tagged, every write purges.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use valoriza::caching::Purger;
use valoriza::domain::calendar::{Month, today};

use crate::support::{Reply, Server, User, id, on_both_databases, post_to, tick};

on_both_databases!(
    every_write_purges_and_every_read_is_tagged,
    a_request_repeated_purges_again,
    what_was_refused_purges_nothing,
    what_is_shown_has_an_etag_of_its_own,
    a_handled_event_purges_its_tenant_each_time_it_comes,
    a_schedule_purges_every_tenant_it_changed,
    who_polls_tells_the_platform,
);

/// Reads that nobody keeps: who one is, files, and imports, which are watched while they move.
const NOT_KEPT: [&str; 7] = [
    "/api/me",
    "/api/reports/{id}/html",
    "/api/reports/{id}/csv",
    "/api/imports",
    "/api/imports/{id}",
    "/api/imports/{id}/rows",
    "/api/imports/{id}/sample",
];

/// Paths that know no tenant.
fn is_open(path: &str) -> bool {
    path.starts_with("/api/auth/") || matches!(path, "/health" | "/.well-known/jwks.json")
}

fn tag(user: &User<'_>) -> String {
    format!("tenant-{}", user.session["tenant"]["id"].as_str().unwrap())
}

/// A path as the document has it.
fn pattern(path: &str) -> String {
    let path = path.split('?').next().unwrap();
    let parts = path.split('/').map(|part| if part.parse::<uuid::Uuid>().is_ok() { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Every request that the document knows, but for those that know no tenant.
fn documented() -> BTreeSet<(String, String)> {
    let document = valoriza::http::document().to_json().unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().filter(|(path, _)| !is_open(path)).flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys().filter(|it| *it != "parameters");
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    all.collect()
}

/// Sends requests, checks what each says to a cache, and remembers which there were.
struct Walk<'a> {
    user: &'a User<'a>,
    seen: BTreeSet<(String, String)>,
}

impl Walk<'_> {
    async fn send(&mut self, method: Method, path: &str, body: Value) -> Reply {
        let reply = self.user.call(method.clone(), path).json(&body).send().await;
        assert!(reply.status.is_success(), "{method} {path}: {} {}", reply.status, reply.body);
        self.check(&method, path, &reply);
        reply
    }

    fn check(&mut self, method: &Method, path: &str, reply: &Reply) {
        let (tag, pattern) = (tag(self.user), pattern(path));
        let is_read = method == Method::GET;
        let is_kept = is_read && !NOT_KEPT.contains(&pattern.as_str());
        let expected = |is: bool| is.then_some(tag.as_str());
        assert_eq!(reply.header("cache-tag"), expected(is_kept), "{method} {path}");
        assert_eq!(reply.header("cache-purge"), expected(!is_read), "{method} {path}");
        let by_platform = reply.header("cdn-cache-control");
        assert_eq!(by_platform, is_kept.then_some("private, max-age=60"), "{method} {path}");
        if is_kept {
            assert_eq!(reply.header("cache-control"), Some("private, no-cache"), "{method} {path}");
        } else if is_read {
            assert!(
                reply.header("cache-control").is_some_and(|it| it.contains("no-store")),
                "{method} {path}"
            );
        }
        self.seen.insert((method.to_string(), pattern));
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        self.send(Method::POST, path, body).await.body
    }

    async fn get(&mut self, path: &str) -> Value {
        self.send(Method::GET, path, Value::Null).await.body
    }

    /// Reads a thing, its list, edits it in both ways.
    async fn edit(&mut self, list: &str, id: &str, whole: Value) {
        let path = format!("{list}/{id}");
        self.get(list).await;
        self.get(&path).await;
        self.send(Method::PUT, &path, whole).await;
        self.send(Method::PATCH, &path, json!({})).await;
    }

    async fn delete(&mut self, path: &str) {
        self.send(Method::DELETE, path, Value::Null).await;
    }

    async fn upload(&mut self, account: &str, file: &'static str) -> String {
        let path = format!("/api/imports?filename=x.csv&account_id={account}");
        let reply = self.user.call(Method::POST, &path).body(file).send().await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.body);
        self.check(&Method::POST, &path, &reply);
        id(&reply.body)
    }
}

async fn every_write_purges_and_every_read_is_tagged(server: Server) {
    let ana = server.user().await;
    let mut walk = Walk { user: &ana, seen: BTreeSet::new() };
    let account = id(&walk.post("/api/accounts", json!({ "name": "Conta", "kind": "checking" })).await);
    let category = id(&walk.post("/api/categories", json!({ "name": "Barco", "kind": "expense" })).await);
    let budget = json!({ "category_id": category, "month": "2026-11", "amount_cents": 100 });
    let budget_id = id(&walk.post("/api/budgets", budget.clone()).await);
    let bought =
        json!({ "account_id": account, "date": "2026-11-01", "description": "Vela", "amount_cents": -100 });
    let transaction = id(&walk.post("/api/transactions", bought.clone()).await);
    let rule = json!({ "name": "x", "when": { "text": "vela" }, "then": { "notify": true } });
    let automation = id(&walk.post("/api/automations", rule.clone()).await);
    walk.post("/api/automations/preview", json!({ "when": { "text": "vela" } })).await;
    walk.post(&format!("/api/automations/{automation}/apply"), Value::Null).await;
    let whole = json!({ "name": "Nova", "kind": "cash", "opening_balance_cents": 0, "archived": false });
    walk.edit("/api/accounts", &account, whole).await;
    walk.edit("/api/categories", &category, json!({ "name": "Vela", "kind": "expense" })).await;
    walk.edit("/api/budgets", &budget_id, budget).await;
    walk.edit("/api/transactions", &transaction, bought).await;
    walk.edit("/api/automations", &automation, rule).await;
    review(&mut walk, &transaction, &category).await;
    reports(&mut walk, &server).await;
    imports(&mut walk, &server, &account).await;
    for path in ["/api/me", "/api/summary?month=2026-11", "/api/notifications", "/api/notifications/count"] {
        walk.get(path).await;
    }
    walk.post("/api/notifications/read", json!({ "all": true })).await;
    walk.delete(&format!("/api/automations/{automation}")).await;
    walk.delete(&format!("/api/budgets/{budget_id}")).await;
    walk.delete(&format!("/api/transactions/{transaction}")).await;
    walk.delete(&format!("/api/categories/{category}")).await;
    let empty = id(&walk.post("/api/accounts", json!({ "name": "Outra", "kind": "cash" })).await);
    walk.delete(&format!("/api/accounts/{empty}")).await;
    assert_eq!(walk.seen, documented(), "requests this test knows, and those there are");
}

async fn review(walk: &mut Walk<'_>, transaction: &str, category: &str) {
    walk.get("/api/review").await;
    walk.get("/api/review/count").await;
    walk.post("/api/review/accept", json!({ "transaction_ids": [transaction] })).await;
    let path = format!("/api/transactions/{transaction}");
    let said = walk.post(&format!("{path}/categorise"), json!({ "category_id": category })).await;
    walk.get(&format!("{path}/similar")).await;
    walk.delete(&format!("/api/corrections/{}", said["correction_id"].as_str().unwrap())).await;
}

async fn reports(walk: &mut Walk<'_>, server: &Server) {
    let report = walk.post("/api/reports", json!({ "month": "2026-10" })).await;
    server.work().await;
    let path = format!("/api/reports/{}", id(&report));
    walk.get("/api/reports").await;
    walk.get(&path).await;
    walk.get(&format!("{path}/html")).await;
    walk.get(&format!("{path}/csv")).await;
}

async fn imports(walk: &mut Walk<'_>, server: &Server, account: &str) {
    let file = "Data,Valor,Identificador,Descrição\n01/11/2026,-10.00,abc,PADARIA\n";
    let kept = walk.upload(account, file).await;
    let unknown = walk.upload(account, "quando;quanto\n01/11/2026;-10,00\n").await;
    server.work().await;
    let (path, unknown) = (format!("/api/imports/{kept}"), format!("/api/imports/{unknown}"));
    for read in ["/api/imports", &path, &format!("{path}/rows"), &format!("{unknown}/sample")] {
        walk.get(read).await;
    }
    walk.send(Method::PATCH, &path, json!({})).await;
    walk.post(&format!("{path}/commit"), Value::Null).await;
    server.work().await;
    walk.post(&format!("{path}/undo"), Value::Null).await;
    server.work().await;
    walk.delete(&unknown).await;
}

async fn a_request_repeated_purges_again(server: Server) {
    let ana = server.user().await;
    let body = json!({ "name": "Conta", "kind": "checking" });
    let send = async || {
        ana.call(Method::POST, "/api/accounts").header("idempotency-key", "um").json(&body).send().await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.header("cache-purge"), Some(tag(&ana).as_str()));
    assert_eq!(again.header("cache-purge"), first.header("cache-purge"));
}

async fn what_was_refused_purges_nothing(server: Server) {
    let ana = server.user().await;
    let refused = ana.post("/api/accounts", json!({})).await;
    assert_eq!((refused.status, refused.header("cache-purge")), (StatusCode::UNPROCESSABLE_ENTITY, None));
    let unknown = ana.get(&format!("/api/accounts/{}", uuid::Uuid::nil())).await;
    assert_eq!((unknown.status, unknown.header("cache-tag")), (StatusCode::NOT_FOUND, None));
    let nobody = server.request(Method::GET, "/api/accounts").send().await;
    assert_eq!((nobody.status, nobody.header("cache-tag")), (StatusCode::UNAUTHORIZED, None));
}

/// A version counts what people change; a balance changes without.
async fn what_is_shown_has_an_etag_of_its_own(server: Server) {
    let ana = server.user().await;
    let account = ana.account().await;
    let path = format!("/api/accounts/{account}");
    let etag = async || ana.get(&path).await.header("etag").unwrap().to_owned();
    let before = etag().await;
    assert_eq!(etag().await, before);
    ana.transaction(&account, "2026-11-01", -100, None).await;
    let after = etag().await;
    assert_ne!(after, before);
    assert!(after.starts_with("\"1-"), "{after}");
    let edit = ana.call(Method::PATCH, &path).header("if-match", &before).json(&json!({ "name": "Nova" }));
    let edited = edit.send().await;
    let (tag, shown) = (edited.header("etag").unwrap().to_owned(), edited.expect(StatusCode::OK));
    assert_eq!((etag().await, shown["version"].as_i64()), (tag, Some(2)));
    let edit = ana.call(Method::PATCH, &path).header("if-match", &after).json(&json!({ "name": "Velha" }));
    edit.send().await.expect_problem(412, "version_mismatch");
}

async fn a_handled_event_purges_its_tenant_each_time_it_comes(server: Server) {
    let (ana, worker) = (server.user().await, server.worker());
    let transaction = ana.transaction(&ana.account().await, "2026-11-01", -100, None).await;
    let attributes = json!({ "tenant_id": ana.session["tenant"]["id"], "topic": "transaction.created" });
    let data = STANDARD.encode(json!({ "transaction_id": transaction["id"] }).to_string());
    let push = json!({ "message": { "messageId": "1", "data": data, "attributes": attributes } });
    for _delivery in 0..2 {
        assert_eq!(post_to(&worker, "/events/categorise", &push).await, tag(&ana));
    }
    // Nothing is done for it, so nothing need be purged; but who could tell is not asked.
    assert_eq!(post_to(&worker, "/events/reports", &push).await, tag(&ana));
}

async fn a_schedule_purges_every_tenant_it_changed(server: Server) {
    let (ana, bia, _idle) = (server.user().await, server.user().await, server.user().await);
    let month = Month::of(today(jiff::Timestamp::now())).previous();
    for user in [&ana, &bia] {
        user.transaction(&user.account().await, &format!("{month}-01"), -100, None).await;
    }
    let worker = server.worker();
    let purged = tick(&worker, "monthly-report").await;
    let purged: BTreeSet<&str> = purged.split(", ").collect();
    assert_eq!(purged, BTreeSet::from([tag(&ana).as_str(), tag(&bia).as_str()]));
    assert_eq!(tick(&worker, "monthly-report").await, "", "they were asked for already");
}

/// A platform that answers purges with these statuses, one after the other, and remembers what it was asked.
async fn platform(answers: Vec<u16>) -> (Purger, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (seen, answers) = (Arc::clone(&asked), Arc::new(Mutex::new(answers.into_iter())));
    let purge = async move |headers: HeaderMap, Json(body): Json<Value>| {
        assert_eq!(headers["authorization"], "Bearer chave");
        seen.lock().unwrap().push(body);
        StatusCode::from_u16(answers.lock().unwrap().next().unwrap_or(200)).unwrap()
    };
    let router = axum::Router::new().route("/api/cache/purge", axum::routing::post(purge));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let purger = Purger::new(&format!("http://{}", listener.local_addr().unwrap()), "chave").unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    (purger, asked)
}

/// Without answers of its own, a worker tells the platform; a second time, if at first nobody listens.
async fn who_polls_tells_the_platform(server: Server) {
    let ana = server.user().await;
    ana.transaction(&ana.account().await, "2026-11-01", -100, None).await;
    let (purger, asked) = platform(vec![503]).await;
    let (shutdown, worker) = (CancellationToken::new(), server.worker());
    let stop = shutdown.clone();
    let polling = tokio::spawn(async move { worker.poll(&purger, &stop).await });
    let expected = json!({ "tags": [tag(&ana)] });
    while asked.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    polling.await.unwrap();
    assert!(asked.lock().unwrap().iter().all(|it| *it == expected));
}
