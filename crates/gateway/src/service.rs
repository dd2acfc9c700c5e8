//! The gateway itself: owns the listening sockets and serves what comes in.
//!
//! ```text
//!   Listener ─accept─► connection task ─head─► Shared::respond ─► mount
//!                        (one each)                 │ router      ─► files
//!                                                   └──────────── ─► Upstream::proxy ─► Pool ─► instance
//!   Calls (the dispatcher of tasks, in this process) ───────────────────────┘
//! ```

mod calls;
mod http2;
mod respond;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mare_cache::{Cache, RouteCache};
use mare_fleet::pool::Link;
use mare_fleet::{Clock, Pool, Waiting};
use mare_manifest::model::guard::Network;
use mare_manifest::model::{Limits, Manifest, PathPattern, Target};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::aftermath::Aftermath;
use crate::files::Folder;
use crate::guards::auth::{self, AuthError, Authority};
use crate::guards::{Guards, limit, networks};
use crate::io::{Activity, Io, Patience};
use crate::listener::{Listener, Role};
use crate::metrics::{Metrics, RouteMetrics};
use crate::objectives::{Objectives, OfRoute};
use crate::proxy::{Origin, Places, Upstream};
use crate::retry::Budget;
use crate::router::Router;
use crate::upgrade::Tunnels;
use crate::upstream::Idles;
use crate::workers::{Worker, Workers};
pub use calls::Calls;
use respond::Client;

/// Connections of each listener that is not public: services and operators, not the world.
const INNER_CONNECTIONS: u32 = 10_000;

/// Between two looks for connections that rest too long.
const EXPIRE_EVERY: Duration = Duration::from_secs(2);

/// Waits this long when accepting fails, which it does when files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// For the refusals of those who still wait when the drain ends: 10 000, the default bound, are written in a
/// fraction of it.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// What a gateway is made of.
pub struct Config<'a> {
    pub manifest: &'a Manifest,
    /// Connect each service of the manifest with its controller.
    pub links: Vec<Link>,
    pub listeners: Vec<Listener>,
    pub clock: Clock,
    /// Where the keys of a token's issuer are kept, so that they are there when it is away.
    pub keys: PathBuf,
    pub cache: Cache,
}

