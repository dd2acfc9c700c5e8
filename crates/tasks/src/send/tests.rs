use std::collections::VecDeque;
use std::convert::Infallible;

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;

use super::*;
use crate::model::{HttpRequest, Progress, QueueName, Spec, Task};
use crate::store::LeaseToken;

/// A server that answers what it is told, one after another, and then 200; remembers what it got.
struct Worker {
    address: SocketAddr,
    got: Arc<Mutex<Vec<(String, String, String)>>>,
    connections: Arc<Mutex<usize>>,
}

impl Worker {
    async fn answering(answers: Vec<Response<Full<Bytes>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let (got, connections) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<usize>>::default());
        let (seen, opened) = (Arc::clone(&got), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *opened.lock() += 1;
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.expect("a body").to_bytes();
                        let host = head.headers[http::header::HOST].to_str().expect("ASCII").to_owned();
                        let line = format!("{} {}", head.method, head.uri);
                        seen.lock().push((line, host, String::from_utf8_lossy(&body).into_owned()));
                        let answer = answers.lock().pop_front();
                        Ok::<_, Infallible>(answer.unwrap_or_else(|| Response::new(Full::default())))
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, got, connections }
    }
}

fn answer(status: u16, lines: &[(&'static str, &str)], body: usize) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    for (name, value) in lines {
        response = response.header(*name, *value);
    }
    response.body(Full::from(vec![b'x'; body])).expect("an answer")
}

fn sender(worker: &Worker, external: &[String]) -> Sender {
    let services = vec![(Arc::from("worker"), worker.address)];
    let targets = Targets::new(services.clone(), external, Vec::new()).expect("hosts");
    let identity = Identity::new("http://127.0.0.1:1".to_owned(), "/nowhere".into());
    let places = Places { targets, services, idle: Duration::from_secs(60) };
    Sender::new(places, Arc::new(identity))
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
async fn every_answer_is_an_outcome_and_one_connection_brings_them_all() {
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
    let got = worker.got.lock();
    assert_eq!((got.len(), *worker.connections.lock()), (6, 1));
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
    // Nor is a listener that is not there any more.
    let port = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound");
    let gone = Worker { address: port, got: Arc::default(), connections: Arc::default() };
    let end = self::sender(&gone, &[]).attempt(&leased(SERVICE), None).await;
    assert!(matches!(end, End::NotDelivered { .. }), "{end:?}");
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
    assert_eq!(outside.got.lock()[0].1, outside.address.to_string());
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
    let sender = sender(&worker, &[]);
    for _ in 0..2 {
        assert_eq!(status(&sender.attempt(&leased(SERVICE), None).await), (200, None));
    }
    assert_eq!(*worker.connections.lock(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_at_its_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let silent = Worker {
        address: listener.local_addr().expect("bound"),
        got: Arc::default(),
        connections: Arc::default(),
    };
    let end = sender(&silent, &[]).attempt(&leased(SERVICE), None).await;
    assert!(matches!(end, End::Attempted(Outcome { answer: Answer::Deadline, .. })), "{end:?}");
}

#[tokio::test]
async fn a_connection_the_other_side_closed_is_not_used_again() {
    let worker = Worker::answering(vec![answer(200, &[("connection", "close")], 1)]).await;
    let sender = sender(&worker, &[]);
    for _ in 0..3 {
        assert_eq!(status(&sender.attempt(&leased(SERVICE), None).await), (200, None));
    }
    assert_eq!(*worker.connections.lock(), 2);
}
