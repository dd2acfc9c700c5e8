//! Looking up, filling, waiting for somebody else's fill.
//!
//! ```text
//!  RouteCache::look ─┬─ Answer                a hit: nothing is awaited
//!   (memory only)    ├─ Stale + Ask           serve it; spawn the Ask, which revalidates
//!                    ├─ Pass                  the cache has nothing to do with this request
//!                    └─ Ask ── settle ─┬─ Answer      somebody else's fill
//!                          (waits)     ├─ Pass
//!                                      └─ Fill ── prepare, then send the request
//!                                           │
//!       failed ◄── no answer ───────────────┼─────── answered(head)
//!         │                                           ├─ Answer   304 came, or a stale answer replaces an error
//!         └─ a stale answer, if one may be served     ├─ Pass     not to be stored
//!                                                     └─ Record ── push, push, finish: stored, waiters get it
//! ```
//!
//! Whatever is dropped on the way lets one of those who wait take over.
//!
//! Where there are several gateways (`remote`), what has tags is an Ask even if memory has it: settling asks Redis whether
//! it is still good, and then gives the same answers.

mod ask;
mod fill;
mod question;
mod recorder;
mod remote;
mod sight;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, Method, Response};
use mare_manifest::model::guard::{self, Caching};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;

use crate::flights::Flights;
use crate::key::KeyBuffer;
use crate::ledger::Ledger;
use crate::memory::{Entry, Memory};
use crate::metrics::{Metrics, Outcome, RouteMetrics};
use crate::policy::{self, Asker, Bypass, Handling, Wishes};
use crate::purge::{Purge, Purged};
use crate::redis::Redis;
pub use ask::{Ask, Settled, WAIT};
pub use fill::{Answered, Fill, UNSHARED};
use question::Question;
pub use recorder::Recorder;
use sight::Sight;

/// One application's cache, shared by all workers of a gateway. A clone is the same cache.
#[derive(Clone)]
pub struct Cache {
    pub(crate) shared: Arc<Shared>,
}

/// The cache as one route uses it. A clone is the same.
#[derive(Clone)]
pub struct RouteCache {
    route: Arc<RouteState>,
}

/// A request of a client, after the guards let it in.
pub struct Asked<'a> {
    pub method: &'a Method,
    pub scheme: &'a Scheme,
    /// Host and port it is for.
    pub authority: &'a str,
    /// What a trusted proxy says it was asked for: services are told, so their answers may depend on it.
    pub forwarded_host: Option<&'a str>,
    /// Origin form: path and query.
    pub target: &'a str,
    pub headers: &'a HeaderMap,
    /// Who asks, if a guard found out.
    pub subject: Option<&'a Subject>,
    pub now: policy::Time,
}

/// Who a verified credential speaks for: SHA-256 of its issuer and all its verified claims but `iat`, `exp`, `nbf` and
/// `jti`. The guards make it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Subject(pub [u8; 32]);

/// What memory has to say to a request.
pub enum Look {
    /// Goes to the client as it is.
    Answer(Response<Bytes>),
    /// Goes to the client as it is; the caller settles the `Ask` meanwhile, on its own, and sends what it is told.
    Stale(Response<Bytes>, Ask),
    /// Nothing in memory will do.
    Ask(Ask),
    /// To the service, and nothing of the answer is the cache's business but what [`Cache::of_unsafe`] reads.
    Pass(policy::Bypass),
}

pub(crate) struct Shared {
    pub(crate) app: String,
    pub(crate) memory: Arc<Memory>,
    pub(crate) ledger: Ledger,
    pub(crate) flights: Arc<Flights>,
    pub(crate) metrics: Metrics,
    /// Where there are several gateways.
    pub(crate) redis: Option<Redis>,
    /// Those handed out, for the admin API.
    pub(crate) routes: Mutex<BTreeMap<String, Arc<RouteState>>>,
}

pub(crate) struct RouteState {
    pub(crate) shared: Arc<Shared>,
    pub(crate) caching: Caching,
    pub(crate) metrics: RouteMetrics,
}

impl Cache {
    /// The cache of the application `app`; its metrics go to `registry`.
    pub fn new(config: &guard::Cache, app: &str, registry: &mut Registry) -> Self {
        Self::build(config, app, None, registry)
    }

    /// The same, of one gateway among several. Made once for a [`Redis`].
    pub fn with_redis(config: &guard::Cache, app: &str, redis: &Redis, registry: &mut Registry) -> Self {
        let cache = Self::build(config, app, Some(redis.clone()), registry);
        cache.follow(redis);
        cache
    }

