//! Tasks, as clients see them.

use http::Method;
use serde_json::{Value, json};

use super::rig::{PARENT, Rig, name_of, to_worker};
use crate::model::Token;

#[tokio::test]
async fn a_task_is_read_back_as_the_service_shows_it() {
    let rig = Rig::new().await;
    let request = json!({
        "url": "http://127.0.0.1:4001/tasks/a?b=%zz",
        "httpMethod": "PUT",
        "headers": { "X-Custom": "Kept", "host": "dropped", "Content-Length": "1", "user-agent": "mine",
            "X-Google-A": "dropped", "x-appengine-a": "dropped", "x-mare-priority": " 7", "X-Mare-Fairness-Key": "k" },
        "body": "aGk=",
        "oidcToken": { "serviceAccountEmail": "a@b", "audience": "c" },
    });
    let task = json!({ "name": name_of("q", "t"), "httpRequest": request, "dispatchDeadline": "15.0005s",
        "scheduleTime": "2020-01-01T00:00:00Z", "retryConfig": { "maxAttempts": 3 } });
    let created = rig.create("q", task).await;
    assert_eq!(created.status, 200, "{}", created.body);
    let mut expected = json!({
        "name": name_of("q", "t"),
        "httpRequest": {
            "url": "http://worker.mare.internal/tasks/a?b=%zz",
            "httpMethod": "PUT",
            "headers": { "X-Custom": "Kept", "User-Agent": "Google-Cloud-Tasks", "X-Mare-Priority": "7",
                "X-Mare-Fairness-Key": "k" },
            "oidcToken": { "serviceAccountEmail": "a@b", "audience": "c" },
        },
        "dispatchDeadline": "15s",
        "view": "BASIC",
        "retryConfig": { "maxAttempts": 3, "minBackoff": "0.100s", "maxBackoff": "3600s", "maxDoublings": 16 },
    });
    let without_times = |mut task: Value| {
        let fields = task.as_object_mut().expect("an object");
        let created = fields.remove("createTime").and_then(|time| Some(time.as_str()?.len()));
        assert_eq!(created, Some("2020-01-01T00:00:00Z".len()), "whole seconds");
        assert_ne!(fields.remove("scheduleTime"), Some(json!("2020-01-01T00:00:00Z")), "past is now");
        task
    };
    assert_eq!(without_times(created.body), expected);
    assert_eq!(without_times(rig.ok(Method::GET, "queues/q/tasks/t", Value::Null).await), expected);
    expected["view"] = json!("FULL");
    expected["httpRequest"]["body"] = json!("aGk=");
    for view in ["responseView=FULL", "response_view=FULL", "responseView=2"] {
        let task = rig.ok(Method::GET, &format!("queues/q/tasks/t?{view}"), Value::Null).await;
        assert_eq!(without_times(task), expected, "{view}");
    }
    let spec = rig.store.task(&crate::model::TaskName::parse(&name_of("q", "t")).expect("a name")).await;
    let spec = spec.expect("a task").spec;
    assert_eq!((spec.priority, spec.fairness_key.as_str()), (7, "k"));
    assert_eq!(spec.request.headers, [("X-Custom".to_owned(), "Kept".to_owned())]);
    assert_eq!(
        spec.request.token,
        Some(Token::Oidc { email: "a@b".to_owned(), audience: Some("c".to_owned()) })
    );
}

#[tokio::test]
async fn names_and_numbers_of_enums_are_both_taken_and_numbers_answered_when_asked_for() {
    let rig = Rig::new().await;
    let check = async |path: &str, method: Value, expected: Value| {
        let task = json!({ "task": { "http_request": { "url": "http://worker.mare.internal/", "http_method": method } },
            "response_view": 1 });
        let answer = rig.ok(Method::POST, &format!("queues/q/tasks{path}"), task).await;
        assert_eq!(answer["httpRequest"]["httpMethod"], expected, "{path}");
    };
    check("", json!("DELETE"), json!("DELETE")).await;
    check("", json!(5), json!("DELETE")).await;
    check("", Value::Null, json!("POST")).await;
    check("?$alt=json;enum-encoding=int", json!("GET"), json!(2)).await;
    check("?%24alt=json%3Benum-encoding%3Dint", json!(2), json!(2)).await;
    check("?alt=json&prettyPrint=true", json!(2), json!("GET")).await;
}

