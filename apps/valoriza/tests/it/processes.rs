//! The real binary, several of it over one database.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use reqwest::{RequestBuilder, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::client;

/// One `valoriza api`, killed when dropped.
struct Instance {
    child: Child,
    log: BufReader<std::process::ChildStdout>,
    url: String,
}

impl Instance {
    /// Its log is read until it listens and after it ended, so `filter` must keep it below a pipe's 64 KiB.
    fn start(database: &str, filter: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_valoriza"))
            .arg("api")
            .env("DATABASE_URL", database)
            .env("PORT", "0")
            .env_remove("HOST")
            .env("RUST_LOG", filter)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stdout.take().unwrap());
        Self { child, log, url: String::new() }
    }

    /// Waits until its log says where it listens.
    fn wait_until_ready(&mut self) {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "it ended before it listened");
            let entry: Value = serde_json::from_str(&line).unwrap();
            if entry["message"] == "listening" {
                self.url = format!("http://{}", entry["address"].as_str().unwrap());
                return;
            }
        }
    }

    /// Asks it to end and returns whether it did so without complaint.
    fn terminate(&mut self) -> bool {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().success()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `count` instances started at once over a database nobody has migrated yet.
fn start(database: &str, count: usize) -> Vec<Instance> {
    let mut instances: Vec<_> =
        (0..count).map(|_| Instance::start(database, "error,valoriza=info")).collect();
    instances.iter_mut().for_each(Instance::wait_until_ready);
    instances
}

/// Does what a client is told to: after a 503, which wrote nothing, asks again. Nothing else may happen.
async fn write_once(call: RequestBuilder) {
    loop {
        let answer = call.try_clone().unwrap().send().await.unwrap();
        match answer.status() {
            StatusCode::CREATED => return,
            StatusCode::SERVICE_UNAVAILABLE => assert!(answer.headers().contains_key("retry-after")),
            status => panic!("{status}: {}", answer.text().await.unwrap()),
        }
    }
}

async fn lose_no_write(database: &str, count: usize, writes_each: usize) {
    let mut instances = start(database, count);
    let client = client();
    let url = instances[0].url.clone();
    let person = json!({ "name": "Ana", "email": "a@b.com", "password": "uma senha comprida" });
    let register = client.post(format!("{url}/api/auth/register")).json(&person).send().await.unwrap();
    let session: Value = register.json().await.unwrap();
    let token = session["access_token"].as_str().unwrap().to_owned();
    let account = json!({ "name": "Conta", "kind": "checking" });
    let account =
        client.post(format!("{url}/api/accounts")).bearer_auth(&token).json(&account).send().await.unwrap();
    let account: Value = account.json().await.unwrap();
    let body =
        json!({ "account_id": account["id"], "date": "2026-11-21", "description": "PIX", "amount_cents": 1 });

    let mut writers = Vec::new();
    for (writer, instance) in instances.iter().enumerate() {
        // A token of one instance is good at all of them: they share the key.
        let call = client.post(format!("{}/api/transactions", instance.url)).bearer_auth(&token).json(&body);
        writers.push(tokio::spawn(async move {
            for number in 0..writes_each {
                let call = call.try_clone().unwrap().header("idempotency-key", format!("{writer}-{number}"));
                write_once(call).await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let path = format!("{url}/api/accounts/{}", account["id"].as_str().unwrap());
    let account: Value = client.get(path).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!(account["balance_cents"].as_u64(), Some((count * writes_each) as u64));
    assert!(instances.iter_mut().all(Instance::terminate), "SIGTERM ends them with 0");
}

#[tokio::test]
async fn ten_processes_over_one_sqlite_file_lose_no_write() {
    let folder = tempfile::tempdir().unwrap();
    lose_no_write(&format!("sqlite:{}", folder.path().join("v.db").display()), 10, 10).await;
}

#[tokio::test]
async fn several_processes_over_one_postgres_lose_no_write() {
    lose_no_write(&servers::Postgres::shared().fresh_database(), 4, 10).await;
}

#[tokio::test]
async fn logs_carry_the_trace_and_never_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let mut instance = Instance::start(&format!("sqlite:{}", folder.path().join("v.db").display()), "debug");
    instance.wait_until_ready();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let client = client();
    let person = json!({ "name": "Ana", "email": "a@b.com", "password": "segredo-da-ana" });
    let register = client
        .post(format!("{}/api/auth/register", instance.url))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .json(&person);
    let session: Value = register.send().await.unwrap().json().await.unwrap();
    let me = client.get(format!("{}/api/me?password=segredo-da-ana", instance.url));
    me.bearer_auth(session["access_token"].as_str().unwrap()).send().await.unwrap();
    assert!(instance.terminate());
    let mut log = String::new();
    instance.log.read_to_string(&mut log).unwrap();
    let entries: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered = |it: &&Value| it["message"] == "request answered" && it["span"]["trace_id"] == trace;
    assert_eq!(entries.iter().find(answered).unwrap()["span"]["path"], "/api/auth/register");
    let secrets = [&json!("segredo-da-ana"), &session["access_token"], &session["refresh_token"]];
    assert!(secrets.iter().all(|secret| !log.contains(secret.as_str().unwrap())), "{log}");
}

#[test]
fn the_demonstration_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let seed = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_valoriza"));
        command.args(["seed", "--demo"]).env_remove("DATABASE_URL").current_dir(folder.path());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let login = "login demo@valoriza.local / demo-valoriza\n";
    assert_eq!(seed(), format!("Família Demonstração made\n{login}"));
    assert_eq!(seed(), format!("Família Demonstração was there already\n{login}"));
    assert!(folder.path().join("valoriza.db").exists());
}
