//! A server under test and the people who use it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use valoriza::auth::Cost;
use valoriza::categorise::{Engine, Lexicon};
use valoriza::db::{self, Db, FromRow, Row, Statement};
use valoriza::files::Files;
use valoriza::http::App;
use valoriza::worker::{Event, Subscription, Worker};

/// Makes two tests of each function: one with a server over SQLite, one over PostgreSQL.
macro_rules! on_both_databases {
    ($($rule:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $rule() { super::$rule(crate::support::Server::over_sqlite().await).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $rule() { super::$rule(crate::support::Server::over_postgres().await).await; })+
        }
    };
}
pub(crate) use on_both_databases;

/// So cheap that a test does not notice; what it protects is a test's.
const COST: Cost = Cost { memory_kib: 8, passes: 1 };

pub(crate) const PASSWORD: &str = "uma senha comprida";

/// A client; its TLS, which no test uses, wants a provider all the same.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

pub(crate) struct Server {
    pub app: App,
    pub url: String,
    pub database: String,
    client: reqwest::Client,
    users: AtomicU32,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
    /// Where its files are, and its database if that is SQLite.
    pub folder: TempDir,
}

impl Server {
    pub(crate) async fn over_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("valoriza.db").display());
        Self::start(&url, folder).await
    }

    pub(crate) async fn over_postgres() -> Self {
        Self::start(&servers::Postgres::shared().fresh_database(), tempfile::tempdir().unwrap()).await
    }

    /// Over a PostgreSQL that has pgvector.
    pub(crate) async fn over_vectors() -> Self {
        let database = servers::Postgres::shared_with_vectors().fresh_database();
        let server = Self::start(&database, tempfile::tempdir().unwrap()).await;
        assert!(server.app.db.has_vectors());
        server
    }

    async fn start(database: &str, folder: TempDir) -> Self {
        let files = Files::open(folder.path().join("files").to_str().unwrap()).unwrap();
        let app = App::new(Db::connect(database).await.unwrap(), files, COST).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(valoriza::api::serve(app.clone(), listener, shutdown.clone()));
        let client = client();
        Self {
            app,
            url,
            database: database.to_owned(),
            client,
            users: AtomicU32::new(0),
            shutdown,
            task,
            folder,
        }
    }

    /// Lets a worker handle every event there is, and those that come of them.
    pub(crate) async fn work(&self) {
        let worker = self.worker();
        loop {
            let pass = worker.pass(&CancellationToken::new()).await.unwrap();
            assert_eq!(pass.failed, 0);
            if pass.handled == 0 {
                return;
            }
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Call {
        Call(self.client.request(method, format!("{}{path}", self.url)))
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.request(Method::POST, path).json(&body).send().await
    }

    /// A worker over the same database.
    pub(crate) fn worker(&self) -> Worker {
        static ENGINE: LazyLock<Arc<Engine>> = LazyLock::new(|| Arc::new(Engine::new(Lexicon::builtin())));
        // Shared: in a debug build it takes seconds to learn what everybody knows.
        Worker::new(self.app.db.clone(), self.app.files.clone(), Arc::clone(&ENGINE))
    }

    /// Asks it to stop, as SIGTERM would.
    pub(crate) fn shutdown(&self) {
        self.shutdown.cancel();
    }

    /// Waits until it has stopped without complaint.
    pub(crate) async fn stopped(mut self) {
        (&mut self.task).await.unwrap().unwrap();
    }

    /// Registers somebody new.
    pub(crate) async fn user(&self) -> User<'_> {
        let number = self.users.fetch_add(1, Ordering::Relaxed);
        let email = format!("ana{number}@exemplo.com");
        let body = json!({ "name": "Ana", "email": email, "password": PASSWORD });
        let session = self.post("/api/auth/register", body).await.expect(StatusCode::CREATED);
        let token = session["access_token"].as_str().unwrap().to_owned();
        User { server: self, session, token }
    }
}

/// Does what a schedule of the platform does at a tick: posts to the worker. Returns whose answers it said are old.
pub(crate) async fn tick(worker: &Worker, task: &str) -> String {
    assert!(include_str!("../../mare.toml").contains(&format!("\"/tasks/{task}\"")), "no queue posts {task}");
    post_to(worker, &format!("/tasks/{task}"), &json!(null)).await
}

