//! What is asked of valoriza.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use hyper::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Connection, Mare, whole};

/// Two steps of the worker that imports them, three of the one that categorises them.
pub(super) const STATEMENT_ROWS: usize = 600;

/// Every so many requests one asks for a report.
const REPORT_EVERY: usize = 20;

/// What the transactions of a round with their automation may come to in their month: 20 of them.
const BUDGET_CENTS: usize = 2_000;

const LOGIN: &str = r#"{ "name": "Ana", "email": "ana@example.com", "password": "uma senha longa" }"#;

/// Something to be done once, however often it is asked for.
#[derive(Clone, Debug)]
struct Request {
    key: String,
    path: &'static str,
    body: Value,
}

/// What was acknowledged, and what is to be asked again.
#[derive(Default)]
pub(super) struct Mission {
    account: OnceLock<Value>,
    rounds: AtomicUsize,
    next: AtomicUsize,
    ending: AtomicBool,
    unsure: Mutex<Vec<Request>>,
    /// Imports that are not known to be done.
    open: Mutex<Vec<String>>,
    /// Descriptions.
    pub(super) transactions: Mutex<Vec<String>>,
    pub(super) reports: AtomicUsize,
    pub(super) statements: AtomicUsize,
}

impl Mission {
    pub(super) fn acknowledged(&self) -> usize {
        self.transactions.lock().expect("no panic").len() + self.reports.load(Ordering::Relaxed)
    }

    /// Nothing new is begun any more.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// What to ask for next; nothing when all is acknowledged and the end has come.
    fn next(&self) -> Option<Request> {
        if let Some(again) = self.unsure.lock().expect("no panic").pop() {
            return Some(again);
        }
        if self.ending.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let key = format!("k{number}");
        if number.is_multiple_of(REPORT_EVERY) {
            return Some(Request { key, path: "/api/reports", body: json!({ "month": "2026-01" }) });
        }
        // Every other one meets the automation of its round.
        let round = self.rounds.load(Ordering::Relaxed);
        let what =
            if number.is_multiple_of(2) { "PADARIA REAL".to_owned() } else { mark(round).to_uppercase() };
        let body = json!({ "account_id": self.account.get(), "date": format!("{}-10", month(round)),
            "amount_cents": -100, "description": format!("{what} compra {number}") });
        Some(Request { key, path: "/api/transactions", body })
    }

