//! Requests that this process itself makes of a service: they take the way of those that come in at the service's
//! listener, with its limits, metrics and traces, but no socket and no head is written and read in between.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response};
use tokio::time::Instant;

use super::respond::{Arrived, check_path, too_large};
use super::{Action, Phase, RouteState, Shared};
use crate::aftermath::{Driven, Sent};
use crate::body::{Body, Fault, Finish, RequestBody};
use crate::guards::visitor::Visitor;
use crate::headers;
use crate::io::Activity;
use crate::problem::{Code, Refusal};
use crate::proxy::{Outgoing, Upstream};
use crate::workers::CALLERS;

/// Who asks, as the service is told.
const ADDRESS: HeaderValue = HeaderValue::from_static("127.0.0.1");

/// All calls are made on one runtime, that of the connections they leave behind.
pub struct Calls {
    shared: Arc<Shared>,
    phase: Phase,
    /// Nobody waits for a client's bytes here.
    activity: Arc<Activity>,
}

impl Calls {
    pub(super) fn new(shared: Arc<Shared>, phase: Phase) -> Self {
        Self { shared, phase, activity: Activity::new() }
    }

    /// Has the service answer. The request names its `Host`; its target is a path. A refusal before delivery says so
    /// in `X-Mare-Refused`. At the end of the drain what is under way is cut.
    pub async fn call(&self, service: &str, mut request: Request<Bytes>) -> Response<Body> {
        // Held until the answer's head is there; as with a connection, its body is waited for by who reads it.
        let _under_way = self.phase.tasks.token();
        let started = Instant::now();
        let has_content = *request.method() != Method::HEAD;
        let arrived = Arrived::begin(request.headers(), true);
        arrived.tell(request.headers_mut());
        let (metrics, outcome) = match self.shared.services.get(service) {
            Some(RouteState { action: Action::Proxy(upstream), metrics, body_limit, .. }) => {
                (metrics, self.proxy(upstream, *body_limit, request).await)
            }
            Some(_) | None => {
                (&self.shared.unrouted, Err(Refusal::new(Code::NoRoute, "there is no such service")))
            }
        };
        let response = self.shared.answer(outcome, &arrived);
        let finish = Finish {
            metrics: Arc::clone(metrics),
            status: response.status(),
            started,
            activity: Arc::clone(&self.activity),
            // Objectives are about what comes in from outside.
            promised: None,
        };
        response.map(|body| body.finish(finish, has_content))
    }

    async fn proxy(
        &self,
        upstream: &Arc<Upstream>,
        body_limit: u64,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, Refusal> {
        if self.phase.stop.is_cancelled() {
            return Err(Refusal::new(Code::ShuttingDown, "no more requests are taken"));
        }
        check_path(request.uri().path())?;
        if request.body().len() as u64 > body_limit {
            return Err(too_large(body_limit));
        }
        let (parts, body) = request.into_parts();
        let mut map = parts.headers;
        headers::strip_hop_by_hop(&mut map);
        let host = map.get(header::HOST).cloned();
        headers::forward(&mut map, Visitor::near(IpAddr::V4(Ipv4Addr::LOCALHOST)), &ADDRESS, host);
        let sent = self.shared.cache.is_some().then(Sent::default);
        let outgoing = Outgoing {
            method: parts.method,
            uri: parts.uri,
            once: map.contains_key(headers::X_CLOUDTASKS_TASKNAME),
            headers: map,
            body: if body.is_empty() { RequestBody::Empty } else { RequestBody::Whole(body) },
            fault: Fault::default(),
            sent: sent.clone(),
            worker: CALLERS,
            session: None,
        };
        let cut = || Refusal::new(Code::UpstreamFailed, "the drain ended before the answer came");
        let (shared, upstream) = (Arc::clone(&self.shared), Arc::clone(upstream));
        let answer = async move { shared.proxied(upstream.proxy(outgoing).await).await };
        let answer = async {
            match sent {
                // An attempt given up at its deadline may still change something, and its answer says what.
                Some(sent) => Driven::new(answer, sent, self.shared.aftermath.clone()).await,
                None => answer.await,
            }
        };
        self.phase.cut.run_until_cancelled(answer).await.unwrap_or_else(|| Err(cut()))
    }
}