pub struct Gateway {
    shared: Arc<Shared>,
    workers: Arc<Workers>,
    listeners: Vec<Listener>,
    links: Vec<Link>,
    /// The connections, and the calls, of those who are not the public.
    inner: Phase,
    drain: Duration,
    /// Fetches the keys of tokens.
    keys: BoxFuture,
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Why a gateway could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("a route's method is not valid")]
    Method(#[from] http::method::InvalidMethod),
    #[error("cannot start a thread to serve connections")]
    Thread(#[from] std::io::Error),
    #[error("[auth] cannot be used")]
    Auth(#[from] AuthError),
}

/// What every request may need.
pub(crate) struct Shared {
    router: Router,
    routes: Vec<RouteState>,
    services: HashMap<Arc<str>, RouteState>,
    limits: Limits,
    /// Of the limits, canonical.
    trusted: Vec<Network>,
    metrics: Metrics,
    objectives: Objectives,
    /// Of requests no route takes, and of mounts.
    unrouted: Arc<RouteMetrics>,
    mounted: Arc<RouteMetrics>,
    tunnels: Tunnels,
    /// If any route keeps answers.
    cache: Option<Cache>,
    aftermath: Aftermath,
    /// For a request of HTTP/1.0 that names no host; services need one.
    default_host: HeaderValue,
}

pub(crate) struct RouteState {
    action: Action,
    body_limit: u64,
    metrics: Arc<RouteMetrics>,
    promised: OfRoute,
    guards: Option<Box<Guards>>,
    cache: Option<RouteCache>,
}

enum Action {
    Proxy(Arc<Upstream>),
    /// The pattern tells which part of the path is below the folder.
    Files {
        folder: Folder,
        pattern: PathPattern,
    },
}

impl Gateway {
    pub fn new(config: Config<'_>, registry: &mut Registry) -> Result<Self, BuildError> {
        let Config { manifest, links, listeners, clock, keys, cache } = config;
        let metrics = Metrics::register(registry);
        let workers = Workers::start()?;
        let objectives = Objectives::new(manifest, workers.count());
        registry.register_collector(Box::new(objectives.clone()));
        let upstreams = upstreams(manifest, &links, clock, &metrics);
        let pool = |service: &str| upstreams.get(service).and_then(|upstream| upstream.pool());
        let of_tokens = auth::Config { manifest, file: keys, pool: &pool, workers: workers.count() };
        let (authority, keys) = Authority::new(&of_tokens, registry)?;
        let services = upstreams
            .iter()
            .map(|(name, upstream)| {
                let route = RouteState {
                    action: Action::Proxy(Arc::clone(upstream)),
                    body_limit: manifest.limits.body,
                    metrics: Arc::new(metrics.route("internal", name)),
                    // Objectives and guards are about what comes in from outside.
                    promised: OfRoute::default(),
                    guards: None,
                    cache: None,
                };
                (Arc::clone(name), route)
            })
            .collect();
        let routes = (0..manifest.routes.len())
            .map(|index| {
                let route = &manifest.routes[index];
                let (action, target) = action(manifest, index, &upstreams, &metrics);
                let limited = limit::Of {
                    route: &route.name,
                    redis: cache.redis(),
                    forgotten: metrics.buckets_forgotten(&route.name),
                    unshared: metrics.limits_unshared(&route.name),
                };
                RouteState {
                    action,
                    body_limit: route.body.unwrap_or(manifest.limits.body),
                    metrics: Arc::new(metrics.route(&route.name, &target)),
                    promised: objectives.of_route(route),
                    guards: Guards::new(&route.guards, &target, &authority, limited),
                    cache: route.cache.as_ref().map(|caching| cache.route(&route.name, caching)),
                }
            })
            .collect();
        let shared = Shared {
            router: Router::new(&manifest.routes)?,
            routes,
            services,
            limits: manifest.limits.clone(),
            trusted: networks::canonical(&manifest.limits.trusted),
            unrouted: Arc::new(metrics.route("none", "none")),
            mounted: Arc::new(metrics.route("mount", "mare")),
            metrics,
            objectives,
            tunnels: Tunnels::default(),
            cache: manifest.routes.iter().any(|route| route.cache.is_some()).then_some(cache),
            aftermath: Aftermath::default(),
            default_host: HeaderValue::from_static("localhost"),
        };
        let (shared, inner, keys) = (Arc::new(shared), Phase::default(), Box::pin(keys) as BoxFuture);
        let drain = manifest.app.drain;
        Ok(Self { shared, workers, listeners, links, inner, drain, keys })
    }

    /// The way to the services for the rest of this process.
    pub fn calls(&self) -> Calls {
        Calls::new(Arc::clone(&self.shared), self.inner.clone())
    }

    /// The counts of what is promised.
    pub fn objectives(&self) -> Objectives {
        self.shared.objectives.clone()
    }

    /// Serves until `shutdown`, then drains: the public listeners first, and only when their requests are done
    /// the others, because a public request may still need a service that calls another one.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { shared, workers, listeners, links, inner, drain, keys } = self;
        let mut background = JoinSet::new();
        background.spawn(keys);
        for link in links {
            if let Some(pool) = shared.pool(&link.service) {
                background.spawn(pool.run(link));
            }
        }
        background.spawn(Arc::clone(&shared).expire_connections());
        let public = Phase::default();
        for listener in listeners {
            let phase = if matches!(listener.role, Role::Public) { &public } else { &inner };
            let serving = Arc::clone(&shared).accept(listener, Arc::clone(&workers), phase.clone());
            background.spawn(serving);
        }
        shutdown.cancelled().await;
        tracing::info!(open = public.tasks.len(), tunnels = shared.tunnels.tasks.len(), "draining");
        let mut drained = std::pin::pin!(async {
            public.end().await;
            shared.tunnels.tasks.close();
            shared.tunnels.tasks.wait().await;
            // Whose clients have left are requests too.
            shared.aftermath.end().await;
            inner.end().await;
            shared.aftermath.end().await;
        });
        if timeout(drain, drained.as_mut()).await.is_err() {
            tracing::warn!(after = ?drain, "requests were still in flight at the end of the drain");
            // Who still waits for an instance can be told so: nothing of its request was sent anywhere.
            if shared.close_pools() > 0 {
                let _ = timeout(LAST_ANSWERS, drained).await;
            }
        }
        shared.tunnels.stop.cancel();
        shared.tunnels.tasks.close();
        public.cut().await;
        shared.aftermath.cut().await;
        inner.cut().await;
        shared.tunnels.tasks.wait().await;
        background.shutdown().await;
    }
}

fn upstreams(
    manifest: &Manifest,
    links: &[Link],
    clock: Clock,
    metrics: &Metrics,
) -> HashMap<Arc<str>, Arc<Upstream>> {
    let mut upstreams = HashMap::new();
    for link in links {
        let Some(service) = manifest.services.get(&*link.service) else { continue };
        let waiting = Waiting { capacity: service.scale.waiting, deadline: service.scale.wait };
        let upstream = Upstream {
            place: Places::Service(Pool::new(Arc::clone(&link.service), waiting, clock)),
            timeout: service.timeout,
            budget: Budget::default(),
            metrics: metrics.upstream(&link.service),
        };
        upstreams.insert(Arc::clone(&link.service), Arc::new(upstream));
    }
    upstreams
}

fn action(
    manifest: &Manifest,
    index: usize,
    upstreams: &HashMap<Arc<str>, Arc<Upstream>>,
    metrics: &Metrics,
) -> (Action, String) {
    match &manifest.routes[index].target {
        Target::Service(name) => {
            let upstream = upstreams.get(name.as_str()).expect("validation checked that the service exists");
            (Action::Proxy(Arc::clone(upstream)), name.clone())
        }
        Target::Url(origin) => {
            let authority = format!("{}:{}", origin.host, origin.port);
            let upstream = Upstream {
                place: Places::Origin(Arc::new(Origin {
                    host: origin.host.trim_matches(['[', ']']).to_owned(),
                    port: origin.port,
                    authority: HeaderValue::from_str(&authority).expect("validation checked the URL"),
                    idle: Idles::default(),
                })),
                timeout: ORIGIN_TIMEOUT,
                budget: Budget::default(),
                metrics: metrics.upstream(&authority),
            };
            (Action::Proxy(Arc::new(upstream)), authority)
        }
        Target::Files(files) => {
            let folder = Folder::new(manifest.folder.join(&files.folder), files.spa);
            let pattern = manifest.routes[index].path.clone();
            (Action::Files { folder, pattern }, "files".to_owned())
        }
    }
}

/// A server outside the platform has no service section to say its own; as long as a service's default.
const ORIGIN_TIMEOUT: Duration = Duration::from_mins(5);

/// The connections that are drained together.
#[derive(Clone, Debug, Default)]
struct Phase {
    tasks: TaskTracker,
    /// No new connections, no further requests on the open ones.
    stop: CancellationToken,
    /// Comes after `stop`: the connections end, whatever they are doing.
    cut: CancellationToken,
}

impl Phase {
    async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn cut(&self) {
        self.cut.cancel();
        self.end().await;
    }
}

impl Shared {
    fn pool(&self, service: &str) -> Option<Pool<Idles>> {
        match &self.services.get(service)?.action {
            Action::Proxy(upstream) => upstream.pool(),
            Action::Files { .. } => None,
        }
    }

    /// Refuses whoever waits for an instance; returns how many did.
    fn close_pools(&self) -> usize {
        self.services.keys().filter_map(|name| self.pool(name)).map(|pool| pool.close()).sum()
    }

    async fn expire_connections(self: Arc<Self>) {
        let mut tick = interval(EXPIRE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            for route in self.services.values().chain(&self.routes) {
                let Action::Proxy(upstream) = &route.action else { continue };
                match &upstream.place {
                    Places::Service(pool) => pool.for_each_instance(Idles::expire),
                    Places::Origin(origin) => origin.idle.expire(),
                }
            }
        }
    }

    async fn accept(self: Arc<Self>, listener: Listener, workers: Arc<Workers>, phase: Phase) {
        // The socket ends with this function, so that nobody knocks in vain while others finish.
        let Listener { socket, role } = listener;
        let role = Arc::new(role);
        let limit = if matches!(*role, Role::Public) { self.limits.connections } else { INNER_CONNECTIONS };
        let room = Arc::new(Semaphore::new(limit as usize));
        let open = self.metrics.connections(role.name());
        loop {
            // With no room left the kernel's backlog holds newcomers.
            let accepted = async {
                let permit = Arc::clone(&room).acquire_owned().await.expect("never closed");
                // The socket goes to a worker's runtime, so it must not stay registered with this one.
                (permit, socket.accept().await.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))))
            };
            let (permit, accepted) = tokio::select! {
                () = phase.stop.cancelled() => return,
                accepted = accepted => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let open = Open { _permit: permit, _counted: Counted::new(&open) };
                    let (role, worker) = (Arc::clone(&role), workers.next().clone());
                    let connection = Accepted { stream, peer, role, worker, open };
                    let (shared, on, drained) =
                        (Arc::clone(&self), connection.worker.handle.clone(), phase.clone());
                    phase.tasks.spawn_on(shared.serve(connection, drained), &on);
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Runs on the worker's own runtime.
    async fn serve(self: Arc<Self>, accepted: Accepted, phase: Phase) {
        let Accepted { stream, peer, role, worker, open } = accepted;
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => return tracing::warn!(%error, "a connection could not be taken over"),
        };
        let _ = stream.set_nodelay(true);
        let activity = Activity::new();
        let Limits { header_time, idle, stall, .. } = self.limits;
        let io = Io::new(stream, Arc::clone(&activity), Patience { idle, head: header_time, stall });
        let peer_address = peer.ip().to_canonical();
        let client = Client {
            // Services may be on the machine of a trusted proxy, and are none.
            is_trusted: matches!(*role, Role::Public) && networks::contain(&self.trusted, peer_address),
            gateway: self,
            peer: peer_address,
            address: HeaderValue::from_str(&peer_address.to_string()).expect("an address is ascii"),
            activity,
            role,
            worker: worker.index,
            open: Arc::new(open),
        };
        let ended = match &*client.role {
            Role::Public | Role::Service { .. } => serve_http1(io, client, &phase).await,
            // Boxed, or it would make the future of every public connection larger.
            Role::Mounts { .. } => Box::pin(http2::serve_either(io, client, &phase)).await,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %peer, "client connection ended");
        }
    }
}

async fn serve_http1(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    client: Client,
    phase: &Phase,
) -> hyper::Result<()> {
    let head = usize::try_from(client.gateway.limits.head).unwrap_or(usize::MAX);
    let client = Arc::new(client);
    let service = service_fn(move |request| {
        let client = Arc::clone(&client);
        async move { Ok::<_, Infallible>(client.gateway.respond(request, &client).await) }
    });
    let mut server = http1::Builder::new();
    server.header_read_timeout(None);
    server.max_header_size(head);
    let mut connection = std::pin::pin!(server.serve_connection(TokioIo::new(io), service).with_upgrades());
    // Its own token, because looking at a token takes the token's lock, and this one is looked at whenever
    // the connection wakes.
    let stop = phase.stop.child_token();
    tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = phase.cut.cancelled() => Ok(()),
            }
        }
    }
}

/// A connection on its way to the worker that will serve it.
struct Accepted {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    role: Arc<Role>,
    worker: Worker,
    open: Open,
}

/// A place among the open connections, until the connection or the tunnel it became ends.
pub(crate) struct Open {
    _permit: OwnedSemaphorePermit,
    _counted: Counted,
}

/// Counts a connection while it lives.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
