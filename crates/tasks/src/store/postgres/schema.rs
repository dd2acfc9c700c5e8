//! The schema `mare_tasks`, brought up to date at start.

use sqlx::{Connection, PgConnection, PgPool};

/// One after the other; what has been released is never changed.
const STEPS: [&str; 4] = [
    include_str!("schema/0001_tables.sql"),
    include_str!("schema/0002_functions.sql"),
    include_str!("schema/0003_sweep.sql"),
    include_str!("schema/0004_marks.sql"),
];

/// Processes that start at the same time take turns. `MareTask` in ASCII.
const LOCK: i64 = 0x4d61_7265_5461_736b;

const LEDGER: &str = "CREATE SCHEMA IF NOT EXISTS mare_tasks;
    CREATE TABLE IF NOT EXISTS mare_tasks.migrations (version integer PRIMARY KEY, at timestamptz NOT NULL)";

/// Takes the steps that were not taken yet, all or none of them. A schema of a newer version is left as it is: steps
/// only add, so that processes of two versions can share it while one replaces the other.
pub(super) async fn migrate(pool: &PgPool) -> Result<(), sqlx::Error> {
    // Its own connection, which waits for its turn without the pool's limits of time.
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    sqlx::raw_sql("SET lock_timeout = 0; SET statement_timeout = 0").execute(&mut connection).await?;
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    sqlx::raw_sql(LEDGER).execute(&mut *transaction).await?;
    let done: Option<i32> = sqlx::query_scalar("SELECT max(version) FROM mare_tasks.migrations")
        .fetch_one(&mut *transaction)
        .await?;
    for (version, step) in (1..).zip(STEPS) {
        if done.is_none_or(|done| version > done) {
            sqlx::raw_sql(step).execute(&mut *transaction).await?;
            sqlx::query("INSERT INTO mare_tasks.migrations VALUES ($1, now())")
                .bind(version)
                .execute(&mut *transaction)
                .await?;
        }
    }
    transaction.commit().await?;
    connection.close().await
}
