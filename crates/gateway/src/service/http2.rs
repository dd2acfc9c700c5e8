//! HTTP/2 with prior knowledge (RFC 9113 3.3) beside HTTP/1.1, for gRPC on the listeners of mounts.
//!
//! A connection that begins with HTTP/2's preface speaks it from then on. The patience of [`Io`] is that of one
//! request after another; here many are under way, so that [`Streams`] tells when a connection rests.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::Empty;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mare_manifest::model::Limits;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use super::respond::Client;
use super::{Phase, serve_http1};
use crate::body::{Body, BoxError};
use crate::io::{Activity, Io};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Requests under way on one connection; what gRPC servers commonly take.
const STREAMS_MAX: u32 = 100;

/// All headers of one request, with 32 bytes more for each (RFC 9113 6.5.2).
const HEADERS_MAX: u32 = 16 * 1024;

/// Answer bytes that wait for a slow client, per request.
const SEND_BUFFER: usize = 256 * 1024;

/// For a client that was told that the connection ends, and has no request under way.
const GOODBYE: Duration = Duration::from_secs(1);

pub(super) async fn serve_either(mut io: Io, client: Client, phase: &Phase) -> hyper::Result<()> {
    let mut read = BytesMut::with_capacity(PREFACE.len());
    // Bounded by the patience for heads.
    while read.len() < PREFACE.len() && PREFACE.starts_with(&read) {
        let mut rest = (&mut io).take((PREFACE.len() - read.len()) as u64);
        tokio::select! {
            got = rest.read_buf(&mut read) => if !matches!(got, Ok(1..)) { return Ok(()) },
            () = phase.stop.cancelled() => return Ok(()),
        }
    }
    let is_http2 = *read == *PREFACE;
    let io = Rewound { read: read.freeze(), io };
    if is_http2 { serve(io, client, phase).await } else { serve_http1(io, client, phase).await }
}

async fn serve(io: Rewound, client: Client, phase: &Phase) -> hyper::Result<()> {
    let Limits { idle, stall, .. } = client.gateway.limits;
    // Of the connection's timers only the one for writing runs from here on.
    client.activity.begin(&Empty::<Bytes>::new());
    let client = Arc::new(Client { activity: Activity::new(), ..client });
    let streams = Arc::new(Streams::default());
    let service = service_fn({
        let streams = Arc::clone(&streams);
        move |request| {
            let (client, stream) = (Arc::clone(&client), Stream::open(&streams));
            async move {
                let response = client.gateway.respond(request, &client).await;
                Ok::<_, Infallible>(response.map(|body| Streamed { body, stream, is_untaken: false }))
            }
        }
    });
    let executor = Executor { phase: phase.clone() };
    let mut server = http2::Builder::new(executor);
    server
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADERS_MAX)
        .max_send_buf_size(SEND_BUFFER);
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(io), service));
    let stop = phase.stop.child_token();
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.cancelled() => {}
        () = streams.quiet(idle) => {}
        () = streams.untaken(stall) => return Ok(()),
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => ended,
        () = streams.quiet(GOODBYE) => Ok(()),
        () = streams.untaken(stall) => Ok(()),
        () = phase.cut.cancelled() => Ok(()),
    }
}

/// Runs what hyper wants run beside the connection: one task per request, ended with the connections.
#[derive(Clone)]
struct Executor {
    phase: Phase,
}

impl<F: Future<Output: Send> + Send + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, future: F) {
        let cut = self.phase.cut.clone();
        self.phase.tasks.spawn(async move { cut.run_until_cancelled(future).await });
    }
}

/// The requests under way on a connection.
#[derive(Debug, Default)]
struct Streams {
    open: AtomicUsize,
    /// Since the last look.
    seen: AtomicBool,
    /// Answers with a piece that the client has no room for yet.
    untaken: AtomicUsize,
    /// Pieces of answers that were asked for.
    asked: AtomicUsize,
}

impl Streams {
    /// Returns when there was no request for `period` to twice `period`.
    async fn quiet(&self, period: Duration) {
        loop {
            sleep(period).await;
            if !self.seen.swap(false, Ordering::Relaxed) && self.open.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }

    /// Returns when for `period` to twice `period` the client took nothing of any answer, though there was some.
    async fn untaken(&self, period: Duration) {
        loop {
            let before = self.asked.load(Ordering::Relaxed);
            sleep(period).await;
            if self.untaken.load(Ordering::Relaxed) > 0 && self.asked.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// Counts a request until its answer has been sent or given up.
struct Stream(Arc<Streams>);

impl Stream {
    fn open(streams: &Arc<Streams>) -> Self {
        streams.open.fetch_add(1, Ordering::Relaxed);
        streams.seen.store(true, Ordering::Relaxed);
        Self(Arc::clone(streams))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Streamed {
    body: Body,
    stream: Stream,
    /// The last piece that was asked for was there; the next is asked for when the client has room.
    is_untaken: bool,
}

impl Streamed {
    fn note(&mut self, is_untaken: bool) {
        let untaken = &self.stream.0.untaken;
        match (self.is_untaken, is_untaken) {
            (false, true) => untaken.fetch_add(1, Ordering::Relaxed),
            (true, false) => untaken.fetch_sub(1, Ordering::Relaxed),
            (true, true) | (false, false) => return,
        };
        self.is_untaken = is_untaken;
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.note(false);
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.stream.0.asked.fetch_add(1, Ordering::Relaxed);
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.note(matches!(polled, Poll::Ready(Some(Ok(_)))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection whose first bytes were read already, and are read once more.
struct Rewound {
    read: Bytes,
    io: Io,
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.io).poll_read(context, buffer);
        }
        let count = self.read.len().min(buffer.remaining());
        buffer.put_slice(&self.read[..count]);
        self.read.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
