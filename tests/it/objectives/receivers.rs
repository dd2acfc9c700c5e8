//! Those who are told: an HTTP server and a mail server that keep what they get.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::until;

type Kept<T> = Arc<Mutex<Vec<T>>>;

/// Takes JSON by POST.
pub(crate) struct Hook {
    pub(crate) address: SocketAddr,
    received: Kept<Value>,
    refuse: Arc<AtomicBool>,
}

impl Hook {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (received, refuse) = (Kept::default(), Arc::<AtomicBool>::default());
        let (keep, refused) = (Arc::clone(&received), Arc::clone(&refuse));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (keep, refused) = (Arc::clone(&keep), Arc::clone(&refused));
                let service =
                    service_fn(move |request| take(request, Arc::clone(&keep), Arc::clone(&refused)));
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, received, refuse }
    }

    /// Answers the next request with 503, and forgets it.
    pub(crate) fn refuse_next(&self) {
        self.refuse.store(true, Ordering::Relaxed);
    }

    pub(crate) fn received(&self) -> Vec<Value> {
        self.received.lock().expect("no panic").clone()
    }

    pub(crate) async fn until_received(&self, count: usize) -> Vec<Value> {
        let what = format!("{count} were posted");
        until(&what, async || Some(self.received()).filter(|all| all.len() == count)).await
    }
}

async fn take(
    request: Request<Incoming>,
    keep: Kept<Value>,
    refuse: Arc<AtomicBool>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    assert_eq!(
        (request.method(), &request.headers()["content-type"]),
        (&Method::POST, &"application/json".parse().expect("a value"))
    );
    let body = request.into_body().collect().await.expect("a whole body").to_bytes();
    let mut response = Response::default();
    if refuse.swap(false, Ordering::Relaxed) {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    } else {
        keep.lock().expect("no panic").push(serde_json::from_slice(&body).expect("JSON"));
    }
    Ok(response)
}

/// Takes mail by SMTP (RFC 5321), as much of it as a client needs.
pub(crate) struct Mailbox {
    pub(crate) address: SocketAddr,
    received: Kept<String>,
}

impl Mailbox {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let received = Kept::default();
        let keep = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&keep)));
            }
        });
        Self { address, received }
    }

    /// Each mail with its envelope, as it came.
    pub(crate) async fn until_received(&self, count: usize) -> Vec<String> {
        let received = || self.received.lock().expect("no panic").clone();
        let what = format!("{count} mails came");
        until(&what, async || Some(received()).filter(|all| all.len() == count)).await
    }
}

/// One connection, until the client leaves.
async fn converse(stream: TcpStream, keep: Kept<String>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut mail, mut is_text) = (String::new(), false);
    write.write_all(b"220 sink\r\n").await.expect("the client reads");
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.as_str() {
            "." if is_text => {
                is_text = false;
                keep.lock().expect("no panic").push(std::mem::take(&mut mail));
                "250 kept\r\n"
            }
            _ if is_text => "",
            "DATA" => {
                is_text = true;
                "354 go on\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        mail += &line;
        mail.push('\n');
        if write.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
