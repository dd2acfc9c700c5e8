//! One request: check it, find who answers, and see that it is answered.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{PathAndQuery, Scheme};
use http::{Method, Request, Response, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use mare_cache::policy;
use mare_cache::{Cache, Look};
use mare_manifest::model::guard::Network;
use tokio::time::Instant;

use super::{Action, Open, RouteState, Shared};
use crate::access::without_port;
use crate::aftermath::{Driven, Sent};
use crate::body::{Body, Fault, Finish, Inbound, RequestBody};
use crate::cached::{self, Change, Missed};
use crate::files::Missing;
use crate::guards::auth::Claimant;
use crate::guards::visitor::Visitor;
use crate::guards::{Asked, Doubt, Guards, Notes, Verdict, method_after_preflight};
use crate::headers;
use crate::io::Activity;
use crate::listener::Role;
use crate::metrics::RouteMetrics;
use crate::problem::{Code, Form, Refusal};
use crate::proxy::{Outgoing, Upstream};
use crate::router::{self, Match};
use crate::trace::{self, Names};
use crate::upgrade::{self, Wish};

/// Headers a request gains on its way: trace, request id, three of forwarding, `Via`, `Host`.
const HEADERS_ADDED: usize = 7;

static HTTP: Scheme = Scheme::HTTP;
static HTTPS: Scheme = Scheme::HTTPS;

/// What all requests of one connection share.
pub(super) struct Client {
    /// Here, so that a request counts references on its own connection only and not on what all workers share.
    pub(super) gateway: Arc<Shared>,
    pub(super) peer: IpAddr,
    /// The same, for services.
    pub(super) address: HeaderValue,
    /// What it says about whom it asks for is believed.
    pub(super) is_trusted: bool,
    pub(super) activity: Arc<Activity>,
    pub(super) role: Arc<Role>,
    /// The thread that serves this connection.
    pub(super) worker: usize,
    pub(super) open: Arc<Open>,
}

/// Who answers a request.
enum Way<'a> {
    Proxy(&'a Upstream, Outgoing),
    /// Boxed: hyper moves a request's whole future, and the rarer ways would make it larger for all.
    Other(Pin<Box<dyn Future<Output = Result<Response<Body>, Refusal>> + Send + 'a>>),
    /// The gateway itself.
    Answer(Response<Body>),
}

/// Why nobody is asked, or not yet.
enum Stop<'a> {
    Refused(Refusal),
    /// Boxed, because it is rare.
    Unsure(Box<(Doubt, &'a Guards, Admitted<'a>)>),
}

impl From<Refusal> for Stop<'_> {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

/// A request that has its route.
struct Admitted<'a> {
    route: &'a RouteState,
    request: Request<Incoming>,
    names: &'a Names,
    authority: Option<HeaderValue>,
    visitor: Visitor,
    /// Who asks, if the guards know.
    claimant: Option<Arc<Claimant>>,
}

/// What is to be said of a request: where it is counted, and what its answer owes to guards.
struct Measured<'a> {
    metrics: &'a Arc<RouteMetrics>,
    /// The bits of the objectives it is meant by.
    promised: u64,
    guards: Option<&'a Guards>,
    notes: Notes,
    started: Instant,
}

/// What of a request its answer depends on.
pub(super) struct Arrived {
    names: Names,
    form: Form,
    /// By a service or the platform, not by the world.
    is_inner: bool,
}

impl Arrived {
    /// Puts the request's names into one that is passed on.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        headers.reserve(HEADERS_ADDED);
        self.names.tell(headers);
    }

    pub(super) fn begin(headers: &HeaderMap, is_inner: bool) -> Self {
        Self { names: Names::of(headers), form: Form::wanted_by(headers), is_inner }
    }
}

