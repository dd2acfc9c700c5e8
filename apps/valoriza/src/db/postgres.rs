//! PostgreSQL: for instances on several machines.

use std::str::FromStr;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::Error;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Ten instances with eight connections each stay below PostgreSQL's default of 100.
const CONNECTIONS_MAX: u32 = 8;

/// How long a request waits for a connection before it is told to come back (503).
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn connect(url: &str) -> Result<PgPool, Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("valoriza").options([
        // Waiting longer for a row would only pile up requests behind it.
        ("lock_timeout", "5s"),
        ("statement_timeout", "30s"),
        // A process that died without saying so must not hold its locks.
        ("idle_in_transaction_session_timeout", "60s"),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await?;
    migrate(&pool).await?;
    Ok(pool)
}

/// Migrates under sqlx's advisory lock, for which instances queue without a limit of time.
async fn migrate(pool: &PgPool) -> Result<(), Error> {
    let mut connection = pool.acquire().await?.detach();
    sqlx::query("SET lock_timeout = 0").execute(&mut connection).await?;
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await?;
    sqlx::Connection::close(connection).await?;
    Ok(())
}
