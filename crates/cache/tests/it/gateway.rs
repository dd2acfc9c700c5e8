//! A gateway's cache with its own way to Redis, and a service that the tests play.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use mare_cache::policy::{Bypass, Time};
use mare_cache::redis::{Config, Redis};
use mare_cache::{Answered, Asked, Cache, Fill, Look, Purge, Purged, RouteCache, Settled, Subject};
use mare_manifest::model::guard::{self, Caching, Query};
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than a loaded machine keeps anybody waiting: where Redis is there, it never counts as away.
pub(crate) const PATIENT: Duration = Duration::from_secs(10);

/// Where it stands still, this is waited for.
pub(crate) const HASTY: Duration = Duration::from_millis(100);

pub(crate) struct Gateway {
    pub(crate) cache: Cache,
    pub(crate) redis: Redis,
    pub(crate) mine: RouteCache,
    pub(crate) all: RouteCache,
    registry: Registry,
    service: JoinHandle<()>,
}

/// A request, with what tests vary of it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) user: Option<u8>,
}

/// What became of a request.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Answer(String),
    /// The service was to be asked.
    Miss,
    Pass(Bypass),
}

/// A name no other test uses.
pub(crate) fn app() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("app{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Gateway {
    /// Connected.
    pub(crate) async fn start(url: &str, app: &str, timeout: Duration) -> Self {
        let gateway = Self::begin(url, app, timeout);
        gateway.redis.wait_until_up().await;
        gateway
    }

    pub(crate) fn begin(url: &str, app: &str, timeout: Duration) -> Self {
        let mut registry = Registry::default();
        let config = Config { url, timeout, app };
        let (redis, service) = Redis::new(&config, &mut registry).expect("an address");
        let config = guard::Cache { memory: 1 << 25, redis_timeout: timeout };
        let cache = Cache::with_redis(&config, app, &redis, &mut registry);
        let service = tokio::spawn(service.run(std::future::pending()));
        let all = Caching { ttl: None, per_user: false, query: Query::All, size: 1 << 21, heuristic: false };
        let mine = Caching { per_user: true, ..all.clone() };
        let (mine, all) = (cache.route("mine", &mine), cache.route("all", &all));
        Self { cache, redis, mine, all, registry, service }
    }

    pub(crate) fn look(&self, request: &Request) -> Look {
        let route = if request.user.is_some() { &self.mine } else { &self.all };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        route.look(&Asked {
            method: &Method::GET,
            scheme: &Scheme::HTTP,
            authority: "shop.example",
            forwarded_host: None,
            target: &request.target,
            headers: &request.headers,
            subject: request.user.map(|user| Subject([user; 32])).as_ref(),
            now: Time(u64::try_from(now).expect("before the year 500 million")),
        })
    }

    pub(crate) async fn settle(&self, request: &Request) -> Settled {
        match self.look(request) {
            Look::Answer(answer) => Settled::Answer(answer),
            Look::Stale(answer, ask) => Settled::Stale(answer, ask),
            Look::Ask(ask) => ask.settle().await,
            Look::Pass(bypass) => Settled::Pass(bypass),
        }
    }

    /// What a client gets without the service being asked.
    pub(crate) async fn get(&self, request: &Request) -> Outcome {
        match self.settle(request).await {
            Settled::Answer(answer) | Settled::Stale(answer, _) => Outcome::Answer(text(&answer)),
            Settled::Fill(_) => Outcome::Miss,
            Settled::Pass(bypass) => Outcome::Pass(bypass),
        }
    }

    pub(crate) async fn fill(&self, request: &Request) -> Fill {
        match self.settle(request).await {
            Settled::Fill(fill) => fill,
            Settled::Answer(answer) | Settled::Stale(answer, _) => panic!("{request:?} has {answer:?}"),
            Settled::Pass(bypass) => panic!("{request:?} is passed: {bypass:?}"),
        }
    }

    /// Puts an answer into the cache; returns once it is where it belongs.
    pub(crate) async fn store(&self, request: &Request, headers: &[(&'static str, &str)], body: &str) {
        give(self.fill(request).await, headers, body);
        self.stored(request, body).await;
    }

    /// Waits until an answer has arrived. Asks as a client would, who waits for nobody.
    pub(crate) async fn stored(&self, request: &Request, body: &str) {
        let arrives = async {
            while self.get(request).await != Outcome::Answer(body.to_owned()) {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_mins(1), arrives).await.expect("what is to be kept arrives");
    }

    pub(crate) async fn purge(&self, tag: &str) -> Purged {
        self.cache.purge(Purge::named([tag])).await
    }

    /// The value of a metric's line.
    pub(crate) fn metric(&self, line: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("text");
        let found = text.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(' '));
        found.map_or(0, |value| value.parse().expect("a number"))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.service.abort();
    }
}

impl Request {
    pub(crate) fn get(target: &str) -> Self {
        Self { target: target.into(), headers: HeaderMap::new(), user: None }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
        self
    }

    pub(crate) fn of(mut self, user: u8) -> Self {
        self.user = Some(user);
        self
    }
}

/// The service answers 200; the answer must be one to keep.
pub(crate) fn give(fill: Fill, headers: &[(&'static str, &str)], body: &str) {
    match fill.answered(head(200, headers)) {
        Answered::Record(_, mut recorder) => {
            recorder.push(&Bytes::copy_from_slice(body.as_bytes()));
            recorder.finish();
        }
        Answered::Answer(_) | Answered::Pass(_) | Answered::Again(_) => panic!("{body} should be kept"),
    }
}

pub(crate) fn head(status: u16, headers: &[(&'static str, &str)]) -> http::response::Parts {
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a value");
        parts.headers.append(HeaderName::from_static(name), value);
    }
    parts
}

pub(crate) fn text(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).expect("text")
}
