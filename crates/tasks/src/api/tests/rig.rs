//! An API with nothing around it.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Version};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::api::{Api, Config};
use crate::model::{QueueName, QueueSettings, RateLimits, Retry, Target};
use crate::store::reference::Reference;
use crate::store::{Leased, Options, Put, Store, Windows};
use crate::targets::Targets;

pub(super) const PARENT: &str = "projects/p/locations/local";

pub(super) struct Rig {
    pub(super) api: Api,
    pub(super) store: Arc<dyn Store>,
    pub(super) forced: mpsc::Receiver<Leased>,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn error(&self) -> (&str, &str) {
        let text = |field: &str| self.body["error"][field].as_str().unwrap_or_default();
        (text("status"), text("message"))
    }
}

impl Rig {
    /// With a service `worker`, the allowed host `hooks.example.com`, and a queue `q`.
    pub(super) async fn new() -> Self {
        let windows = Windows { queue_name: std::time::Duration::from_secs(60), ..Windows::default() };
        let store: Arc<dyn Store> = Arc::new(Reference::new(&Options { windows, ..Options::default() }));
        let services = vec![(Arc::from("worker"), "127.0.0.1:4001".parse().expect("an address"))];
        let own = vec!["127.0.0.1:8081".parse().expect("an address")];
        let targets = Targets::new(services, &["hooks.example.com".to_owned()], own).expect("hosts");
        let (sender, forced) = mpsc::channel(1);
        let api = Api::new(Arc::clone(&store), sender, Config { targets, location: "local".to_owned() });
        let rig = Self { api, store, forced };
        rig.ok(Method::POST, "queues", json!({ "name": format!("{PARENT}/queues/q") })).await;
        rig
    }

    /// Puts a queue as `mare.toml` does.
    pub(super) async fn declare(&self, id: &str, target: Option<Target>) {
        let name = QueueName::below(PARENT, id).expect("a name");
        let (limits, retry) = (RateLimits::default(), Retry::default());
        let settings = QueueSettings { name, limits, retry, target, declared: true };
        self.store.put_queue(settings, Put::Upsert).await.expect("put");
    }

    /// Asks over REST; `path` is below the parent.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, &format!("/v2/{PARENT}/{path}"), body).await
    }

    pub(super) async fn send(&self, method: Method, uri: &str, body: String) -> Answer {
        let request =
            Request::builder().method(method).uri(uri).body(Full::<Bytes>::from(body)).expect("a request");
        let response = self.api.respond(request).await;
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/json; charset=UTF-8");
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        Answer { status, body: serde_json::from_slice(&body).expect("JSON") }
    }

    pub(super) async fn ok(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Calls a method of `CloudTasks` over gRPC; the status as it is said in headers or trailers.
    pub(super) async fn grpc(&self, method: &str, message: &impl prost::Message) -> tonic::Status {
        let mut framed = vec![0];
        framed.extend(u32::try_from(message.encoded_len()).expect("small").to_be_bytes());
        message.encode(&mut framed).expect("room");
        let request = Request::post(format!("/google.cloud.tasks.v2.CloudTasks/{method}"))
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .body(Full::new(Bytes::from(framed)))
            .expect("a request");
        let response = self.api.respond(request).await;
        if let Some(status) = tonic::Status::from_header_map(response.headers()) {
            return status;
        }
        let body = response.into_body().collect().await.expect("a body");
        let trailers = body.trailers().cloned().expect("trailers");
        tonic::Status::from_header_map(&trailers).expect("a status")
    }

    /// A task's answer by its id.
    pub(super) async fn create(&self, queue: &str, task: Value) -> Answer {
        self.ask(Method::POST, &format!("queues/{queue}/tasks"), json!({ "task": task })).await
    }
}

/// A task that goes to the service.
pub(super) fn to_worker() -> Value {
    json!({ "httpRequest": { "url": "http://worker.mare.internal/tasks/a" } })
}

pub(super) fn name_of(queue: &str, task: &str) -> String {
    format!("{PARENT}/queues/{queue}/tasks/{task}")
}
