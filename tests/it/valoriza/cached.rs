//! valoriza behind the platform's cache: whoever knows of a write reads it, and nobody reads another's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinSet;

use super::{call, program, shipped};
use crate::support::{Answer, Connection, Mare, get, until, whole};

const CLIENTS: usize = 8;
const WRITES_EACH: usize = 12;

/// A connection of somebody who is signed in.
struct Client {
    connection: Connection,
    token: String,
}

impl Client {
    async fn register(mare: &Mare, email: &str) -> Self {
        let mut connection = Connection::open(mare.public).await;
        let body = json!({ "name": "Ana", "email": email, "password": "uma senha longa" });
        let session = call(&mut connection, "", "/api/auth/register", &body, 201).await;
        Self { connection, token: session["access_token"].as_str().expect("a token").to_owned() }
    }

    /// The same person on another connection.
    async fn again(&self, mare: &Mare) -> Self {
        Self { connection: Connection::open(mare.public).await, token: self.token.clone() }
    }

    async fn create(&mut self, path: &str, body: Value) -> Value {
        call(&mut self.connection, &self.token, path, &body, 201).await
    }

    async fn account(&mut self) -> String {
        let account = self.create("/api/accounts", json!({ "name": "Conta", "kind": "checking" })).await;
        account["id"].as_str().expect("an id").to_owned()
    }

    async fn spend(&mut self, account: &str, description: &str) {
        let body = json!({ "account_id": account, "date": "2026-11-02", "amount_cents": -100,
            "description": description });
        self.create("/api/transactions", body).await;
    }

    async fn ask(&mut self, path: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let answer = self.connection.send(Method::GET, path, &[("authorization", &bearer)], "").await;
        let answer = whole(answer.expect("an answer")).await.expect("a body");
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        for ours in ["cache-tag", "cache-purge", "cdn-cache-control"] {
            assert!(!answer.headers.contains_key(ours), "{path}: {ours} is not for clients");
        }
        answer
    }

    async fn read(&mut self, path: &str) -> Value {
        serde_json::from_str(&self.ask(path).await.body).expect("JSON")
    }

    /// Reads until the cache answers, which it does when nothing is changed any more.
    async fn read_from_the_cache(&mut self, path: &str) -> Value {
        let hit = until("the cache answers", async || {
            let answer = self.ask(path).await;
            (answer.headers["cache-status"] == "mare; hit").then_some(answer)
        });
        serde_json::from_str(&hit.await.body).expect("JSON")
    }

    /// An automation that gives what is bought at the `MARINA` a category.
    async fn automate(&mut self) -> Value {
        let category = self.create("/api/categories", json!({ "name": "Barco", "kind": "expense" })).await;
        let rule =
            json!({ "name": "x", "when": { "text": "marina" }, "then": { "category_id": category["id"] } });
        self.create("/api/automations", rule).await;
        category["id"].clone()
    }

    /// Waits for half of the time the cache may keep what it is not told of, and not longer.
    async fn until_first_is(&mut self, category: &Value) {
        let is_so = async || {
            (self.read("/api/transactions").await["items"][0]["category_id"] == *category).then_some(())
        };
        until("the worker's writes are seen", is_so).await;
    }
}

