//! Vectors of transactions: where their wordings are among all wordings.
//!
//! Stored as bytes on both databases and compared exactly, by brute force: a tenant has some ten thousand of 256
//! bytes each, which are read and compared faster than an index would be kept.

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