    fn acknowledge(&self, request: &Request) {
        match request.body["description"].as_str() {
            Some(text) => self.transactions.lock().expect("no panic").push(text.to_owned()),
            None => drop(self.reports.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// What an automation looks for: a word of letters, for digits are not part of a wording.
pub(super) fn mark(round: usize) -> String {
    let letter = |number: usize| char::from(b'a' + u8::try_from(number % 26).expect("small"));
    format!("lote{}{}", letter(round / 26), letter(round))
}

fn month(round: usize) -> String {
    format!("2026-{:02}", round % 10 + 1)
}

/// A connection that is logged in.
pub(super) struct Client {
    connection: Connection,
    bearer: String,
}

/// Mare is no more.
struct Gone;

impl Client {
    pub(super) async fn open(mare: &Mare, token: &str) -> Self {
        Self { connection: Connection::open(mare.public).await, bearer: format!("Bearer {token}") }
    }

    async fn send(&mut self, method: Method, path: &str, key: &str, body: &str) -> Result<Answer, Gone> {
        let json = ("content-type", "application/json");
        let headers = [json, ("authorization", self.bearer.as_str()), ("idempotency-key", key)];
        let headers = if key.is_empty() { &headers[..2] } else { &headers };
        let answer = async { whole(self.connection.send(method, path, headers, body).await?).await };
        answer.await.map_err(|_broken: hyper::Error| Gone)
    }

    /// Before anything is killed.
    async fn must(&mut self, path: &str, body: &Value) -> Value {
        let answer = self.send(Method::POST, path, "", &body.to_string()).await;
        let answer = answer.unwrap_or_else(|Gone| panic!("mare is gone"));
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        serde_json::from_str(&answer.body).expect("JSON")
    }

    /// A token; the first makes the user and their account.
    pub(super) async fn log_in(&mut self, mission: &Mission) -> String {
        let login: Value = serde_json::from_str(LOGIN).expect("JSON");
        let is_new = mission.account.get().is_none();
        let path = if is_new { "/api/auth/register" } else { "/api/auth/login" };
        let login =
            if is_new { login } else { json!({ "email": login["email"], "password": login["password"] }) };
        let session = self.must(path, &login).await;
        let token = session["access_token"].as_str().expect("a token").to_owned();
        self.bearer = format!("Bearer {token}");
        if is_new {
            let account = self.must("/api/accounts", &json!({ "name": "Conta", "kind": "checking" })).await;
            mission.account.set(account["id"].clone()).expect("only once");
        }
        token
    }

    /// A round's category, budget and automation.
    pub(super) async fn prepare(&mut self, mission: &Mission) {
        if mission.ending.load(Ordering::Relaxed) {
            return;
        }
        let round = mission.rounds.load(Ordering::Relaxed) + 1;
        let name = mark(round);
        let category = self.must("/api/categories", &json!({ "name": name, "kind": "expense" })).await;
        let budget =
            json!({ "category_id": category["id"], "month": month(round), "amount_cents": BUDGET_CENTS });
        self.must("/api/budgets", &budget).await;
        let then = json!({ "category_id": category["id"], "notify": true });
        self.must("/api/automations", &json!({ "name": name, "when": { "text": name }, "then": then })).await;
        mission.rounds.store(round, Ordering::Relaxed);
    }

    /// Records transactions and asks for reports until mare is gone, or all is acknowledged.
    pub(super) async fn record(mut self, mission: std::sync::Arc<Mission>) {
        while let Some(request) = mission.next() {
            let answer = self.send(Method::POST, request.path, &request.key, &request.body.to_string()).await;
            match answer {
                Ok(answer) if answer.status.is_success() => mission.acknowledge(&request),
                Ok(answer) => {
                    // The same is under way for whoever asked before, or the answer was lost in a crash.
                    let again = answer.status.is_server_error() || answer.status == 409;
                    assert!(again, "{request:?}: {answer:?}");
                    mission.unsure.lock().expect("no panic").push(request);
                }
                Err(Gone) => return mission.unsure.lock().expect("no panic").push(request),
            }
        }
    }

    /// Imports a statement, and those that were interrupted, until mare is gone or all are done.
    pub(super) async fn import(mut self, mission: std::sync::Arc<Mission>) {
        // An error is the end of mare: what is open is taken up in the next round.
        let _gone = self.import_all(&mission).await;
    }

    async fn import_all(&mut self, mission: &Mission) -> Result<(), Gone> {
        if !mission.ending.load(Ordering::Relaxed) {
            self.upload(mission).await?;
        }
        loop {
            let Some(id) = mission.open.lock().expect("no panic").last().cloned() else { return Ok(()) };
            let path = format!("/api/imports/{id}");
            let answer = self.send(Method::GET, &path, "", "").await?;
            if answer.status.is_server_error() {
                continue;
            }
            let import: Value = serde_json::from_str(&answer.body).expect("JSON");
            match import["status"].as_str() {
                Some("parsing" | "committing") => {}
                // Refused if it is being imported by now.
                Some("preview") => drop(self.send(Method::POST, &format!("{path}/commit"), "", "").await?),
                Some("done") => {
                    mission.statements.fetch_add(1, Ordering::Relaxed);
                    mission.open.lock().expect("no panic").pop();
                }
                other => panic!("{other:?}: {import}"),
            }
        }
    }

    /// A statement of its own. One that was not acknowledged may be there as a preview, which has no effect.
    async fn upload(&mut self, mission: &Mission) -> Result<(), Gone> {
        let number = mission.next.fetch_add(1, Ordering::Relaxed);
        let mut file = "Data,Valor,Identificador,Descrição\n".to_owned();
        for row in 0..STATEMENT_ROWS {
            // Unlike all others in its amount too, for what resembles something known is left out.
            let (day, row) = (row % 28 + 1, number * STATEMENT_ROWS + row);
            let (reais, id) = (row + 10, format!("61b0c1d2-0000-4000-8000-{row:012}"));
            let _ = writeln!(file, "{day:02}/10/2026,-{reais}.00,{id},EXTRATO linha {row}");
        }
        let account = mission.account.get().and_then(Value::as_str).expect("made first");
        let path = format!("/api/imports?filename=extrato.csv&account_id={account}");
        let answer = self.send(Method::POST, &path, "", &file).await?;
        if answer.status == 202 {
            let import: Value = serde_json::from_str(&answer.body).expect("JSON");
            mission.open.lock().expect("no panic").push(import["id"].as_str().expect("an id").to_owned());
        }
        Ok(())
    }
}