impl Shared {
    pub(super) async fn respond(&self, request: Request<Incoming>, client: &Client) -> Response<Body> {
        let started = Instant::now();
        client.activity.begin(request.body());
        let is_inner = matches!(*client.role, Role::Service { .. });
        let has_content = *request.method() != Method::HEAD;
        let arrived = Arrived::begin(request.headers(), is_inner);
        let (metrics, notes) = (&self.unrouted, Notes::default());
        let mut measured = Measured { metrics, promised: 0, guards: None, notes, started };
        let outcome = match self.direct(request, client, &mut measured, &arrived.names) {
            Ok(Way::Proxy(upstream, outgoing)) => self.proxied(upstream.proxy(outgoing).await).await,
            Ok(Way::Other(answer)) => self.proxied(answer.await).await,
            Ok(Way::Answer(response)) => Ok(response),
            Err(Stop::Unsure(unsure)) => Box::pin(self.settle(unsure, client, &mut measured)).await,
            Err(Stop::Refused(refusal)) => Err(refusal),
        };
        if outcome.as_ref().is_err_and(|refusal| refusal.code.is_of_client()) {
            measured.promised = 0;
        }
        let mut response = self.answer(outcome, &arrived);
        if let Some(guards) = measured.guards {
            guards.dress(&mut response, measured.notes);
        }
        let finish = Finish {
            metrics: Arc::clone(measured.metrics),
            status: response.status(),
            started,
            activity: Arc::clone(&client.activity),
            promised: self.objectives.begin(measured.promised, client.worker),
        };
        response.map(|body| body.finish(finish, has_content))
    }

    /// The answer as it leaves.
    pub(super) fn answer(
        &self,
        outcome: Result<Response<Body>, Refusal>,
        arrived: &Arrived,
    ) -> Response<Body> {
        let &Arrived { ref names, form, is_inner } = arrived;
        let mut response = match outcome {
            Ok(mut response) => {
                if is_inner {
                    response.headers_mut().remove(headers::X_MARE_REFUSED);
                }
                response
            }
            Err(refusal) => {
                self.metrics.refused(refusal.code);
                let request_id = names.request_id.to_str().unwrap_or_default();
                tracing::debug!(code = refusal.code.as_str(), detail = %refusal.detail, request_id, "refused");
                let mut response = refusal.respond(form, request_id);
                if is_inner && refusal.code.is_before_delivery() {
                    let code = HeaderValue::from_static(refusal.code.as_str());
                    response.headers_mut().insert(headers::X_MARE_REFUSED, code);
                }
                response.map(Body::from)
            }
        };
        response.headers_mut().insert(trace::X_REQUEST_ID, names.request_id.clone());
        response
    }