    /// What this gateway shares with others.
    pub fn redis(&self) -> Option<&Redis> {
        self.shared.redis.as_ref()
    }

    fn build(config: &guard::Cache, app: &str, redis: Option<Redis>, registry: &mut Registry) -> Self {
        let memory = Arc::new(Memory::new(config.memory));
        let metrics = Metrics::register(registry, &memory);
        let shared = Shared {
            app: app.to_owned(),
            memory,
            ledger: Ledger::new(),
            flights: Arc::new(Flights::new()),
            metrics,
            redis,
            routes: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The cache as the route `name` uses it; asked again under that name, its numbers go on.
    pub fn route(&self, name: &str, caching: &Caching) -> RouteCache {
        let route = Arc::new(RouteState {
            shared: Arc::clone(&self.shared),
            caching: caching.clone(),
            metrics: self.shared.metrics.route(name),
        });
        self.shared.routes.lock().insert(name.to_owned(), Arc::clone(&route));
        RouteCache { route }
    }

    /// Ends entries, those whose fill is under way included. Once it returns, no lookup answers with them, on any gateway
    /// if there are several. The exception: Redis could not be reached for a second. Then other gateways that can reach it
    /// may serve them, until this one can, or they are stale.
    pub async fn purge(&self, purge: Purge) -> Purged {
        let number = match &purge {
            Purge::Tags(tags) => self.shared.ledger.purge(tags),
            Purge::All => {
                let number = self.shared.ledger.purge_all();
                self.shared.memory.clear();
                number
            }
        };
        let is_everywhere = match &self.shared.redis {
            Some(redis) => redis.purge(&purge).await,
            None => true,
        };
        self.shared.metrics.purges.inc();
        Purged { number, is_everywhere }
    }
}

impl RouteCache {
    /// Looks a request up, without waiting for anything.
    ///
    /// Of `Pass`, [`Bypass::OnlyIfCached`] is the caller's to refuse (504); everything else goes to the service.
    pub fn look(&self, asked: &Asked<'_>) -> Look {
        let route = &self.route;
        let whose = match (asked.subject, route.caching.per_user) {
            (None, _) => Asker::Unknown,
            (Some(_), false) => Asker::Known,
            (Some(_), true) => Asker::Owner,
        };
        let wishes = match Wishes::read(asked.method, asked.headers, whose) {
            Ok(wishes) => wishes,
            Err(bypass) => return route.pass(bypass),
        };
        let key = KeyBuffer::of(asked, &route.caching.query, route.caching.per_user);
        let seen = route.see(&key, &wishes, asked.headers, asked.now);
        let answer = |entry: &Entry| {
            entry.stored.answer(&wishes, asked.headers, &entry.body, Handling::Hit, asked.now)
        };
        match &seen.sight {
            Sight::Fresh(entry) | Sight::Stale(entry) if entry.to_confirm().is_some() => {
                Look::Ask(Ask::new(Question::new(route, asked, wishes, key, seen)))
            }
            Sight::Fresh(entry) => {
                route.metrics.answered(Outcome::Hit);
                Look::Answer(answer(entry))
            }
            Sight::Stale(entry) => {
                route.metrics.answered(Outcome::Stale);
                let response = answer(entry);
                // What a HEAD gets back could not be stored.
                let lead = (!wishes.head()).then(|| route.shared.flights.lead(&seen.place(&key))).flatten();
                match lead {
                    Some(lead) => {
                        let question = Question::new(route, asked, wishes, key, seen);
                        Look::Stale(response, Ask::refresh(question, lead))
                    }
                    // Somebody does it already, or will.
                    None => Look::Answer(response),
                }
            }
            Sight::Revalidate(_) if wishes.only_if_cached() => route.pass(Bypass::OnlyIfCached),
            Sight::Revalidate(_) => Look::Ask(Ask::new(Question::new(route, asked, wishes, key, seen))),
            Sight::Unshared(_) | Sight::Nothing(_) => match unanswerable(&wishes) {
                Some(bypass) => route.pass(bypass),
                None => Look::Ask(Ask::new(Question::new(route, asked, wishes, key, seen))),
            },
        }
    }
}

/// What a request wants that only a stored answer can give.
fn unanswerable(wishes: &Wishes) -> Option<Bypass> {
    if wishes.only_if_cached() {
        Some(Bypass::OnlyIfCached)
    } else if wishes.range() {
        Some(Bypass::Range)
    } else {
        wishes.head().then_some(Bypass::Head)
    }
}

impl RouteState {
    fn pass(&self, bypass: Bypass) -> Look {
        self.metrics.passed(bypass);
        Look::Pass(bypass)
    }
}

#[cfg(test)]
mod tests;
