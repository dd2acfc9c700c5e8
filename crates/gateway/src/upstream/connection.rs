//! One connection to an upstream, moved by whoever holds it.

use std::future::poll_fn;
use std::io;
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Uri};
use tokio::net::TcpStream;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::io::poll_read_buf;

use super::chunks::NotAChunk;
use super::head::{self, BadHead, HEAD_MAX, Head, Remaining};
use super::upload::{Upload, UploadError};
use crate::body::{BodyError, RequestBody};

/// Most answers fit into one read of this size, head and all; and what is read of a body at once is bounded so that
/// a slow client holds no more.
const READ_MIN: usize = 8 * 1024;
const READ_MAX: usize = 64 * 1024;

pub(crate) struct Connection {
    stream: TcpStream,
    /// Read, but not used yet.
    read: Bytes,
    /// Whether the last read took all it had room for. Otherwise a large buffer would be held for what may be a few
    /// bytes, for as long as the client takes to take them.
    has_filled: bool,
    upload: Upload,
    /// Whether it may carry another request after this one.
    keeps_open: bool,
    /// Kept with the connection because moving a timer on is much cheaper than making one.
    deadline: Pin<Box<Sleep>>,
    pub(super) idle_since: Instant,
    /// Whether it has carried a request before, so that a failure may be the upstream's idle timeout.
    pub(crate) is_reused: bool,
}

/// How sending failed.
pub(crate) enum SendError {
    /// Nothing was written; the body comes back.
    Unsent(RequestBody),
    Broken(Broken),
    Timeout,
}

