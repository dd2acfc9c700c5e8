//! The serving roles, `api` and `worker`: serve HTTP until told to stop, then finish what is under way.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Cost, Keys, Passwords};
use crate::brands;
use crate::caching::Purger;
use crate::clock;
use crate::config::Config;
use crate::db::Db;
use crate::files::Files;
use crate::http::{App, router};
use crate::janitor;
use crate::worker::{self, Worker};

/// How long requests under way may still take after SIGTERM; the platform kills a little later.
const DRAIN: Duration = Duration::from_secs(30);

/// Files taken in at once: each is in memory until the object store has it.
const UPLOADS_MAX: usize = 8;

impl App {
    /// Everything handlers need, over an open database.
    pub async fn new(db: Db, files: Files, cost: Cost) -> anyhow::Result<Self> {
        let keys = Keys::load(&db, clock::now()).await.context("load the signing key")?;
        let uploads = Arc::new(Semaphore::new(UPLOADS_MAX));
        Ok(Self {
            db,
            files,
            uploads,
            keys,
            passwords: Passwords::new(cost)?,
            writes: TaskTracker::new(),
            purger: Purger::default(),
        })
    }
}

/// Serves until SIGTERM or SIGINT.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let Opened { db, listener, shutdown } = open(&config).await?;
    let files = Files::open(&config.files)?;
    let app = App::new(db, files, config.password_cost).await?;
    serve(App { purger: config.purger, ..app }, listener, shutdown).await
}

/// Handles what the platform pushes, until SIGTERM or SIGINT.
pub async fn run_worker(config: Config) -> anyhow::Result<()> {
    let Opened { db, listener, shutdown } = open(&config).await?;
    let worker = Worker::new(db.clone(), Files::open(&config.files)?, Arc::new(brands::engine()));
    serve_router(worker::router(worker), listener, shutdown).await?;
    db.close().await;
    Ok(())
}

/// Handles what the outbox holds, without a platform, until SIGTERM or SIGINT. Listens nowhere.
pub async fn run_polling_worker(config: Config) -> anyhow::Result<()> {
    let shutdown = until_told_to_stop()?;
    let db = Db::connect(&config.database_url).await.context("open the database")?;
    let worker = Worker::new(db.clone(), Files::open(&config.files)?, Arc::new(brands::engine()));
    tracing::info!("polling the outbox");
    worker.poll(&config.purger, &shutdown).await;
    tracing::info!("stopped");
    db.close().await;
    Ok(())
}

/// What a serving role begins with.
struct Opened {
    db: Db,
    listener: TcpListener,
    /// Cancelled by SIGTERM or SIGINT.
    shutdown: CancellationToken,
}

/// A token that SIGTERM or SIGINT cancels.
fn until_told_to_stop() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        stop.cancel();
    });
    Ok(shutdown)
}

async fn open(config: &Config) -> anyhow::Result<Opened> {
    let shutdown = until_told_to_stop()?;
    let db = Db::connect(&config.database_url).await.context("open the database")?;
    let listener = TcpListener::bind((config.host.as_str(), config.port))
        .await
        .with_context(|| format!("listen on {}:{}", config.host, config.port))?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    Ok(Opened { db, listener, shutdown })
}

/// Serves `app` until `shutdown`, finishes what is under way and closes the database.
pub async fn serve(app: App, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let janitor = tokio::spawn(janitor::run(app.db.clone(), app.purger.clone(), shutdown.clone()));
    let outcome = serve_router(router(app.clone()), listener, shutdown.clone()).await;
    shutdown.cancel();
    janitor.await.context("join the janitor")?;
    app.writes.close();
    app.writes.wait().await;
    app.db.close().await;
    outcome
}

/// Serves until `shutdown`, then finishes what is under way.
async fn serve_router(
    router: Router,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let stopping = shutdown.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned());
    let drained = async {
        stopping.cancelled().await;
        tracing::info!("draining");
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        outcome = server => outcome.context("serve")?,
        () = drained => tracing::warn!("gave up on connections that would not end"),
    }
    tracing::info!("stopped");
    Ok(())
}
