use http::Method;

use super::worker::{Worker, answer};
use super::*;
use crate::model::{HttpRequest, Progress, QueueName, Spec, Task};
use crate::store::LeaseToken;

fn sender(worker: &Worker, external: &[String]) -> Sender {
    let services = vec![(Arc::from("worker"), worker.address)];
    let targets = Targets::new(services.clone(), external, Vec::new()).expect("hosts");
    let identity = Identity::new("http://127.0.0.1:1".to_owned(), "/nowhere".into());
    Sender::new(targets, services, worker.call(), Arc::new(identity))
}

fn leased(url: &str) -> Leased {
    let name = QueueName::parse("projects/p/locations/l/queues/q").expect("a name").task("t").expect("an id");
    let request = HttpRequest {
        method: Method::POST,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Bytes::from_static(b"abc"),
        token: None,
    };
    let spec = Spec {
        request,
        dispatch_deadline: Duration::from_secs(30),
        retry: None,
        priority: 0,
        fairness_key: String::new(),
    };
    let now = Timestamp::now();
    let progress = Progress::default();
    let task = Task { name, spec: Arc::new(spec), schedule_time: now, create_time: now, progress };
    Leased { task, previous: None, token: LeaseToken(1) }
}

fn status(end: &End) -> (u16, Option<u64>) {
    let End::Attempted(Outcome { answer: Answer::Status { status, retry_after }, .. }) = end else {
        panic!("{end:?}");
    };
    (*status, retry_after.map(|wait| wait.as_secs()))
}

const SERVICE: &str = "http://worker.mare.internal/tasks/a?b=c";

#[tokio::test]
async fn every_answer_is_an_outcome() {
    let worker = Worker::answering(vec![
        answer(200, &[], 10),
        answer(503, &[("retry-after", "7")], 0),
        answer(429, &[("retry-after", "99999")], 1000),
        answer(302, &[("location", "/elsewhere")], 0),
        answer(204, &[("retry-after", "soon")], 0),
        answer(500, &[("x-mare-other", "1"), ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], 0),
    ])
    .await;
    let sender = sender(&worker, &[]);
    let leased = leased(SERVICE);
    for expected in [(200, None), (503, Some(7)), (429, Some(3600)), (302, None), (204, None), (500, Some(0))]
    {
        assert_eq!(status(&sender.attempt(&leased, None).await), expected);
    }
    let got = worker.got();
    assert_eq!((got.len(), *worker.connections.lock()), (6, 0));
    let expected = ("POST /tasks/a?b=c".to_owned(), worker.address.to_string(), "abc".to_owned());
    assert!(got.iter().all(|request| *request == expected), "{got:?}");
}

#[tokio::test]
async fn a_refusal_of_the_gateway_is_no_attempt() {
    let refusal = |lines: &[(&'static str, &str)]| answer(503, lines, 10);
    let worker = Worker::answering(vec![
        refusal(&[("x-mare-refused", "no-instance"), ("retry-after", "5")]),
        refusal(&[("x-mare-refused", "overloaded")]),
    ])
    .await;
    let sender = sender(&worker, &[]);
    for seconds in [5, 1] {
        let end = sender.attempt(&leased(SERVICE), None).await;
        assert!(matches!(end, End::NotDelivered { wait } if wait == Duration::from_secs(seconds)), "{end:?}");
    }
}

#[tokio::test]
async fn a_server_outside_is_reached_only_if_it_is_allowed() {
    let worker = Worker::answering(vec![answer(503, &[("x-mare-refused", "no-instance")], 0)]).await;
    let outside = Worker::answering(vec![answer(503, &[("x-mare-refused", "no-instance")], 0)]).await;
    let url = format!("http://{}/hook", outside.address);
    let sender = self::sender(&worker, &[outside.address.to_string(), "name.invalid".to_owned()]);
    // It cannot say that it was not an attempt.
    assert_eq!(status(&sender.attempt(&leased(&url), None).await), (503, None));
    assert_eq!(status(&sender.attempt(&leased(&url), None).await), (200, None));
    assert_eq!(*outside.connections.lock(), 1);
    assert_eq!(outside.got()[0].1, outside.address.to_string());
    for (url, why) in [
        ("http://127.0.0.1:1/", "is not allowed as a target"),
        ("http://nobody.mare.internal/", "the manifest has no service `nobody`"),
        ("http://name.invalid/", "cannot connect to name.invalid"),
        ("http://worker.mare.internal/<", "cannot be sent"),
    ] {
        let end = sender.attempt(&leased(url), None).await;
        let End::Attempted(Outcome { answer: Answer::Broken(what), .. }) = &end else {
            panic!("{url} {end:?}")
        };
        assert!(what.contains(why), "{what}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_costs_the_connection_and_nothing_else() {
    let worker = Worker::answering(vec![answer(200, &[], 1 << 20)]).await;
    let inside = Worker::answering(Vec::new()).await;
    let (sender, url) =
        (sender(&inside, &[worker.address.to_string()]), format!("http://{}/", worker.address));
    for _ in 0..2 {
        assert_eq!(status(&sender.attempt(&leased(&url), None).await), (200, None));
    }
    assert_eq!(*worker.connections.lock(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_at_its_deadline() {
    let worker = Worker::answering(Vec::new()).await;
    let hanging = leased("http://worker.mare.internal/hang");
    let end = sender(&worker, &[]).attempt(&hanging, None).await;
    assert!(matches!(end, End::Attempted(Outcome { answer: Answer::Deadline, .. })), "{end:?}");
}

#[tokio::test]
async fn a_connection_the_other_side_closed_is_not_used_again() {
    let worker = Worker::answering(vec![answer(200, &[("connection", "close")], 1)]).await;
    let inside = Worker::answering(Vec::new()).await;
    let (sender, url) =
        (sender(&inside, &[worker.address.to_string()]), format!("http://{}/", worker.address));
    for _ in 0..3 {
        assert_eq!(status(&sender.attempt(&leased(&url), None).await), (200, None));
    }
    assert_eq!(*worker.connections.lock(), 2);
}
