//! One exchange with Redis, and the breaker.
//!
//! There is a line or there is none. Whoever's exchange fails, or takes too long, takes the line away from everybody: so
//! a Redis that stands still costs its timeout once, and not once per request. Only the service brings it back.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant, timeout_at};

use super::Config;
use super::keys::{Keys, Name};
use super::scripts::Script;
use crate::metrics::redis::{Failure, RedisMetrics};
use crate::purge::Purge;

/// Answers on their way to Redis. Those that find it full are kept in no memory but this gateway's.
const ERRANDS_MAX: usize = 256;

/// Tags of purges that could not be recorded. With more of them, everything is purged.
const OWED_MAX: usize = 10_000;

/// Redis does not answer, or not in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Away;

/// What is done in the background, on the service's runtime.
pub(crate) type Errand = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Link {
    pub(super) keys: Keys,
    pub(super) timeout: Duration,
    pub(super) metrics: RedisMetrics,
    line: watch::Sender<Option<Line>>,
    lines: AtomicU64,
    errands: mpsc::Sender<Errand>,
    /// Purges this gateway has promised and could not record. There is no line while there are any: what they ended
    /// must not be served.
    owed: Mutex<Option<Purge>>,
    /// The last one seen; 0: none.
    epoch: AtomicU64,
    on_epoch: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// A connection in use.
#[derive(Clone)]
pub(super) struct Line {
    connection: MultiplexedConnection,
    /// Of the server behind it. It is another one after every restart.
    run: u64,
    /// How the server calls them.
    scripts: Arc<[String; Script::ALL.len()]>,
    id: u64,
}

/// What came of an exchange.
pub(super) struct Replies {
    pub(super) values: std::vec::IntoIter<Value>,
    run: u64,
}

impl Link {
    pub(super) fn new(config: &Config<'_>, registry: &mut Registry) -> (Self, mpsc::Receiver<Errand>) {
        let (sender, errands) = mpsc::channel(ERRANDS_MAX);
        let link = Self {
            keys: Keys::of(config.app),
            timeout: config.timeout,
            metrics: RedisMetrics::register(registry),
            line: watch::Sender::new(None),
            lines: AtomicU64::new(0),
            errands: sender,
            owed: Mutex::default(),
            epoch: AtomicU64::new(0),
            on_epoch: OnceLock::new(),
        };
        (link, errands)
    }

    /// Until when an exchange that begins now must have ended.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Sends commands in one go, and returns one reply for each.
    pub(super) async fn exchange(
        &self,
        deadline: Instant,
        build: impl FnOnce(&Line, &mut Pipeline),
    ) -> Result<Replies, Away> {
        let Some(line) = self.line.borrow().clone() else { return Err(Away) };
        self.exchange_on(line, deadline, build).await
    }

    pub(super) async fn exchange_on(
        &self,
        mut line: Line,
        deadline: Instant,
        build: impl FnOnce(&Line, &mut Pipeline),
    ) -> Result<Replies, Away> {
        let mut commands = Pipeline::new();
        build(&line, &mut commands);
        self.metrics.exchanges.inc();
        let count = commands.len();
        let sent = line.connection.send_packed_commands(&commands, 0, count);
        match timeout_at(deadline, sent).await {
            Ok(Ok(values)) if !values.iter().any(|value| matches!(value, Value::ServerError(_))) => {
                Ok(Replies { values: values.into_iter(), run: line.run })
            }
            Ok(Ok(values)) => {
                let refused = values.iter().find_map(|value| match value {
                    Value::ServerError(error) => Some(error.to_string()),
                    _ => None,
                });
                Err(self.failed(&line, Failure::Refused, &refused.unwrap_or_default()))
            }
            Ok(Err(error)) => {
                let broken = error.is_io_error() || error.is_connection_dropped();
                let failure = if broken { Failure::Broken } else { Failure::Refused };
                Err(self.failed(&line, failure, &error.to_string()))
            }
            Err(_elapsed) => Err(self.failed(&line, Failure::Timeout, "no answer in time")),
        }
    }

    /// A reply that cannot be is as good as none.
    pub(super) fn misunderstood(&self) -> Away {
        let Some(line) = self.line.borrow().clone() else { return Away };
        self.failed(&line, Failure::Refused, "an answer that makes no sense")
    }

    fn failed(&self, line: &Line, failure: Failure, error: &str) -> Away {
        self.metrics.failed(failure);
        // Those who were on the line fail one after the other, maybe when there is a new one already.
        let is_first = self.line.send_if_modified(|current| {
            let is_this = current.as_ref().is_some_and(|current| current.id == line.id);
            if is_this {
                *current = None;
            }
            is_this
        });
        if is_first {
            self.metrics.up.set(0);
            tracing::warn!(
                error,
                "redis is away: tagged answers come from the services, rate limits are each gateway's own"
            );
        }
        Away
    }

    pub(super) fn line(
        &self,
        connection: MultiplexedConnection,
        run: u64,
        scripts: [String; Script::ALL.len()],
    ) -> Line {
        Line { connection, run, scripts: Arc::new(scripts), id: self.lines.fetch_add(1, Ordering::Relaxed) }
    }

    /// Lets everybody use a line, unless a purge must be recorded first.
    pub(super) fn open(&self, line: &Line) -> Result<(), Purge> {
        let mut owed = self.owed.lock();
        if let Some(purge) = owed.take() {
            return Err(purge);
        }
        self.metrics.up.set(1);
        self.line.send_replace(Some(line.clone()));
        Ok(())
    }

    /// Of a purge that could not be recorded: until it is, there is no line.
    pub(super) fn owe(&self, purge: Purge) {
        let mut owed = self.owed.lock();
        let all = match owed.take() {
            Some(others) => others.and(purge),
            None => purge,
        };
        let is_bounded = matches!(&all, Purge::Tags(tags) if tags.len() <= OWED_MAX);
        *owed = Some(if is_bounded { all } else { Purge::All });
        self.metrics.up.set(0);
        self.line.send_replace(None);
    }

    /// Does something in the background; false if there is too much of that.
    pub(super) fn send(&self, errand: Errand) -> bool {
        let is_sent = self.errands.try_send(errand).is_ok();
        if !is_sent {
            self.metrics.errands_dropped.inc();
        }
        is_sent
    }

    /// Calls this whenever everything recorded before is worth nothing any more.
    pub(super) fn on_epoch(&self, call: Box<dyn Fn() + Send + Sync>) {
        let _ = self.on_epoch.set(call);
    }

    /// The epoch of a sequence's life, as the server behind these replies has it.
    pub(super) fn epoch(&self, replies: &Replies, life: u64) -> u64 {
        // Both are random in all bits, so two epochs are equal by chance only.
        let epoch = replies.run ^ life;
        if self.epoch.load(Ordering::Relaxed) != epoch {
            let before = self.epoch.swap(epoch, Ordering::Relaxed);
            if before != 0
                && before != epoch
                && let Some(call) = self.on_epoch.get()
            {
                call();
            }
        }
        epoch
    }

    pub(super) async fn wait_until(&self, is_up: bool) {
        let mut line = self.line.subscribe();
        line.wait_for(|line| line.is_some() == is_up).await.expect("its sender is here");
    }
}

impl Line {
    /// Adds the call of a script.
    pub(super) fn call(&self, commands: &mut Pipeline, script: Script, keys: &[Name], arguments: &[String]) {
        commands.cmd("EVALSHA").arg(&self.scripts[script as usize]).arg(keys.len()).arg(keys).arg(arguments);
    }
}
