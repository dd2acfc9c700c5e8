//! What a tenant's transactions are categorised by, and which version of it is in force.

use uuid::Uuid;

use crate::categorise::{Outcome, Source};
use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::categorised::Confidence;
use crate::domain::transaction::Transaction;

/// Says that what this tenant's transactions are categorised by has changed. Locks the tenant's row here, so it comes
/// last in a transaction.
pub async fn changed(tx: &mut Tx, tenant: Uuid) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO knowledge (tenant_id, version) VALUES ($1, 1)
         ON CONFLICT (tenant_id) DO UPDATE SET version = knowledge.version + 1",
    );
    tx.execute(statement.bind(tenant)).await.map(drop)
}

/// The version in force.
pub async fn version(tx: &mut Tx, tenant: Uuid) -> Result<i64, Error> {
    let statement = Statement::new("SELECT version AS n FROM knowledge WHERE tenant_id = $1");
    Ok(tx.optional(statement.bind(tenant)).await?.unwrap_or(0))
}

/// What people said themselves, newest first.
pub async fn chosen(tx: &mut Tx, tenant: Uuid, rows: i64) -> Result<Vec<Transaction>, Error> {
    let statement = Statement::new(
        "SELECT * FROM transactions WHERE tenant_id = $1 AND category_source = 'user'
         ORDER BY categorised_at DESC, id DESC LIMIT $2",
    );
    tx.all(statement.bind(tenant).bind(rows)).await
}

/// An [`Outcome`] as it is stored.
struct Judged(Outcome);

impl FromRow for Judged {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let source: Source = row.parse("source")?;
        let confidence = Confidence::from_stored(row.get("confidence")?);
        #[expect(clippy::cast_possible_truncation, reason = "four digits")]
        let confidence = confidence.share() as f32;
        Ok(Self(Outcome { source, confidence, right: row.get("was_right")? }))
    }
}

/// What became of the engine's newest answers, at most `rows` that stand and as many that people judged. What it
/// set and nobody changed counts as right.
pub async fn outcomes(tx: &mut Tx, tenant: Uuid, rows: i64) -> Result<Vec<Outcome>, Error> {
    let judged = Statement::new(
        "SELECT COALESCE(c.category_source, c.suggested_source) AS source,
            COALESCE(c.category_confidence, c.suggested_confidence) AS confidence,
            COALESCE(c.category_id, c.suggested_category_id) = k.category_id AS was_right
         FROM corrections k JOIN correction_changes c
            ON c.tenant_id = k.tenant_id AND c.correction_id = k.id AND c.transaction_id = k.transaction_id
         WHERE k.tenant_id = $1 AND COALESCE(c.category_id, c.suggested_category_id) IS NOT NULL
           AND COALESCE(c.category_source, c.suggested_source) NOT IN ('user', 'rule')
         ORDER BY k.created_at DESC LIMIT $2",
    );
    let left = Statement::new(
        "SELECT category_source AS source, category_confidence AS confidence, TRUE AS was_right FROM transactions
         WHERE tenant_id = $1 AND category_source <> 'user' AND category_source <> 'rule'
         ORDER BY categorised_at DESC, id DESC LIMIT $2",
    );
    let mut outcomes = tx.all::<Judged>(judged.bind(tenant).bind(rows)).await?;
    outcomes.extend(tx.all::<Judged>(left.bind(tenant).bind(rows)).await?);
    Ok(outcomes.into_iter().map(|Judged(outcome)| outcome).collect())
}
