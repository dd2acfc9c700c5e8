//! One attempt: the HTTP request a task makes, and what became of it.
//!
//! Services are reached through the gateway, so that a task wakes a service at zero and is counted, limited and traced
//! like any other request. Servers outside are reached directly, after every address was checked. Connections are kept
//! and driven by the attempt that uses them: no task per connection, no hand-over between threads.
//!
//! A redirect is not followed: like every answer but 2xx it is a failed attempt. (Cloud Tasks' pages say it may be
//! followed; recordings of it show a failed attempt.)

mod line;
mod outside;
mod request;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use crate::api::BoxError;
use crate::identity::Identity;
use crate::model::{Answer, Outcome, Target};
use crate::store::{End, Leased};
use crate::targets::{Place, Targets};
use outside::Outside;
use request::Route;

/// Has a service of this name answer. `Host` is the address of its listener, the target a path. Whoever answers for a
/// service that was not reached puts [`REFUSED`] on it.
pub type Call = Arc<dyn Fn(Arc<str>, Request<Bytes>) -> Answering + Send + Sync>;

pub type Answering = Pin<Box<dyn Future<Output = Response<UnsyncBoxBody<Bytes, BoxError>>> + Send>>;

/// Put on the gateway's refusals before delivery, to services and us only; its value is the problem's code.
const REFUSED: &str = "x-mare-refused";

/// `Retry-After` beyond this is taken for it.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// After a refusal that does not say when to come again.
const REFUSED_WAIT: Duration = Duration::from_secs(1);

/// When no token can be made, which needs an operator.
const NO_TOKEN_WAIT: Duration = Duration::from_secs(10);

/// Where requests go, and the ways that lead there.
pub(crate) struct Sender {
    targets: Targets,
    /// The `Host` of each.
    services: HashMap<Arc<str>, HeaderValue>,
    call: Call,
    outside: Outside,
    identity: Arc<Identity>,
}

/// What an exchange came to.
enum Exchange {
    Answered(http::response::Parts),
    /// No connection, or none that answered.
    Broken(String),
    /// It never reached the service.
    Refused(Duration),
}

impl Sender {
    pub(crate) fn new(
        targets: Targets,
        services: Vec<(Arc<str>, SocketAddr)>,
        call: Call,
        identity: Arc<Identity>,
    ) -> Self {
        let host = |address: SocketAddr| {
            HeaderValue::from_str(&address.to_string()).expect("an address is visible ASCII")
        };
        let services = services.into_iter().map(|(name, address)| (name, host(address))).collect();
        Self { targets, services, call, outside: Outside::default(), identity }
    }

    /// Makes the attempt; returns within the task's deadline. `target` is the queue's.
    pub(crate) async fn attempt(&self, leased: &Leased, target: Option<&Target>) -> End {
        let deadline = Instant::now() + leased.task.spec.dispatch_deadline;
        let answer = match timeout_at(deadline, self.exchange(leased, target)).await {
            Ok(Exchange::Refused(wait)) => return End::NotDelivered { wait },
            Ok(Exchange::Broken(what)) => Answer::Broken(what),
            Ok(Exchange::Answered(head)) => {
                Answer::Status { status: head.status.as_u16(), retry_after: retry_after(&head.headers) }
            }
            Err(_elapsed) => Answer::Deadline,
        };
        End::Attempted(Outcome { at: Timestamp::now(), answer })
    }

    async fn exchange(&self, leased: &Leased, target: Option<&Target>) -> Exchange {
        let route = match Route::of(&leased.task.spec.request, target) {
            Ok(route) => route,
            Err(wrong) => return Exchange::Broken(wrong),
        };
        let token = match self.identity.authorization(route.request.token.as_ref(), &route.url).await {
            Ok(token) => token,
            Err(error) => {
                tracing::error!(%error, task = %leased.task.name, "no identity token can be made");
                return Exchange::Refused(NO_TOKEN_WAIT);
            }
        };
        let (place, path) = match self.targets.classify(&route.url) {
            Place::Service { name, path_and_query } => (Ok(name), path_and_query),
            Place::External(external) => (Err(external.clone()), external.path_and_query),
            Place::Refused(refusal) => return Exchange::Broken(refusal.to_string()),
        };
        let Some(mut request) = request::build(leased, &route.request, &path, token) else {
            return Exchange::Broken("the URL or the method cannot be sent".to_owned());
        };
        match place {
            Ok(name) => match self.services.get(&name) {
                Some(host) => {
                    request.headers_mut().insert(HOST, host.clone());
                    self.call(name, request).await
                }
                None => Exchange::Broken(format!("the manifest has no service `{name}`")),
            },
            Err(external) => {
                let Ok(host) = HeaderValue::from_str(&outside::authority(&external)) else {
                    return Exchange::Broken("the URL's host cannot be sent".to_owned());
                };
                request.headers_mut().insert(HOST, host);
                self.outside.exchange(&self.targets, &external, request).await
            }
        }
    }

    async fn call(&self, service: Arc<str>, request: Request<Bytes>) -> Exchange {
        let (head, body) = (self.call)(service, request).await.into_parts();
        if head.headers.contains_key(REFUSED) {
            return Exchange::Refused(retry_after(&head.headers).unwrap_or(REFUSED_WAIT));
        }
        // The status is there, so whatever becomes of the body the attempt has its outcome.
        line::read(body).await;
        Exchange::Answered(head)
    }
}

/// Seconds, or a date (RFC 9110 10.2.3), which counts from now.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_no_number) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default()
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod worker;
