//! Against hyper, which reads what is sent here and writes what is read here.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::coop;

use super::*;
use crate::body::{Fault, Inbound, RequestBody};

fn in_time() -> Instant {
    Instant::now() + Duration::from_secs(8)
}

async fn connected() -> (Box<Connection>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    let (ours, theirs) = tokio::join!(connect(address, in_time()), listener.accept());
    (Connection::new(ours.expect("connects")), theirs.expect("accepts").0)
}

/// A request's body as hyper hands it over.
async fn body_of(request: &'static [u8]) -> RequestBody {
    let (mut client, server) = tokio::io::duplex(4096);
    client.write_all(request).await.expect("room");
    let (hand, mut bodies) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        // Otherwise the request ends with it.
        let _client = client;
        let service = service_fn(move |request: Request<Incoming>| {
            let hand = hand.clone();
            async move {
                let _ = hand.send(request.into_body()).await;
                std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>().await
            }
        });
        let _ =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(server), service).await;
    });
    let incoming = bodies.recv().await.expect("a request");
    RequestBody::Stream(Inbound::new(incoming, 1000, Duration::from_mins(1), Fault::default()))
}

async fn send(connection: &mut Connection, body: RequestBody) -> Result<Head, SendError> {
    let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
    connection.send((&Method::POST, &uri, &headers), body, in_time()).await
}

#[tokio::test]
async fn a_body_of_which_nothing_was_sent_is_sent_whole_on_the_next_connection() {
    async fn check(request: &'static [u8], expected: &str) {
        let mut body = body_of(request).await;
        for _ in 0..2 {
            let (mut dead, theirs) = connected().await;
            theirs.set_zero_linger().expect("a socket");
            drop(theirs);
            // Until the reset is here.
            let mut nothing = [0; 1];
            while dead.stream_mut().read(&mut nothing).await.is_ok() {}
            body = match send(&mut dead, body).await {
                Err(SendError::Unsent(body)) => body,
                _ => panic!("a reset connection takes nothing"),
            };
        }
        let (mut good, mut theirs) = connected().await;
        let mut got = vec![0; expected.len()];
        let served = async {
            theirs.read_exact(&mut got).await.expect("a request");
            theirs.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("sends");
        };
        let (sent, ()) = tokio::join!(send(&mut good, body), served);
        assert!(sent.is_ok());
        assert_eq!(String::from_utf8_lossy(&got), expected);
    }
    check(
        b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello",
    )
    .await;
    check(
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    )
    .await;
}

