//! One request to an upstream: get a slot, get a connection, send, and send again where that is harmless.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use mare_fleet::{Lease, Pool, Refused};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::body::{Body, Fault, RequestBody, UpstreamBody};
use crate::headers;
use crate::metrics::UpstreamMetrics;
use crate::problem::{Code, Refusal};
use crate::retry::{ATTEMPTS_MAX, Budget, is_repeatable};
use crate::upstream::{self, Connection, Idle, Idles, SendError};

/// Where requests of a route go.
pub(crate) struct Upstream {
    pub(crate) place: Places,
    /// Longest request, from dispatch to the end of the answer.
    pub(crate) timeout: Duration,
    pub(crate) budget: Budget,
    pub(crate) metrics: UpstreamMetrics,
}

pub(crate) enum Places {
    Service(Pool<Idles>),
    Origin(Arc<Origin>),
}

/// A server outside the platform.
pub(crate) struct Origin {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Its own `Host` header.
    pub(crate) authority: HeaderValue,
    pub(crate) idle: Idles,
}

/// Where one attempt goes; holds the slot, if there are slots.
pub(crate) struct Place {
    at: At,
    /// Whose connections it may use.
    worker: usize,
}

enum At {
    Instance(Lease<Idles>),
    Origin(Arc<Origin>),
}

impl Place {
    pub(crate) fn idle(&self) -> &Idle {
        match &self.at {
            At::Instance(lease) => lease.instance().connections.of(self.worker),
            At::Origin(origin) => origin.idle.of(self.worker),
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        match &self.at {
            At::Instance(lease) => upstream::connect(lease.instance().address).await,
            At::Origin(origin) => upstream::connect((origin.host.as_str(), origin.port)).await,
        }
    }
}

/// A request as it will be sent, ready to be sent more than once.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    /// Origin form.
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RequestBody,
    pub(crate) fault: Fault,
    /// The [`crate::workers`] index of the thread that serves it.
    pub(crate) worker: usize,
}

impl Upstream {
    pub(crate) async fn acquire(&self, worker: usize) -> Result<Place, Refusal> {
        let at = match &self.place {
            Places::Service(pool) => At::Instance(pool.acquire().await.map_err(refuse)?),
            Places::Origin(origin) => At::Origin(Arc::clone(origin)),
        };
        Ok(Place { at, worker })
    }

    /// Opens a socket; an instance that refuses is passed over for a while.
    pub(crate) async fn connect(&self, place: &Place) -> io::Result<TcpStream> {
        self.metrics.connects.inc();
        let opened = place.connect().await;
        if let (Err(error), At::Instance(lease), Places::Service(pool)) = (&opened, &place.at, &self.place)
            && is_of_the_other_side(error)
        {
            pool.eject(lease.instance().id);
        }
        opened
    }

    /// A server outside the platform goes by its own name, a service by the one it was asked for.
    pub(crate) fn name_host(&self, headers: &mut HeaderMap) {
        if let Places::Origin(origin) = &self.place {
            headers.insert(header::HOST, origin.authority.clone());
        }
    }

