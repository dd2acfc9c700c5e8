//! A service for tests.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

/// A server that answers what it is told, one after another, and then 200; remembers what it got. Below `/hang` it
/// never answers.
pub(crate) struct Worker {
    pub(crate) address: SocketAddr,
    pub(crate) got: Arc<Mutex<Vec<(String, String, String)>>>,
    pub(crate) connections: Arc<Mutex<usize>>,
    count: watch::Receiver<usize>,
}

impl Worker {
    pub(crate) async fn answering(answers: Vec<Response<Full<Bytes>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let (got, connections) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<usize>>::default());
        let (seen, opened) = (Arc::clone(&got), Arc::clone(&connections));
        let (counted, count) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *opened.lock() += 1;
                let (answers, seen, counted) = (Arc::clone(&answers), Arc::clone(&seen), counted.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (answers, seen, counted) = (Arc::clone(&answers), Arc::clone(&seen), counted.clone());
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.expect("a body").to_bytes();
                        let host = head.headers[http::header::HOST].to_str().expect("ASCII").to_owned();
                        let line = format!("{} {}", head.method, head.uri);
                        seen.lock().push((line, host, String::from_utf8_lossy(&body).into_owned()));
                        counted.send_modify(|count| *count += 1);
                        if head.uri.path().starts_with("/hang") {
                            std::future::pending::<()>().await;
                        }
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
        Self { address, got, connections, count }
    }

    /// An address where nobody listens, or somebody else does.
    pub(crate) fn elsewhere(address: SocketAddr) -> Self {
        let (_, count) = watch::channel(0);
        Self { address, got: Arc::default(), connections: Arc::default(), count }
    }

    /// Waits until it got so many requests.
    pub(crate) async fn until(&self, count: usize) {
        let waiting = async { self.count.clone().wait_for(|got| *got >= count).await.is_ok() };
        let waited = timeout(Duration::from_secs(30), waiting).await;
        assert_eq!(waited, Ok(true), "it got {:?}", self.got.lock());
    }

    /// The paths it got, sorted.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.got.lock().iter().map(|(line, ..)| line[5..].to_owned()).collect();
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