    /// Goes on when what the guards had to ask elsewhere is answered.
    async fn settle<'a>(
        &'a self,
        unsure: Box<(Doubt, &'a Guards, Admitted<'a>)>,
        client: &'a Client,
        measured: &mut Measured<'a>,
    ) -> Result<Response<Body>, Refusal> {
        let (mut doubt, guards, mut admitted) = *unsure;
        loop {
            let settled = doubt.settle().await?;
            let asked = admitted.asked(client, measured.started);
            match guards.go_on(&asked, settled, &mut measured.notes)? {
                Verdict::Admitted(claimant) => {
                    admitted.claimant = claimant;
                    break;
                }
                Verdict::Answered(response) => return Ok(response.map(Body::from)),
                Verdict::Unsure(next) => doubt = next,
            }
        }
        match self.pass(admitted, client)? {
            Way::Proxy(upstream, outgoing) => self.proxied(upstream.proxy(outgoing).await).await,
            Way::Other(answer) => self.proxied(answer.await).await,
            Way::Answer(response) => Ok(response),
        }
    }

    /// Does what an answer wants done before its client sees it, and takes the wish out of it.
    pub(super) async fn proxied(
        &self,
        mut outcome: Result<Response<Body>, Refusal>,
    ) -> Result<Response<Body>, Refusal> {
        if let Ok(answer) = &mut outcome {
            if let Some(cache) = &self.cache
                && let Some(purge) = cached::named(cache, answer)
            {
                Box::pin(cache.purge(purge)).await;
            }
            policy::strip(answer.headers_mut());
        }
        outcome
    }

    /// Finds who answers. Not async, so that nothing of it stays in the request's future.
    fn direct<'a>(
        &'a self,
        mut request: Request<Incoming>,
        client: &'a Client,
        measured: &mut Measured<'a>,
        names: &'a Names,
    ) -> Result<Way<'a>, Stop<'a>> {
        let authority = take_authority(&mut request)?;
        let host = host_of(authority.as_ref());
        check_path(request.uri().path())?;
        tracing::debug!(method = %request.method(), path = request.uri().path(), host,
            trace_id = names.trace_id.to_str().unwrap_or_default(), "request");
        let route = match &*client.role {
            Role::Public => {
                headers::strip_reserved(request.headers_mut(), client.is_trusted);
                match self.find(host, &request)? {
                    Match::Route(index) => {
                        let route = &self.routes[index];
                        measured.promised = route.promised.matching(request.method(), request.uri().path());
                        route
                    }
                    Match::OtherMethods(allow) => {
                        let refusal = Refusal::new(Code::MethodNotAllowed, "other methods are");
                        return Err(refusal.allow(allow).into());
                    }
                    Match::Nothing => {
                        return Err(Refusal::new(Code::NoRoute, "no route of the manifest fits").into());
                    }
                }
            }
            Role::Service { name, access } => {
                access.check(host, request.uri().path(), request.headers())?;
                self.services.get(name).ok_or_else(|| Refusal::new(Code::NoRoute, "the service is gone"))?
            }
            Role::Mounts { mounts, access } => {
                access.check(host, request.uri().path(), request.headers())?;
                measured.metrics = &self.mounted;
                let path = request.uri().path();
                let mount = mounts.iter().find(|mount| mount.takes(path));
                let mount = mount.ok_or_else(|| Refusal::new(Code::NoRoute, "nothing is mounted here"))?;
                if !mount.takes_all_methods && !matches!(*request.method(), Method::GET | Method::HEAD) {
                    return Err(only_read("this address is read only").into());
                }
                names.tell(request.headers_mut());
                let answer = (mount.handler)(request);
                return Ok(Way::Other(Box::pin(async { Ok(answer.await.map(Body::from)) })));
            }
        };
        measured.metrics = &route.metrics;
        let visitor = client.visitor(&self.trusted, request.headers());
        let mut admitted = Admitted { route, request, names, authority, visitor, claimant: None };
        if let Some(guards) = &route.guards {
            measured.guards = Some(guards);
            let asked = admitted.asked(client, measured.started);
            match guards.admit(&asked, &mut measured.notes)? {
                Verdict::Admitted(claimant) => admitted.claimant = claimant,
                Verdict::Answered(response) => return Ok(Way::Answer(response.map(Body::from))),
                Verdict::Unsure(doubt) => return Err(Stop::Unsure(Box::new((doubt, guards, admitted)))),
            }
        }
        Ok(self.pass(admitted, client)?)
    }

    /// The route of a request; for a preflight, the one of the request that is to follow, if that has CORS.
    fn find(&self, host: &str, request: &Request<Incoming>) -> Result<Match, Refusal> {
        let path = request.uri().path();
        if let Some(method) = method_after_preflight(request.method(), request.headers())
            && let Match::Route(index) = self.router.find(host, &method, path)
            && self.routes[index].guards.as_ref().is_some_and(|guards| guards.answers_preflights())
        {
            return Ok(Match::Route(index));
        }
        let found = self.router.find(host, request.method(), path);
        if self.router.is_misled(&found, host, request.method(), path) {
            return Err(Refusal::new(Code::BadRequest, "the path, decoded, is one of another route"));
        }
        Ok(found)
    }

    /// Brings a request that passed all guards to who answers it.
    fn pass<'a>(&'a self, admitted: Admitted<'a>, client: &'a Client) -> Result<Way<'a>, Refusal> {
        let route = admitted.route;
        match &route.action {
            Action::Files { folder, pattern } => Ok(Way::Other(Box::pin(async move {
                let request = &admitted.request;
                let path = router::below(pattern, request.uri().path());
                let answer = folder.respond(request.method(), path, request.headers()).await;
                answer.map(|response| response.map(Body::from)).map_err(refuse_file)
            }))),
            Action::Proxy(upstream) => {
                // Here every guard let the request pass, and nothing of it was sent anywhere yet.
                let look = match admitted.look() {
                    Some(Look::Answer(answer)) => return Ok(Way::Answer(answer.map(Body::from))),
                    other => other,
                };
                let change = self.cache.as_ref().and_then(|cache| admitted.change(cache));
                let (outgoing, upgrade) = self.outgoing(admitted, client)?;
                if let Some(wish) = upgrade {
                    let answer = upgrade::proxy(upstream, outgoing, wish, &self.tunnels);
                    return Ok(Way::Other(match change {
                        // The service may decline the wish, and do what was asked all the same.
                        Some(change) => {
                            Box::pin(async { change.conclude(answer.await, &Sent::noted()).await })
                        }
                        None => Box::pin(answer),
                    }));
                }
                Ok(match (look.zip(self.cache.as_ref()), change) {
                    (Some((look, cache)), _) => self.miss(look, cache, upstream, outgoing),
                    (None, Some(change)) => self.change(change, upstream, outgoing),
                    (None, None) => Way::Proxy(upstream, outgoing),
                })
            }
        }
    }

    fn miss(&self, look: Look, cache: &Cache, upstream: &Arc<Upstream>, outgoing: Outgoing) -> Way<'static> {
        let (cache, upstream, aftermath) = (cache.clone(), Arc::clone(upstream), self.aftermath.clone());
        let missed = Missed { cache, upstream, outgoing, aftermath };
        match look {
            Look::Answer(answer) => Way::Answer(answer.map(Body::from)),
            Look::Stale(answer, ask) => {
                missed.refresh(ask);
                Way::Answer(answer.map(Body::from))
            }
            Look::Ask(ask) => Way::Other(Box::pin(missed.answer(ask))),
            Look::Pass(bypass) => Way::Other(Box::pin(missed.pass(bypass))),
        }
    }

    /// Once sent, it goes on even if its client leaves.
    fn change(&self, change: Change, upstream: &Arc<Upstream>, mut outgoing: Outgoing) -> Way<'static> {
        let sent = Sent::default();
        outgoing.sent = Some(sent.clone());
        let answer = change.answer(Arc::clone(upstream), outgoing);
        Way::Other(Box::pin(Driven::new(answer, sent, self.aftermath.clone())))
    }

    /// The request as the upstream gets it, and the client's side of a tunnel if it asks for one.
    fn outgoing(&self, admitted: Admitted<'_>, client: &Client) -> Result<(Outgoing, Option<Wish>), Refusal> {
        let Admitted { route, mut request, names, authority, visitor, claimant } = admitted;
        if request.body().size_hint().lower() > route.body_limit {
            return Err(too_large(route.body_limit));
        }
        if !headers::is_plainly_coded(request.headers()) {
            return Err(Refusal::new(Code::BadRequest, "the only transfer coding taken is chunked"));
        }
        // A server may ignore the wish, and must in HTTP/1.0. One with a body would mix it with the tunnel's bytes.
        let may_upgrade = request.version() == Version::HTTP_11 && request.body().is_end_stream();
        let upgrade = (may_upgrade && headers::wants_upgrade(request.headers()))
            .then(|| request.headers().get(header::UPGRADE).cloned())
            .flatten()
            .map(|protocol| {
                let client_side = hyper::upgrade::on(&mut request);
                Wish { protocol, client: client_side, open: Arc::clone(&client.open) }
            });
        let (parts, incoming) = request.into_parts();
        let mut map = parts.headers;
        // Once for all that is added; growing by one would rehash the map again and again.
        map.reserve(HEADERS_ADDED);
        headers::strip_hop_by_hop(&mut map);
        names.tell(&mut map);
        headers::forward(&mut map, visitor, &client.address, authority.clone());
        if let Some(claimant) = claimant {
            // After everything that a client can have removed or renamed.
            claimant.tell(&mut map);
        }
        if !map.contains_key(header::HOST) {
            map.insert(header::HOST, authority.unwrap_or_else(|| self.default_host.clone()));
        }
        let fault = Fault::default();
        let body = if incoming.is_end_stream() {
            RequestBody::Empty
        } else {
            if incoming.size_hint().exact().is_none() {
                // hyper would take a GET without this for one without a body.
                map.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
            RequestBody::Stream(Inbound::new(incoming, route.body_limit, self.limits.stall, fault.clone()))
        };
        let uri = origin_form(parts.uri);
        let worker = client.worker;
        let is_inner = matches!(*client.role, Role::Service { .. });
        let session = route.guards.as_ref().and_then(|guards| guards.session(&map));
        let once = is_inner && map.contains_key(headers::X_CLOUDTASKS_TASKNAME);
        Ok((
            Outgoing {
                method: parts.method,
                uri,
                headers: map,
                body,
                fault,
                once,
                sent: None,
                worker,
                session,
            },
            upgrade,
        ))
    }
}

