//! The bodies that pass through the gateway. Nothing is collected; every frame goes on as it comes.

use std::mem::take;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use crate::io::Activity;
use crate::metrics::RouteMetrics;
use crate::objectives::{End, Pending};
use crate::problem::Code;
use crate::proxy::Place;
use crate::recorded::Recorded;
use crate::upstream::{Broken, Connection, Length, Remaining};

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a mounted handler answers with.
pub type MountBody = UnsyncBoxBody<Bytes, BoxError>;

/// The body of an answer to a client.
pub struct Body {
    kind: Kind,
    finish: Option<Finish>,
}

enum Kind {
    Full(Option<Bytes>),
    Upstream(UpstreamBody),
    File(crate::files::Body),
    Mount(MountBody),
    Recorded(Box<Recorded>),
}

/// What is to be done when an answer has been sent, or given up.
pub(crate) struct Finish {
    pub(crate) metrics: Arc<RouteMetrics>,
    pub(crate) status: StatusCode,
    pub(crate) started: Instant,
    pub(crate) activity: Arc<Activity>,
    /// If something is promised of this request.
    pub(crate) promised: Option<Pending>,
}

impl Drop for Finish {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        self.metrics.answered(self.status, took);
        if let Some(promised) = &self.promised {
            promised.record(self.status, took);
        }
        // A tunnel has its own patience.
        if self.status != StatusCode::SWITCHING_PROTOCOLS {
            self.activity.rest();
        }
    }
}

impl Body {
    /// `has_content` is false for the answer to a HEAD request, whose body nobody takes.
    pub(crate) fn finish(mut self, finish: Finish, has_content: bool) -> Self {
        self.finish = Some(finish);
        if !has_content || self.is_end_stream() {
            self.end(End::Complete);
        }
        self
    }

    /// Whether only the end of the connection says that it is whole: who dies in the middle ends it too.
    pub(crate) fn ends_with_connection(&self) -> bool {
        matches!(&self.kind, Kind::Upstream(body) if matches!(body.remaining, Remaining::UntilClose))
    }

    fn is_promised(&self) -> bool {
        self.finish.as_ref().is_some_and(|finish| finish.promised.is_some())
    }

