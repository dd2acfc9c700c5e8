//! WebSocket and other HTTP/1.1 upgrades: after the upstream's 101 bytes go both ways untouched.
//!
//! Nothing is tunnelled before the upstream agreed; until then this is an ordinary request (a lesson of
//! CVE-2026-2833 in another proxy).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy, split};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::body::{Body, BoxError};
use crate::guards::Session;
use crate::headers;
use crate::problem::{Code, Refusal};
use crate::proxy::{Outgoing, Place, Upstream};
use crate::retry::ATTEMPTS_MAX;
use crate::service::Open;
use crate::upstream::Broken;

/// Where tunnels run, and what ends them when the time for draining is over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tunnels {
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// A client that asks for another protocol.
pub(crate) struct Wish {
    pub(crate) protocol: HeaderValue,
    pub(crate) client: OnUpgrade,
    pub(crate) open: Arc<Open>,
}

/// Sends an upgrade request; [`Wish::client`] resolves to the client's side of the tunnel once 101 was sent.
///
/// A tunnel without a byte in either direction for the service's timeout is closed (within twice that time).
pub(crate) async fn proxy(
    upstream: &Upstream,
    mut outgoing: Outgoing,
    wish: Wish,
    tunnels: &Tunnels,
) -> Result<Response<Body>, Refusal> {
    let Wish { protocol, client, open } = wish;
    upstream.name_host(&mut outgoing.headers);
    let session = outgoing.session;
    let broken = |detail| Refusal::new(Code::UpstreamFailed, detail);
    let (place, stream, deadline) = reach(upstream, outgoing.worker, session).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| {
        tracing::debug!(%error, "handshake for an upgrade failed");
        broken("the service closed the connection")
    })?;
    // An upgraded connection must be driven by somebody else than the request, which ends with the 101.
    let stop = tunnels.stop.clone();
    tunnels.tasks.spawn(async move { stop.run_until_cancelled(connection.with_upgrades()).await });
    let mut response = match timeout_at(deadline, sender.send_request(request(outgoing, &protocol))).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::debug!(%error, "upgrade request failed");
            return Err(broken("the service closed the connection"));
        }
        Err(_elapsed) => return Err(upstream.too_late()),
    };
    place.note_move(session, response.extensions_mut());
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        headers::strip_hop_by_hop(response.headers_mut());
        let deadline = Box::pin(sleep_until(deadline));
        return Ok(response.map(|body| Declined { body, deadline, _place: place }.boxed_unsync().into()));
    }
    let server = hyper::upgrade::on(&mut response);
    let quiet = upstream.timeout;
    let stop = tunnels.stop.clone();
    tunnels.tasks.spawn(async move {
        stop.run_until_cancelled(tunnel(client, server, place, quiet)).await;
        drop(open);
    });
    // Which of the protocols on offer it is to be.
    let protocol = response.headers_mut().remove(header::UPGRADE).unwrap_or(protocol);
    headers::strip_hop_by_hop(response.headers_mut());
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    parts.headers.insert(header::UPGRADE, protocol);
    Ok(Response::from_parts(parts, Body::from(Bytes::new())))
}

fn request(outgoing: Outgoing, protocol: &HeaderValue) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = outgoing.method;
    *request.uri_mut() = outgoing.uri;
    *request.headers_mut() = outgoing.headers;
    request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    request.headers_mut().insert(header::UPGRADE, protocol.clone());
    request
}

/// A slot and a socket, and until when the answer must be there. Nothing was sent yet, so any instance may be tried.
async fn reach(
    upstream: &Upstream,
    worker: usize,
    session: Option<Session>,
) -> Result<(Place, TcpStream, Instant), Refusal> {
    upstream.budget.deposit();
    // The wait for an instance is not in it.
    let mut deadline = None;
    for attempt in 1.. {
        let place = upstream.acquire(worker, session).await?;
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + upstream.timeout);
        match upstream.connect(&place, deadline).await {
            Ok(stream) => return Ok((place, stream, deadline)),
            Err(_) if deadline <= Instant::now() => return Err(upstream.too_late()),
            Err(error) => {
                tracing::debug!(%error, attempt, "connecting for an upgrade failed");
                if attempt == ATTEMPTS_MAX || !upstream.budget.withdraw() {
                    break;
                }
                upstream.metrics.retries.inc();
            }
        }
    }
    Err(Refusal::new(Code::UpstreamUnreachable, "the service accepts no connection"))
}

/// The body of an answer that declined. Keeps the slot until it was read, or the request's time is over.
struct Declined {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
    _place: Place,
}

impl http_body::Body for Declined {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(Broken::TooLong.into())));
        }
        Pin::new(&mut self.body).poll_frame(context).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn tunnel(client: OnUpgrade, server: OnUpgrade, place: Place, quiet: Duration) {
    let (client, server) = match tokio::try_join!(client, server) {
        Ok(both) => both,
        Err(error) => {
            tracing::debug!(%error, "upgrade was not completed");
            return;
        }
    };
    let moved = Arc::new(AtomicBool::new(false));
    let (mut from_client, mut to_client) = split(TokioIo::new(client));
    let (mut from_server, mut to_server) =
        split(Watched { io: TokioIo::new(server), moved: Arc::clone(&moved) });
    // A client that has said all may still listen; when the server has said all, the slot is wanted by others.
    // An end without a close handshake is an ordinary end, so errors end a direction like any other end.
    let upwards = async {
        let _ = copy(&mut from_client, &mut to_server).await;
        let _ = to_server.shutdown().await;
        std::future::pending::<()>().await;
    };
    let downwards = async {
        let _ = copy(&mut from_server, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::select! {
        () = upwards => {}
        () = downwards => {}
        () = silence(&moved, quiet) => tracing::debug!("tunnel was silent, closing it"),
    }
    drop(place);
}

/// Returns after `quiet` to twice `quiet` without movement.
async fn silence(moved: &AtomicBool, quiet: Duration) {
    loop {
        sleep(quiet).await;
        if !moved.swap(false, Ordering::Relaxed) {
            return;
        }
    }
}

/// Notes that bytes moved, in either direction.
struct Watched {
    io: TokioIo<Upgraded>,
    moved: Arc<AtomicBool>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.moved.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.moved.store(true, Ordering::Relaxed);
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