impl Client {
    fn visitor(&self, trusted: &[Network], headers: &HeaderMap) -> Visitor {
        if self.is_trusted { Visitor::behind(self.peer, trusted, headers) } else { Visitor::near(self.peer) }
    }
}

impl Admitted<'_> {
    /// What the cache has to say to it; nothing to what it cannot know, a request with a body or for a tunnel.
    fn look(&self) -> Option<Look> {
        let cache = self.route.cache.as_ref()?;
        let request = &self.request;
        let may_be_kept = matches!(*request.method(), Method::GET | Method::HEAD)
            && request.body().is_end_stream()
            && !request.headers().contains_key(header::UPGRADE)
            // The service would not see what the copy is chosen by.
            && !headers::connection_takes_away(request.headers());
        may_be_kept.then(|| {
            cache.look(&mare_cache::Asked {
                method: request.method(),
                scheme: self.scheme(),
                authority: self.authority.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default(),
                forwarded_host: self.visitor.forwarded_host(),
                target: request.uri().path_and_query().map_or("/", PathAndQuery::as_str),
                headers: request.headers(),
                subject: self.claimant.as_deref().map(Claimant::subject),
                now: cached::now(),
            })
        })
    }

    /// What becomes of it may end what is kept.
    fn change(&self, cache: &Cache) -> Option<Change> {
        let method = self.request.method();
        (!method.is_safe()).then(|| Change {
            cache: cache.clone(),
            method: method.clone(),
            scheme: self.scheme().clone(),
            authority: self.authority.clone(),
            target: self.request.uri().clone(),
            subject: self.claimant.as_deref().map(|claimant| *claimant.subject()),
        })
    }

    fn scheme(&self) -> &'static Scheme {
        if self.visitor.is_https { &HTTPS } else { &HTTP }
    }

    fn asked(&self, client: &Client, now: Instant) -> Asked<'_> {
        Asked {
            method: self.request.method(),
            host: host_of(self.authority.as_ref()),
            headers: self.request.headers(),
            visitor: &self.visitor,
            now,
            worker: client.worker,
        }
    }
}

