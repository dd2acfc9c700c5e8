//! An outbox in PostgreSQL. Several relays may read one: each takes rows the others have not locked.

use std::time::Duration;

use mare_manifest::model::Text;
use serde_json::{Map, Value};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Row as _, Transaction};

use super::{ROWS_MAX, RelayError, Row, row};

const CONNECT: Duration = Duration::from_secs(5);

pub(super) struct Source {
    pool: PgPool,
    read: String,
    mark: String,
    /// Holds the rows that were read and are not marked yet.
    reading: Option<Transaction<'static, Postgres>>,
}

impl Source {
    pub(super) async fn open(url: &Text, table: &str) -> Result<Self, RelayError> {
        let options: PgConnectOptions = url.reveal().parse()?;
        let pool =
            PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT).connect_with(options).await?;
        let there: bool =
            sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(&pool).await?;
        if !there {
            return Err(RelayError::NoTable);
        }
        let dispatched = kind(&pool, table, "dispatched_at").await?;
        let id = kind(&pool, table, "id").await?;
        // Milliseconds where the column is a number.
        let now = if dispatched.starts_with("timestamp") {
            "clock_timestamp()"
        } else {
            "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
        };
        let read = format!(
            "SELECT to_jsonb(o) FROM {table} o WHERE dispatched_at IS NULL ORDER BY id LIMIT {ROWS_MAX}
             FOR UPDATE SKIP LOCKED"
        );
        let mark = format!(
            // In the column's own type, or no index helps.
            "UPDATE {table} SET dispatched_at = {now} WHERE dispatched_at IS NULL
             AND id = ANY ($1::text[]::{id}[])"
        );
        Ok(Self { pool, read, mark, reading: None })
    }

    pub(super) async fn pending(&mut self) -> Result<Vec<Row>, RelayError> {
        self.reading = None;
        let mut reading = self.pool.begin().await?;
        let found = sqlx::query(AssertSqlSafe(self.read.clone())).fetch_all(&mut *reading).await?;
        let rows =
            found.iter().map(|one| row(columns(one.try_get(0)?))).collect::<Result<Vec<_>, RelayError>>()?;
        if rows.is_empty() {
            reading.rollback().await?;
        } else {
            self.reading = Some(reading);
        }
        Ok(rows)
    }

    pub(super) async fn mark(&mut self, rows: Vec<Row>) -> Result<(), RelayError> {
        let Some(mut reading) = self.reading.take() else { return Ok(()) };
        let ids: Vec<String> = rows.into_iter().map(|row| row.id).collect();
        sqlx::query(AssertSqlSafe(self.mark.clone())).bind(ids).execute(&mut *reading).await?;
        reading.commit().await?;
        Ok(())
    }
}

/// A column's type.
async fn kind(pool: &PgPool, table: &str, column: &'static str) -> Result<String, RelayError> {
    let kind: Option<String> = sqlx::query_scalar(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute
         WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped",
    )
    .bind(table)
    .bind(column)
    .fetch_optional(pool)
    .await?;
    kind.ok_or(RelayError::NoColumn(column))
}

fn columns(object: Value) -> impl Iterator<Item = (String, Option<String>)> {
    let object = match object {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    object.into_iter().map(|(name, value)| {
        let shown = match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
        };
        (name, shown)
    })
}