#[tokio::test]
async fn a_connection_that_ended_is_not_handed_out_even_to_a_busy_task() {
    for unasked in ["", "HTTP/1.1 200 OK\r\n\r\n"] {
        let (mut connection, mut theirs) = connected().await;
        theirs.write_all(unasked.as_bytes()).await.expect("sends");
        drop(theirs);
        connection.stream_mut().readable().await.expect("a socket");
        let idle = Idle::default();
        idle.checkin(connection);
        // Sockets say nothing more to a task that has used up its share.
        poll_fn(|context| {
            while let Poll::Ready(spent) = coop::poll_proceed(context) {
                spent.made_progress();
            }
            assert!(idle.checkout().is_none(), "after {unasked:?}");
            Poll::Ready(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_connection_at_rest_holds_no_buffer() {
    let (mut connection, mut theirs) = connected().await;
    theirs
        .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        .await
        .expect("sends");
    let Ok(Head { mut remaining, .. }) = send(&mut connection, RequestBody::Empty).await else {
        panic!("an answer");
    };
    let data = poll_fn(|context| connection.poll_data(&mut remaining, context)).await.expect("well-formed");
    assert_eq!((data.as_deref(), remaining.is_ended()), (Some(&b"ok"[..]), true));
    drop(data);
    let idle = Idle::default();
    idle.checkin(connection);
    let mut connection = idle.checkout().expect("it can be used again");
    assert_eq!(connection.buffer_capacity(), 0);
}

#[tokio::test]
async fn a_small_piece_of_a_stream_holds_no_large_buffer() {
    async fn check(pieces: &[usize], held_max: usize) {
        let (mut connection, mut theirs) = connected().await;
        theirs.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("sends");
        let Ok(Head { mut remaining, .. }) = send(&mut connection, RequestBody::Empty).await else {
            panic!("an answer");
        };
        let mut last = Bytes::new();
        for size in pieces {
            theirs.write_all(&vec![b'x'; *size]).await.expect("sends");
            let mut left = *size;
            while left > 0 {
                let data = poll_fn(|context| connection.poll_data(&mut remaining, context)).await;
                last = data.expect("well-formed").expect("more to come");
                left -= last.len();
            }
        }
        drop(connection);
        // It is the only one who holds its buffer now.
        assert!(bytes::BytesMut::from(last).capacity() <= held_max, "after {pieces:?}");
    }
    check(&[10], 10_000).await;
    check(&[10, 10, 10], 10_000).await;
    check(&[1 << 20, 10, 10], 10_000).await;
}

/// Status and body, if there is a whole answer.
type Answer = Option<(u16, Bytes)>;

/// What this crate makes of `bytes` that come in pieces of `step`, and then end.
fn read_here(method: &Method, bytes: &[u8], step: usize) -> Answer {
    let (mut head, mut read, mut body) = (None, Bytes::new(), Vec::new());
    for piece in bytes.chunks(step) {
        read = [&read, piece].concat().into();
        if head.is_none() {
            head = head::decode(&mut read, method).ok()?;
        }
        let Some(Head { parts, remaining, .. }) = &mut head else { continue };
        while let Some(data) = remaining.next(&mut read).ok()? {
            body.extend_from_slice(&data);
        }
        if remaining.is_ended() {
            return Some((parts.status.as_u16(), body.into()));
        }
    }
    let Head { parts, remaining, .. } = head?;
    matches!(remaining, Remaining::UntilClose).then(|| (parts.status.as_u16(), body.into()))
}

async fn read_by_hyper(method: Method, bytes: &[u8]) -> Answer {
    let (client, mut server) = tokio::io::duplex(1 << 16);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(client)).await.expect("takes any socket");
    tokio::spawn(connection);
    let mut request = Request::new(Full::<Bytes>::default());
    *request.method_mut() = method;
    let asking = async {
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.into_body().collect().await.ok()?.to_bytes()))
    };
    let answering = async {
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            server.read_buf(&mut seen).await.expect("a request");
        }
        // It may have hung up.
        let _ = server.write_all(bytes).await;
        drop(server);
    };
    tokio::join!(asking, answering).0
}

/// A request as a server sees it.
#[derive(Debug, PartialEq)]
struct Seen {
    method: Method,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
}

/// All requests that hyper finds in `bytes`.
async fn served_by_hyper(bytes: &[u8]) -> Vec<Seen> {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let seen = std::cell::RefCell::new(Vec::new());
    let service = service_fn(|request: Request<Incoming>| async {
        let (parts, body) = request.into_parts();
        let headers =
            parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        let body = body.collect().await?.to_bytes();
        let (method, target) = (parts.method, parts.uri.to_string());
        seen.borrow_mut().push(Seen { method, target, headers, body });
        Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::default()))
    });
    let asked = async {
        client.write_all(bytes).await.expect("room");
        client.shutdown().await.expect("a pipe");
        let _ = client.read_to_end(&mut Vec::new()).await;
    };
    let mut server_side = hyper::server::conn::http1::Builder::new();
    let serving = server_side.half_close(true).serve_connection(TokioIo::new(server), service);
    let _ = tokio::join!(asked, serving);
    seen.into_inner()
}

fn chunked(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut coded = Vec::new();
    for part in parts {
        coded.extend(format!("{:x}\r\n", part.len()).bytes().chain(part.iter().copied()).chain(*b"\r\n"));
    }
    coded.extend(b"0\r\n\r\n");
    coded
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn some_parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..4)
}

