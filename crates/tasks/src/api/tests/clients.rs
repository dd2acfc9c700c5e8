//! The official clients against the API behind a real gateway, over gRPC and REST.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use mare_cache::Cache;
use mare_fleet::Clock;
use mare_gateway::{Access, Config, Gateway, Mount, Role, Socket};
use prometheus_client::registry::Registry;
use tokio::process::Command;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::rig::Rig;
use crate::api::PREFIXES;

/// A client on a busy machine, its own start included.
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_python_client_works_over_grpc() {
    check(python(), "client.py", "grpc").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_python_client_works_over_rest() {
    check(python(), "client.py", "rest").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_node_client_works_over_grpc() {
    check(node(), "client.mjs", "grpc").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_node_client_works_over_rest() {
    check(node(), "client.mjs", "rest").await;
}

/// Runs a client's script, which checks everything itself.
async fn check(program: PathBuf, script: &str, transport: &str) {
    let (address, shutdown, serving) = serve().await;
    let mut client = Command::new(program);
    client.arg(root().join("tests/clients").join(script)).args([&address.to_string(), transport]);
    // A proxy of this machine is not the way to it, and nobody is to look for Google's metadata server.
    client.env("NO_PROXY", "*").env("no_proxy", "*").env("METADATA_SERVER_DETECTION", "none");
    client.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, client.output()).await.expect("it ends in time").expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    shutdown.cancel();
    timeout(PATIENCE, serving).await.expect("the gateway ends in time").expect("no panic");
}

/// A gateway with nothing but the API, on a port of the system's choice.
async fn serve() -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
    let Rig { api, mut forced, .. } = Rig::new().await;
    // Plays the dispatcher.
    tokio::spawn(async move { while forced.recv().await.is_some() {} });
    let mount = |prefix: &str| {
        let api = api.clone();
        let handler: mare_gateway::Handler = Arc::new(move |request| {
            let api = api.clone();
            Box::pin(async move { api.respond(request).await })
        });
        Mount::read_write(prefix, handler)
    };
    let mounts = PREFIXES.into_iter().map(mount).collect();
    let socket = Socket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
    let address = socket.address().expect("an address");
    let listener = socket.serving(Role::Mounts { mounts, access: Access::Loopback });
    let manifest = mare_manifest::load("", Path::new("mare.toml"), "/nowhere".into(), &|_| None)
        .expect("it may be empty");
    let mut registry = Registry::default();
    let config = Config {
        manifest: &manifest,
        links: Vec::new(),
        listeners: vec![listener],
        clock: Clock::start(),
        keys: "/nowhere".into(),
        cache: Cache::new(&manifest.cache, &manifest.app.name, &mut registry),
    };
    let gateway = Gateway::new(config, &mut registry);
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(gateway.expect("it starts").run(shutdown.clone()));
    (address, shutdown, serving)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace")
}

/// `make clients` puts it beside what cargo builds.
fn python() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test.ancestors().nth(3).expect("target/PROFILE/deps/TEST");
    let python = target.join("clients/bin/python");
    assert!(python.exists(), "the official clients are not installed: run `make clients`");
    python
}

fn node() -> PathBuf {
    let package = root().join("node_modules/@google-cloud/tasks");
    assert!(package.exists(), "the official clients are not installed: run `make clients`");
    "node".into()
}
