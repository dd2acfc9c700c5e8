//! A gateway in this process, with the test as its controller.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use http_body_util::{BodyExt as _, Full};
use mare_cache::Cache;
use mare_cache::redis::{self, Redis};
use mare_fleet::Clock;
use mare_fleet::pool::{Link, Report};
use mare_gateway::{
    Access, Calls, Config, Gateway, Handler, Limited, Listener, Mount, Objectives, Role, Socket,
};
use mare_scaling::{Availability, Endpoint, Endpoints, Failing, InstanceId, Observation};
use prometheus_client::registry::Registry;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::upstream::Upstream;
use crate::wire::{PATIENCE, Wire};

pub(crate) const TOKEN: &str = "the-admin-token";

/// The trailer of `/echo`.
pub(crate) const METHOD: HeaderName = HeaderName::from_static("method");

/// Opens `/echo` only.
pub(crate) const LIMITED: &str = "the-token-of-services";

/// One service `api`, and every request goes to it.
pub(crate) const API: &str = "[services.api]\nrun = 'api'\n[[routes]]\nmatch = '/*'\nservice = 'api'\n";

pub(crate) struct Rig {
    pub(crate) public: SocketAddr,
    /// Mounts behind a loopback check.
    pub(crate) admin: SocketAddr,
    /// Mounts behind a token.
    pub(crate) guarded: SocketAddr,
    pub(crate) objectives: Objectives,
    pub(crate) calls: Arc<Calls>,
    /// Where the manifest names one.
    pub(crate) redis: Option<Redis>,
    services: HashMap<String, Service>,
    registry: Registry,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

struct Service {
    address: SocketAddr,
    announce: watch::Sender<Arc<Endpoints>>,
    seen: watch::Receiver<Observation>,
}

impl Rig {
    /// A gateway for `manifest`, whose services have no instance yet.
    pub(crate) fn new(manifest: &str) -> Self {
        Self::in_folder(manifest, "/nowhere".into())
    }

    pub(crate) fn in_folder(manifest: &str, folder: PathBuf) -> Self {
        let manifest = mare_manifest::load(manifest, Path::new("mare.toml"), folder, &|_| None)
            .unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let (mut listeners, mut links, mut services) = (Vec::new(), Vec::new(), HashMap::new());
        let mut listen = |role: Role| {
            let socket = Socket::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
            let address = socket.address().expect("an address");
            listeners.push(socket.serving(role));
            address
        };
        for name in manifest.services.keys() {
            let own: Arc<str> = name.as_str().into();
            let address = listen(Role::Service { name: Arc::clone(&own), access: Access::Loopback });
            let (link, service) = link(own, address);
            links.push(link);
            services.insert(name.clone(), service);
        }
        let public = listen(Role::Public);
        let mounts = || vec![Mount::read_only("/hello", hello()), Mount::read_write("/echo", echo())];
        let admin = listen(Role::Mounts { mounts: mounts(), access: Access::Loopback });
        let limited = Limited { token: LIMITED.to_owned(), prefixes: vec!["/echo".to_owned()] };
        let open = vec!["/hello/open".to_owned()];
        let token = Access::Token { token: TOKEN.to_owned(), open, limited: Some(limited) };
        let guarded = listen(Role::Mounts { mounts: mounts(), access: token });
        let mut registry = Registry::default();
        let redis = connect(&manifest, &mut registry);
        let gateway = build(&manifest, links, listeners, redis.as_ref(), &mut registry);
        let (objectives, calls) = (gateway.objectives(), Arc::new(gateway.calls()));
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(gateway.run(shutdown.clone()));
        Self { public, admin, guarded, objectives, calls, redis, services, registry, shutdown, running }
    }

    /// A gateway with one service `api` that has one instance, with `settings` above the service in the manifest.
    pub(crate) fn before(upstream: &Upstream, settings: &str) -> Self {
        let rig = Self::new(&format!("{settings}\n{API}"));
        rig.announce("api", &[(upstream.address, 8)]);
        rig
    }

    /// Tells the gateway which instances a service has, with the slots of each; ids count from 1.
    pub(crate) fn announce(&self, service: &str, instances: &[(SocketAddr, u32)]) {
        self.announce_as(1, service, instances);
    }

    /// The same, with ids from `first` on: others are other instances.
    pub(crate) fn announce_as(&self, first: u64, service: &str, instances: &[(SocketAddr, u32)]) {
        let instances = (first..)
            .zip(instances)
            .map(|(id, (address, share))| Endpoint {
                id: InstanceId(id),
                address: *address,
                availability: Availability::Ready,
                share: *share,
            })
            .collect();
        self.publish(service, instances, None);
    }

    pub(crate) fn announce_failing(&self, service: &str, retry_after: Duration) {
        self.publish(service, Vec::new(), Some(Failing { retry_after }));
    }

