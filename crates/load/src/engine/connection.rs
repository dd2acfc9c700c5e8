//! One connection of one virtual user, driven by the user itself.
//!
//! hyper's client gives a request sender and a connection future. The usual way spawns the future; here the user
//! that waits for an answer polls it: no task and no hop per connection (the gateway does the same towards its
//! upstreams, and lists the rules this must keep). Only HTTP/2 spawns, inside hyper, what a stream needs.
//!
//! In HTTP/1.1 nothing but the socket ever has to wake the user, because it polls the sender's side itself right
//! after the connection's. Whatever else would wake it (hyper's channels do, at every request) would only make the
//! runtime poll it once more for nothing; these polls are done with a waker that does nothing, see [`calm`].

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep, sleep_until};

use super::recorder::Failure;
use super::stream::Stream;
use crate::scenario::HttpVersion;

/// The largest answer a step looks into. Others are counted and dropped as they come.
const BODY_MAX: usize = 16 * 1024 * 1024;

pub(crate) type Outgoing = Request<Full<Bytes>>;

pub(crate) struct Connection {
    sender: Sender,
    /// `None` once it has finished.
    driver: Option<Driver>,
    /// Rings at the armed time, which is never later than the deadline that counts: as long as answers come in
    /// time, it is moved once per time-out and not once per request.
    timer: Pin<Box<Sleep>>,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

enum Driver {
    Http1(Pin<Box<Driver1>>),
    Http2(Pin<Box<Driver2>>),
}

type Driver1 = http1::Connection<TokioIo<Stream>, Full<Bytes>>;
type Driver2 = http2::Connection<TokioIo<Stream>, Full<Bytes>, Local>;

/// Runs what hyper spawns on the user's own thread.
#[derive(Clone, Copy)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// What came back, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Empty if it was not asked for.
    pub(crate) body: Bytes,
    pub(crate) bytes_in: u64,
}

/// How an exchange ended without an answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Nothing was sent: the connection had ended before. The request comes back.
    Unsent(Box<Outgoing>),
    Failed(Failure),
}

/// Whether the step looks into the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reading {
    Keep,
    Discard,
}

impl Connection {
    pub(crate) async fn open(stream: Stream, version: HttpVersion) -> Result<Self, hyper::Error> {
        let io = TokioIo::new(stream);
        let (sender, driver) = match version {
            HttpVersion::Http1 => {
                let (sender, driver) = http1::Builder::new().handshake(io).await?;
                (Sender::Http1(sender), Driver::Http1(Box::pin(driver)))
            }
            HttpVersion::Http2 => {
                let (sender, driver) = http2::Builder::new(Local).handshake(io).await?;
                (Sender::Http2(sender), Driver::Http2(Box::pin(driver)))
            }
        };
        Ok(Self { sender, driver: Some(driver), timer: Box::pin(sleep_until(Instant::now())) })
    }

    /// Whether another request may be sent on it, as far as one can know.
    pub(crate) async fn is_open(&mut self) -> bool {
        poll_fn(|context| {
            let mut calm = calm(self.driver.as_ref(), context);
            poll_driver(&mut self.driver, &mut calm);
            Poll::Ready(())
        })
        .await;
        self.driver.is_some()
            && match &self.sender {
                Sender::Http1(sender) => sender.is_ready(),
                Sender::Http2(sender) => sender.is_ready(),
            }
    }

    /// Sends a request and reads the answer to its end, at most until `deadline`. After anything but an answer
    /// the connection must be dropped.
    pub(crate) async fn exchange(
        &mut self,
        request: Outgoing,
        deadline: Instant,
        reading: Reading,
    ) -> Result<Answer, Broken> {
        if self.timer.deadline() > deadline || self.timer.is_elapsed() {
            self.timer.as_mut().reset(deadline);
        }
        let response = match &mut self.sender {
            Sender::Http1(sender) => {
                let answer = sender.try_send_request(request);
                head(answer, &mut self.driver, &mut self.timer, deadline).await?
            }
            Sender::Http2(sender) => {
                let answer = sender.try_send_request(request);
                head(answer, &mut self.driver, &mut self.timer, deadline).await?
            }
        };
        let (parts, body) = response.into_parts();
        let (bytes_in, body) = self.body(body, deadline, reading).await.map_err(Broken::Failed)?;
        Ok(Answer { status: parts.status, headers: parts.headers, body, bytes_in })
    }