/// Writes, and after each answer reads what it says by three ways, twice each.
async fn write_and_read(mut client: Client, told: Arc<AtomicI64>) {
    let account = client.account().await;
    for number in 1..=WRITES_EACH {
        client.spend(&account, &format!("compra {number}")).await;
        told.fetch_add(100, Ordering::SeqCst);
        for _read in 0..2 {
            let mine = client.read(&format!("/api/transactions?account_id={account}")).await;
            assert_eq!(mine["items"].as_array().map(Vec::len), Some(number));
            let balance = &client.read(&format!("/api/accounts/{account}")).await["balance_cents"];
            assert_eq!(balance.as_i64(), i64::try_from(number).ok().map(|it| it * -100));
            let known = told.load(Ordering::SeqCst);
            let spent = client.read("/api/summary?month=2026-11").await["expense_cents"].as_i64();
            assert!(spent >= Some(known), "{spent:?} of {known} somebody was told of");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_knows_of_a_write_reads_it() {
    let mare = Mare::up(&shipped()).await;
    let mut ana = Client::register(&mare, "ana@example.com").await;
    let told = Arc::new(AtomicI64::new(0));
    let mut clients = JoinSet::new();
    for _client in 0..CLIENTS {
        clients.spawn(write_and_read(ana.again(&mare).await, Arc::clone(&told)));
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("everything that was told of is seen");
    }
    let all = ana.read_from_the_cache("/api/summary?month=2026-11").await;
    assert_eq!(all["expense_cents"], told.load(Ordering::SeqCst));
    let shown = mare.folder.run(&["cache", "--json"]).await;
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let route = shown["routes"].as_array().expect("a list").iter().find(|it| it["route"] == "/api/*");
    assert!(route.is_some_and(|it| it["hits"].as_u64() > Some(0)), "{shown}");
    mare.folder.run(&["cache"]).await.check(0, &["/api/*", "RATIO"]);
    mare.stop().await;
}

#[tokio::test]
async fn what_the_worker_finds_out_is_seen_at_once() {
    let mare = Mare::up(&shipped()).await;
    let mut ana = Client::register(&mare, "ana@example.com").await;
    let (account, category) = (ana.account().await, ana.automate().await);
    ana.spend(&account, "MARINA").await;
    ana.until_first_is(&category).await;
    // An import is several steps of the worker, and one is handled after the other.
    let path = format!("/api/imports?filename=x.csv&account_id={account}");
    let bearer = format!("Bearer {}", ana.token);
    let file = "Data,Valor,Identificador,Descrição\n03/11/2026,-10.00,abc,MARINA\n";
    let sent = ana.connection.send(Method::POST, &path, &[("authorization", &bearer)], file).await;
    let import: Value =
        serde_json::from_str(&whole(sent.expect("an answer")).await.expect("a body").body).expect("JSON");
    let path = format!("/api/imports/{}", import["id"].as_str().expect("an id"));
    let ready = async || (ana.read(&path).await["status"] == "preview").then_some(());
    until("the file is read", ready).await;
    assert_eq!(ana.read_from_the_cache("/api/transactions").await["items"].as_array().map(Vec::len), Some(1));
    call(&mut ana.connection, &ana.token, &format!("{path}/commit"), &Value::Null, 202).await;
    let there = async || (ana.read("/api/transactions").await["items"].as_array()?.len() == 2).then_some(());
    until("what was imported is there", there).await;
    ana.until_first_is(&category).await;
    mare.stop().await;
}

/// Without a relay, a worker beside the platform reads the outbox and tells the cache itself.
#[tokio::test]
async fn a_worker_that_polls_tells_the_cache() {
    let shipped = shipped();
    let (before, rest) = shipped.split_once("[services.worker]").expect("it has a worker");
    let (_worker, routes) = rest.split_once("[auth]").expect("it has tokens");
    let mare = Mare::up(&format!("{before}[auth]{routes}")).await;
    let mut ana = Client::register(&mare, "ana@example.com").await;
    let (account, category) = (ana.account().await, ana.automate().await);
    ana.spend(&account, "MARINA").await;
    let first = ana.read_from_the_cache("/api/transactions").await;
    assert_eq!(first["items"][0]["category_id"], Value::Null);
    let url = format!("sqlite:{}", mare.folder.path().join(".mare/databases/finance.sqlite3").display());
    let token =
        std::fs::read_to_string(mare.folder.path().join(".mare/service-token")).expect("mare made it");
    let mut worker = Command::new(program());
    worker.args(["worker", "--poll"]).kill_on_drop(true).env("DATABASE_URL", url);
    worker.env("MARE_ADMIN_URL", format!("http://{}", mare.admin)).env("MARE_TOKEN", token.trim());
    let mut worker = worker.spawn().expect("valoriza runs");
    ana.until_first_is(&category).await;
    worker.kill().await.expect("it runs");
    mare.stop().await;
}

#[tokio::test]
async fn nobody_reads_what_is_kept_for_another() {
    let mare = Mare::up(&shipped()).await;
    let mut ana = Client::register(&mare, "ana@example.com").await;
    let mut bia = Client::register(&mare, "bia@example.com").await;
    let (hers, other) = (ana.account().await, bia.account().await);
    ana.spend(&hers, "de Ana").await;
    bia.spend(&other, "de Bia").await;
    for (client, name) in [(&mut ana, "de Ana"), (&mut bia, "de Bia")] {
        let page = client.read_from_the_cache("/api/transactions").await;
        let descriptions: Vec<_> =
            page["items"].as_array().expect("a list").iter().map(|it| &it["description"]).collect();
        assert_eq!(descriptions, [name]);
    }
    for token in [None, Some("Bearer x"), Some(&*format!("Bearer {}x", ana.token))] {
        let headers: Vec<_> = token.iter().map(|it| ("authorization", *it)).collect();
        let answer = crate::support::ask(mare.public, Method::GET, "/api/transactions", &headers, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    }
    // What is everybody's needs no token.
    for open in ["/api/openapi.json", "/.well-known/jwks.json", "/.well-known/jwks.json"] {
        assert_eq!(get(mare.public, open).await.status, StatusCode::OK, "{open}");
    }
    mare.stop().await;
}
