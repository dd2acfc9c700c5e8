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
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mare_fleet::pool::Link;
use mare_fleet::{Clock, Pool, Waiting};
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

use crate::files::Folder;
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

pub struct Gateway {
    shared: Arc<Shared>,
    workers: Arc<Workers>,
    listeners: Vec<Listener>,
    links: Vec<Link>,
    /// The connections, and the calls, of those who are not the public.
    inner: Phase,
    drain: Duration,
}

/// Why a gateway could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("a route's method is not valid")]
    Method(#[from] http::method::InvalidMethod),
    #[error("cannot start a thread to serve connections")]
    Thread(#[from] std::io::Error),
}

/// What every request may need.
pub(crate) struct Shared {
    router: Router,
    routes: Vec<RouteState>,
    services: HashMap<Arc<str>, RouteState>,
    limits: Limits,
    metrics: Metrics,
    objectives: Objectives,
    /// Of requests no route takes, and of mounts.
    unrouted: Arc<RouteMetrics>,
    mounted: Arc<RouteMetrics>,
    tunnels: Tunnels,
    /// For a request of HTTP/1.0 that names no host; services need one.
    default_host: HeaderValue,
}

pub(crate) struct RouteState {
    action: Action,
    body_limit: u64,
    metrics: Arc<RouteMetrics>,
    promised: OfRoute,
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
    /// `links` connect each service of the manifest with its controller.
    pub fn new(
        manifest: &Manifest,
        links: Vec<Link>,
        listeners: Vec<Listener>,
        clock: Clock,
        registry: &mut Registry,
    ) -> Result<Self, BuildError> {
        let metrics = Metrics::register(registry);
        let workers = Workers::start()?;
        let objectives = Objectives::new(manifest, workers.count());
        registry.register_collector(Box::new(objectives.clone()));
        let mut upstreams = HashMap::new();
        for link in &links {
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
        let services = upstreams
            .iter()
            .map(|(name, upstream)| {
                let route = RouteState {
                    action: Action::Proxy(Arc::clone(upstream)),
                    body_limit: manifest.limits.body,
                    metrics: Arc::new(metrics.route("internal", name)),
                    // Objectives are about what comes in from outside.
                    promised: OfRoute::default(),
                };
                (Arc::clone(name), route)
            })
            .collect();
        let routes = manifest
            .routes
            .iter()
            .enumerate()
            .map(|(index, route)| {
                let (action, target) = action(manifest, index, &upstreams, &metrics);
                RouteState {
                    action,
                    body_limit: route.body.unwrap_or(manifest.limits.body),
                    metrics: Arc::new(metrics.route(&route.name, &target)),
                    promised: objectives.of_route(route),
                }
            })
            .collect();
        let shared = Shared {
            router: Router::new(&manifest.routes)?,
            routes,
            services,
            limits: manifest.limits.clone(),
            unrouted: Arc::new(metrics.route("none", "none")),
            mounted: Arc::new(metrics.route("mount", "mare")),
            metrics,
            objectives,
            tunnels: Tunnels::default(),
            default_host: HeaderValue::from_static("localhost"),
        };
        let (inner, drain) = (Phase::default(), manifest.app.drain);
        Ok(Self { shared: Arc::new(shared), workers, listeners, links, inner, drain })
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
        let Self { shared, workers, listeners, links, inner, drain } = self;
        let mut background = JoinSet::new();
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
            inner.end().await;
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
        inner.cut().await;
        shared.tunnels.tasks.wait().await;
        background.shutdown().await;
    }
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
            Action::Proxy(upstream) => match &upstream.place {
                Places::Service(pool) => Some(pool.clone()),
                Places::Origin(_) => None,
            },
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
        let address =
            HeaderValue::from_str(&peer.ip().to_canonical().to_string()).expect("an address is ascii");
        let (gateway, worker, open) = (self, worker.index, Arc::new(open));
        let client = Client { gateway, address, activity, role, worker, open };
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
    let client = Arc::new(client);
    let service = service_fn(move |request| {
        let client = Arc::clone(&client);
        async move { Ok::<_, Infallible>(client.gateway.respond(request, &client).await) }
    });
    let mut server = http1::Builder::new();
    server.header_read_timeout(None);
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