    fn publish(&self, service: &str, instances: Vec<Endpoint>, failing: Option<Failing>) -> u64 {
        let announce = &self.services[service].announce;
        let generation = announce.borrow().generation + 1;
        let _ = announce.send(Arc::new(Endpoints { generation, instances, failing }));
        generation
    }

    /// The stable address of a service.
    pub(crate) fn service(&self, name: &str) -> SocketAddr {
        self.services[name].address
    }

    pub(crate) async fn client(&self) -> Wire {
        Wire::connect(self.public).await
    }

    /// Waits until the gateway reports what is wanted about a service.
    pub(crate) async fn observed(&self, service: &str, wanted: impl FnMut(&Observation) -> bool) {
        let mut seen = self.services[service].seen.clone();
        let outcome = timeout(PATIENCE, seen.wait_for(wanted)).await;
        let latest = self.services[service].seen.borrow().clone();
        outcome.unwrap_or_else(|_| panic!("not observed, but {latest:?}")).expect("the gateway runs");
    }

    /// The value of a metric, 0 if it is not there; `series` as it is written, labels included.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("encodes");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Waits until a metric has a value.
    pub(crate) async fn measured(&self, series: &str, wanted: f64) {
        let reached = async {
            while (self.metric(series) - wanted).abs() > 0.1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let outcome = timeout(PATIENCE, reached).await;
        outcome.unwrap_or_else(|_| panic!("{series} is {}, not {wanted}", self.metric(series)));
    }

    /// Nothing may be left of what the test did, once its clients are gone.
    pub(crate) async fn settled(&self) {
        for (name, service) in &self.services {
            // A new generation makes the gateway report now.
            let Endpoints { instances, failing, .. } = (**service.announce.borrow()).clone();
            let generation = self.publish(name, instances, failing);
            self.observed(name, |seen| {
                seen.generation >= generation
                    && seen.in_flight == 0
                    && seen.waiting == 0
                    && seen.instances.iter().all(|instance| instance.in_flight == 0)
            })
            .await;
        }
        for listener in ["public", "service", "admin"] {
            self.measured(&format!("mare_connections{{listener=\"{listener}\"}}"), 0.0).await;
        }
    }

    pub(crate) fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Waits until [`Gateway::run`] has returned.
    pub(crate) async fn ended(self) {
        timeout(PATIENCE, self.running).await.expect("it ends in time").expect("it does not panic");
    }
}

/// The way to the Redis of the manifest, for as long as the test runs.
fn connect(manifest: &mare_manifest::Manifest, registry: &mut Registry) -> Option<Redis> {
    let (url, app) = (manifest.backends.redis.as_ref()?.reveal(), manifest.app.name.as_str());
    let config = redis::Config { url, timeout: manifest.cache.redis_timeout, app };
    let (redis, service) = Redis::new(&config, registry).expect("an address");
    tokio::spawn(service.run(std::future::pending()));
    Some(redis)
}

fn build(
    manifest: &mare_manifest::Manifest,
    links: Vec<Link>,
    listeners: Vec<Listener>,
    redis: Option<&Redis>,
    registry: &mut Registry,
) -> Gateway {
    let keys = manifest.folder.join("keys.json");
    let (config, app) = (&manifest.cache, &manifest.app.name);
    let cache = match redis {
        Some(redis) => Cache::with_redis(config, app, redis, registry),
        None => Cache::new(config, app, registry),
    };
    let config = Config { manifest, links, listeners, clock: Clock::start(), keys, cache };
    Gateway::new(config, registry).expect("methods are valid")
}

fn link(service: Arc<str>, address: SocketAddr) -> (Link, Service) {
    let (observations, mut reports) = mpsc::channel::<Report>(16);
    let (announce, endpoints) = watch::channel(Arc::default());
    let (note, seen) = watch::channel(Observation::default());
    tokio::spawn(async move {
        while let Some(report) = reports.recv().await {
            note.send_replace(report.observation);
        }
    });
    (Link { service, gateway: 1, observations, endpoints }, Service { address, announce, seen })
}

fn hello() -> Handler {
    Arc::new(|_request| {
        Box::pin(async {
            let body = Full::from("hello").map_err(|never| match never {}).boxed_unsync();
            http::Response::new(body)
        })
    })
}

/// Answers at once, with what is sent as it comes, and with a trailer.
fn echo() -> Handler {
    Arc::new(|request| {
        let trailers = HeaderMap::from_iter([(METHOD, request.method().as_str().parse().expect("a value"))]);
        let body = request.into_body().with_trailers(async move { Some(Ok(trailers)) });
        Box::pin(std::future::ready(http::Response::new(body.map_err(Into::into).boxed_unsync())))
    })
}
