//! The cache between clients and a service that the tests play. Time is paused.

mod collapse;
mod laws;
mod purge;
mod single;

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use mare_manifest::model::guard::Query;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::*;
use crate::metrics::Outcome;
use crate::policy::Time;

/// Any time will do; freshness is counted from it.
const EPOCH: u64 = 1_700_000_000_000;

pub(super) struct World {
    cache: Cache,
    route: RouteCache,
    began: Instant,
}

/// A request, with what tests vary of it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    method: Method,
    target: String,
    headers: HeaderMap,
    subject: Option<Subject>,
}

fn shared() -> Caching {
    Caching { ttl: None, per_user: false, query: Query::All, size: 1 << 16, heuristic: false }
}

fn per_user() -> Caching {
    Caching { per_user: true, ..shared() }
}

impl World {
    fn new(caching: &Caching) -> Self {
        let config = guard::Cache { memory: 1 << 22, redis_timeout: Duration::from_millis(50) };
        let cache = Cache::new(&config, "shop", &mut Registry::default());
        let route = cache.route("/*", caching);
        Self { cache, route, began: Instant::now() }
    }

    fn look(&self, request: &Request) -> Look {
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).expect("tests are short");
        self.route.look(&Asked {
            method: &request.method,
            scheme: &Scheme::HTTP,
            authority: "shop.example",
            forwarded_host: None,
            target: &request.target,
            headers: &request.headers,
            subject: request.subject.as_ref(),
            now: Time(EPOCH + elapsed),
        })
    }

    /// Looks up what must miss.
    fn ask(&self, request: &Request) -> Ask {
        match self.look(request) {
            Look::Ask(ask) => ask,
            other => panic!("{request:?} should miss, and is {}", other.name()),
        }
    }

    /// Looks up and settles what must be filled.
    async fn fill(&self, request: &Request) -> Fill {
        match self.ask(request).settle().await {
            Settled::Fill(fill) => fill,
            other => panic!("{request:?} should be filled, and is {}", other.name()),
        }
    }

    /// Looks up what must hit, and returns the body.
    fn hit(&self, request: &Request) -> String {
        match self.look(request) {
            Look::Answer(response) => text(&response),
            other => panic!("{request:?} should hit, and is {}", other.name()),
        }
    }

    /// Puts an answer into the cache.
    async fn store(&self, request: &Request, headers: &[(&'static str, &str)], body: &str) {
        self.fill(request).await.record(headers).give(body);
    }

    async fn purge(&self, tag: &str) {
        self.cache.purge(Purge::named([tag])).await;
    }

    fn count(&self, outcome: Outcome) -> u64 {
        self.route.route.metrics.count(outcome)
    }
}

impl Request {
    fn get(target: &str) -> Self {
        Self { method: Method::GET, target: target.into(), headers: HeaderMap::new(), subject: None }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
        self
    }

    fn of(mut self, user: u8) -> Self {
        self.subject = Some(Subject([user; 32]));
        self
    }
}

impl Fill {
    /// The service answers 200; the answer must be one to keep.
    fn record(self, headers: &[(&'static str, &str)]) -> Recorder {
        match self.answered(head(200, headers)) {
            Answered::Record(_, recorder) => recorder,
            other => panic!("the answer should be kept, and is {}", other.name()),
        }
    }
}

impl Recorder {
    fn give(mut self, body: &str) {
        self.push(&Bytes::copy_from_slice(body.as_bytes()));
        self.finish();
    }
}

fn head(status: u16, headers: &[(&'static str, &str)]) -> http::response::Parts {
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a value");
        parts.headers.append(HeaderName::from_static(name), value);
    }
    parts
}

fn text(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).expect("text")
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

impl Look {
    fn name(&self) -> String {
        match self {
            Self::Answer(response) => format!("Answer({})", text(response)),
            Self::Stale(response, _) => format!("Stale({})", text(response)),
            Self::Ask(_) => "Ask".into(),
            Self::Pass(bypass) => format!("Pass({bypass:?})"),
        }
    }
}

impl Settled {
    fn name(&self) -> String {
        match self {
            Self::Answer(response) => format!("Answer({})", text(response)),
            Self::Stale(response, _) => format!("Stale({})", text(response)),
            Self::Fill(_) => "Fill".into(),
            Self::Pass(bypass) => format!("Pass({bypass:?})"),
        }
    }
}

impl Answered {
    fn name(&self) -> String {
        match self {
            Self::Answer(response) => format!("Answer({} {})", response.status(), text(response)),
            Self::Pass(head) => format!("Pass({})", head.status),
            Self::Record(head, _) => format!("Record({})", head.status),
            Self::Again(_) => "Again".into(),
        }
    }
}

/// Lets every task run until it waits for something.
async fn settle_down() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn pass(duration: Duration) {
    tokio::time::advance(duration).await;
}

const MINUTE: (&str, &str) = (CACHE_CONTROL_NAME, "max-age=60");
const CACHE_CONTROL_NAME: &str = "cache-control";

#[test]
fn names_are_those_of_http() {
    assert_eq!(CACHE_CONTROL, CACHE_CONTROL_NAME);
}
