//! Connections to upstreams: HTTP/1.1 with keep-alive, driven by whichever request uses them.
//!
//! hyper's client gives a request sender and a connection future, and the usual way spawns the future. Here both
//! stay together in a [`Connection`], and the task that owns the object polls it: no task per connection, no hop
//! between threads, and dropping the object closes the socket, so cancellation is free. The rules that make
//! this right:
//!
//! 1. Poll once at checkout: that sees a close and moves the waker to the new owner.
//! 2. After a request is queued, poll the connection before returning pending, or it is never written.
//! 3. Never poll the connection again after it finished; the answer may still be there.
//! 4. At the end of a body poll once more: readiness for the next request is set by that poll.
//! 5. A connection with anything left unread or unsent is dropped, never parked.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::body::RequestBody;
use crate::workers::WORKERS_MAX;

/// A connection that rested longer is not used again: common servers close theirs after 5 s (Node.js) and a
/// request that meets the close half-way may not be repeatable.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// Connections one worker keeps open to one instance while nobody uses them.
const IDLE_COUNT_MAX: usize = 512;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a socket, for a [`Connection`] or an upgrade.
pub(crate) async fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let connect = timeout(CONNECT_TIMEOUT, TcpStream::connect(address));
    let stream = connect.await.map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

type Driver = http1::Connection<TokioIo<TcpStream>, RequestBody>;

pub(crate) struct Connection {
    sender: http1::SendRequest<RequestBody>,
    /// `None` once it has finished.
    driver: Option<Pin<Box<Driver>>>,
    /// Kept with the connection because moving a timer on is much cheaper than making one.
    deadline: Pin<Box<Sleep>>,
    idle_since: Instant,
    /// Whether it has carried a request before, so that a failure may be the upstream's idle timeout.
    pub(crate) is_reused: bool,
}

/// How sending failed.
pub(crate) enum SendError {
    /// Nothing was written; the request comes back.
    Unsent(Box<Request<RequestBody>>),
    Broken(hyper::Error),
    Timeout,
}

impl Connection {
    pub(crate) async fn open(stream: TcpStream) -> io::Result<Self> {
        let (sender, driver) =
            http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let now = Instant::now();
        Ok(Self {
            sender,
            driver: Some(Box::pin(driver)),
            deadline: Box::pin(sleep_until(now)),
            idle_since: now,
            is_reused: false,
        })
    }

    /// Sends a request and waits for the head of the answer, at most until `deadline`, which then also bounds
    /// the answer's body.
    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, SendError> {
        self.deadline.as_mut().reset(deadline);
        let mut answer = pin!(self.sender.try_send_request(request));
        let outcome = poll_fn(|context| {
            // Twice: the first poll of the answer may ask for what only another poll of the driver does.
            for _ in 0..2 {
                poll_driver(&mut self.driver, context);
                if let Poll::Ready(outcome) = answer.as_mut().poll(context) {
                    return Poll::Ready(Some(outcome));
                }
            }
            self.deadline.as_mut().poll(context).map(|()| None)
        });
        match outcome.await {
            Some(Ok(response)) => Ok(response),
            Some(Err(mut error)) => Err(match error.take_message() {
                Some(request) => SendError::Unsent(Box::new(request)),
                None => SendError::Broken(error.into_error()),
            }),
            None => Err(SendError::Timeout),
        }
    }

    /// Drives the connection on, so that a body being read gets its data.
    pub(crate) fn poll_driver(&mut self, context: &mut Context<'_>) {
        poll_driver(&mut self.driver, context);
    }

    /// Ready when the deadline of [`Connection::send`] has passed.
    pub(crate) fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.deadline.as_mut().poll(context)
    }

    fn is_ready(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }
}

fn poll_driver(driver: &mut Option<Pin<Box<Driver>>>, context: &mut Context<'_>) {
    // An error of the connection is reported by the answer or its body too.
    if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(context).is_ready()) {
        *driver = None;
    }
}

/// The connections to one upstream that nobody uses at the moment. Each worker has its own, because a socket
/// belongs to the runtime that opened it.
#[derive(Default)]
pub(crate) struct Idles([Idle; WORKERS_MAX]);

impl Idles {
    pub(crate) fn of(&self, worker: usize) -> &Idle {
        &self.0[worker]
    }

    /// Closes what has rested too long. Without this, closed sockets would pile up where traffic has ended.
    pub(crate) fn expire(&self) {
        self.0.iter().for_each(Idle::expire);
    }
}

/// One worker's part, newest last.
///
/// On cache lines of its own (two, because processors fetch them in pairs): otherwise every use by one worker would
/// take the line from another.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Idle(Mutex<VecDeque<Connection>>);

impl Idle {
    /// The newest connection that is still good.
    pub(crate) fn checkout(&self, context: &mut Context<'_>) -> Option<Connection> {
        loop {
            let mut connection = self.0.lock().pop_back()?;
            if connection.idle_since.elapsed() > IDLE_MAX {
                self.0.lock().clear();
                return None;
            }
            connection.poll_driver(context);
            if connection.is_ready() {
                connection.is_reused = true;
                return Some(connection);
            }
        }
    }

    /// Parks a connection whose answer was read to its end; drops it if it cannot be used again.
    pub(crate) fn checkin(&self, mut connection: Connection, context: &mut Context<'_>) {
        connection.poll_driver(context);
        if !connection.is_ready() {
            return;
        }
        connection.idle_since = Instant::now();
        let mut parked = self.0.lock();
        if parked.len() < IDLE_COUNT_MAX {
            parked.push_back(connection);
        }
    }

    fn expire(&self) {
        let mut expired = Vec::new();
        let mut parked = self.0.lock();
        while parked.front().is_some_and(|oldest| oldest.idle_since.elapsed() > IDLE_MAX) {
            expired.extend(parked.pop_front());
        }
        drop(parked);
    }
}
