//! Queues, as clients see them.

use http::Method;
use serde_json::{Value, json};

use super::rig::{PARENT, Rig, to_worker};
use crate::model::Target;

fn named(id: &str) -> Value {
    json!({ "name": format!("{PARENT}/queues/{id}") })
}

#[tokio::test]
async fn what_is_not_said_is_by_default() {
    let rig = Rig::new().await;
    let queue = rig.ok(Method::GET, "queues/q", Value::Null).await;
    assert_eq!(
        queue,
        json!({
            "name": format!("{PARENT}/queues/q"),
            "rateLimits": { "maxDispatchesPerSecond": 500.0, "maxBurstSize": 100, "maxConcurrentDispatches": 1000 },
            "retryConfig": { "maxAttempts": 100, "minBackoff": "0.100s", "maxBackoff": "3600s", "maxDoublings": 16 },
            "state": "RUNNING",
        })
    );
    let check = async |settings: Value, field: &str, expected: Value| {
        let mut queue = settings;
        queue["name"] = named("q")["name"].clone();
        let queue = rig.ok(Method::PATCH, "queues/q", queue).await;
        assert_eq!(queue[field], expected);
    };
    let burst = |rate: f64, burst: i64| json!({ "maxDispatchesPerSecond": rate, "maxBurstSize": burst, "maxConcurrentDispatches": 1000 });
    check(json!({ "rateLimits": burst(1.0, -7) }), "rateLimits", burst(1.0, 10)).await;
    check(json!({ "rateLimits": burst(101.0, 7) }), "rateLimits", burst(101.0, 21)).await;
    let retry = |attempts: i64, min: &str, max: &str| json!({ "maxAttempts": attempts, "minBackoff": min, "maxBackoff": max, "maxDoublings": 16 });
    check(json!({ "retryConfig": { "maxAttempts": -1 } }), "retryConfig", retry(-1, "0.100s", "3600s")).await;
    check(json!({ "retryConfig": { "minBackoff": "7200s" } }), "retryConfig", retry(100, "7200s", "7200s"))
        .await;
    check(json!({ "retryConfig": { "maxBackoff": "0.05s" } }), "retryConfig", retry(100, "0.050s", "0.050s"))
        .await;
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names_and_creates_what_is_absent() {
    let rig = Rig::new().await;
    let patch = async |mask: &str, queue: Value| {
        let answer = rig.ask(Method::PATCH, &format!("queues/new?updateMask={mask}"), queue).await;
        assert_eq!(answer.status, 200, "{mask}: {}", answer.body);
        let field = |path: &str| answer.body.pointer(path).cloned().unwrap_or_default();
        (field("/rateLimits/maxDispatchesPerSecond"), field("/retryConfig/maxAttempts"), field("/state"))
    };
    let both = |rate: f64, attempts: i64| {
        json!({ "rateLimits": { "maxDispatchesPerSecond": rate }, "retryConfig": { "maxAttempts": attempts },
            "state": "PAUSED" })
    };
    let running = |rate: f64, attempts: i64| (json!(rate), json!(attempts), json!("RUNNING"));
    assert_eq!(patch("rateLimits", both(5.0, 3)).await, running(5.0, 100));
    assert_eq!(patch("retry_config.max_attempts", both(6.0, 4)).await, running(5.0, 4));
    assert_eq!(patch("rateLimits.maxDispatchesPerSecond%2CretryConfig", both(7.0, 5)).await, running(7.0, 5));
    assert_eq!(patch("state,name", both(8.0, 6)).await, running(7.0, 5));
    assert_eq!(patch("", json!("")).await, running(500.0, 100));
    let answer = rig.ask(Method::PATCH, "queues/new?updateMask=nonsense", json!({})).await;
    assert_eq!(
        answer.error(),
        ("INVALID_ARGUMENT", "The update mask names `nonsense`, which a queue does not have.")
    );
}

#[tokio::test]
async fn queues_are_paused_resumed_purged_and_deleted() {
    let rig = Rig::new().await;
    rig.declare("declared", None).await;
    for id in ["q", "declared"] {
        let act =
            async |action: &str| rig.ok(Method::POST, &format!("queues/{id}:{action}"), json!({})).await;
        assert_eq!(act("pause").await["state"], "PAUSED");
        assert_eq!(rig.create(id, to_worker()).await.status, 200, "a paused queue takes tasks");
        assert_eq!(act("resume").await["state"], "RUNNING");
        assert!(act("purge").await["purgeTime"].is_string());
        assert_eq!(rig.ok(Method::GET, &format!("queues/{id}/tasks"), Value::Null).await, json!({}));
    }
    assert_eq!(rig.ok(Method::DELETE, "queues/q", Value::Null).await, json!({}));
}

#[tokio::test]
async fn lists_come_in_pages_by_name() {
    let rig = Rig::new().await;
    for id in ["c", "a", "b"] {
        rig.ok(Method::POST, "queues", named(id)).await;
    }
    rig.ok(Method::POST, "queues/b:pause", json!({})).await;
    let list = async |filter: &str, size: usize| {
        let (mut all, mut pages, mut token) = (Vec::new(), 0, String::new());
        loop {
            let path = format!("queues?pageSize={size}&filter={filter}&pageToken={token}");
            let page = rig.ok(Method::GET, &path, Value::Null).await;
            let queues = page["queues"].as_array().cloned().unwrap_or_default();
            assert!(queues.len() <= size);
            let id = |queue: Value| queue["name"].as_str().map(|name| name[PARENT.len() + 8..].to_owned());
            all.extend(queues.into_iter().filter_map(id));
            pages += 1;
            match page["nextPageToken"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => return (all.join(" "), pages),
            }
        }
    };
    assert_eq!(list("", 9800).await, ("a b c q".to_owned(), 1));
    assert_eq!(list("", 2).await, ("a b c q".to_owned(), 2));
    assert_eq!(list("state:%20PAUSED", 10).await, ("b".to_owned(), 1));
    assert_eq!(list("state=RUNNING", 1).await.0, "a c q");
    let first = rig.ok(Method::GET, "queues?pageSize=1", Value::Null).await;
    let token = first["nextPageToken"].as_str().expect("a token");
    let other =
        rig.ask(Method::GET, &format!("queues?filter=state:PAUSED&pageToken={token}"), Value::Null).await;
    let text = "The page token was made for another request; do not change the filter.";
    assert_eq!(other.error(), ("INVALID_ARGUMENT", text));
}

#[tokio::test]
async fn a_queue_may_say_where_its_tasks_go() {
    let rig = Rig::new().await;
    let target = json!({ "uriOverride": { "scheme": "HTTP", "host": "worker.mare.internal",
        "pathOverride": { "path": "/all" } } });
    let queue = rig.ok(Method::PATCH, "queues/q", json!({ "httpTarget": target })).await;
    assert_eq!(queue["httpTarget"], target);
    // Its own URL is kept, though it would not be allowed.
    let task = rig.create("q", json!({ "httpRequest": { "url": "http://evil.example/" } })).await;
    assert_eq!(task.body["httpRequest"]["url"], "http://evil.example/");
    assert_eq!(rig.create("q", json!({})).await.status, 200);
    let service = Target::Service { service: "worker".to_owned(), path: "/tasks/import".to_owned() };
    rig.declare("declared", Some(service)).await;
    assert_eq!(rig.create("declared", json!({})).await.status, 200);
    let queue = rig.ok(Method::GET, "queues/declared", Value::Null).await;
    assert_eq!(queue.pointer("/httpTarget/uriOverride/host"), Some(&json!("worker.mare.internal")));
    // Filling in the path leaves the host to the task.
    let path = json!({ "uriOverride": { "pathOverride": { "path": "/all" }, "uriOverrideEnforceMode": "IF_NOT_EXISTS" } });
    rig.ok(Method::PATCH, "queues/q", json!({ "httpTarget": path })).await;
    assert_eq!(rig.create("q", json!({})).await.error().1, "HttpRequest.url is required.");
    assert_eq!(
        rig.create("q", json!({ "httpRequest": { "url": "http://evil.example/" } })).await.status,
        400
    );
}

#[tokio::test]
async fn there_is_one_location() {
    let rig = Rig::new().await;
    let local = json!({ "name": PARENT, "locationId": "local" });
    let ask = async |path: &str| {
        let answer = rig.send(Method::GET, path, String::new()).await;
        (answer.status, answer.body)
    };
    assert_eq!(ask("/v2/projects/p/locations").await, (200, json!({ "locations": [local] })));
    assert_eq!(ask("/v2/projects/p/locations/local").await, (200, local));
    assert_eq!(ask("/v2/projects/p/locations/mars").await.0, 404);
}