    /// Notes how the answer ended, if anybody wants to know.
    fn end(&mut self, end: End) {
        if let Some(Finish { promised: Some(promised), .. }) = &mut self.finish {
            promised.end = end;
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { kind: Kind::Full(Some(bytes).filter(|bytes| !bytes.is_empty())), finish: None }
    }
}

impl From<UpstreamBody> for Body {
    fn from(body: UpstreamBody) -> Self {
        Self { kind: Kind::Upstream(body), finish: None }
    }
}

impl From<crate::files::Body> for Body {
    fn from(body: crate::files::Body) -> Self {
        Self { kind: Kind::File(body), finish: None }
    }
}

impl From<Recorded> for Body {
    fn from(body: Recorded) -> Self {
        Self { kind: Kind::Recorded(Box::new(body)), finish: None }
    }
}

impl From<MountBody> for Body {
    fn from(body: MountBody) -> Self {
        Self { kind: Kind::Mount(body), finish: None }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = match &mut self.kind {
            Kind::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Upstream(body) => body.poll_frame(context),
            Kind::File(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Kind::Mount(body) => Pin::new(body).poll_frame(context),
            Kind::Recorded(body) => body.poll_frame(context),
        };
        match &polled {
            // A client that breaks off its upload gets no further answer, and that is its own doing.
            Poll::Ready(Some(Err(error))) if matches!(error.downcast_ref(), Some(Broken::Request(_))) => {}
            Poll::Ready(Some(Err(_))) => self.end(End::Broken),
            Poll::Ready(None) => self.end(End::Complete),
            // The last frame may be the last that is asked for.
            Poll::Ready(Some(Ok(_))) if self.is_promised() && self.is_end_stream() => self.end(End::Complete),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Full(bytes) => bytes.is_none(),
            Kind::Upstream(body) => body.is_end_stream(),
            Kind::File(body) => body.is_end_stream(),
            Kind::Mount(body) => body.is_end_stream(),
            Kind::Recorded(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Upstream(body) => body.size_hint(),
            Kind::File(body) => body.size_hint(),
            Kind::Mount(body) => body.size_hint(),
            Kind::Recorded(body) => body.size_hint(),
        }
    }
}

/// An answer's body on its way from the upstream. Holds the connection, which only moves while it is polled,
/// and the slot.
pub(crate) struct UpstreamBody {
    remaining: Remaining,
    /// Gone when the body has ended or failed.
    source: Option<(Box<Connection>, Place)>,
}

impl UpstreamBody {
    /// An empty body gives its connection and slot back at once; nobody would poll it.
    pub(crate) fn new(remaining: Remaining, connection: Box<Connection>, place: Place) -> Self {
        let mut body = Self { remaining, source: Some((connection, place)) };
        if body.remaining.is_ended() {
            body.give_back();
        }
        body
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some((connection, _)) = &mut self.source else { return Poll::Ready(None) };
        match ready!(connection.poll_data(&mut self.remaining, context)) {
            Ok(Some(data)) => {
                if self.remaining.is_ended() {
                    self.give_back();
                } else if let Poll::Ready(late) = connection.poll_too_late(context) {
                    return self.fail(late);
                }
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Ok(None) => {
                self.give_back();
                Poll::Ready(None)
            }
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: Broken) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.source = None;
        Poll::Ready(Some(Err(error.into())))
    }

    /// There is nothing more to come; connection and slot are free.
    fn is_end_stream(&self) -> bool {
        self.remaining.is_ended()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.remaining {
            Remaining::Sized(left) => SizeHint::with_exact(*left),
            Remaining::Chunked(_) | Remaining::UntilClose => SizeHint::default(),
        }
    }

    fn give_back(&mut self) {
        if let Some((connection, place)) = self.source.take() {
            place.idle().checkin(connection);
        }
    }
}

/// The body of a request on its way to an upstream.
pub(crate) enum RequestBody {
    Empty,
    /// All of it, from this process.
    Whole(Bytes),
    Stream(Inbound),
}

/// A client's body: bounded in size, and in the time the client may pause.
pub(crate) struct Inbound {
    incoming: Incoming,
    /// Comes before what `incoming` has.
    unread: Bytes,
    left: u64,
    stall: Duration,
    /// Made when the client first pauses.
    pause: Option<Pin<Box<Sleep>>>,
    fault: Fault,
}

/// What was wrong with a request body, for the answer; shared because the body itself is with the connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault(Arc<AtomicU8>);

impl Fault {
    const TOO_LARGE: u8 = 1;
    const STALLED: u8 = 2;
    const BROKEN: u8 = 3;

    pub(crate) fn code(&self) -> Option<Code> {
        match self.0.load(Ordering::Relaxed) {
            Self::TOO_LARGE => Some(Code::BodyTooLarge),
            Self::STALLED => Some(Code::ClientStalled),
            Self::BROKEN => Some(Code::BadRequest),
            _ => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the request body is larger than allowed")]
    TooLarge,
    #[error("the client stopped in the middle of the request body")]
    Stalled,
    /// Not chunks, or the connection ended.
    #[error("the client broke off")]
    Client(#[source] hyper::Error),
}

impl Inbound {
    pub(crate) fn new(incoming: Incoming, limit: u64, stall: Duration, fault: Fault) -> Self {
        Self { incoming, unread: Bytes::new(), left: limit, stall, pause: None, fault }
    }

    /// Gives data back that was not used, to be polled again.
    pub(crate) fn unread(&mut self, data: Bytes) {
        self.unread = data;
    }

    fn fail(&self, fault: u8, error: BodyError) -> Poll<Result<Option<Bytes>, BodyError>> {
        self.fault.0.store(fault, Ordering::Relaxed);
        Poll::Ready(Err(error))
    }

    /// The next piece; `None` at the end. Trailers are dropped.
    pub(crate) fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        if !self.unread.is_empty() {
            return Poll::Ready(Ok(Some(take(&mut self.unread))));
        }
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.pause = None;
                let data = frame.into_data().unwrap_or_default();
                match self.left.checked_sub(data.len() as u64) {
                    Some(left) => self.left = left,
                    None => return self.fail(Fault::TOO_LARGE, BodyError::TooLarge),
                }
                Poll::Ready(Ok(Some(data)))
            }
            Poll::Ready(Some(Err(error))) => self.fail(Fault::BROKEN, BodyError::Client(error)),
            Poll::Ready(None) => Poll::Ready(Ok(None)),
            Poll::Pending => {
                let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(self.stall)));
                match pause.as_mut().poll(context) {
                    Poll::Ready(()) => self.fail(Fault::STALLED, BodyError::Stalled),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }
}

impl RequestBody {
    pub(crate) fn length(&self) -> Length {
        match self {
            RequestBody::Empty => Length::None,
            RequestBody::Whole(data) => Length::Exactly(data.len() as u64),
            // hyper counts down what it has handed over.
            RequestBody::Stream(Inbound { incoming, unread, .. }) => incoming
                .size_hint()
                .exact()
                .map_or(Length::Chunked, |left| Length::Exactly(unread.len() as u64 + left)),
        }
    }
}
