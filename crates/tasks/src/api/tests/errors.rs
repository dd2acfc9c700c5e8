//! Every error text.

use http::Method;
use prost::Message;
use serde_json::{Value, json};

use super::rig::{PARENT, Rig, name_of, to_worker};
use crate::proto::{rpc, v2};

const NO_QUEUE: &str = "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize.";
const NOT_FOUND: &str = "Requested entity was not found.";
const ENDED: &str = "The task no longer exists, though a task with this name existed recently. The task either \
                     successfully completed or was deleted.";
const QUEUE_NAME: &str =
    "Queue name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>\".";
const TASK_NAME: &str = "Task name must be formatted: \
                         \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>\"";
const DEADLINE: &str = "Task.dispatchDeadline must be between [15s, 30m].";

#[tokio::test]
async fn queues_are_refused_in_the_words_of_the_service() {
    let rig = Rig::new().await;
    rig.ok(Method::POST, "queues", json!({ "name": format!("{PARENT}/queues/gone") })).await;
    rig.ok(Method::DELETE, "queues/gone", Value::Null).await;
    rig.declare("declared", None).await;
    let declared = format!(
        "{PARENT}/queues/declared is declared in mare.toml and changed there: edit [queues.declared] and restart \
         mare. It can be paused, resumed and purged here."
    );
    let check = async |method: Method, path: &str, body: Value, code: &str, text: &str| {
        let answer = rig.ask(method.clone(), path, body).await;
        assert_eq!(answer.error(), (code, text), "{method} {path}");
        let status = match code {
            "NOT_FOUND" => 404,
            "ALREADY_EXISTS" => 409,
            _ => 400,
        };
        assert_eq!((answer.status, answer.body["error"]["code"].as_u64()), (status, Some(status.into())));
    };
    let named = |id: &str| json!({ "name": format!("{PARENT}/queues/{id}") });
    let post = Method::POST;
    check(post.clone(), "queues", named("q"), "ALREADY_EXISTS", "Queue already exists").await;
    check(
        post.clone(),
        "queues",
        named("gone"),
        "FAILED_PRECONDITION",
        "The queue cannot be created because a queue with this name existed too recently.",
    )
    .await;
    check(post.clone(), "queues", named("q_1"), "INVALID_ARGUMENT", QUEUE_NAME).await;
    check(post.clone(), "queues", json!({}), "INVALID_ARGUMENT", QUEUE_NAME).await;
    check(
        post.clone(),
        "queues",
        json!({ "name": "projects/p/locations/other/queues/q" }),
        "INVALID_ARGUMENT",
        "QUEUE_NAME must begin with PARENT.",
    )
    .await;
    for path in ["queues/nobody", "queues/gone"] {
        check(Method::GET, path, Value::Null, "NOT_FOUND", NO_QUEUE).await;
        for action in ["pause", "resume", "purge"] {
            check(post.clone(), &format!("{path}:{action}"), json!({}), "NOT_FOUND", NO_QUEUE).await;
        }
        check(post.clone(), &format!("{path}/tasks"), json!({ "task": to_worker() }), "NOT_FOUND", NO_QUEUE)
            .await;
        check(Method::GET, &format!("{path}/tasks"), Value::Null, "NOT_FOUND", NO_QUEUE).await;
        check(Method::DELETE, path, Value::Null, "NOT_FOUND", NOT_FOUND).await;
    }
    check(Method::DELETE, "queues/declared", Value::Null, "FAILED_PRECONDITION", &declared).await;
    check(Method::PATCH, "queues/declared", json!({}), "FAILED_PRECONDITION", &declared).await;
}

