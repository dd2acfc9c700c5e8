//! Against hyper, which reads what is sent here and writes what is read here.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::coop;
use tokio::time::Instant;

use super::*;
use crate::body::{Fault, Inbound, RequestBody};

async fn connected() -> (Box<Connection>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address: SocketAddr = listener.local_addr().expect("an address");
    let (ours, theirs) = tokio::join!(connect(address), listener.accept());
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
    let deadline = Instant::now() + Duration::from_secs(8);
    connection.send((&Method::POST, &uri, &headers), body, deadline).await
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
