//! Keeps the line to Redis, and does what nobody waits for.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Pipeline, Value};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep, timeout};

use super::Redis;
use super::link::{Away, Errand, Line};
use super::pause::pause;
use super::scripts::Script;

/// For a connection with all its greetings. Only the probe at its end must come within the timeout of one exchange.
const CONNECT: Duration = Duration::from_secs(2);

/// Between two looks at an idle line. What other gateways purge without naming tags arrives within this.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Errands under way.
const ERRANDS_AT_ONCE: usize = 64;

/// How long the probe's mark stays.
const PROBE_TTL_MS: u64 = 1000;

/// To be run for as long as anybody uses its [`Redis`].
pub struct Service {
    client: Client,
    redis: Redis,
    errands: mpsc::Receiver<Errand>,
}

/// Why a line could not be had.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error("no connection within {CONNECT:?}")]
    Timeout,
    #[error(transparent)]
    Redis(#[from] redis::RedisError),
    #[error("its greeting makes no sense")]
    Greeting,
    #[error("it does not answer in time, or refuses what it is asked")]
    Probe,
}

impl Service {
    pub(super) fn new(client: Client, redis: Redis, errands: mpsc::Receiver<Errand>) -> Self {
        Self { client, redis, errands }
    }

    /// Runs until `shutdown`; errands that are under way then are given up.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { client, redis, mut errands } = self;
        tokio::select! {
            () = shutdown => {}
            () = keep(&client, &redis) => {}
            () = run_errands(&mut errands) => {}
        }
    }
}

async fn run_errands(errands: &mut mpsc::Receiver<Errand>) {
    let mut under_way = JoinSet::new();
    while let Some(errand) = errands.recv().await {
        under_way.spawn(errand);
        while under_way.try_join_next().is_some() {}
        if under_way.len() >= ERRANDS_AT_ONCE {
            let _ = under_way.join_next().await;
        }
    }
}

async fn keep(client: &Client, redis: &Redis) {
    let mut failures = 0;
    loop {
        match connect(client, redis).await {
            Ok(()) => {
                failures = 1;
                tracing::info!("redis is there");
                look_after(redis).await;
            }
            Err(error) => {
                failures += 1;
                // That it went away has been said; not so where it never was there.
                if failures == 1 {
                    tracing::warn!(%error, "redis cannot be reached");
                } else {
                    tracing::debug!(%error, "redis cannot be reached");
                }
            }
        }
        sleep(pause(failures, fastrand::f64())).await;
    }
}

/// Makes a line and lets everybody use it.
async fn connect(client: &Client, redis: &Redis) -> Result<(), ConnectError> {
    let greeted = timeout(CONNECT, greet(client)).await.map_err(|_elapsed| ConnectError::Timeout)?;
    let (connection, run, scripts) = greeted?;
    let line = redis.link.line(connection, run, scripts);
    probe(redis, &line).await.map_err(|Away| ConnectError::Probe)?;
    while let Err(purge) = redis.link.open(&line) {
        if redis.link.record(&line, &purge).await.is_err() {
            redis.link.owe(purge);
            return Err(ConnectError::Probe);
        }
    }
    Ok(())
}

type Greeted = (MultiplexedConnection, u64, [String; Script::ALL.len()]);

async fn greet(client: &Client) -> Result<Greeted, ConnectError> {
    // Every wait has a deadline of ours.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut greeting = Pipeline::new();
    greeting.cmd("INFO").arg("server");
    for script in Script::ALL {
        greeting.cmd("SCRIPT").arg("LOAD").arg(script.text());
    }
    let mut replies = connection.send_packed_commands(&greeting, 0, greeting.len()).await?.into_iter();
    let mut next = || match replies.next() {
        Some(Value::BulkString(text)) => String::from_utf8(text).ok(),
        Some(Value::VerbatimString { text, .. }) => Some(text),
        _ => None,
    };
    let info = next().ok_or(ConnectError::Greeting)?;
    let run = info.lines().find_map(|line| line.strip_prefix("run_id:")).ok_or(ConnectError::Greeting)?;
    let hash: [u8; 32] = Sha256::digest(run.trim()).into();
    let run = hash.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let mut scripts: [String; Script::ALL.len()] = Default::default();
    for name in &mut scripts {
        *name = next().ok_or(ConnectError::Greeting)?;
    }
    Ok((connection, run, scripts))
}

/// Sees that it answers in time, and can be written to.
async fn probe(redis: &Redis, line: &Line) -> Result<(), Away> {
    let build = |line: &Line, commands: &mut Pipeline| {
        redis.link.note(line, commands, &[]);
        commands.cmd("SET").arg(redis.link.keys.probe()).arg("").arg("PX").arg(PROBE_TTL_MS);
    };
    let mut replies = redis.link.exchange_on(line.clone(), redis.link.deadline(), build).await?;
    redis.link.number(&mut replies).map(|_number| ())
}

/// Returns when the line is gone.
async fn look_after(redis: &Redis) {
    let link = &redis.link;
    loop {
        tokio::select! {
            () = link.wait_until(false) => return,
            () = sleep(LOOK_EVERY) => {}
        }
        let looked = link.exchange(link.deadline(), |line, commands| link.note(line, commands, &[])).await;
        if let Ok(mut replies) = looked {
            let _ = link.number(&mut replies);
        }
    }
}