/// Lines both sides read alike, then lines that may be refused here.
const PLAIN: [&str; 6] = [
    "",
    "connection: close\r\n",
    "Connection: Keep-Alive\r\n",
    "x:  y \r\n",
    "X-Empty:\r\n",
    "x: \u{e9}\r\n",
];
const DOUBTFUL: [&str; 6] = [
    "content-length: 7\r\n",
    "transfer-encoding: gzip\r\n",
    "transfer-encoding: chunked\r\n",
    "content-length: x\r\n",
    "x : y\r\n",
    " folded\r\n",
];

proptest! {
    #[test]
    fn answers_are_read_as_hyper_reads_them(
        method in prop::sample::select(vec![Method::GET, Method::POST, Method::HEAD]),
        status in prop::sample::select(vec!["200 OK", "204 No Content", "304 Not Modified", "404", "500 Oh no"]),
        minor in 0..2_u8,
        interim in 0..3_usize,
        lines in prop::collection::vec(prop::sample::select(PLAIN.to_vec()), 0..3),
        doubtful in prop::option::weighted(0.3, prop::sample::select(DOUBTFUL.to_vec())),
        framing in 0..3_u8,
        parts in some_parts(),
        missing in prop_oneof![4 => Just(0), 1 => 1..60_usize],
        step in 1..200_usize,
    ) {
        let framing = if minor == 0 && framing == 1 { 0 } else { framing };
        let (line, body) = match framing {
            0 => (format!("content-length: {}\r\n", parts.concat().len()), parts.concat()),
            1 => ("transfer-encoding: chunked\r\n".to_owned(), chunked(&parts)),
            _ => (String::new(), parts.concat()),
        };
        let interim = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n".repeat(interim);
        let (lines, odd) = (lines.concat(), doubtful.unwrap_or_default());
        let head = format!("{interim}HTTP/1.{minor} {status}\r\n{line}{lines}{odd}\r\n");
        let mut bytes = [head.as_bytes(), &body].concat();
        bytes.truncate(bytes.len().saturating_sub(missing));
        let ours = read_here(&method, &bytes, step);
        let theirs = block_on(read_by_hyper(method, &bytes));
        // What is doubtful may be refused here; what is not refused is what hyper takes it for.
        prop_assert!(ours == theirs || (doubtful.is_some() && ours.is_none()), "{head:?}: {ours:?}, {theirs:?}");
    }

    #[test]
    fn what_is_sent_is_one_request_to_hyper(
        method in prop::sample::select(vec![Method::GET, Method::PUT, Method::DELETE]),
        target in "/[a-z%/]{0,8}(\\?[a-z=&]{0,8})?",
        lines in prop::collection::vec(("(x-[a-c]|accept|content-length|transfer-encoding)", "[ -~]{0,20}"), 0..6),
        parts in some_parts(),
        framing in 0..3_u8,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in &lines {
            let name: http::HeaderName = name.parse().expect("a name");
            headers.append(name, value.trim().parse().expect("a value"));
        }
        let (length, body) = match framing {
            0 => (Length::None, Vec::new()),
            1 => (Length::Exactly(parts.concat().len() as u64), parts.concat()),
            _ => (Length::Chunked, chunked(&parts)),
        };
        let uri: Uri = target.parse().expect("a target");
        let sent = [&head::encode(&method, &uri, &headers, length)[..], &body].concat();
        let mut seen = block_on(served_by_hyper(&sent));
        prop_assert_eq!(seen.len(), 1, "{:?}", String::from_utf8_lossy(&sent));
        let seen = seen.remove(0);
        let is_framing = |name: &str| matches!(name, "content-length" | "transfer-encoding");
        let expected = headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        prop_assert_eq!(
            seen.headers.iter().filter(|(name, _)| !is_framing(name)).cloned().collect::<Vec<_>>(),
            expected.filter(|(name, _)| !is_framing(name)).collect::<Vec<_>>()
        );
        let body = if framing == 0 { Vec::new() } else { parts.concat() };
        prop_assert_eq!((seen.method, seen.target, seen.body), (method, uri.to_string(), Bytes::from(body)));
    }
}