    async fn body(
        &mut self,
        mut body: Incoming,
        deadline: Instant,
        reading: Reading,
    ) -> Result<(u64, Bytes), Failure> {
        let (mut bytes_in, mut kept) = (0, BytesMut::new());
        loop {
            if body.is_end_stream() {
                break;
            }
            let frame = poll_fn(|context| {
                let mut calm = calm(self.driver.as_ref(), context);
                // First the body: asking for more is what makes the driver read it.
                if let Poll::Ready(frame) = Pin::new(&mut body).poll_frame(&mut calm) {
                    return Poll::Ready(Ok(frame));
                }
                for round in 0..2 {
                    poll_driver(&mut self.driver, if round == 0 { &mut calm } else { context });
                    if let Poll::Ready(frame) = Pin::new(&mut body).poll_frame(&mut calm) {
                        return Poll::Ready(Ok(frame));
                    }
                }
                poll_deadline(&mut self.timer, deadline, context).map(|()| Err(Failure::Timeout))
            });
            let Some(frame) = frame.await? else { break };
            let Ok(data) = frame.map_err(|_broken| Failure::Closed)?.into_data() else { continue };
            bytes_in += data.len() as u64;
            if reading == Reading::Keep {
                if kept.len() + data.len() > BODY_MAX {
                    let why = format!("more than {BODY_MAX} bytes");
                    return Err(Failure::Wrong { why, is_unavailable: false });
                }
                kept.extend_from_slice(&data);
            }
        }
        Ok((bytes_in, kept.freeze()))
    }
}

async fn head(
    answer: impl Future<Output = Result<Response<Incoming>, TrySendError<Outgoing>>>,
    driver: &mut Option<Driver>,
    timer: &mut Pin<Box<Sleep>>,
    deadline: Instant,
) -> Result<Response<Incoming>, Broken> {
    let mut answer = pin!(answer);
    let mut is_sent = false;
    let outcome = poll_fn(|context| {
        let mut calm = calm(driver.as_ref(), context);
        // The first poll sends, and has to wait; later ones were woken because there is something to read.
        if is_sent {
            poll_driver(driver, &mut calm);
            if let Poll::Ready(outcome) = answer.as_mut().poll(&mut calm) {
                return Poll::Ready(Some(outcome));
            }
        }
        is_sent = true;
        poll_driver(driver, context);
        if let Poll::Ready(outcome) = answer.as_mut().poll(&mut calm) {
            return Poll::Ready(Some(outcome));
        }
        poll_deadline(timer, deadline, context).map(|()| None)
    });
    match outcome.await {
        Some(Ok(response)) => Ok(response),
        Some(Err(mut error)) => Err(match error.take_message() {
            Some(request) => Broken::Unsent(Box::new(request)),
            None => Broken::Failed(Failure::Closed),
        }),
        None => Err(Broken::Failed(Failure::Timeout)),
    }
}

/// The context for polls whose waking is of no use: that of a waker that does nothing, in HTTP/1.1.
fn calm<'a>(driver: Option<&Driver>, context: &Context<'a>) -> Context<'a> {
    match driver {
        Some(Driver::Http1(_)) | None => Context::from_waker(Waker::noop()),
        Some(Driver::Http2(_)) => Context::from_waker(context.waker()),
    }
}

fn poll_driver(driver: &mut Option<Driver>, context: &mut Context<'_>) {
    // An error of the connection is reported by the answer or its body too.
    let is_finished = match driver {
        Some(Driver::Http1(driver)) => driver.as_mut().poll(context).is_ready(),
        Some(Driver::Http2(driver)) => driver.as_mut().poll(context).is_ready(),
        None => false,
    };
    if is_finished {
        *driver = None;
    }
}

/// Ready when the deadline has passed. A timer armed for an earlier request is moved on when it rings.
fn poll_deadline(timer: &mut Pin<Box<Sleep>>, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
    while timer.as_mut().poll(context).is_ready() {
        if timer.deadline() >= deadline {
            return Poll::Ready(());
        }
        timer.as_mut().reset(deadline);
    }
    Poll::Pending
}
