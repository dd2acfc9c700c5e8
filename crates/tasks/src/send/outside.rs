//! Servers outside the platform: resolved, checked, connected to.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Exchange;
use super::line::{Io, Line, LineError, Parked};
use crate::targets::{External, Targets};

/// Most servers keep an idle connection for a minute or more; some for 5 s.
const AGE_MAX: Duration = Duration::from_secs(4);

/// For the lookup, and for each address: a server that is there answers within a second or two.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;

/// Places with connections at rest; the list of allowed hosts bounds them too, but not the ports.
const PLACES_MAX: usize = 256;

type Stream = Box<dyn Io>;

#[derive(Default)]
pub(super) struct Outside {
    places: Mutex<HashMap<Key, Arc<Parked<Stream>>>>,
    /// Read when the first `https://` is met: who needs none works on a system that has none.
    tls: OnceCell<TlsConnector>,
}

/// TLS or not, host, port.
type Key = (bool, String, u16);

impl Outside {
    pub(super) async fn exchange(
        &self,
        targets: &Targets,
        to: &External,
        request: Request<Bytes>,
    ) -> Exchange {
        let parked = self.parked(to);
        let line = match parked.checkout().await {
            Some(line) => line,
            None => match self.open(targets, to).await {
                Ok(line) => line,
                Err(error) => {
                    return Exchange::Broken(format!("cannot connect to {}: {error}", authority(to)));
                }
            },
        };
        match line.exchange(request.map(Full::from), &parked).await {
            Ok(head) => Exchange::Answered(head),
            Err(LineError::Unsent) => Exchange::Broken("the server closed the connection".to_owned()),
            Err(LineError::Broken(what)) => Exchange::Broken(what),
        }
    }

    fn parked(&self, to: &External) -> Arc<Parked<Stream>> {
        let mut places = self.places.lock();
        if places.len() >= PLACES_MAX {
            places.retain(|_, parked| parked.expire() > 0);
        }
        let key = (to.tls, to.host.clone(), to.port);
        if places.len() >= PLACES_MAX && !places.contains_key(&key) {
            return Arc::new(Parked::new(AGE_MAX));
        }
        Arc::clone(places.entry(key).or_insert_with(|| Arc::new(Parked::new(AGE_MAX))))
    }

    async fn open(&self, targets: &Targets, to: &External) -> io::Result<Line<Stream>> {
        let stream = connect(targets, to).await?;
        let stream: Stream = if to.tls {
            let name = ServerName::try_from(to.host.clone()).map_err(io::Error::other)?;
            let tls = self.tls.get_or_try_init(certificates).await?;
            Box::new(timeout(CONNECT_TIMEOUT, tls.connect(name, stream)).await??)
        } else {
            Box::new(stream)
        };
        Line::open(stream).await.map_err(io::Error::other)
    }
}

/// As a `Host` header has it: without the scheme's own port.
pub(super) fn authority(to: &External) -> String {
    let host = if to.host.contains(':') { format!("[{}]", to.host) } else { to.host.clone() };
    let usual = if to.tls { 443 } else { 80 };
    if to.port == usual { host } else { format!("{host}:{}", to.port) }
}

/// To the first address that may be reached and answers. Every address is checked, whatever the name says: its owner
/// may point it anywhere.
async fn connect(targets: &Targets, to: &External) -> io::Result<TcpStream> {
    let found = timeout(CONNECT_TIMEOUT, lookup_host((to.host.as_str(), to.port))).await??;
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in found.take(ADDRESSES_MAX) {
        match reach(targets, address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn reach(targets: &Targets, address: SocketAddr) -> io::Result<TcpStream> {
    targets.check_address(address).map_err(io::Error::other)?;
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The system's, so that a company's own authority works.
async fn certificates() -> io::Result<TlsConnector> {
    let read = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(io::Error::other("this system has no certificates to check others by"));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    };
    tokio::task::spawn_blocking(read).await?
}
