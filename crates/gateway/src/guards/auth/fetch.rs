//! Asks an issuer for its key set: one GET, over a connection of its own.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::uri::{PathAndQuery, Scheme};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use mare_fleet::{Lease, Pool, Refused};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::upstream::Idles;

/// For one exchange, from the name's lookup to the end of the answer.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(5);

/// A hundred keys of 4096 bits.
pub(super) const DOCUMENT_MAX: usize = 128 * 1024;

/// Between two looks whether a busy service has a slot.
const SLOT_PAUSE: Duration = Duration::from_millis(50);

/// Where key sets come from.
pub(super) enum Source {
    Url(Place),
    /// A service of this platform, and its path.
    Service {
        pool: Pool<Idles>,
        path: PathAndQuery,
    },
}

pub(super) struct Place {
    is_tls: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// As a `Host` header has it.
    authority: String,
    path: PathAndQuery,
    /// Read when it is first needed: a system may have none.
    tls: OnceCell<TlsConnector>,
}

/// Whether a service may be started for its keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Start {
    Never,
    IfNeeded,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// It is scaled to zero, and stays so.
    #[error("the service sleeps")]
    Asleep,
    #[error("the service has no instance for it: {0}")]
    NoInstance(#[from] Refused),
    #[error("cannot connect: {0}")]
    Connect(#[from] io::Error),
    #[error("the connection broke off: {0}")]
    Broken(#[from] hyper::Error),
    #[error("the answer is {0}")]
    Status(StatusCode),
    #[error("the answer has more than {DOCUMENT_MAX} bytes, or broke off")]
    Body,
    #[error("no answer within {EXCHANGE_TIMEOUT:?}")]
    Timeout,
}

impl Place {
    /// `None` if `url` is not an `http` or `https` URL.
    pub(super) fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let is_tls = *uri.scheme()? == Scheme::HTTPS;
        if !is_tls && *uri.scheme()? != Scheme::HTTP {
            return None;
        }
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        Some(Self {
            is_tls,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")),
            tls: OnceCell::new(),
        })
    }

    async fn get(&self) -> Result<Bytes, FetchError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        if !self.is_tls {
            return get(stream, &self.authority, &self.path).await;
        }
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let tls = self.tls.get_or_try_init(certificates).await?;
        get(tls.connect(name, stream).await?, &self.authority, &self.path).await
    }
}

impl Source {
    /// The document as it is now. How long a service may take to start is its own affair (`scale.wait`); all else has
    /// [`EXCHANGE_TIMEOUT`].
    pub(super) async fn get(&self, start: Start) -> Result<Bytes, FetchError> {
        match self {
            Self::Url(place) => in_time(place.get()).await,
            Self::Service { pool, path } => {
                let lease = match start {
                    Start::Never => in_time(free_slot(pool)).await?,
                    Start::IfNeeded => pool.acquire().await?,
                };
                in_time(async {
                    let stream = TcpStream::connect(lease.instance().address).await?;
                    get(stream, pool.service(), path).await
                })
                .await
            }
        }
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, FetchError>>) -> Result<T, FetchError> {
    timeout(EXCHANGE_TIMEOUT, work).await.unwrap_or(Err(FetchError::Timeout))
}

/// A slot of a service that runs, without being counted as a request for it.
async fn free_slot(pool: &Pool<Idles>) -> Result<Lease<Idles>, FetchError> {
    loop {
        if let Some(lease) = pool.try_acquire_unnoticed() {
            return Ok(lease);
        }
        if pool.occupancy() == (0, 0) {
            return Err(FetchError::Asleep);
        }
        sleep(SLOT_PAUSE).await;
    }
}

async fn get(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    authority: &str,
    path: &PathAndQuery,
) -> Result<Bytes, FetchError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path.as_str())
        .header(HOST, authority)
        .header(USER_AGENT, "mare")
        .header(ACCEPT, "application/jwk-set+json, application/json")
        .body(Empty::<Bytes>::new())
        .expect("each part was checked when it was read");
    let exchange = async {
        let answer = sender.send_request(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        let body = Limited::new(answer.into_body(), DOCUMENT_MAX).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|_too_long_or_broken| FetchError::Body)
    };
    let (mut exchange, mut connection) = (std::pin::pin!(exchange), std::pin::pin!(connection));
    tokio::select! {
        answer = &mut exchange => answer,
        // All of the answer may be there already.
        _ended = &mut connection => exchange.await,
    }
}

/// The system's, so that a company's own authority works.
async fn certificates() -> io::Result<TlsConnector> {
    let read = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(io::Error::other("this system has no certificates to check others by"));
        }
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    };
    tokio::task::spawn_blocking(read).await?
}