#[tokio::test]
async fn listings_check_what_they_are_asked() {
    let rig = Rig::new().await;
    let check = async |query: &str, text: &str| {
        let answer = rig.ask(Method::GET, &format!("queues?{query}"), Value::Null).await;
        assert_eq!((answer.status, answer.error()), (400, ("INVALID_ARGUMENT", text)), "{query}");
    };
    check("pageToken=nonsense", "The page token is not valid.").await;
    check("pageSize=-1", "The page size cannot be negative.").await;
    check("filter=name:x", "The filter must be `state: RUNNING` or `state: PAUSED`.").await;
}

#[tokio::test]
async fn settings_of_queues_have_limits() {
    let rig = Rig::new().await;
    let check = async |settings: Value, text: &str| {
        let mut queue = settings;
        queue["name"] = json!(format!("{PARENT}/queues/new"));
        let answer = rig.ask(Method::POST, "queues", queue.clone()).await;
        assert_eq!(answer.error(), ("INVALID_ARGUMENT", text), "{queue}");
    };
    let limits = |field: &str, value: Value| json!({ "rateLimits": { field: value } });
    check(
        limits("maxDispatchesPerSecond", json!(-0.1)),
        "RateLimits.maxDispatchesPerSecond cannot be negative.",
    )
    .await;
    check(
        limits("maxDispatchesPerSecond", json!("NaN")),
        "RateLimits.maxDispatchesPerSecond cannot be negative.",
    )
    .await;
    check(
        limits("maxDispatchesPerSecond", json!(500.1)),
        "RateLimits.maxDispatchesPerSecond must be less than or equal to 500.",
    )
    .await;
    check(
        limits("maxConcurrentDispatches", json!(-1)),
        "RateLimits.maxConcurrentDispatches cannot be negative.",
    )
    .await;
    check(
        limits("maxConcurrentDispatches", json!(5001)),
        "RateLimits.maxConcurrentDispatches must be less than or equal to 5000.",
    )
    .await;
    let retry = |config: Value| json!({ "retryConfig": config });
    check(retry(json!({ "maxAttempts": -2 })), "RetryConfig.maxAttempts must be greater or equal to -1.")
        .await;
    check(retry(json!({ "maxDoublings": -1 })), "RetryConfig.maxDoublings cannot be negative.").await;
    check(retry(json!({ "minBackoff": "-1s" })), "RetryConfig.minBackoff cannot be negative.").await;
    check(retry(json!({ "maxBackoff": "-0.5s" })), "RetryConfig.maxBackoff cannot be negative.").await;
    check(retry(json!({ "maxRetryDuration": "-1s" })), "RetryConfig.maxRetryDuration cannot be negative.")
        .await;
    check(
        retry(json!({ "minBackoff": "2s", "maxBackoff": "1s" })),
        "RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.",
    )
    .await;
    let uri = |field: &str, value: Value| json!({ "httpTarget": { "uriOverride": { field: value } } });
    check(uri("host", json!("")), "UriOverride.host cannot be empty.").await;
    check(uri("port", json!("65536")), "UriOverride.port must be between 0 and 65535.").await;
    check(
        uri("host", json!("evil.example")),
        "evil.example:443 is not allowed as a target; add \"evil.example:443\" \
        to `external` in [tasks] of mare.toml",
    )
    .await;
    check(
        json!({ "appEngineRoutingOverride": { "service": "s" } }),
        "App Engine targets are not served here; remove appEngineRoutingOverride.",
    )
    .await;
    check(
        json!({ "stackdriverLoggingConfig": { "samplingRatio": 1.5 } }),
        "StackdriverLoggingConfig.samplingRatio must be between 0 and 1.",
    )
    .await;
}