/// Why an answer does not come, or not to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the upstream ended in the middle of its answer")]
    Ended,
    #[error("reading from the upstream failed")]
    Read(#[source] io::Error),
    #[error("the upstream's answer makes no sense")]
    Head(#[from] BadHead),
    #[error("the body of the upstream's answer makes no sense")]
    Chunks(#[from] NotAChunk),
    #[error("the request's body broke off")]
    Request(#[source] BodyError),
    #[error("the service took longer than its timeout")]
    TooLong,
}

impl Connection {
    /// Boxed, because it goes from the parked ones to a request, to its answer, and back.
    pub(crate) fn new(stream: TcpStream) -> Box<Self> {
        let now = Instant::now();
        Box::new(Self {
            stream,
            read: Bytes::new(),
            has_filled: false,
            upload: Upload::default(),
            keeps_open: true,
            deadline: Box::pin(sleep_until(now)),
            idle_since: now,
            is_reused: false,
        })
    }

    /// Sends a request and waits for the head of the answer, at most until `deadline`, which then also bounds
    /// the answer's body. The rest of a request's body goes out while the answer's is polled.
    pub(crate) async fn send(
        &mut self,
        (method, uri, headers): (&Method, &Uri, &HeaderMap),
        body: RequestBody,
        deadline: Instant,
    ) -> Result<Head, SendError> {
        let length = body.length();
        self.upload = Upload::new(head::encode(method, uri, headers, length), body, length);
        self.deadline.as_mut().reset(deadline);
        let mut interim = 0;
        poll_fn(|context| {
            if let Err(error) = self.poll_upload(context) {
                return Poll::Ready(Err(SendError::Broken(error)));
            }
            match self.poll_head(method, &mut interim, context) {
                Poll::Ready(Ok(head)) => {
                    self.keeps_open &= head.keeps_open;
                    Poll::Ready(Ok(head))
                }
                Poll::Ready(Err(error)) => {
                    Poll::Ready(Err(self.unsent().unwrap_or(SendError::Broken(error))))
                }
                Poll::Pending => self.poll_too_late(context).map(|_late| Err(SendError::Timeout)),
            }
        })
        .await
    }

    fn unsent(&mut self) -> Option<SendError> {
        self.keeps_open = false;
        take(&mut self.upload).into_unsent().map(SendError::Unsent)
    }

    /// A socket that takes no more may still have an answer to give, so that is no error here.
    fn poll_upload(&mut self, context: &mut Context<'_>) -> Result<(), Broken> {
        if self.upload.is_done() {
            return Ok(());
        }
        match self.upload.poll(&mut self.stream, context) {
            Poll::Ready(Err(UploadError::Body(error))) => Err(Broken::Request(error)),
            Poll::Ready(Err(UploadError::Socket(error))) => {
                tracing::debug!(%error, "the upstream takes no more of a request");
                self.upload.give_up();
                self.keeps_open = false;
                Ok(())
            }
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// `interim` counts the bytes of interim answers, which are not passed on.
    fn poll_head(
        &mut self,
        method: &Method,
        interim: &mut usize,
        context: &mut Context<'_>,
    ) -> Poll<Result<Head, Broken>> {
        loop {
            if !self.read.is_empty() {
                let before = self.read.len();
                if let Some(head) = head::decode(&mut self.read, method)? {
                    return Poll::Ready(Ok(head));
                }
                *interim += before - self.read.len();
                if *interim > HEAD_MAX {
                    return Poll::Ready(Err(BadHead::TooLarge.into()));
                }
            }
            if !ready!(self.poll_read(READ_MIN, context))? {
                return Poll::Ready(Err(Broken::Ended));
            }
        }
    }

    /// The next piece of the answer's body; `None` at its end.
    pub(crate) fn poll_data(
        &mut self,
        remaining: &mut Remaining,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Broken>> {
        self.poll_upload(context)?;
        loop {
            if let Some(data) = remaining.next(&mut self.read)? {
                return Poll::Ready(Ok(Some(data)));
            }
            if remaining.is_ended() {
                return Poll::Ready(Ok(None));
            }
            let as_before = if self.has_filled { READ_MAX } else { READ_MIN };
            let wanted = remaining.known().unwrap_or(as_before).clamp(READ_MIN, READ_MAX);
            match self.poll_read(wanted, context) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => {
                    let ended = matches!(remaining, Remaining::UntilClose);
                    return Poll::Ready(if ended { Ok(None) } else { Err(Broken::Ended) });
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.poll_too_late(context).map(Err),
            }
        }
    }

    /// Ready when the deadline of [`Connection::send`] has passed. An upstream that is always ahead of its client
    /// never lets anybody wait, so somebody has to ask; and by the clock, because to a task that has used up its
    /// budget a timer says pending.
    pub(crate) fn poll_too_late(&mut self, context: &mut Context<'_>) -> Poll<Broken> {
        let is_late = if coop::has_budget_remaining() {
            self.deadline.as_mut().poll(context).is_ready()
        } else {
            self.deadline.deadline() <= Instant::now()
        };
        if is_late { Poll::Ready(Broken::TooLong) } else { Poll::Pending }
    }

    /// Appends to `read`; false at the end of the connection. Memory is taken only when there is something to read.
    fn poll_read(&mut self, size: usize, context: &mut Context<'_>) -> Poll<Result<bool, Broken>> {
        ready!(self.stream.poll_read_ready(context)).map_err(Broken::Read)?;
        let mut buffer = BytesMut::from(take(&mut self.read));
        buffer.reserve(size);
        let read = poll_read_buf(Pin::new(&mut self.stream), context, &mut buffer);
        self.has_filled = buffer.len() == buffer.capacity();
        // An empty one would hold its memory for as long as there is nothing to read.
        if !buffer.is_empty() {
            self.read = buffer.freeze();
        }
        read.map_ok(|count| count > 0).map_err(Broken::Read)
    }

    /// Whether a connection from among the parked is still good. Whatever can be read then is its end, or of nobody's
    /// request. Asks the socket itself: a poll says pending to a task that has used up its budget.
    pub(super) fn is_fresh(&self) -> bool {
        self.stream.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Begins to rest, without the memory of its last answer. False if the next request may not use it, because
    /// something is left unread or unsent.
    pub(super) fn rest(&mut self) -> bool {
        let is_clean = self.keeps_open && self.read.is_empty() && self.upload.is_done();
        self.read = Bytes::new();
        self.idle_since = Instant::now();
        is_clean
    }
}

#[cfg(test)]
impl Connection {
    pub(super) fn stream_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    pub(super) fn buffer_capacity(&mut self) -> usize {
        BytesMut::from(take(&mut self.read)).capacity()
    }
}
