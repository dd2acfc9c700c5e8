//! The application that ships with the platform, on the platform.

mod cached;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hyper::Method;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::support::{Connection, Folder, Mare, ask, build, whole};

const WRITERS: usize = 20;
const WRITES_EACH: usize = 15;

pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build("valoriza"))
}

/// Where the repository's own files are.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// The shipped manifest without its page, for clients that do not wait between requests: without limits.
pub(crate) fn shipped() -> String {
    let shipped = std::fs::read_to_string(repository().join("apps/valoriza/mare.toml")).expect("it ships");
    let (services, _page) = shipped.split_once("[[routes]]\nmatch = \"/*\"").expect("the page comes last");
    let services = services.replace("run = \"valoriza ", &format!("run = \"{} ", program().display()));
    let lines: Vec<&str> = services.lines().filter(|line| !line.starts_with("limit = ")).collect();
    lines.join("\n") + "\n"
}

/// Runs the shipped manifest, with the demonstration data, as `make up` does.
async fn up_with_demo_data() -> Mare {
    let folder = Folder::new("");
    let databases = folder.path().join(".mare/databases");
    std::fs::create_dir_all(&databases).expect("writes");
    let url = format!("sqlite:{}", databases.join("finance.sqlite3").display());
    let seed = Command::new(program()).args(["seed", "--demo"]).env("DATABASE_URL", url).output().await;
    let seed = seed.expect("valoriza runs");
    assert!(seed.status.success(), "{seed:?}");
    let manifest = repository().join("apps/valoriza/mare.toml");
    let here = program().parent().expect("a folder").display();
    let path = format!("{here}:{}", std::env::var("PATH").unwrap_or_default());
    let arguments = ["-f", manifest.to_str().expect("text")];
    let mare = Mare::launch(folder, &[("PATH", &path)], &arguments).await;
    mare.stdout.until("is ready at").await;
    mare
}

/// Sends JSON and expects this status.
async fn call(connection: &mut Connection, token: &str, path: &str, body: &Value, status: u16) -> Value {
    let bearer = format!("Bearer {token}");
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    let response = connection.send(Method::POST, path, &headers, &body.to_string()).await;
    let answer = whole(response.expect("an answer")).await.expect("a body");
    assert_eq!(answer.status, status, "{path}: {answer:?}");
    serde_json::from_str(&answer.body).expect("JSON")
}

#[tokio::test]
async fn the_demo_login_finds_its_accounts_although_nothing_runs_before() {
    let mare = up_with_demo_data().await;
    assert_eq!(mare.service("api").await.instances(), Vec::<Value>::new(), "scaled to zero");
    let mut connection = Connection::open(mare.public).await;
    let login = json!({"email": "demo@valoriza.local", "password": "demo-valoriza"});
    let session = call(&mut connection, "", "/api/auth/login", &login, 200).await;
    let bearer = format!("Bearer {}", session["access_token"].as_str().expect("a token"));
    let accounts = ask(mare.public, Method::GET, "/api/accounts", &[("authorization", &bearer)], "").await;
    let accounts: Value = serde_json::from_str(&accounts.body).expect("JSON");
    assert!(accounts["items"].as_array().is_some_and(|items| items.len() > 1), "{accounts}");
    mare.stop().await;
}