#[tokio::test]
async fn tasks_are_refused_in_the_words_of_the_service() {
    let rig = Rig::new().await;
    let check = async |task: Value, text: &str| {
        let answer = rig.create("q", task.clone()).await;
        assert_eq!((answer.status, answer.error()), (400, ("INVALID_ARGUMENT", text)), "{task}");
    };
    let with = |field: &str, value: Value| {
        let mut task = to_worker();
        task[field] = value;
        task
    };
    check(with("name", json!("tasks/t")), TASK_NAME).await;
    check(with("name", json!(name_of("q_", "t"))), TASK_NAME).await;
    check(
        with("name", json!(name_of("q", "a.b"))),
        "Task ID \"a.b\" can contain only letters ([A-Za-z]), numbers \
        ([0-9]), hyphens (-), or underscores (_). Task ID must between 1 and 500 characters.",
    )
    .await;
    check(
        with("name", json!(name_of("other", "t"))),
        "The queue name from request \
        ('projects/p/locations/local/queues/q') must be the same as the queue name in the named task \
        ('projects/p/locations/local/queues/other').",
    )
    .await;
    for seconds in ["14.999s", "1800.001s", "-20s"] {
        check(with("dispatchDeadline", json!(seconds)), DEADLINE).await;
    }
    let app_engine = |deadline: &str| json!({ "appEngineHttpRequest": {}, "dispatchDeadline": deadline });
    check(app_engine("86416s"), "Task.dispatchDeadline must be between [15s, 24h15s].").await;
    check(app_engine("86415s"), "App Engine targets are not served here; use httpRequest.").await;
    check(
        with("scheduleTime", json!("2100-01-01T00:00:00Z")),
        "The Task.scheduleTime, 2099-12-31T16:00:00-08:00, is \
        too far in the future. Schedule time must be no more than 720h in the future.",
    )
    .await;
    check(
        with("retryConfig", json!({ "maxAttempts": -2 })),
        "RetryConfig.maxAttempts must be greater or equal to -1.",
    )
    .await;
}

#[tokio::test]
async fn requests_of_tasks_are_refused_in_the_words_of_the_service() {
    let rig = Rig::new().await;
    let check = async |task: Value, text: &str| {
        let answer = rig.create("q", task.clone()).await;
        assert_eq!((answer.status, answer.error()), (400, ("INVALID_ARGUMENT", text)), "{task}");
    };
    let request = |field: &str, value: Value| {
        let mut task = to_worker();
        task["httpRequest"][field] = value;
        task
    };
    check(json!({}), "HttpRequest.url is required.").await;
    check(request("url", json!("")), "HttpRequest.url is required.").await;
    let scheme = "HttpTarget.url must start with 'http://' or 'https://'.";
    check(request("url", json!("worker.mare.internal/a")), scheme).await;
    check(request("url", json!("ftp://worker.mare.internal/a")), scheme).await;
    check(
        request("url", json!(format!("http://worker.mare.internal/{}", "a".repeat(2083)))),
        "HttpRequest.url must be at most 2083 characters.",
    )
    .await;
    check(request("url", json!("http://nobody.mare.internal/")), "the manifest has no service `nobody`")
        .await;
    check(
        request("url", json!("http://evil.example/")),
        "evil.example:80 is not allowed as a target; add \
        \"evil.example:80\" to `external` in [tasks] of mare.toml",
    )
    .await;
    check(
        request("url", json!("http://127.0.0.1:8081/")),
        "127.0.0.1:8081 is one of Maré's own listeners; name the \
        service as http://NAME.mare.internal",
    )
    .await;
    check(request("headers", json!({ "a b": "c" })), "The header \"a b\" is not valid in HTTP.").await;
    check(request("headers", json!({ "a": "b\nc" })), "The header \"a\" is not valid in HTTP.").await;
    check(
        request("headers", json!({ "a": "b".repeat(81920) })),
        "HttpRequest.headers must be at most 80 KiB in all.",
    )
    .await;
    check(
        request("headers", json!({ "x-mare-priority": "101" })),
        "X-Mare-Priority must be a whole number from -100 to 100.",
    )
    .await;
    check(
        request("headers", json!({ "X-Mare-Fairness-Key": "k".repeat(101) })),
        "X-Mare-Fairness-Key must be at most 100 bytes.",
    )
    .await;
    check(request("oidcToken", json!({ "audience": "a" })), "OidcToken.serviceAccountEmail is required.")
        .await;
    check(request("oauthToken", json!({})), "OAuthToken.serviceAccountEmail is required.").await;
    check(request("httpMethod", json!(99)), "HttpRequest.httpMethod is not known.").await;
    check(json!({ "httpRequest": { "url": "http://worker.mare.internal/", "httpMethod": "GET", "body": "YQ==" } }),
        "HttpRequest.body is allowed only with the methods POST, PUT and PATCH.").await;
}

