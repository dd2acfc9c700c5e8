//! Push tasks, from the API to the service.

use hyper::Method;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Answer, Folder, Mare, PATIENCE, ask, get, kill, until, within};

const PARENT: &str = "/v2/projects/shop/locations/local";

const SHOP: &str = r#"
[app]
name = "shop"
drain = "2s"
[services.worker]
run = "{probe}"
internal = true
[queues.q]
target = { service = "worker" }
retry = { attempts = 3, min = "10ms", max = "10ms" }
[queues.other]
"#;

async fn post(mare: &Mare, path: &str, body: &Value) -> Answer {
    let json = [("content-type", "application/json")];
    ask(mare.admin, Method::POST, &format!("{PARENT}/{path}"), &json, &body.to_string()).await
}

/// Creates a task for the worker.
async fn create(mare: &Mare, queue: &str, id: &str, path: &str) {
    let name = format!("{}/queues/{queue}/tasks/{id}", &PARENT["/v2/".len()..]);
    let request = json!({ "url": format!("http://worker.mare.internal{path}") });
    let task = json!({ "task": { "name": name, "httpRequest": request } });
    let answer = post(mare, &format!("queues/{queue}/tasks"), &task).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn task(mare: &Mare, queue: &str, id: &str) -> Answer {
    get(mare.admin, &format!("{PARENT}/queues/{queue}/tasks/{id}")).await
}

async fn until_gone(mare: &Mare, queue: &str, id: &str) {
    until("the task is gone", async || (task(mare, queue, id).await.status == 404).then_some(())).await;
}

/// Waits for a line of the metrics page that begins so and whose value is not 0.
async fn until_metric(mare: &Mare, series: &str) {
    let look = async || {
        let page = get(mare.admin, "/metrics").await.body;
        page.lines().any(|line| line.starts_with(series) && !line.ends_with(" 0")).then_some(())
    };
    until(series, look).await;
}

/// How often the worker got a task.
fn attempts(mare: &Mare, id: &str) -> usize {
    mare.stdout.all().iter().filter(|line| line.contains(&format!("task {id} retry"))).count()
}

#[tokio::test]
async fn a_task_wakes_its_service_from_zero_and_is_done_once() {
    let mare = Mare::up(SHOP).await;
    assert_eq!(mare.service("worker").await.instances().len(), 0);
    create(&mare, "q", "one", "/task").await;
    mare.stdout.until("task one retry 0").await;
    until_gone(&mare, "q", "one").await;
    assert_eq!(attempts(&mare, "one"), 1);
    until_metric(&mare, "mare_tasks_attempts_total{queue=\"q\",outcome=\"2xx\"}").await;
    mare.stop().await;
}

#[tokio::test]
async fn what_fails_is_tried_again_until_it_is_a_dead_letter() {
    let mare = Mare::up(SHOP).await;
    create(&mare, "q", "late", "/task?until=2").await;
    mare.stdout.until("task late retry 2").await;
    until_gone(&mare, "q", "late").await;
    create(&mare, "q", "never", "/task?status=500").await;
    mare.stdout.until("task never retry 2").await;
    until_gone(&mare, "q", "never").await;
    until_metric(&mare, "mare_tasks_dead_letters{queue=\"q\"}").await;
    assert_eq!((attempts(&mare, "late"), attempts(&mare, "never")), (3, 3));
    mare.stop().await;
}

#[tokio::test]
async fn a_paused_queue_keeps_its_tasks() {
    let mare = Mare::up(SHOP).await;
    assert_eq!(post(&mare, "queues/q:pause", &json!({})).await.status, 200);
    create(&mare, "q", "paused", "/task").await;
    create(&mare, "other", "first", "/task").await;
    until_gone(&mare, "other", "first").await;
    assert_eq!((task(&mare, "q", "paused").await.status.as_u16(), attempts(&mare, "paused")), (200, 0));
    assert_eq!(post(&mare, "queues/q:resume", &json!({})).await.status, 200);
    until_gone(&mare, "q", "paused").await;
    mare.stop().await;
}

#[tokio::test]
async fn a_worker_can_verify_who_a_task_is_from() {
    let mare = Mare::up(SHOP).await;
    let token = json!({ "serviceAccountEmail": "tasks@shop.example", "audience": "worker" });
    let request = json!({ "url": "http://worker.mare.internal/task", "oidcToken": token });
    assert_eq!(
        post(&mare, "queues/q/tasks", &json!({ "task": { "httpRequest": request } })).await.status,
        200
    );
    let line = mare.stdout.until(" from Bearer ").await;
    let rest = line.split(" from Bearer ").nth(1).expect("a token");
    let is_in_token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let token = rest.split(|c| !is_in_token(c)).next().expect("a token");

    let issuer = format!("http://{}", mare.admin);
    let discovery: Value =
        serde_json::from_str(&get(mare.admin, "/.well-known/openid-configuration").await.body).expect("JSON");
    assert_eq!(discovery["issuer"], issuer.as_str());
    let path =
        discovery["jwks_uri"].as_str().expect("a URL").strip_prefix(&issuer).expect("of the same server");
    let keys: JwkSet = serde_json::from_str(&get(mare.admin, path).await.body).expect("JSON");
    let id = decode_header(token).expect("a token").kid.expect("an id");
    let key = DecodingKey::from_jwk(keys.find(&id).expect("the key")).expect("RSA");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&issuer]);
    validation.set_audience(&["worker"]);
    let claims = decode::<Value>(token, &key, &validation).expect("verified").claims;
    assert_eq!(claims["email"], "tasks@shop.example");
    mare.stop().await;
}

