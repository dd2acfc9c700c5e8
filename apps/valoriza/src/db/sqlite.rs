//! SQLite: one file, shared by every instance on this machine.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqlitePool, Transaction};
use tokio::sync::Mutex;

use super::Error;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a writer waits for another process, and a request for a connection, before it is told to
/// come back (503). Longer than any transaction of ours takes, shorter than a client's patience.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Each reader is a thread; more than a few only add switches on the machines this default is for.
const READERS_MAX: u32 = 4;

/// How long SQLite itself waits for the writer's lock before we ask again. SQLite sleeps longer and longer
/// between its tries, up to 100 ms, so that of ten processes the one that has waited longest is the least
/// likely to be next. Asking anew keeps the tries of all at most 10 ms apart. With ten processes writing as
/// fast as they can (debug build, 2 busy cores) the longest wait fell from 3 s to 1.3 s, p99 from 2.5 s to
/// 1.1 s, for a fifth of the throughput; 5 ms instead of 25 cost more and gained nothing.
const WRITER_POLL: Duration = Duration::from_millis(25);

#[derive(Debug, Clone)]
pub struct Pools {
    /// One connection, because SQLite has one writer.
    writer: SqlitePool,
    pub(super) readers: SqlitePool,
    /// Whose turn it is to ask for the file's lock: writers of this process queue here, in order.
    turn: Arc<Mutex<()>>,
}

impl Pools {
    /// Begins a transaction that holds the file's write lock, or gives up after [`BUSY_TIMEOUT`].
    pub(super) async fn write(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        let begun = tokio::time::timeout(BUSY_TIMEOUT, async {
            let _turn = self.turn.lock().await;
            loop {
                match self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::from) {
                    Err(Error::Busy(sqlx::Error::Database(_))) => {}
                    outcome => return outcome,
                }
            }
        });
        begun.await.unwrap_or(Err(Error::Busy(sqlx::Error::PoolTimedOut)))
    }

    /// Waits for transactions under way, then closes every connection.
    pub(super) async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}

pub(super) async fn connect(url: &str) -> Result<Pools, Error> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // FULL, not NORMAL: with NORMAL a power cut may lose writes we already answered 201 to, and
        // these are somebody's money. It costs one fsync per commit.
        .synchronous(SqliteSynchronous::Full);
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(Error::InMemory);
    }
    migrate(&options).await?;
    let pool = SqlitePoolOptions::new()
        .acquire_timeout(BUSY_TIMEOUT)
        // A local file does not go away: no reason to test or renew its connections.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None);
    Ok(Pools {
        writer: pool
            .clone()
            .max_connections(1)
            .connect_with(options.clone().busy_timeout(WRITER_POLL))
            .await?,
        turn: Arc::default(),
        readers: pool
            .max_connections(READERS_MAX)
            .connect_with(options.create_if_missing(false).pragma("query_only", "ON"))
            .await?,
    })
}

/// Creates and migrates the file, one process at a time.
///
/// The lock is a file of its own: turning WAL on needs the database to itself and SQLite does not wait
/// for that as it waits for other locks, so the database's own lock would be too late.
async fn migrate(options: &SqliteConnectOptions) -> Result<(), Error> {
    let lock = lock(options.get_filename()).await?;
    let mut connection = options.clone().journal_mode(SqliteJournalMode::Wal).connect().await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await?;
    connection.close().await?;
    drop(lock);
    Ok(())
}

async fn lock(database: &Path) -> Result<File, Error> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let name = path.display().to_string();
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    });
    locked
        .await
        .expect("taking a file lock does not panic")
        .map_err(|source| Error::Lock { path: name, source })
}
