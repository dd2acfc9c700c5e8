//! An HTTP/1.1 connection that whoever uses it drives.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::response::Parts;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

/// Answers are read, so that the connection can be used again, but nobody wants them: more than this, and it is
/// closed instead.
const ANSWER_MAX: usize = 64 * 1024;

/// Connections kept to one place; as many as may be under way at once in the usual queue.
const PARKED_MAX: usize = 1024;

/// What a connection runs over.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<I: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for I {}

pub(super) struct Line<I: Io> {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver<I>,
    parked_at: Instant,
}

/// The connection, until it has ended.
struct Driver<I: Io>(Option<Connection<TokioIo<I>, Full<Bytes>>>);

#[derive(Debug)]
pub(super) enum LineError {
    /// The connection was closed before anything of the request was sent.
    Unsent,
    Broken(String),
}

impl<I: Io> Line<I> {
    pub(super) async fn open(io: I) -> hyper::Result<Self> {
        let (sender, connection) = Builder::new().handshake(TokioIo::new(io)).await?;
        Ok(Self { sender, driver: Driver(Some(connection)), parked_at: Instant::now() })
    }

    /// Sends the request and reads the answer; parks the connection if it can be used again.
    pub(super) async fn exchange(
        mut self,
        request: Request<Full<Bytes>>,
        parked: &Parked<I>,
    ) -> Result<Parts, LineError> {
        let sent = self.sender.try_send_request(request);
        let response = self.driver.driving(sent).await.map_err(|mut failed| {
            if failed.take_message().is_some() {
                LineError::Unsent
            } else {
                LineError::Broken(said(failed.error()))
            }
        })?;
        let (head, body) = response.into_parts();
        // The status is there, so whatever becomes of the body the attempt has its outcome.
        if self.driver.driving(read(body)).await {
            parked.park(self);
        }
        Ok(head)
    }
}

impl<I: Io> Driver<I> {
    /// Awaits something that needs the connection to move on.
    async fn driving<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            if let Some(connection) = &mut self.0
                && Pin::new(connection).poll(context).is_ready()
            {
                self.0 = None;
            }
            // The connection may just have brought what it waits for.
            work.as_mut().poll(context)
        })
        .await
    }
}

/// Reads to the end; false if it is too long or broken.
pub(super) async fn read(mut body: impl Body<Data = Bytes> + Unpin) -> bool {
    let mut rest = ANSWER_MAX;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match rest.checked_sub(length) {
            Some(left) => rest = left,
            None => return false,
        }
    }
    true
}

fn said(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Connections at rest to one place. The one that rested shortest is used first, so that the others can age.
pub(super) struct Parked<I: Io> {
    lines: Mutex<Vec<Line<I>>>,
    age_max: Duration,
}

impl<I: Io> Parked<I> {
    /// Connections that rested for `age_max` are not used any more.
    pub(super) fn new(age_max: Duration) -> Self {
        Self { lines: Mutex::default(), age_max }
    }

    /// One that is still open.
    pub(super) async fn checkout(&self) -> Option<Line<I>> {
        loop {
            let mut line = self.take()?;
            // Also what finds out whether the other side has hung up.
            if line.driver.driving(line.sender.ready()).await.is_ok() {
                return Some(line);
            }
        }
    }

    fn take(&self) -> Option<Line<I>> {
        let mut lines = self.lines.lock();
        let line = lines.pop()?;
        if line.parked_at.elapsed() < self.age_max {
            return Some(line);
        }
        // All others rested longer. Closing them does not wait.
        let aged = std::mem::take(&mut *lines);
        drop(lines);
        drop(aged);
        None
    }

    fn park(&self, mut line: Line<I>) {
        line.parked_at = Instant::now();
        let mut lines = self.lines.lock();
        if lines.len() < PARKED_MAX {
            lines.push(line);
        }
    }

    /// Closes what has rested too long; how many are left.
    pub(super) fn expire(&self) -> usize {
        let mut lines = self.lines.lock();
        let fresh =
            lines.iter().position(|line| line.parked_at.elapsed() < self.age_max).unwrap_or(lines.len());
        let aged: Vec<_> = lines.drain(..fresh).collect();
        let left = lines.len();
        drop(lines);
        drop(aged);
        left
    }
}
