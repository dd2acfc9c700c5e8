use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::model::{Attempt, Outcome, Progress, QueueName, Spec, Task, Token};
use crate::store::LeaseToken;

/// A task on its attempt number `dispatched`.
fn leased(dispatched: u32, executed: u32, previous: Option<Answer>) -> Leased {
    let due = Timestamp::from_microsecond(1_700_000_000_250_000).expect("a time");
    let name =
        QueueName::parse("projects/p/locations/l/queues/q").expect("a name").task("t-1").expect("an id");
    let request = HttpRequest {
        method: Method::POST,
        url: "http://worker.mare.internal/a".to_owned(),
        headers: Vec::new(),
        body: Bytes::from_static(b"abc"),
        token: None,
    };
    let spec = Spec {
        request,
        dispatch_deadline: Duration::from_mins(10),
        retry: None,
        priority: 0,
        fairness_key: String::new(),
    };
    let attempt = Attempt { scheduled: due, dispatched: due, outcome: None };
    let progress = Progress { dispatched, executed, last_attempt: Some(attempt), ..Progress::default() };
    let task = Task { name, spec: Arc::new(spec), schedule_time: Timestamp::MAX, create_time: due, progress };
    let previous = previous.map(|answer| Outcome { at: due, answer });
    Leased { task, previous, token: LeaseToken(1) }
}

fn sent(leased: &Leased) -> HeaderMap {
    let request = build(leased, &leased.task.spec.request, "/a", None).expect("can be sent");
    request.headers().clone()
}

fn with(lines: &[(&str, &str)]) -> Leased {
    let mut leased = leased(1, 0, None);
    let mut spec = (*leased.task.spec).clone();
    spec.request.headers =
        lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    leased.task.spec = Arc::new(spec);
    leased
}

#[test]
fn an_attempt_says_which_it_is() {
    let status = |status| Some(Answer::Status { status, retry_after: None });
    let check = |dispatched, executed, previous: Option<Answer>, expected: [Option<&str>; 4]| {
        let headers = sent(&leased(dispatched, executed, previous));
        let value = |name: &str| headers.get(name).map(|value| value.to_str().expect("ASCII").to_owned());
        let found = ["retrycount", "executioncount", "previousresponse", "retryreason"]
            .map(|name| value(&format!("x-cloudtasks-task{name}")));
        assert_eq!(found.each_ref().map(Option::as_deref), expected);
        assert_eq!(value("x-cloudtasks-queuename").as_deref(), Some("q"));
        assert_eq!(value("x-cloudtasks-taskname").as_deref(), Some("t-1"));
        assert_eq!(value("x-cloudtasks-tasketa").as_deref(), Some("1700000000.250000"));
        assert_eq!(value("user-agent").as_deref(), Some("Google-Cloud-Tasks"));
        assert_eq!(value("content-length").as_deref(), Some("3"));
        assert_eq!(value("content-type"), None);
    };
    // The recording of the real service: answers 503, 404, 429, 500, 302, 200.
    check(1, 0, None, [Some("0"), Some("0"), None, None]);
    check(2, 0, status(503), [Some("1"), Some("0"), Some("503"), Some("")]);
    check(3, 1, status(404), [Some("2"), Some("1"), Some("404"), Some("")]);
    check(4, 2, status(429), [Some("3"), Some("2"), Some("429"), Some("")]);
    check(5, 2, status(500), [Some("4"), Some("2"), Some("500"), Some("")]);
    check(6, 3, status(302), [Some("5"), Some("3"), Some("302"), Some("")]);
    check(2, 0, Some(Answer::Deadline), [Some("1"), Some("0"), Some("504"), Some("")]);
    check(2, 0, Some(Answer::Broken("x".to_owned())), [Some("1"), Some("0"), Some("503"), Some("")]);
}

#[test]
fn a_task_cannot_say_what_is_ours_to_say() {
    let headers = sent(&with(&[
        ("X-CLOUDTASKS-TaskRetryCount", "9"),
        ("x-cloudtasks-other", "9"),
        ("X-Mare-Priority", "9"),
        ("X-Google-Anything", "9"),
        ("X-AppEngine-Anything", "9"),
        ("Host", "evil.example"),
        ("Content-Length", "9"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("User-Agent", "mine"),
        ("Content-Type", "application/json"),
        ("X-Two", "1"),
        ("x-two", "2"),
        ("bad name", "x"),
        ("bad-value", "a\nb"),
    ]));
    let lines: Vec<_> =
        headers.iter().filter(|(name, _)| !name.as_str().starts_with("x-cloudtasks-")).collect();
    let expected = [
        ("content-type", "application/json"),
        ("x-two", "1"),
        ("x-two", "2"),
        ("user-agent", "Google-Cloud-Tasks"),
        ("content-length", "3"),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (name, value) in expected {
        assert!(lines.iter().any(|(found, text)| *found == name && *text == value), "{name}");
    }
    assert_eq!(
        (headers["x-cloudtasks-taskretrycount"].as_bytes(), headers.get("x-cloudtasks-other")),
        (&b"0"[..], None)
    );
}

#[test]
fn a_token_replaces_the_authorization_of_the_task() {
    let check = |token: Option<Token>, ours: Option<HeaderValue>, expected: Option<&str>| {
        let mut leased = with(&[("authorization", "Basic x")]);
        let mut spec = (*leased.task.spec).clone();
        spec.request.token = token;
        leased.task.spec = Arc::new(spec);
        let request = build(&leased, &leased.task.spec.request, "/a", ours).expect("can be sent");
        let found = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().expect("ASCII"));
        assert_eq!(found, expected);
    };
    let oauth = Token::OAuth { email: "a".to_owned(), scope: None };
    check(None, None, Some("Basic x"));
    check(Some(oauth.clone()), None, None);
    check(Some(oauth), Some(HeaderValue::from_static("Bearer y")), Some("Bearer y"));
}

#[test]
fn a_body_goes_with_methods_that_have_one() {
    let check = |method: Method, length: Option<&str>| {
        let mut leased = leased(1, 0, None);
        let mut spec = (*leased.task.spec).clone();
        spec.request.method = method.clone();
        leased.task.spec = Arc::new(spec);
        let headers = sent(&leased);
        assert_eq!(
            headers.get(header::CONTENT_LENGTH).map(|value| value.to_str().expect("ASCII")),
            length,
            "{method}"
        );
    };
    for method in [Method::POST, Method::PUT, Method::PATCH] {
        check(method, Some("3"));
    }
    for method in [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS] {
        check(method, None);
    }
}

#[test]
fn a_queue_that_names_a_service_decides_where_its_tasks_go() {
    let check = |url: &str, path: &str, expected: &str| {
        let request = HttpRequest { url: url.to_owned(), ..leased(1, 0, None).task.spec.request.clone() };
        let target = Target::Service { service: "w".to_owned(), path: path.to_owned() };
        assert_eq!(Route::of(&request, Some(&target)).expect("a way").url, expected, "{url} {path}");
    };
    check("https://api.example.com/own?a=b#c", "/tasks/x", "http://w.mare.internal/tasks/x?a=b");
    check("https://api.example.com", "/tasks/x", "http://w.mare.internal/tasks/x");
    check("https://api.example.com/own?a=b#c", "", "http://w.mare.internal/own?a=b");
    check("https://api.example.com?a", "", "http://w.mare.internal/?a");
    check("nonsense", "", "http://w.mare.internal/");
}
