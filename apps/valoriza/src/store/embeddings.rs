//! Vectors of transactions: where their wordings are among all wordings.
//!
//! Stored as bytes on both databases and compared exactly, by brute force: a tenant has some ten thousand of 256 bytes
//! each. PostgreSQL does it itself where it has pgvector, so that they need not be read.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::page::DateAndId;

/// A transaction, where it is in a list, and its vector as stored, if the worker has made it.
#[derive(Debug)]
pub struct Embedding {
    pub place: DateAndId,
    pub description: String,
    pub amount_cents: i64,
    pub vector: Option<Vec<u8>>,
}

impl FromRow for Embedding {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            place: DateAndId { date: row.parse("date")?, id: row.get("id")? },
            description: row.get("description")?,
            amount_cents: row.get("amount_cents")?,
            vector: row.get("vector")?,
        })
    }
}

/// Writes vectors, over older ones; some hundred at a time.
pub async fn put(
    tx: &mut Tx,
    tenant: Uuid,
    vectors: Vec<(Uuid, Vec<u8>)>,
    now: Timestamp,
) -> Result<(), Error> {
    if vectors.is_empty() {
        return Ok(());
    }
    let mut statement =
        Statement::new("INSERT INTO embeddings (tenant_id, transaction_id, vector, made_at) VALUES ");
    statement.push_rows(
        vectors.into_iter().map(|(id, vector)| [tenant.into(), id.into(), vector.into(), now.into()]),
    );
    statement.push(
        " ON CONFLICT (tenant_id, transaction_id)
          DO UPDATE SET vector = excluded.vector, made_at = excluded.made_at",
    );
    tx.execute(statement).await.map(drop)
}

/// The next `rows` transactions after a place, newest first; no transfers.
pub async fn list(
    tx: &mut Tx,
    tenant: Uuid,
    after: Option<DateAndId>,
    rows: usize,
) -> Result<Vec<Embedding>, Error> {
    let mut statement = Statement::new(
        "SELECT t.date, t.id, t.description, t.amount_cents, e.vector FROM transactions t
         LEFT JOIN embeddings e ON e.tenant_id = t.tenant_id AND e.transaction_id = t.id
         WHERE t.tenant_id = $1 AND t.kind = 'normal'",
    )
    .bind(tenant);
    if let Some(after) = after {
        statement
            .push(" AND (t.date, t.id) < (")
            .push_bind(after.date)
            .push(", ")
            .push_bind(after.id)
            .push(")");
    }
    statement
        .push(" ORDER BY t.date DESC, t.id DESC LIMIT ")
        .push_bind(i64::try_from(rows).expect("some thousand"));
    tx.all(statement).await
}

/// The `rows` transactions nearest to `wanted` that have a vector, without `but` and transfers; equals newest first.
/// Only where the database compares vectors itself.
pub async fn nearest(
    tx: &mut Tx,
    tenant: Uuid,
    wanted: &[f32],
    but: Uuid,
    rows: usize,
) -> Result<Vec<Embedding>, Error> {
    let numbers: Vec<String> = wanted.iter().map(f32::to_string).collect();
    let statement = Statement::new(
        "SELECT t.date, t.id, t.description, t.amount_cents, e.vector FROM embeddings e
         JOIN transactions t ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id
         WHERE e.tenant_id = $1 AND t.id <> $2 AND t.kind = 'normal' AND e.numbers IS NOT NULL
         ORDER BY e.numbers <=> CAST(CAST($3 AS text) AS vector), t.date DESC, t.id DESC LIMIT $4",
    );
    let statement = statement.bind(tenant).bind(but).bind(format!("[{}]", numbers.join(",")));
    tx.all(statement.bind(i64::try_from(rows).expect("some thousand"))).await
}

/// The newest `rows` transactions without a vector, newest first; no transfers. Only as [`nearest`].
pub async fn missing(tx: &mut Tx, tenant: Uuid, rows: usize) -> Result<Vec<Embedding>, Error> {
    let statement = Statement::new(
        "SELECT t.date, t.id, t.description, t.amount_cents, CAST(NULL AS bytea) AS vector FROM transactions t
         WHERE t.tenant_id = $1 AND t.kind = 'normal' AND NOT EXISTS (
             SELECT 1 FROM embeddings e WHERE e.tenant_id = t.tenant_id AND e.transaction_id = t.id)
         ORDER BY t.date DESC, t.id DESC LIMIT $2",
    );
    tx.all(statement.bind(tenant).bind(i64::try_from(rows).expect("some thousand"))).await
}