#[tokio::test]
async fn a_task_may_be_as_large_as_with_the_service_and_no_larger() {
    const LARGEST: usize = 1_048_569;
    let rig = Rig::new().await;
    let task = |id: &str, length: usize| {
        let request = v2::HttpRequest {
            url: "http://worker.mare.internal/".to_owned(),
            body: vec![b'x'; length].into(),
            ..Default::default()
        };
        v2::Task {
            name: name_of("q", id),
            message_type: Some(v2::task::MessageType::HttpRequest(request)),
            schedule_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            create_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
            dispatch_deadline: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
            ..Default::default()
        }
    };
    let beside = task("a", 1_000_000).encoded_len() - 1_000_000;
    for (id, size, expected) in
        [("a", LARGEST, tonic::Code::Ok), ("b", LARGEST + 1, tonic::Code::InvalidArgument)]
    {
        let task = task(id, size - beside);
        assert_eq!(task.encoded_len(), size);
        let parent = format!("{PARENT}/queues/q");
        let create = v2::CreateTaskRequest { parent, task: Some(task), ..Default::default() };
        let status = rig.grpc("CreateTask", &create).await;
        assert_eq!(status.code(), expected, "{status:?}");
        assert!(expected == tonic::Code::Ok || status.message() == "Task size too large");
    }
}

#[tokio::test]
async fn named_tasks_are_known_while_they_live_and_a_while_after() {
    let mut rig = Rig::new().await;
    let mut task = to_worker();
    task["name"] = json!(name_of("q", "t"));
    let check = async |rig: &Rig, method: Method, path: &str, code: &str, text: &str| {
        let answer = rig.ask(method.clone(), path, Value::Null).await;
        assert_eq!(answer.error(), (code, text), "{method} {path}");
    };
    for path in ["queues/q/tasks/t", "queues/q/tasks/t:run"] {
        let method = if path.ends_with(":run") { Method::POST } else { Method::GET };
        check(&rig, method, path, "NOT_FOUND", NOT_FOUND).await;
    }
    check(&rig, Method::DELETE, "queues/q/tasks/t", "NOT_FOUND", NOT_FOUND).await;
    assert_eq!(rig.create("q", task.clone()).await.status, 200);
    let exists = ("ALREADY_EXISTS", "Requested entity already exists");
    let duplicate = rig.create("q", task.clone()).await;
    assert_eq!((duplicate.status, duplicate.error()), (409, exists));
    rig.ok(Method::DELETE, "queues/q/tasks/t", Value::Null).await;
    assert_eq!(rig.create("q", task.clone()).await.error(), exists);
    check(&rig, Method::GET, "queues/q/tasks/t", "NOT_FOUND", ENDED).await;
    check(&rig, Method::DELETE, "queues/q/tasks/t", "NOT_FOUND", ENDED).await;
    check(&rig, Method::POST, "queues/q/tasks/t:run", "NOT_FOUND", NOT_FOUND).await;
    check(&rig, Method::GET, "queues/q/tasks/a.b", "INVALID_ARGUMENT", "Task ID \"a.b\" can contain only letters \
        ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores (_). Task ID must between 1 and 500 characters.").await;
    assert!(rig.forced.try_recv().is_err(), "nothing was run");
}

