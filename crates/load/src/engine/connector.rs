//! Opens users' connections: at a bounded pace, from enough source addresses, with TLS where the target has it.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::connection::Connection;
use super::recorder::Failure;
use super::stream::Stream;
use super::target::{Endpoint, reason};
use crate::scenario::HttpVersion;

/// More connections a second than this overflow the target's accept queue (commonly 4096 places) before it can
/// empty it.
const CONNECTS_PER_SECOND: u32 = 10_000;

/// One source address has 28,232 ports; from about 14,000 in use the kernel's search for a free one stalls.
pub(super) const USERS_PER_SOURCE: u64 = 5_000;

/// A first connection is not part of any request, so no step's time-out bounds it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// With more users than this, connections are reset at the end: their closed ports would block the next run.
const RESET_FROM_USERS: u64 = 1_000;

/// What a thread needs to open connections. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) endpoint: Endpoint,
    pub(crate) version: HttpVersion,
    pub(crate) tls: Option<TlsConnector>,
    /// Of all threads and processes.
    pub(crate) users: u64,
    #[cfg(test)]
    pub(crate) pipe: Option<tokio::sync::mpsc::Sender<tokio::io::DuplexStream>>,
}

/// One thread's.
pub(crate) struct Connector {
    recipe: Recipe,
    /// From one connect to the next.
    pub(super) spacing: Duration,
    next: Cell<Instant>,
}

impl Recipe {
    pub(crate) fn new(endpoint: Endpoint, version: HttpVersion, users: u64) -> Self {
        let tls = endpoint.is_tls.then(|| tls(version));
        Self {
            endpoint,
            version,
            tls,
            users,
            #[cfg(test)]
            pipe: None,
        }
    }

    /// For user number `user`.
    pub(crate) async fn connect(&self, user: u64) -> Result<Connection, Failure> {
        #[cfg(test)]
        if let Some(pipe) = &self.pipe {
            let (near, far) = tokio::io::duplex(64 * 1024);
            pipe.send(far).await.map_err(|_gone| Failure::Connect("gone".to_owned()))?;
            return Ok(Connection::open(Stream::Pipe(near), self.version).await.expect("a pipe is open"));
        }
        let stream = self.stream(user).await?;
        Connection::open(stream, self.version).await.map_err(|error| Failure::Connect(error.to_string()))
    }

    /// Opens a socket, with TLS if the target has it, and nothing on top.
    pub(crate) async fn stream(&self, user: u64) -> Result<Stream, Failure> {
        let refused = |error: io::Error| Failure::Connect(reason(&error));
        let plain = self.socket(user).await.map_err(refused)?;
        let stream = match &self.tls {
            None => Stream::Plain(plain),
            Some(tls) => {
                let name = ServerName::try_from(self.endpoint.host.clone())
                    .map_err(|error| Failure::Connect(error.to_string()))?;
                let stream = tls.connect(name, plain).await;
                Stream::Tls(Box::new(stream.map_err(|error| Failure::Connect(handshake(&error)))?))
            }
        };
        if let (HttpVersion::Http2, Stream::Tls(stream)) = (self.version, &stream)
            && stream.get_ref().1.alpn_protocol() != Some(b"h2")
        {
            return Err(Failure::Connect("the target does not speak HTTP/2".to_owned()));
        }
        Ok(stream)
    }

    async fn socket(&self, user: u64) -> io::Result<TcpStream> {
        let socket = match self.endpoint.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if let Some(source) = self.source(user) {
            socket.bind((source, 0).into())?;
        }
        if self.users > RESET_FROM_USERS {
            socket.set_zero_linger()?;
        }
        socket.set_nodelay(true)?;
        socket.connect(self.endpoint.address).await
    }

    /// All of 127.0.0.0/8 is this machine.
    pub(super) fn source(&self, user: u64) -> Option<Ipv4Addr> {
        let IpAddr::V4(target) = self.endpoint.address.ip() else { return None };
        if self.users <= USERS_PER_SOURCE || !target.is_loopback() {
            return None;
        }
        // From 127.1.0.1 on, leaving out the first and the last of each 256.
        let source = user / USERS_PER_SOURCE;
        let [high, low] =
            [1 + source / 254, 1 + source % 254].map(|part| u8::try_from(part).unwrap_or(u8::MAX));
        Some(Ipv4Addr::new(127, high, 0, low))
    }
}

impl Connector {
    /// For one of `threads` threads, over all processes.
    pub(crate) fn new(recipe: Recipe, threads: u64) -> Self {
        let spacing =
            Duration::from_secs(1) * u32::try_from(threads).unwrap_or(u32::MAX) / CONNECTS_PER_SECOND;
        Self { recipe, spacing, next: Cell::new(Instant::now()) }
    }

    /// Waits for its turn, which is no part of the time-out, then connects.
    pub(crate) async fn connect(&self, user: u64) -> Result<Connection, Failure> {
        let now = Instant::now();
        let turn = self.next.get().max(now);
        self.next.set(turn + self.spacing);
        if turn > now {
            sleep_until(turn).await;
        }
        timeout(TIMEOUT, self.recipe.connect(user)).await.map_err(|_elapsed| Failure::Timeout)?
    }
}

/// In words, why there is no TLS.
fn handshake(error: &io::Error) -> String {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(tokio_rustls::rustls::Error::InvalidMessage(_)) => {
            "it does not speak TLS: say http://".to_owned()
        }
        _ => reason(error),
    }
}

/// Trusts what this machine trusts.
fn tls(version: HttpVersion) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    // What cannot be read is missed by the handshake, which says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = match version {
        HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
        HttpVersion::Http2 => vec![b"h2".to_vec()],
    };
    TlsConnector::from(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_users_come_from_many_loopback_addresses() {
        let source = |target: &str, users, user| {
            let endpoint = Endpoint {
                url: String::new(),
                is_tls: false,
                host: String::new(),
                authority: String::new(),
                address: target.parse().unwrap(),
            };
            Recipe::new(endpoint, HttpVersion::Http1, users).source(user).map(|source| source.to_string())
        };
        assert_eq!(source("127.0.0.1:80", 5_000, 4_999), None);
        assert_eq!(source("10.0.0.1:80", 100_000, 0), None);
        assert_eq!(source("127.0.0.1:80", 100_000, 4_999).as_deref(), Some("127.1.0.1"));
        assert_eq!(source("127.0.0.1:80", 100_000, 5_000).as_deref(), Some("127.1.0.2"));
        assert_eq!(source("127.0.0.1:80", 2_000_000, 1_270_000).as_deref(), Some("127.2.0.1"));
    }
}
