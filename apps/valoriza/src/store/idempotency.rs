//! Answers kept under the key the client gave, to give again if the client asks again.

use jiff::Timestamp;

use crate::db::{Error, FromRow, Row, Statement, Tx};

#[derive(Debug, Clone)]
pub struct Kept {
    pub fingerprint: Vec<u8>,
    pub status: i64,
    pub body: String,
    pub expires_at: Timestamp,
}

impl FromRow for Kept {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            fingerprint: row.get("fingerprint")?,
            status: row.get("status")?,
            body: row.get("body")?,
            expires_at: row.instant("expires_at")?,
        })
    }
}

/// Claims the key for this transaction. Says no if an answer is kept under it.
///
/// On PostgreSQL this waits for another transaction that claimed it, and fails as busy after `lock_timeout`.
pub async fn claim(
    tx: &mut Tx,
    scope: &str,
    key: &str,
    fingerprint: &[u8],
    expires_at: Timestamp,
) -> Result<bool, Error> {
    let statement = Statement::new(
        "INSERT INTO idempotency_keys (scope, key, fingerprint, status, body, expires_at)
         VALUES ($1, $2, $3, 0, '', $4) ON CONFLICT (scope, key) DO NOTHING",
    );
    let statement = statement.bind(scope).bind(key).bind(fingerprint.to_vec()).bind(expires_at);
    Ok(tx.execute(statement).await? == 1)
}

pub async fn find(tx: &mut Tx, scope: &str, key: &str) -> Result<Option<Kept>, Error> {
    let statement = Statement::new("SELECT * FROM idempotency_keys WHERE scope = $1 AND key = $2");
    tx.optional(statement.bind(scope).bind(key)).await
}

/// Writes the answer under a key this transaction claimed.
pub async fn keep(tx: &mut Tx, scope: &str, key: &str, status: i64, body: &str) -> Result<(), Error> {
    let statement =
        Statement::new("UPDATE idempotency_keys SET status = $3, body = $4 WHERE scope = $1 AND key = $2");
    tx.execute(statement.bind(scope).bind(key).bind(status).bind(body)).await.map(drop)
}

/// Forgets one answer that expired before `now`.
pub async fn forget_expired(tx: &mut Tx, scope: &str, key: &str, now: Timestamp) -> Result<(), Error> {
    let statement =
        Statement::new("DELETE FROM idempotency_keys WHERE scope = $1 AND key = $2 AND expires_at < $3");
    tx.execute(statement.bind(scope).bind(key).bind(now)).await.map(drop)
}

/// Deletes at most `rows` answers that expired before `now` and says how many.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp, rows: i64) -> Result<u64, Error> {
    let statement = Statement::new(
        "DELETE FROM idempotency_keys WHERE (scope, key) IN (
            SELECT scope, key FROM idempotency_keys WHERE expires_at < $1 LIMIT $2)",
    );
    tx.execute(statement.bind(now).bind(rows)).await
}
