//! A service for tests.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Call;

/// A server that answers what it is told, one after another, and then 200; remembers what it got. Below `/hang` it
/// never answers.
pub(crate) struct Worker {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<Mutex<usize>>,
    served: Arc<Served>,
}

struct Served {
    answers: Mutex<VecDeque<Response<Full<Bytes>>>>,
    got: Mutex<Vec<(String, String, String)>>,
    count: watch::Sender<usize>,
}

impl Served {
    async fn respond<B: Body<Error: Debug>>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let host = head.headers[http::header::HOST].to_str().expect("ASCII").to_owned();
        let line = format!("{} {}", head.method, head.uri);
        self.got.lock().push((line, host, String::from_utf8_lossy(&body).into_owned()));
        self.count.send_modify(|count| *count += 1);
        if head.uri.path().starts_with("/hang") {
            std::future::pending::<()>().await;
        }
        let answer = self.answers.lock().pop_front();
        answer.unwrap_or_else(|| Response::new(Full::default()))
    }
}

impl Worker {
    pub(crate) async fn answering(answers: Vec<Response<Full<Bytes>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let connections = Arc::<Mutex<usize>>::default();
        let opened = Arc::clone(&connections);
        let (answers, got) = (Mutex::new(VecDeque::from(answers)), Mutex::default());
        let served = Arc::new(Served { answers, got, count: watch::Sender::new(0) });
        let serving = Arc::clone(&served);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *opened.lock() += 1;
                let served = Arc::clone(&serving);
                let service = service_fn(move |request: Request<Incoming>| {
                    let served = Arc::clone(&served);
                    async move { Ok::<_, Infallible>(served.respond(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, connections, served }
    }

    /// The way to it as a service.
    pub(crate) fn call(&self) -> Call {
        let served = Arc::clone(&self.served);
        Arc::new(move |_service, request| {
            let (served, request) = (Arc::clone(&served), request.map(Full::<Bytes>::from));
            Box::pin(async move {
                let answer = served.respond(request).await;
                answer.map(|body: Full<Bytes>| body.map_err(|never| match never {}).boxed_unsync())
            })
        })
    }

    pub(crate) fn got(&self) -> Vec<(String, String, String)> {
        self.served.got.lock().clone()
    }

    /// Waits until it got so many requests.
    pub(crate) async fn until(&self, count: usize) {
        let waiting = async { self.served.count.subscribe().wait_for(|got| *got >= count).await.is_ok() };
        let waited = timeout(Duration::from_secs(30), waiting).await;
        assert_eq!(waited, Ok(true), "it got {:?}", self.got());
    }

    /// The paths it got, sorted.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.got().iter().map(|(line, ..)| line[5..].to_owned()).collect();
        paths.sort();
        paths
    }
}

pub(crate) fn answer(status: u16, lines: &[(&'static str, &str)], body: usize) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    for (name, value) in lines {
        response = response.header(*name, *value);
    }
    response.body(Full::from(vec![b'x'; body])).expect("an answer")
}