/// Without port, and without the dot that a name may end with.
fn host_of(authority: Option<&HeaderValue>) -> &str {
    let host = authority.map_or("", |host| without_port(host.to_str().unwrap_or_default()));
    host.strip_suffix('.').unwrap_or(host)
}

/// The host a request is for. An absolute target overrides the header (RFC 9112 3.2.2); several hosts, or none in
/// HTTP/1.1, are an error (3.2).
fn take_authority(request: &mut Request<Incoming>) -> Result<Option<HeaderValue>, Refusal> {
    let bad = |detail: &'static str| Refusal::new(Code::BadRequest, detail);
    if *request.method() == Method::CONNECT || request.uri().path().is_empty() {
        return Err(bad("CONNECT is not served"));
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, another) = (hosts.next().cloned(), hosts.next().is_some());
    if another {
        return Err(bad("there is more than one Host header"));
    }
    if host.is_none() && request.version() == Version::HTTP_11 {
        return Err(bad("the Host header is missing"));
    }
    if let Some(host) = &host
        && !host
            .as_bytes()
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(byte))
    {
        return Err(bad("the Host header is not a host"));
    }
    let Some(authority) = request.uri().authority() else { return Ok(host) };
    if authority.as_str().contains('@') {
        return Err(bad("the target must not hold credentials"));
    }
    let authority =
        HeaderValue::from_str(authority.as_str()).map_err(|_invalid| bad("the target is not valid"))?;
    request.headers_mut().insert(header::HOST, authority.clone());
    Ok(Some(authority))
}

