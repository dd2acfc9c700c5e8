//! Connections, and the one time all processes go by.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};
use tokio::time::{Instant, sleep, timeout};

use super::error::{is_broken, is_collision};
use crate::store::{Clock, Error};

/// Several processes stay below PostgreSQL's default of 100.
const CONNECTIONS_MAX: u32 = 16;

/// How long a caller waits for a connection before it is told that the store is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that rested longer is asked whether it is still there before it is used.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// Longer than any statement may take: a connection that says nothing so long is dead.
const SILENCE_MAX: Duration = Duration::from_secs(40);

/// How long what is safe to repeat is repeated, and how often.
const REPEAT_FOR: Duration = Duration::from_secs(10);
const REPEAT_EVERY: Duration = Duration::from_millis(100);

/// A transaction that loses against another is done again so often.
const COLLISIONS_MAX: u32 = 5;

#[derive(Clone)]
pub(super) struct Pool {
    pub(super) pool: PgPool,
    clock: Clock,
}

impl Pool {
    pub(super) async fn connect(url: &str, clock: Clock) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url)?.application_name("mare-tasks").options([
            // Waiting longer for a row would only pile up work behind it.
            ("lock_timeout", "5s"),
            ("statement_timeout", "30s"),
            // A process that died without saying so must not hold its locks.
            ("idle_in_transaction_session_timeout", "30s"),
            // All we do is look up a bounded number of rows by an index. The statistics of a table that is empty one
            // minute and full the next must not talk the planner into anything else.
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("enable_bitmapscan", "off"),
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
            // Acknowledged is durable, whatever is usual in this database.
            ("synchronous_commit", "on"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A connection that was used just now is taken for good; asking each time would be a round trip more.
            .test_before_acquire(false)
            .before_acquire(|connection, seen| {
                Box::pin(async move {
                    if seen.idle_for < IDLE_MAX {
                        return Ok(true);
                    }
                    connection.ping().await.map(|()| true)
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool, clock })
    }

    /// The time that statements go by: `None` is the database's.
    pub(super) fn clock(&self) -> Option<i64> {
        match &self.clock {
            Clock::System => None,
            Clock::Manual(manual) => Some(manual.now().as_microsecond()),
        }
    }

    /// Does something, again while that is safe: what failed before its commit surely was not done.
    pub(super) async fn run<T, F>(&self, repeat: Repeat, operation: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let deadline = Instant::now() + REPEAT_FOR;
        let mut collisions = 0;
        loop {
            let done = timeout(SILENCE_MAX, operation()).await;
            let failure = match done.unwrap_or_else(|_late| Err(Failure::silence())) {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            match failure {
                Failure::Refused(error) => return Err(error),
                Failure::Lost if collisions < COLLISIONS_MAX => collisions += 1,
                Failure::Lost => return Err(Error::Busy),
                Failure::Before(error) | Failure::Commit(error)
                    if is_collision(&error) && collisions < COLLISIONS_MAX =>
                {
                    collisions += 1;
                }
                Failure::Commit(error) if repeat == Repeat::Never => return Err(error.into()),
                Failure::Before(error) | Failure::Commit(error)
                    if is_broken(&error) && Instant::now() < deadline =>
                {
                    tracing::debug!(%error, "connection to the database broke; trying again");
                    sleep(REPEAT_EVERY).await;
                }
                Failure::Before(error) | Failure::Commit(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether something may be done twice, which is the question when a connection breaks while it commits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Repeat {
    Safe,
    Never,
}

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Before its commit: nothing was written.
    Before(sqlx::Error),
    /// In its commit.
    Commit(sqlx::Error),
    /// Somebody else was first: nothing was written, and looking again will find what they did.
    Lost,
    /// By our own rules: nothing was written.
    Refused(Error),
}

impl Failure {
    /// Nobody knows where it got stuck.
    fn silence() -> Self {
        Self::Commit(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Before(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The end of time if it is beyond.
pub(super) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

/// 292,000 years are longer than any span here.
pub(super) fn span(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
