//! Statements from upload to undo, on both databases, with the worker reading the outbox.

mod abandoned;
mod duplicates;
mod killed;
mod mapping;
mod preview;
mod refused;
mod undo;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Server, User, id};

pub(crate) fn sample(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/statements/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

impl User<'_> {
    async fn upload(&self, name: &str, bytes: Vec<u8>) -> Value {
        let path = format!("/api/imports?filename={name}");
        self.call(Method::POST, &path).body(bytes).send().await.expect(StatusCode::ACCEPTED)
    }

    async fn import(&self, id: &str) -> Value {
        self.read(&format!("/api/imports/{id}")).await
    }

    /// Uploads a file, lets the worker read it and returns the import as it is then.
    async fn read_file(&self, server: &Server, name: &str, bytes: Vec<u8>) -> Value {
        let import = self.upload(name, bytes).await;
        assert_eq!(import["status"], "parsing");
        server.work().await;
        self.import(&id(&import)).await
    }

    async fn change(&self, server: &Server, import: &Value, change: Value) -> Value {
        let path = format!("/api/imports/{}", id(import));
        self.patch(&path, change).await.expect(StatusCode::OK);
        server.work().await;
        self.import(&id(import)).await
    }

    async fn order(&self, server: &Server, import: &Value, what: &str) -> Value {
        let path = format!("/api/imports/{}/{what}", id(import));
        self.call(Method::POST, &path).send().await.expect(StatusCode::ACCEPTED);
        server.work().await;
        self.import(&id(import)).await
    }

    async fn rows(&self, import: &Value, filter: &str) -> Vec<Value> {
        let page = self.read(&format!("/api/imports/{}/rows?{filter}", id(import))).await;
        page["items"].as_array().unwrap().clone()
    }

    /// Dates, amounts and descriptions of an account's transactions, oldest first.
    async fn ledger(&self, account: &str) -> Vec<(String, i64, String)> {
        let list = self.read(&format!("/api/transactions?account_id={account}&limit=200")).await;
        let row = |it: &Value| {
            let text = |field: &str| it[field].as_str().unwrap().to_owned();
            (text("date"), it["amount_cents"].as_i64().unwrap(), text("description"))
        };
        let mut rows: Vec<_> = list["items"].as_array().unwrap().iter().map(row).collect();
        rows.sort();
        rows
    }

    /// Imports a sample whole into an account of its own and returns both.
    async fn imported(&self, server: &Server, name: &str) -> (String, Value) {
        let account = self.account().await;
        let import = self.read_file(server, name, sample(name)).await;
        let choice = json!({ "statements": [{ "index": 0, "account_id": account }] });
        let import = self.change(server, &import, choice).await;
        let import = self.order(server, &import, "commit").await;
        assert_eq!(import["status"], "done", "{import}");
        (account, import)
    }
}

fn counts(import: &Value) -> (u64, u64, u64) {
    let sum = |field: &str| {
        import["statements"].as_array().unwrap().iter().map(|it| it[field].as_u64().unwrap()).sum()
    };
    (sum("new"), sum("duplicate"), sum("invalid"))
}