    pub(crate) async fn proxy(&self, outgoing: Outgoing) -> Result<Response<Body>, Refusal> {
        let Outgoing { method, uri, mut headers, body, fault, worker } = outgoing;
        self.name_host(&mut headers);
        self.budget.deposit();
        let has_body = matches!(body, RequestBody::Stream(_));
        // What a broken attempt would take with it; a request that is not repeatable needs no copy.
        let copy = is_repeatable(&method, has_body).then(|| (method.clone(), uri.clone(), headers.clone()));
        let mut request = build(method, uri, headers, body);
        // Counts from the first dispatch: attempts share it, the wait for an instance is not in it.
        let mut deadline = None;
        for attempt in 1.. {
            let place = self.acquire(worker).await?;
            let may_retry = attempt < ATTEMPTS_MAX;
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.timeout);
            let mut connection = match self.checkout(&place).await {
                Ok(connection) => connection,
                Err(error) if may_retry && self.budget.withdraw() => {
                    tracing::debug!(%error, attempt, "connecting to upstream failed, trying again");
                    self.metrics.retries.inc();
                    continue;
                }
                Err(error) => {
                    tracing::debug!(%error, attempt, "connecting to upstream failed");
                    return Err(Refusal::new(Code::UpstreamUnreachable, "the service accepts no connection"));
                }
            };
            let (failure, again) = match connection.send(request, deadline).await {
                Ok(response) if is_passable(&response) => {
                    return Ok(respond(response, connection, place).await);
                }
                Ok(_) => {
                    return Err(Refusal::new(Code::UpstreamFailed, "the service's answer makes no sense"));
                }
                Err(SendError::Timeout) => {
                    let detail = format!("no answer within {:?}", self.timeout);
                    return Err(Refusal::new(Code::UpstreamTimeout, detail));
                }
                Err(SendError::Unsent(request)) => (None, Some(*request)),
                Err(SendError::Broken(error)) => {
                    let again = copy
                        .clone()
                        .map(|(method, uri, headers)| build(method, uri, headers, RequestBody::Empty));
                    (Some(error), again)
                }
            };
            if let Some(code) = fault.code() {
                return Err(Refusal::new(code, "the request body broke off, or met a limit of this route"));
            }
            tracing::debug!(error = ?failure, attempt, reused = connection.is_reused, "upstream broke off");
            // A parked connection that its owner closed says nothing about the service: not from the budget.
            let stale = connection.is_reused && attempt == 1;
            request = match again {
                Some(again) if may_retry && (stale || self.budget.withdraw()) => again,
                _ => return Err(Refusal::new(Code::UpstreamFailed, "the service closed the connection")),
            };
            self.metrics.retries.inc();
        }
        unreachable!("the last attempt returns")
    }

    async fn checkout(&self, place: &Place) -> io::Result<Connection> {
        match poll_fn(|context| Poll::Ready(place.idle().checkout(context))).await {
            Some(connection) => Ok(connection),
            None => Connection::open(self.connect(place).await?).await,
        }
    }
}

/// Without files or ports left on our side every instance would look dead, and all requests would wait.
fn is_of_the_other_side(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::TimedOut
    )
}

fn build(method: Method, uri: Uri, headers: HeaderMap, body: RequestBody) -> Request<RequestBody> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = headers;
    request
}

/// Nobody asked for another protocol here, and a coding that cannot be passed on must not get lost.
fn is_passable(response: &Response<Incoming>) -> bool {
    response.status() != StatusCode::SWITCHING_PROTOCOLS && headers::is_plainly_coded(response.headers())
}

async fn respond(response: Response<Incoming>, connection: Connection, place: Place) -> Response<Body> {
    let (mut parts, incoming) = response.into_parts();
    headers::strip_hop_by_hop(&mut parts.headers);
    // A proxy speaks its own version, whatever the server behind it does (RFC 9110 2.5).
    parts.version = Version::HTTP_11;
    let mut held = Some((incoming, connection, place));
    let body = poll_fn(|context| {
        let (incoming, connection, place) = held.take().expect("ready at the first poll");
        Poll::Ready(UpstreamBody::new(incoming, connection, place, context))
    });
    Response::from_parts(parts, body.await.into())
}

fn refuse(refused: Refused) -> Refusal {
    match refused {
        Refused::Full => Refusal::new(Code::Overloaded, "the waiting line is full").retry_after(1),
        Refused::Deadline => Refusal::new(Code::NoInstance, "no instance had room in time").retry_after(5),
        Refused::Failing { retry_after } => {
            Refusal::new(Code::ServiceFailing, "its instances end soon after they start")
                .retry_after(retry_after.as_secs().max(1))
        }
        Refused::Closed => Refusal::new(Code::ShuttingDown, "try another server").retry_after(1),
    }
}