#[tokio::test]
async fn errors_carry_links_in_both_skins() {
    let rig = Rig::new().await;
    let check = async |method: &str, message: &v2::CreateQueueRequest, description: &str, url: &str| {
        let status = rig.grpc(method, message).await;
        let details = rpc::Status::decode(status.details()).expect("a status");
        assert_eq!((details.code, details.message.as_str()), (3, status.message()));
        assert_eq!(details.details[0].type_url, "type.googleapis.com/google.rpc.Help");
        let help = rpc::Help::decode(&details.details[0].value[..]).expect("help");
        assert_eq!((help.links[0].description.as_str(), help.links[0].url.as_str()), (description, url));
    };
    let queues = "https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues";
    let name = format!("{queues}#Queue.FIELDS.name");
    let request = v2::CreateQueueRequest { parent: PARENT.to_owned(), queue: Some(v2::Queue::default()) };
    check("CreateQueue", &request, "Definition of queue name", &name).await;
    let answer = rig.ask(Method::POST, "queues", json!({})).await;
    assert_eq!(
        answer.body["error"]["details"],
        json!([{ "@type": "type.googleapis.com/google.rpc.Help",
        "links": [{ "description": "Definition of queue name", "url": name }] }])
    );
    let mut task = to_worker();
    task["name"] = json!(name_of("q", ""));
    let answer = rig.create("q", task).await;
    assert_eq!(
        answer.body["error"]["details"][0]["links"],
        json!([{ "description": "Definition of task ID",
        "url": format!("{queues}.tasks#Task.FIELDS.name") }])
    );
    let plain = rig.ask(Method::GET, "queues/nobody", Value::Null).await;
    assert_eq!(plain.body["error"].get("details"), None);
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_unimplemented() {
    let rig = Rig::new().await;
    for path in ["queues/q:getIamPolicy", "queues/q:setIamPolicy", "queues/q:testIamPermissions", "nonsense"]
    {
        let answer = rig.ask(Method::POST, path, json!({})).await;
        assert_eq!((answer.status, answer.error().0), (501, "UNIMPLEMENTED"), "{path}");
    }
    assert_eq!(rig.ask(Method::GET, "cmekConfig", Value::Null).await.status, 501);
    let status = rig.grpc("GetIamPolicy", &()).await;
    assert_eq!(status.code(), tonic::Code::Unimplemented);
}

#[tokio::test]
async fn requests_that_make_no_sense_are_said_to() {
    let rig = Rig::new().await;
    let check = async |uri: &str, body: &str, start: &str| {
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let answer = rig.send(method, &format!("/v2/{PARENT}/{uri}"), body.to_owned()).await;
        assert_eq!((answer.status, answer.error().0), (400, "INVALID_ARGUMENT"), "{uri} {body}");
        assert!(answer.error().1.starts_with(start), "{uri}: {}", answer.body);
    };
    let json = "Invalid JSON payload received. ";
    check("queues/q/tasks", "{", json).await;
    check("queues/q/tasks", "{} {}", json).await;
    check("queues/q/tasks", "[]", json).await;
    check("queues/q/tasks", r#"{"nonsense": 1}"#, json).await;
    check("queues/q/tasks", r#"{"task": {"scheduleTime": "soon"}}"#, json).await;
    check("queues/q/tasks", r#"{"task": {"httpRequest": {"body": "?"}}}"#, json).await;
    check("queues/q/tasks", "{}", "CreateTaskRequest.task is required.").await;
    check("queues/q/tasks?nonsense=1", "", "The parameter `nonsense` is not known.").await;
    check("queues/q/tasks?pageSize=x", "", "The parameters are not valid: ").await;
    check("queues/q/tasks?responseView=3", "", "The response view must be BASIC or FULL.").await;
    check("queues/q/tasks", &" ".repeat(4 * 1024 * 1024 + 1), "The request is larger than 4 MiB.").await;
    check("queues/q/tasks", &format!("{{\"task\":{}", "[".repeat(100_000)), json).await;
}