/// Posts what must succeed to a worker, as the platform does. Returns whose answers it said are old.
pub(crate) async fn post_to(worker: &Worker, path: &str, body: &Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    let serving = tokio::spawn(axum::serve(listener, valoriza::worker::router(worker.clone())).into_future());
    let answer = client().post(&url).json(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    serving.abort();
    answer.headers().get("cache-purge").map_or_else(String::new, |it| it.to_str().unwrap().to_owned())
}

/// What the platform's relay does: takes what is in the outbox to every subscription, until nothing comes any more.
/// Every event is delivered twice, because the platform may do so.
pub(crate) async fn relay(server: &Server, worker: &Worker) -> Vec<String> {
    let mut topics = Vec::new();
    loop {
        let mut tx = server.app.db.write().await.unwrap();
        let pending: Vec<Pending> = tx
            .all(Statement::new("SELECT * FROM outbox WHERE dispatched_at IS NULL ORDER BY id LIMIT 500"))
            .await
            .unwrap();
        tx.execute(Statement::new("UPDATE outbox SET dispatched_at = 1")).await.unwrap();
        tx.commit().await.unwrap();
        if pending.is_empty() {
            return topics;
        }
        for Pending(event) in pending {
            for subscription in Subscription::ALL {
                worker.handle(subscription, &event).await.unwrap();
                worker.handle(subscription, &event).await.unwrap();
            }
            topics.push(event.topic);
        }
    }
}

/// An event as the outbox has it.
struct Pending(Event);

impl FromRow for Pending {
    fn from_row(row: &Row) -> Result<Self, db::Error> {
        Ok(Self(Event {
            id: row.get::<Uuid>("id")?.to_string(),
            tenant: row.get("tenant_id")?,
            topic: row.get("topic")?,
            payload: row.json("payload")?,
            trace_id: row.get("trace_id")?,
        }))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(crate) struct Call(reqwest::RequestBuilder);

impl Call {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.body(body))
    }

    pub(crate) async fn send(self) -> Reply {
        let response = self.0.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let is_json = headers.get("content-type").is_some_and(|it| it.to_str().unwrap().ends_with("json"));
        let body = match text {
            text if text.is_empty() => Value::Null,
            text if is_json => serde_json::from_str(&text).unwrap(),
            text => Value::String(text),
        };
        Reply { status, headers, body }
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub(crate) fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Checks that this is the problem document of `code`.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        self.body
    }

    /// Checks that the input was refused for these fields and codes, and no others.
    #[track_caller]
    pub(crate) fn expect_invalid(self, expected: &[(&str, &str)]) {
        let body = self.expect_problem(422, "invalid_input");
        let errors = body["errors"].as_array().unwrap();
        let found: Vec<_> =
            errors.iter().map(|it| (it["field"].as_str().unwrap(), it["code"].as_str().unwrap())).collect();
        assert_eq!(found, expected);
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|it| it.to_str().unwrap())
    }
}

/// Somebody signed in.
pub(crate) struct User<'a> {
    pub server: &'a Server,
    pub session: Value,
    pub token: String,
}

impl User<'_> {
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        self.server.request(method, path).header("authorization", &format!("Bearer {}", self.token))
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path).json(&body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.call(Method::PUT, path).json(&body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call(Method::PATCH, path).json(&body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.call(Method::DELETE, path).send().await
    }

    /// Reads what must be there.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> impl Future<Output = Value> {
        let call = self.get_owned(path);
        async move { call.await.expect(StatusCode::OK) }
    }

    fn get_owned(&self, path: &str) -> impl Future<Output = Reply> + use<> {
        self.call(Method::GET, path).send()
    }

    /// Creates a thing and returns it.
    pub(crate) async fn create(&self, path: &str, body: Value) -> Value {
        self.post(path, body).await.expect(StatusCode::CREATED)
    }

    /// Opens an account and returns its id.
    pub(crate) async fn account(&self) -> String {
        id(&self.create("/api/accounts", json!({ "name": "Conta", "kind": "checking" })).await)
    }

    /// Creates a category and returns its id.
    pub(crate) async fn category(&self, name: &str, kind: &str, parent: Option<&str>) -> String {
        id(&self.create("/api/categories", json!({ "name": name, "kind": kind, "parent_id": parent })).await)
    }

    /// Records a transaction with a description of its own and returns it.
    pub(crate) async fn described(&self, account: &str, date: &str, description: &str, cents: i64) -> Value {
        let body =
            json!({ "account_id": account, "date": date, "description": description, "amount_cents": cents });
        self.create("/api/transactions", body).await
    }

    /// Records a transaction and returns it.
    pub(crate) async fn transaction(
        &self,
        account: &str,
        date: &str,
        cents: i64,
        category: Option<&str>,
    ) -> Value {
        let body = json!({
            "account_id": account, "date": date, "description": "PIX", "amount_cents": cents, "category_id": category,
        });
        self.create("/api/transactions", body).await
    }

    pub(crate) async fn balance(&self, account: &str) -> i64 {
        self.read(&format!("/api/accounts/{account}")).await["balance_cents"].as_i64().unwrap()
    }

    /// The same person with another role, as a token of that role says.
    pub(crate) fn with_role(&self, role: valoriza::domain::member::Role) -> User<'_> {
        let uuid = |path: &str| self.session.pointer(path).unwrap().as_str().unwrap().parse().unwrap();
        let now = jiff::Timestamp::now();
        let token = self.server.app.keys.sign(uuid("/user/id"), uuid("/tenant/id"), role, now).unwrap();
        User { server: self.server, session: self.session.clone(), token }
    }
}

pub(crate) fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}