#[tokio::test]
async fn ten_processes_on_one_sqlite_file_lose_no_write_and_never_answer_500() {
    let manifest = format!(
        "[databases.finance]\n[services.api]\nrun = \"{} api\"\ndatabase = \"finance\"\n\
         scale = {{ min = 10, max = 10, concurrency = 8, starts = 10 }}\nhealth = {{ path = \"/health\" }}\n\
         [[routes]]\nmatch = \"/api/*\"\nservice = \"api\"\n",
        program().display()
    );
    let mare = Mare::up(&manifest).await;
    mare.until("api", "ten instances are ready", |api| api.count("ready") == 10).await;
    let mut connection = Connection::open(mare.public).await;
    let register = json!({"name": "Ana", "email": "ana@example.com", "password": "uma senha longa"});
    let session = call(&mut connection, "", "/api/auth/register", &register, 201).await;
    let token = session["access_token"].as_str().expect("a token").to_owned();
    let account = json!({"name": "Conta", "kind": "checking"});
    let account = call(&mut connection, &token, "/api/accounts", &account, 201).await["id"].clone();

    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (token, account, address) = (token.clone(), account.clone(), mare.public);
        writers.spawn(async move {
            let mut connection = Connection::open(address).await;
            for number in 0..WRITES_EACH {
                let transaction = json!({"account_id": account, "date": "2026-11-02", "amount_cents": 100,
                    "description": format!("{writer}.{number}")});
                call(&mut connection, &token, "/api/transactions", &transaction, 201).await;
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.expect("every write is acknowledged");
    }
    let bearer = format!("Bearer {token}");
    let path = format!("/api/accounts/{}", account.as_str().expect("an id"));
    let account = ask(mare.public, Method::GET, &path, &[("authorization", &bearer)], "").await;
    let account: Value = serde_json::from_str(&account.body).expect("JSON");
    assert_eq!(account["balance_cents"], WRITERS * WRITES_EACH * 100);
    mare.stop().await;
}

#[tokio::test]
#[ignore = "needs the built page, Node and Chromium: make e2e"]
async fn a_browser_uses_valoriza() {
    let mare = up_with_demo_data().await;
    let mut npm = Command::new("npm");
    npm.args(["run", "e2e", "-w", "apps/valoriza/ui"]).current_dir(repository()).kill_on_drop(true);
    npm.env("BASE_URL", format!("http://{}", mare.public));
    npm.env("DEMO_EMAIL", "demo@valoriza.local").env("DEMO_PASSWORD", "demo-valoriza");
    let status = npm.status().await.expect("npm runs");
    assert!(status.success(), "the browser's tests failed; see above");
    mare.stop().await;
}

/// valoriza with ten seeded users, reached through the service that `route` names; and what `mare load` found.
async fn under_load(route: &str) -> Value {
    let manifest = format!(
        "[databases.finance]\n[services.api]\nrun = \"{} api\"\ndatabase = \"finance\"\n\
         scale = {{ min = 1, max = 4 }}\nhealth = {{ path = \"/health\" }}\n\
         [services.delayed]\nrun = \"{{probe}} relay MARE_URL_API 300\"\n\
         scale = {{ min = 1, max = 1, concurrency = 1 }}\n\
         [[routes]]\nmatch = \"/api/*\"\nservice = \"{route}\"\n\
         [objectives.read]\nroute = \"GET /api/transactions\"\np95 = \"1s\"\nerrors = \"2%\"\n",
        program().display()
    );
    let mare = Mare::up(&manifest).await;
    mare.until("api", "an instance is ready", |api| api.count("ready") > 0).await;
    let url = format!("sqlite:{}", mare.folder.path().join(".mare/databases/finance.sqlite3").display());
    let seed = ["seed", "--users", "10", "--transactions", "200"];
    let seed = Command::new(program()).args(seed).env("DATABASE_URL", url).output().await;
    assert!(seed.expect("valoriza runs").status.success());
    mare.folder.write("read.toml", READ);
    let (target, admin) = (format!("http://{}", mare.public), mare.admin.to_string());
    let load = ["load", "read.toml", "--target", &target, "--admin", &admin, "--out", "out", "--json"];
    let outcome = mare.folder.run(&load).await;
    let findings: Value = serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", outcome.stdout, outcome.stderr));
    let expected = match findings["verdict"].as_str() {
        Some("PASS") => 0,
        Some("FAIL") => 3,
        Some("INVALID") => 4,
        other => panic!("{other:?}: {findings:#}"),
    };
    assert_eq!(outcome.code, Some(expected));
    mare.stop().await;
    findings
}

const READ: &str = r#"
manifest = "mare.toml"
[[stages]]
users = 10
hold = "8s"
[[setup]]
request = "POST /api/auth/login"
json = { email = "user-${user}@valoriza.local", password = "demo-valoriza" }
extract = { token = "json:/access_token" }
[[flows]]
think = "100ms"
[[flows.steps]]
request = "GET /api/transactions?limit=20"
headers = { authorization = "Bearer ${token}" }
expect = { status = 200 }
"#;

#[tokio::test]
async fn a_scenario_proves_that_valoriza_keeps_its_objectives() {
    let findings = under_load("api").await;
    // A machine with other things to do may make the generator unhealthy, and the run INVALID; not the objectives.
    assert_ne!(findings["verdict"], "FAIL", "{findings:#}");
    let objectives = findings["objectives"].as_array().expect("a list");
    assert_eq!(objectives.len(), 2, "its P95 and its errors");
    assert!(objectives.iter().all(|it| it["measured"]["verdict"] == "PASS"), "{findings:#}");
}

#[tokio::test]
async fn one_slow_instance_fails_the_objectives_and_is_named() {
    let findings = under_load("delayed").await;
    assert_eq!(findings["verdict"], "FAIL", "{findings:#}");
    let why = findings["why"].to_string();
    assert!(why.contains("read: P95 was"), "{why}");
    // Other tests may keep the whole machine busy, and then that is what is named.
    let named =
        ["the instances of delayed: all 1 it may have were running", "the CPU of the generator's machine"];
    assert!(named.into_iter().any(|named| why.contains(named)), "{why}");
}
