//! A request on its way out: its head, then its body as it comes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use super::head::Length;
use crate::body::{BodyError, RequestBody};

/// What is still to be written. Nothing between requests, so that a connection at rest holds no memory for it.
pub(crate) struct Upload {
    /// The head, or the size of a chunk.
    framing: BytesMut,
    data: Bytes,
    /// Behind the data.
    end: &'static [u8],
    body: RequestBody,
    is_chunked: bool,
    /// Whether the socket took anything yet.
    has_begun: bool,
    is_given_up: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("the upstream took no more")]
    Socket(#[from] io::Error),
}

impl Default for Upload {
    fn default() -> Self {
        Self::new(BytesMut::new(), RequestBody::Empty, Length::None)
    }
}

impl Upload {
    pub(crate) fn new(head: BytesMut, body: RequestBody, length: Length) -> Self {
        Self {
            framing: head,
            data: Bytes::new(),
            end: b"",
            body,
            is_chunked: length == Length::Chunked,
            has_begun: false,
            is_given_up: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.is_given_up || self.is_written() && matches!(self.body, RequestBody::Empty)
    }

    /// Writes nothing more. What was not written stays, for [`Upload::into_unsent`].
    pub(crate) fn give_up(&mut self) {
        self.is_given_up = true;
    }

    /// The body, whole, if nothing was written.
    pub(crate) fn into_unsent(self) -> Option<RequestBody> {
        let Self { mut body, data, has_begun, .. } = self;
        if has_begun || self.framing.is_empty() {
            return None;
        }
        match &mut body {
            RequestBody::Stream(inbound) => inbound.unread(data),
            RequestBody::Empty if !data.is_empty() => body = RequestBody::Whole(data),
            RequestBody::Empty | RequestBody::Whole(_) => {}
        }
        Some(body)
    }

    /// Writes what can be written now; ready when all is. Ends because the socket's share of the task's budget does.
    pub(crate) fn poll(
        &mut self,
        stream: &mut TcpStream,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), UploadError>> {
        loop {
            // One look at the body before the write, so that a small request leaves in one piece.
            let has_piece = !self.data.is_empty() || !self.end.is_empty();
            let waits = !has_piece && self.poll_body(context)?.is_pending();
            while !self.is_written() {
                ready!(self.poll_write(stream, context))?;
            }
            if matches!(self.body, RequestBody::Empty) {
                self.framing = BytesMut::new();
                return Poll::Ready(Ok(()));
            }
            if waits {
                return Poll::Pending;
            }
        }
    }

    fn is_written(&self) -> bool {
        self.framing.is_empty() && self.data.is_empty() && self.end.is_empty()
    }

    /// Stages the next piece of the body, if there is one now.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        let inbound = match &mut self.body {
            RequestBody::Stream(inbound) => inbound,
            RequestBody::Whole(data) => {
                self.data = std::mem::take(data);
                self.body = RequestBody::Empty;
                return Poll::Ready(Ok(()));
            }
            RequestBody::Empty => return Poll::Ready(Ok(())),
        };
        if let Some(data) = ready!(inbound.poll_data(context))? {
            // An empty chunk would end the body.
            if self.is_chunked && !data.is_empty() {
                self.framing.put_slice(format!("{:x}\r\n", data.len()).as_bytes());
                self.end = b"\r\n";
            }
            self.data = data;
        } else {
            if self.is_chunked {
                self.end = b"0\r\n\r\n";
            }
            self.body = RequestBody::Empty;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = if self.data.is_empty() && self.end.is_empty() {
            ready!(Pin::new(stream).poll_write(context, &self.framing))?
        } else {
            let slices = [IoSlice::new(&self.framing), IoSlice::new(&self.data), IoSlice::new(self.end)];
            ready!(Pin::new(stream).poll_write_vectored(context, &slices))?
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.has_begun = true;
        let of_framing = written.min(self.framing.len());
        self.framing.advance(of_framing);
        let of_data = (written - of_framing).min(self.data.len());
        self.data.advance(of_data);
        self.end = &self.end[written - of_framing - of_data..];
        Poll::Ready(Ok(()))
    }
}
