//! A client's connection with patience: how long it may rest, dawdle over a head, or take nothing of an answer.
//!
//! hyper has a timer for heads, but makes a new one per request; these move one timer along.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// What the client is doing, as far as it must hurry. Shared with the answers on this connection.
#[derive(Debug)]
pub(crate) struct Activity {
    doing: AtomicU8,
    /// Whether the last request has a body, of which more may be on its way when it is answered.
    uploads: AtomicBool,
}

const RESTING: u8 = 0;
const SENDING_HEAD: u8 = 1;
/// A request is being served; its own deadlines count.
const SERVED: u8 = 2;

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { doing: AtomicU8::new(RESTING), uploads: AtomicBool::new(false) })
    }

    pub(crate) fn begin(&self, body: &impl Body) {
        self.uploads.store(!body.is_end_stream(), Ordering::Relaxed);
        self.doing.store(SERVED, Ordering::Relaxed);
    }

    pub(crate) fn rest(&self) {
        self.doing.store(RESTING, Ordering::Relaxed);
    }
}

/// How long a client may go on sending after the connection's last answer (nginx: `lingering_timeout`, 5 s). A client
/// on the same machine needs milliseconds, one far away a few round trips to learn that nobody reads.
const LINGER: Duration = Duration::from_secs(2);

/// The time a client gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) idle: Duration,
    pub(crate) head: Duration,
    pub(crate) stall: Duration,
}

pub(crate) struct Io {
    stream: TcpStream,
    activity: Arc<Activity>,
    patience: Patience,
    /// When the client must have sent something; what it stands for is in `awaited`.
    read_timer: Pin<Box<Sleep>>,
    awaited: u8,
    /// Set once the connection is closed and only waits for the client to notice.
    lingers_until: Option<Instant>,
    /// Set while the client takes nothing.
    write_timer: Option<Pin<Box<Sleep>>>,
}

impl Io {
    pub(crate) fn new(stream: TcpStream, activity: Arc<Activity>, patience: Patience) -> Self {
        Self {
            stream,
            activity,
            patience,
            // A new connection has as long for its first head as for any other.
            read_timer: Box::pin(sleep(patience.head)),
            awaited: RESTING,
            lingers_until: None,
            write_timer: None,
        }
    }

    fn poll_read_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let doing = self.activity.doing.load(Ordering::Relaxed);
        if doing != self.awaited {
            self.awaited = doing;
            let wait = match doing {
                RESTING => self.patience.idle,
                SENDING_HEAD => self.patience.head,
                _ => return Poll::Pending,
            };
            self.read_timer.as_mut().reset(Instant::now() + wait);
        }
        if doing == SERVED { Poll::Pending } else { self.read_timer.as_mut().poll(context) }
    }

    /// Reads and forgets what a client still sends. Closing with bytes unread would reset the connection, and a
    /// client in the middle of an upload would lose the answer that says why nobody wants it.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut forgotten = [0; 8192];
        loop {
            let mut buffer = ReadBuf::new(&mut forgotten);
            let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
            let goes_on = matches!(read, Poll::Ready(Ok(()))) && !buffer.filled().is_empty();
            // Nothing there may only mean that it is still on its way.
            let may_go_on = goes_on || read.is_pending() && self.activity.uploads.load(Ordering::Relaxed);
            let until = match self.lingers_until {
                Some(until) => until,
                None if may_go_on => {
                    let until = Instant::now() + LINGER;
                    self.lingers_until = Some(until);
                    self.read_timer.as_mut().reset(until);
                    until
                }
                None => return Poll::Ready(Ok(())),
            };
            if read.is_pending() {
                return self.read_timer.as_mut().poll(context).map(Ok);
            }
            if !goes_on || until <= Instant::now() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Bounds a write that cannot go on.
    fn bound<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer = None;
            return written;
        }
        let until = Instant::now() + self.patience.stall;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                if buffer.filled().len() > before {
                    let doing = &self.activity.doing;
                    let begun =
                        doing.compare_exchange(RESTING, SENDING_HEAD, Ordering::Relaxed, Ordering::Relaxed);
                    if begun.is_ok() {
                        // Pipelined requests may all be answered before the next wait, which must not go on
                        // where the wait before them stopped.
                        self.awaited = SERVED;
                    }
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(self.poll_read_timer(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bound(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.bound(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The end of an answer. hyper reads again only when something comes, so the wait for it begins here.
        if self.awaited != RESTING && self.activity.doing.load(Ordering::Relaxed) == RESTING {
            let _just_set = self.poll_read_timer(context);
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        // What a tunnel's client sends is not ours to forget.
        if self.activity.doing.load(Ordering::Relaxed) == SERVED {
            return Poll::Ready(Ok(()));
        }
        self.poll_linger(context)
    }
}
