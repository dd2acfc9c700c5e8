//! Routes whose answers are kept. What is kept, how long, and what ends it is `mare-cache`'s business; here its
//! questions become requests to upstreams, and what writes change reaches it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use mare_cache::policy::{self, Bypass, Handling};
use mare_cache::{Answered, Ask, Cache, Fill, Purge, Settled, Subject, Unsafe};

use crate::aftermath::{Aftermath, Sent};
use crate::body::Body;
use crate::problem::{Code, Refusal};
use crate::proxy::{Outgoing, Upstream};
use crate::recorded::Recorded;

/// In an answer: what it made out of date.
const CACHE_PURGE: HeaderName = HeaderName::from_static("cache-purge");

type Outcome = Result<Response<Body>, Refusal>;

/// A request that memory has no answer for.
pub(crate) struct Missed {
    pub(crate) cache: Cache,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) outgoing: Outgoing,
    pub(crate) aftermath: Aftermath,
}

impl Missed {
    pub(crate) async fn answer(self, ask: Ask) -> Outcome {
        match ask.settle().await {
            Settled::Answer(answer) => Ok(answer.map(Body::from)),
            Settled::Stale(answer, ask) => {
                self.refresh(ask);
                Ok(answer.map(Body::from))
            }
            Settled::Pass(bypass) => self.pass(bypass).await,
            Settled::Fill(fill) => self.fill(fill).await,
        }
    }

    /// The cache only says that it has no part in it.
    pub(crate) async fn pass(self, bypass: Bypass) -> Outcome {
        if bypass == Bypass::OnlyIfCached {
            return Err(Refusal::new(Code::NotCached, "the request takes nothing but a copy"));
        }
        let mut answer = self.upstream.proxy(self.outgoing).await?;
        policy::mark(answer.headers_mut(), Handling::Bypassed(bypass));
        Ok(answer)
    }

    /// For what a client has been answered with already. Given up, the next one who finds it stale refreshes it.
    pub(crate) fn refresh(self, ask: Ask) {
        let aftermath = self.aftermath.clone();
        let _ = aftermath.go_on(async move {
            if let Ok(answer) = self.answer(ask).await {
                let mut body = answer.into_body();
                while let Some(Ok(_)) = body.frame().await {}
            }
        });
    }

    async fn fill(self, fill: Fill) -> Outcome {
        let Self { cache, upstream, outgoing, aftermath } = self;
        let spare = outgoing.without_body();
        match attempt(fill, &cache, &upstream, outgoing, &aftermath).await? {
            Attempt::Answered(answer) => Ok(answer),
            Attempt::Again(fill) => match attempt(fill, &cache, &upstream, spare, &aftermath).await? {
                Attempt::Answered(answer) => Ok(answer),
                Attempt::Again(_) => {
                    Err(Refusal::new(Code::UpstreamFailed, "the service confirmed what nobody asked about"))
                }
            },
        }
    }
}

enum Attempt {
    Answered(Response<Body>),
    /// The service confirmed something that is gone meanwhile.
    Again(Fill),
}

async fn attempt(
    fill: Fill,
    cache: &Cache,
    upstream: &Upstream,
    mut outgoing: Outgoing,
    aftermath: &Aftermath,
) -> Result<Attempt, Refusal> {
    fill.prepare(&mut outgoing.headers);
    let answer = match upstream.proxy(outgoing).await {
        Ok(answer) => answer,
        Err(refusal) => {
            let stale = fill.failed().ok_or(refusal)?;
            return Ok(Attempt::Answered(stale.map(Body::from)));
        }
    };
    // Before the fill takes these words out, or puts a copy in the answer's place.
    if let Some(purge) = named(cache, &answer) {
        cache.purge(purge).await;
    }
    let (head, body) = answer.into_parts();
    Ok(match fill.answered(head) {
        Answered::Answer(answer) => Attempt::Answered(answer.map(Body::from)),
        Answered::Pass(head) => Attempt::Answered(Response::from_parts(head, body)),
        Answered::Record(mut head, _) if body.ends_with_connection() => {
            head.headers.remove(header::CACHE_STATUS);
            Attempt::Answered(Response::from_parts(head, body))
        }
        Answered::Record(head, recorder) => {
            let body = Recorded::new(body, recorder, aftermath.clone());
            Attempt::Answered(Response::from_parts(head, body.into()))
        }
        Answered::Again(fill) => Attempt::Again(fill),
    })
}

/// The wall clock, as dates in messages count it.
pub(crate) fn now() -> policy::Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    policy::Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// What an answer names, of whatever request; what unsafe methods do besides is a [`Change`]'s.
pub(crate) fn named(cache: &Cache, answer: &Response<Body>) -> Option<Purge> {
    if !answer.headers().contains_key(CACHE_PURGE) {
        return None;
    }
    cache.of_unsafe(&Unsafe {
        method: &Method::GET,
        scheme: &Scheme::HTTP,
        authority: "",
        target: "/",
        subject: None,
        answer: Some((answer.status(), answer.headers())),
    })
}

/// A request whose answer may end what is kept.
pub(crate) struct Change {
    pub(crate) cache: Cache,
    pub(crate) method: Method,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Option<HeaderValue>,
    pub(crate) target: Uri,
    pub(crate) subject: Option<Subject>,
}

impl Change {
    /// Sends it, and ends what it changed before anybody sees the answer. To be driven to its end once it was sent,
    /// see [`crate::aftermath::Driven`].
    pub(crate) async fn answer(self, upstream: Arc<Upstream>, outgoing: Outgoing) -> Outcome {
        let sent = outgoing.sent.clone().unwrap_or_else(Sent::noted);
        let outcome = upstream.proxy(outgoing).await;
        self.conclude(outcome, &sent).await
    }

    /// Ends what the request changed, or may have changed.
    pub(crate) async fn conclude(self, mut outcome: Outcome, sent: &Sent) -> Outcome {
        let (known, is_unknown) = match &mut outcome {
            Ok(answer) => {
                let known = self.purge(Some((answer.status(), answer.headers())));
                answer.headers_mut().remove(CACHE_PURGE);
                // What an attempt did that broke off, the next one's answer does not say.
                (known, sent.is_lost())
            }
            Err(_) => (None, sent.is_so()),
        };
        let unknown = is_unknown.then(|| self.purge(None)).flatten();
        if let Some(purge) = known.into_iter().chain(unknown).reduce(Purge::and) {
            self.cache.purge(purge).await;
        }
        outcome
    }

    fn purge(&self, answer: Option<(StatusCode, &HeaderMap)>) -> Option<Purge> {
        self.cache.of_unsafe(&Unsafe {
            method: &self.method,
            scheme: &self.scheme,
            authority: self.authority.as_ref().and_then(|host| host.to_str().ok()).unwrap_or_default(),
            target: self.target.path_and_query().map_or("/", PathAndQuery::as_str),
            subject: self.subject.as_ref(),
            answer,
        })
    }
}