#[tokio::test]
async fn tasks_are_listed_in_pages_and_views() {
    let rig = Rig::new().await;
    for index in 0..70 {
        let mut task = to_worker();
        task["name"] = json!(name_of("q", &format!("t{index:02}")));
        task["httpRequest"]["body"] = json!("aGk=");
        assert_eq!(rig.create("q", task).await.status, 200);
    }
    for view in ["BASIC", "FULL"] {
        let (mut seen, mut token) = (0, String::new());
        let mut pages = 0;
        loop {
            let path = format!("queues/q/tasks?responseView={view}&pageSize=50&pageToken={token}");
            let page = rig.ok(Method::GET, &path, Value::Null).await;
            for task in page["tasks"].as_array().expect("tasks") {
                assert_eq!(task["name"], name_of("q", &format!("t{seen:02}")));
                assert_eq!(task["httpRequest"].get("body").is_some(), view == "FULL");
                seen += 1;
            }
            pages += 1;
            match page["nextPageToken"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => break,
            }
        }
        assert_eq!((seen, pages), (70, 2));
    }
}

#[tokio::test]
async fn a_page_ends_before_it_is_too_large_for_a_client() {
    let rig = Rig::new().await;
    for index in 0..8 {
        let mut task = to_worker();
        task["name"] = json!(name_of("q", &format!("t{index}")));
        task["httpRequest"]["body"] = json!("aaaa".repeat(300_000));
        assert_eq!(rig.create("q", task).await.status, 200);
    }
    let page = rig.ok(Method::GET, "queues/q/tasks?responseView=FULL", Value::Null).await;
    assert_eq!(page["tasks"].as_array().map(Vec::len), Some(4));
    assert!(page["nextPageToken"].is_string());
    let page = rig.ok(Method::GET, "queues/q/tasks", Value::Null).await;
    assert_eq!(page["tasks"].as_array().map(Vec::len), Some(8));
}

#[tokio::test]
async fn a_task_can_be_run_now_whatever_its_queue_does() {
    let mut rig = Rig::new().await;
    rig.ok(Method::POST, "queues/q:pause", json!({})).await;
    let mut task = to_worker();
    task["name"] = json!(name_of("q", "t"));
    assert_eq!(rig.create("q", task).await.status, 200);
    let answer = rig.ok(Method::POST, "queues/q/tasks/t:run", json!({ "responseView": "FULL" })).await;
    assert_eq!((&answer["dispatchCount"], &answer["view"]), (&json!(1), &json!("FULL")));
    assert!(answer["firstAttempt"]["dispatchTime"].is_string());
    let leased = rig.forced.try_recv().expect("it goes to the dispatcher");
    assert_eq!(leased.task.name.to_string(), name_of("q", "t"));
    // Nobody takes it off the channel: the next one waits for a place before it leases anything.
    rig.ok(Method::POST, "queues/q/tasks/t:run", json!({})).await;
    drop(rig.forced);
}

