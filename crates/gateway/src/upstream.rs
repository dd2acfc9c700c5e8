//! Connections to upstreams: HTTP/1.1 with keep-alive, moved by whichever request uses them.
//!
//! hyper serves the clients, but its client half costs a proxy a good third of its time: a channel between the one
//! who asks and the connection, a copy of every head for a retry, buffers that stay with connections at rest.
//! Measured in docs/decisions/003. So this side is our own, of three pure parts and one that owns the socket:
//!
//! - `head`: encodes a request's head, decodes an answer's (`httparse`), and says how the body is framed;
//! - `chunks`: takes the chunked coding off;
//! - `upload`: a request on its way out;
//! - `connection`: the socket. No task drives it: whoever holds it polls it, and dropping it closes the socket.
//!
//! What makes keeping connections right: one with anything left unread or unsent is dropped, never parked; and
//! whatever can be read from a parked one, be it its end or bytes nobody asked for, makes it unusable.

mod chunks;
mod connection;
mod head;
mod upload;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::{Instant, timeout_at};

pub(crate) use self::connection::{Broken, Connection, SendError};
pub(crate) use self::head::{Head, Length, Remaining};
use crate::workers::CALLERS;

/// A connection that rested longer is not used again: common servers close theirs after 5 s (Node.js) and a
/// request that meets the close half-way may not be repeatable.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// Connections one worker keeps open to one instance while nobody uses them.
const IDLE_COUNT_MAX: usize = 512;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a socket, for a [`Connection`] or an upgrade; until `deadline` at most.
pub(crate) async fn connect(address: impl ToSocketAddrs, deadline: Instant) -> io::Result<TcpStream> {
    let deadline = deadline.min(Instant::now() + CONNECT_TIMEOUT);
    let connect = timeout_at(deadline, TcpStream::connect(address));
    let stream = connect.await.map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The connections to one upstream that nobody uses at the moment. Each worker has its own, because a socket
/// belongs to the runtime that opened it; so have those who call from within.
pub(crate) struct Idles([Idle; CALLERS + 1]);

impl Default for Idles {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Idle::default()))
    }
}

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
pub(crate) struct Idle(Mutex<VecDeque<Box<Connection>>>);

impl Idle {
    /// The newest connection that is still good.
    pub(crate) fn checkout(&self) -> Option<Box<Connection>> {
        loop {
            let mut connection = self.0.lock().pop_back()?;
            if connection.idle_since.elapsed() > IDLE_MAX {
                self.0.lock().clear();
                return None;
            }
            if connection.is_fresh() {
                connection.is_reused = true;
                return Some(connection);
            }
        }
    }

    /// Parks a connection whose answer was read to its end; drops it if it cannot be used again.
    pub(crate) fn checkin(&self, mut connection: Box<Connection>) {
        if !connection.rest() {
            return;
        }
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

#[cfg(test)]
mod tests;
