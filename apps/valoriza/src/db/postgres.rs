//! PostgreSQL: for instances on several machines.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};

use super::Error;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Not one of the migrations, because the extension may come later than they.
const VECTORS: &str = include_str!("../../migrations/pgvector.sql");

/// Ten instances with eight connections each stay below PostgreSQL's default of 100.
const CONNECTIONS_MAX: u32 = 8;

/// How long a request waits for a connection before it is told to come back (503).
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The name of a lock: instances that start at once make vectors one after the other.
const VECTORS_LOCK: i64 = 0x7661_6c6f_7665_6374;

#[derive(Debug, Clone)]
pub struct Pool {
    pub(super) connections: PgPool,
    pub(super) has_vectors: bool,
}

pub(super) async fn connect(url: &str) -> Result<Pool, Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("valoriza").options([
        // Waiting longer for a row would only pile up requests behind it.
        ("lock_timeout", "5s"),
        ("statement_timeout", "30s"),
        // A process that died without saying so must not hold its locks.
        ("idle_in_transaction_session_timeout", "60s"),
    ]);
    let connections = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await?;
    let has_vectors = migrate(&connections).await?;
    Ok(Pool { connections, has_vectors })
}

/// Migrates under sqlx's advisory lock, for which instances queue without a limit of time.
/// Says whether there are vectors.
async fn migrate(pool: &PgPool) -> Result<bool, Error> {
    let mut connection = pool.acquire().await?.detach();
    sqlx::query("SET lock_timeout = 0").execute(&mut connection).await?;
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await?;
    let has_vectors = make_vectors(&mut connection).await.unwrap_or_else(|error| {
        let error = format!("{:#}", anyhow::Error::new(error));
        tracing::warn!(error, "pgvector cannot be used: vectors are compared without it");
        false
    });
    sqlx::Connection::close(connection).await?;
    Ok(has_vectors)
}

/// Makes vectors the server can compare if it has pgvector, and says whether they are there.
async fn make_vectors(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let mut tx = sqlx::Connection::begin(connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(VECTORS_LOCK).execute(&mut *tx).await?;
    let state = sqlx::query_as::<_, (bool, bool)>(
        "SELECT EXISTS (SELECT 1 FROM pg_attribute
                WHERE attrelid = 'embeddings'::regclass AND attname = 'numbers' AND NOT attisdropped),
            EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector')",
    );
    let (is_made, can_be_made) = state.fetch_one(&mut *tx).await?;
    if is_made || !can_be_made {
        return Ok(is_made);
    }
    sqlx::raw_sql(VECTORS).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}