#[tokio::test]
async fn only_listed_servers_outside_are_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let outside = listener.local_addr().expect("bound");
    let mare = Mare::up(&format!("{SHOP}\n[tasks]\nexternal = [\"{outside}\"]\n")).await;
    let of = |url: String| json!({ "task": { "httpRequest": { "url": url, "body": "YWJj" } } });
    assert_eq!(post(&mare, "queues/other/tasks", &of(format!("http://{outside}/hook"))).await.status, 200);
    let (mut stream, _) = within("the request", listener.accept()).await.expect("accepts");
    let mut got = Vec::new();
    while !got.ends_with(b"\r\n\r\nabc") {
        within("the request", stream.read_buf(&mut got)).await.expect("reads");
    }
    assert!(got.starts_with(b"POST /hook HTTP/1.1\r\n"));
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("writes");
    until_metric(&mare, "mare_tasks_settlements_total{queue=\"other\",result=\"succeeded\"}").await;
    for refused in [format!("http://{}/api/status", mare.admin), "http://127.0.0.1:1/".to_owned()] {
        let answer = post(&mare, "queues/other/tasks", &of(refused)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    mare.stop().await;
}

#[tokio::test]
async fn a_refusal_of_the_gateway_uses_no_attempt() {
    let mare = Mare::up(
        &SHOP.replace("run = \"{probe}\"", "run = \"false\"").replace("attempts = 3", "attempts = 1"),
    )
    .await;
    create(&mare, "q", "patient", "/task").await;
    until_metric(&mare, "mare_tasks_attempts_total{queue=\"q\",outcome=\"not_delivered\"}").await;
    let answer = task(&mare, "q", "patient").await;
    assert_eq!(answer.status, 200, "it is not a dead letter");
    mare.stop().await;
}

/// Ends mare and starts another on what it left.
async fn again(mut mare: Mare) -> Mare {
    within("mare to end", mare.child.wait()).await.expect("ours");
    mare.folder.until_nothing_runs().await;
    let folder = std::mem::replace(&mut mare.folder, Folder::new(""));
    drop(mare);
    let mare = Mare::launch(folder, &[], &[]).await;
    mare.stdout.until("is ready at").await;
    mare
}

#[tokio::test]
async fn killed_with_9_it_has_lost_nothing() {
    let mare = Mare::up(SHOP).await;
    assert_eq!(post(&mare, "queues/q:pause", &json!({})).await.status, 200);
    for number in 0..20 {
        create(&mare, "q", &format!("kept-{number}"), "/task").await;
    }
    create(&mare, "other", "interrupted", "/task?ms=60000").await;
    let busy = |worker: &crate::support::Service| worker.0["in_flight"] == 1;
    mare.until("worker", "it is under way", busy).await;
    kill(mare.pid);
    let mare = again(mare).await;
    mare.until("worker", "it is under way again", busy).await;
    assert_eq!(attempts(&mare, "kept-0"), 0, "the queue is still paused");
    assert_eq!(post(&mare, "queues/q:resume", &json!({})).await.status, 200);
    for number in 0..20 {
        until_gone(&mare, "q", &format!("kept-{number}")).await;
        // Its line may come later than its answer.
        mare.stdout.until(&format!("task kept-{number} retry 0")).await;
        assert_eq!(attempts(&mare, &format!("kept-{number}")), 1);
    }
    kill(mare.pid);
}

#[tokio::test]
async fn at_the_end_tasks_under_way_are_given_back() {
    let mut mare = Mare::up(SHOP).await;
    create(&mare, "q", "long", "/task?ms=60000").await;
    create(&mare, "q", "short", "/task?ms=500").await;
    mare.until("worker", "both are under way", |worker| worker.0["in_flight"] == 2).await;
    mare.terminate();
    assert_eq!(tokio::time::timeout(PATIENCE, mare.exit_code()).await, Ok(Some(0)));
    mare.stdout.until("task short retry 0").await;
    let mare = again(mare).await;
    mare.until("worker", "it is under way again", |worker| worker.0["in_flight"] == 1).await;
    let answer = task(&mare, "q", "long").await;
    let long: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(long["dispatchCount"], 1, "the first attempt was none: {long}");
    assert_eq!(task(&mare, "q", "short").await.status, 404);
    kill(mare.pid);
}
