//! One request to an upstream: get a slot, get a connection, send, and send again where that is harmless.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Extensions, Method, Response, StatusCode, Uri, Version};
use mare_fleet::{InstanceId, Lease, Pool, Refused};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::aftermath::Sent;
use crate::body::{Body, Fault, RequestBody, UpstreamBody};
use crate::guards::Session;
use crate::headers;
use crate::metrics::UpstreamMetrics;
use crate::problem::{Code, Refusal};
use crate::retry::{ATTEMPTS_MAX, Budget, is_repeatable};
use crate::upstream::{self, Connection, Head, Idle, Idles, SendError};

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

    /// Whether connecting failed with an instance that is passed over from now on, so that trying again ends.
    fn is_passed_over(&self, error: &io::Error) -> bool {
        matches!(self.at, At::Instance(_)) && is_of_the_other_side(error)
    }

    /// Tells whether a session moved here.
    pub(crate) fn note_move(&self, session: Option<Session>, answer: &mut Extensions) {
        if let (Some(session), At::Instance(lease)) = (session, &self.at)
            && session.instance != Some(lease.instance().id)
        {
            answer.insert(Moved(lease.instance().id));
        }
    }

    async fn connect(&self, deadline: Instant) -> io::Result<TcpStream> {
        match &self.at {
            At::Instance(lease) => upstream::connect(lease.instance().address, deadline).await,
            At::Origin(origin) => upstream::connect((origin.host.as_str(), origin.port), deadline).await,
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
    /// Never sent again once anything of it was sent: an attempt of a task, which has retries of its own.
    pub(crate) once: bool,
    /// Where somebody wants to know whether anything of it was sent.
    pub(crate) sent: Option<Sent>,
    /// The [`crate::workers`] index of the thread that serves it.
    pub(crate) worker: usize,
    /// If the client is to stay with an instance.
    pub(crate) session: Option<Session>,
}

/// With an answer to a request with a [`Session`]: it came from this instance, and not from the one before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved(pub(crate) InstanceId);

impl Outgoing {
    /// The same request once more, if it has no body.
    pub(crate) fn without_body(&self) -> Self {
        let Self { method, uri, headers, once, worker, session, .. } = self;
        Self {
            method: method.clone(),
            uri: uri.clone(),
            headers: headers.clone(),
            body: RequestBody::Empty,
            fault: Fault::default(),
            once: *once,
            sent: None,
            worker: *worker,
            session: *session,
        }
    }
}

impl Upstream {
    pub(crate) fn pool(&self) -> Option<Pool<Idles>> {
        match &self.place {
            Places::Service(pool) => Some(pool.clone()),
            Places::Origin(_) => None,
        }
    }

    pub(crate) async fn acquire(&self, worker: usize, session: Option<Session>) -> Result<Place, Refusal> {
        let preferred = session.and_then(|session| session.instance);
        let at = match &self.place {
            Places::Service(pool) => At::Instance(pool.acquire_preferring(preferred).await.map_err(refuse)?),
            Places::Origin(origin) => At::Origin(Arc::clone(origin)),
        };
        Ok(Place { at, worker })
    }

    /// Opens a socket; an instance that refuses is passed over for a while.
    pub(crate) async fn connect(&self, place: &Place, deadline: Instant) -> io::Result<TcpStream> {
        self.metrics.connects.inc();
        let opened = place.connect(deadline).await;
        if let (Err(error), At::Instance(lease), Places::Service(pool)) = (&opened, &place.at, &self.place)
            && is_of_the_other_side(error)
            // In what was left of the request's time it may just have had too little of it.
            && Instant::now() < deadline
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
        let Outgoing { method, uri, mut headers, body, fault, once, sent, worker, session } = outgoing;
        self.name_host(&mut headers);
        self.budget.deposit();
        // A broken attempt takes the body with it.
        let is_repeatable = !once && is_repeatable(&method, !matches!(body, RequestBody::Empty));
        let mut body = Some(body);
        // Counts from the first dispatch: attempts share it, the wait for an instance is not in it.
        let mut deadline = None;
        let mut attempt = 1;
        loop {
            let place = self.acquire(worker, session).await?;
            let may_retry = attempt < ATTEMPTS_MAX;
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.timeout);
            let mut connection = match self.checkout(&place, attempt, deadline).await {
                Ok(connection) => connection,
                Err(_) if deadline <= Instant::now() => return Err(self.too_late()),
                Err(error) if (may_retry || place.is_passed_over(&error)) && self.budget.withdraw() => {
                    tracing::debug!(%error, attempt, "connecting to upstream failed, trying again");
                    self.metrics.retries.inc();
                    // However many instances are gone at once, the request finds the one that is not.
                    attempt += u32::from(!place.is_passed_over(&error));
                    continue;
                }
                Err(error) => {
                    tracing::debug!(%error, attempt, "connecting to upstream failed");
                    return Err(Refusal::new(Code::UpstreamUnreachable, "the service accepts no connection"));
                }
            };
            let request = (&method, &uri, &headers);
            if let Some(sent) = &sent {
                sent.note();
            }
            let content = body.take().unwrap_or(RequestBody::Empty);
            let (failure, again) = match connection.send(request, content, deadline).await {
                Ok(mut head) if head.parts.status != StatusCode::SWITCHING_PROTOCOLS => {
                    place.note_move(session, &mut head.parts.extensions);
                    return Ok(respond(head, connection, place));
                }
                // Nobody asked for another protocol here.
                Ok(_) => {
                    return Err(Refusal::new(Code::UpstreamFailed, "the service's answer makes no sense"));
                }
                Err(SendError::Timeout) => return Err(self.too_late()),
                Err(SendError::Unsent(body)) => (None, Some(body)),
                Err(SendError::Broken(error)) => (Some(error), is_repeatable.then_some(RequestBody::Empty)),
            };
            if let (Some(sent), Some(_)) = (&sent, &failure) {
                sent.lose();
            }
            if let Some(code) = fault.code() {
                return Err(Refusal::new(code, "the request body broke off, or met a limit of this route"));
            }
            tracing::debug!(error = ?failure, attempt, reused = connection.is_reused, "upstream broke off");
            // A parked connection that its owner closed says nothing about the service: not from the budget.
            let stale = connection.is_reused && attempt == 1;
            body = match again {
                Some(again) if may_retry && (stale || self.budget.withdraw()) => Some(again),
                _ => return Err(Refusal::new(Code::UpstreamFailed, "the service closed the connection")),
            };
            self.metrics.retries.inc();
            attempt += 1;
        }
    }

    pub(crate) fn too_late(&self) -> Refusal {
        Refusal::new(Code::UpstreamTimeout, format!("no answer within {:?}", self.timeout))
    }

    /// A parked connection for the first attempt only: what broke that one may have broken all of them.
    async fn checkout(&self, place: &Place, attempt: u32, deadline: Instant) -> io::Result<Box<Connection>> {
        let parked = if attempt == 1 { place.idle().checkout() } else { None };
        match parked {
            Some(connection) => Ok(connection),
            None => Ok(Connection::new(self.connect(place, deadline).await?)),
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

fn respond(head: Head, connection: Box<Connection>, place: Place) -> Response<Body> {
    let Head { mut parts, remaining, .. } = head;
    headers::strip_hop_by_hop(&mut parts.headers);
    // A proxy speaks its own version, whatever the server behind it does (RFC 9110 2.5).
    parts.version = Version::HTTP_11;
    Response::from_parts(parts, UpstreamBody::new(remaining, connection, place).into())
}

fn refuse(refused: Refused) -> Refusal {
    match refused {
        Refused::Full => Refusal::new(Code::Overloaded, "the waiting line is full").retry_after(1),
        Refused::Deadline => Refusal::new(Code::NoInstance, "no instance had room in time").retry_after(5),
        Refused::Failing { retry_after } => {
            Refusal::new(Code::ServiceFailing, "its instances do not become ready")
                .retry_after(retry_after.as_secs().max(1))
        }
        Refused::Closed => Refusal::new(Code::ShuttingDown, "try another server").retry_after(1),
    }
}