fn origin_form(uri: Uri) -> Uri {
    if uri.authority().is_none() {
        return uri;
    }
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = uri.into_parts().path_and_query;
    Uri::from_parts(parts).expect("a path alone is a valid target")
}

/// Refuses `.` and `..` segments, encoded or not: routes are chosen by prefix, and a service that resolves them
/// would serve what the route did not mean. Clients resolve them before they ask (RFC 3986 5.2.4).
pub(super) fn check_path(path: &str) -> Result<(), Refusal> {
    let suspicious = path.contains("/.") || path.contains('%') || path.contains('\\');
    if suspicious && path.split(['/', '\\']).any(is_dot_segment) {
        return Err(Refusal::new(Code::BadRequest, "the path must not contain . or .. segments"));
    }
    Ok(())
}

fn is_dot_segment(segment: &str) -> bool {
    let decoded = segment.to_ascii_lowercase().replace("%2e", ".").replace("%5c", "/").replace("%2f", "/");
    decoded.split('/').any(|part| matches!(part, "." | ".."))
}

pub(super) fn too_large(limit: u64) -> Refusal {
    Refusal::new(Code::BodyTooLarge, format!("this route takes at most {limit} bytes"))
}

fn refuse_file(missing: Missing) -> Refusal {
    match missing {
        Missing::NotFound => Refusal::new(Code::NotFound, "the folder of this route has no such file"),
        Missing::Unreadable(error) => {
            tracing::error!(%error, "a file of a files route cannot be read");
            Refusal::new(Code::FileUnreadable, "the file is there but cannot be read")
        }
        Missing::MethodNotAllowed => only_read("files are read only"),
    }
}

fn only_read(detail: &'static str) -> Refusal {
    Refusal::new(Code::MethodNotAllowed, detail).allow(vec![Method::GET, Method::HEAD])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_are_refused_however_they_are_written() {
        let check = |path, expected| assert_eq!(check_path(path).is_ok(), expected, "{path}");
        check("/", true);
        check("/a/.well-known/b", true);
        check("/a/...", true);
        check("/a%20b", true);
        check("/a/../b", false);
        check("/a/..", false);
        check("/./a", false);
        check("/a/%2e%2E/b", false);
        check("/a/.%2e/b", false);
        check("/a/..%2fb", false);
        check("/a\\..\\b", false);
        check("/a%5c..%5cb", false);
    }

    #[test]
    fn absolute_targets_become_paths() {
        let check = |text: &str, expected: &str| {
            assert_eq!(origin_form(text.parse().expect("a target")).to_string(), expected);
        };
        check("/a?b=c", "/a?b=c");
        check("http://example.com/a?b=c", "/a?b=c");
        check("http://example.com", "/");
    }
}