#[tokio::test]
async fn a_batch_creates_what_it_can_and_says_what_it_could_not() {
    let rig = Rig::new().await;
    let named = |id: &str| {
        let mut task = to_worker();
        task["name"] = json!(name_of("q", id));
        json!({ "task": task })
    };
    let requests = json!([named("a"), named("a.b"), named("b"), named("a"),
        { "parent": format!("{PARENT}/queues/other"), "task": to_worker() }]);
    let batch = json!({ "requests": requests, "requestId": "r1" });
    let operation = rig.ok(Method::POST, "queues/q/tasks:batchCreate", batch.clone()).await;
    assert_eq!(operation["done"], true);
    let metadata = &operation["metadata"];
    assert_eq!(metadata["@type"], "type.googleapis.com/google.cloud.tasks.v2.BatchCreateTasksMetadata");
    assert_eq!(metadata["state"], "PARTIALLY_SUCCEEDED");
    let failed: Vec<_> = metadata["failedRequests"]
        .as_object()
        .expect("failures")
        .iter()
        .map(|(place, status)| (place.as_str(), status["code"].as_u64()))
        .collect();
    assert_eq!(failed, [("1", Some(3)), ("3", Some(6)), ("4", Some(3))]);
    let created: Vec<_> = operation["response"]["tasks"]
        .as_array()
        .expect("tasks")
        .iter()
        .map(|task| task["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(created, [name_of("q", "a"), name_of("q", "b")]);
    // The same request again is the same operation.
    assert_eq!(rig.ok(Method::POST, "queues/q/tasks:batchCreate", batch).await, operation);
    let name = operation["name"].as_str().expect("a name");
    let found = rig.send(Method::GET, &format!("/v2/{name}"), String::new()).await;
    assert_eq!((found.status, found.body), (200, operation.clone()));
    let failing =
        rig.ok(Method::POST, "queues/q/tasks:batchCreate", json!({ "requests": [named("a")] })).await;
    assert_eq!((&failing["metadata"]["state"], &failing["error"]["code"]), (&json!("FAILED"), &json!(6)));
    // What failed as a whole is tried again.
    let late = |id: &str| json!({ "requests": [named(id)], "requestId": "r2" });
    let batch = async |id: &str| rig.ok(Method::POST, "queues/q/tasks:batchCreate", late(id)).await;
    assert_eq!(batch("a").await["metadata"]["state"], "FAILED");
    assert_eq!(batch("late").await["metadata"]["state"], "SUCCEEDED");
    for count in [0, 101] {
        let requests = vec![named("x"); count];
        let answer =
            rig.ask(Method::POST, "queues/q/tasks:batchCreate", json!({ "requests": requests })).await;
        assert_eq!(answer.error().1, "BatchCreateTasksRequest.requests must have 1 to 100 entries.");
    }
}

#[tokio::test]
async fn a_batch_deletes_what_it_can_and_says_what_it_could_not() {
    let rig = Rig::new().await;
    for index in 0..150 {
        let mut task = to_worker();
        task["name"] = json!(name_of("q", &format!("t{index}")));
        assert_eq!(rig.create("q", task).await.status, 200);
    }
    let mut names: Vec<_> = (0..150).map(|index| name_of("q", &format!("t{index}"))).collect();
    names.extend([name_of("q", "nobody"), name_of("other", "t")]);
    let operation = rig.ok(Method::POST, "queues/q/tasks:batchDelete", json!({ "names": names })).await;
    assert_eq!(operation["metadata"]["state"], "PARTIALLY_SUCCEEDED");
    let failed = operation["metadata"]["failedRequests"].as_object().expect("failures");
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["150", "151"]);
    assert_eq!(operation["response"]["@type"], "type.googleapis.com/google.protobuf.Empty");
    assert_eq!(rig.ok(Method::GET, "queues/q/tasks", Value::Null).await, json!({}));
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_given_up() {
    let rig = Rig::new().await;
    let mut task = to_worker();
    task["name"] = json!(name_of("q", "t"));
    assert_eq!(rig.create("q", task).await.status, 200);
    // The dispatcher takes nothing, so the second has no place to go.
    rig.ok(Method::POST, "queues/q/tasks/t:run", json!({})).await;
    let answer = rig.ask(Method::POST, "queues/q/tasks/t:run", json!({})).await;
    assert_eq!((answer.status, answer.error().0), (504, "DEADLINE_EXCEEDED"));
    let task = rig.ok(Method::GET, "queues/q/tasks/t", Value::Null).await;
    assert_eq!(task["dispatchCount"], 1, "it was not leased for nobody");
}
