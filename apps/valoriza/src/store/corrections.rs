//! What people said about transactions, and what was there before, so that it can be taken back.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::calendar::Month;
use crate::domain::categorised::Categorised;
use crate::domain::member::Caller;

#[derive(Debug)]
pub struct Correction {
    pub id: Uuid,
    /// The transaction it was said of; others may have changed with it.
    pub transaction_id: Uuid,
    pub category_id: Uuid,
    pub created_at: Timestamp,
}

impl FromRow for Correction {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            transaction_id: row.get("transaction_id")?,
            category_id: row.get("category_id")?,
            created_at: row.instant("created_at")?,
        })
    }
}

pub async fn insert(tx: &mut Tx, by: &Caller, correction: &Correction) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO corrections (id, tenant_id, user_id, transaction_id, category_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let statement = statement
        .bind(correction.id)
        .bind(by.tenant)
        .bind(by.user)
        .bind(correction.transaction_id)
        .bind(correction.category_id)
        .bind(correction.created_at);
    tx.execute(statement).await.map(drop)
}

/// Keeps what `ids` are now and gives them the correction's category; some hundred at a time.
///
/// Those that got a category of somebody else's choosing meanwhile are left alone, but for the transaction the
/// correction is of. Returns how many were changed.
pub async fn apply(
    tx: &mut Tx,
    tenant: Uuid,
    correction: &Correction,
    ids: &[Uuid],
    categorised: &Categorised,
) -> Result<u64, Error> {
    let mut change = Statement::new(
        "UPDATE transactions SET category_id = $3, category_source = $4, category_confidence = $5,
            category_reason = $6, categorised_at = $7, suggested_category_id = NULL, updated_at = $7,
            version = version + 1
         WHERE tenant_id = $1 AND id IN (
            SELECT transaction_id FROM correction_changes WHERE tenant_id = $1 AND correction_id = $2
         ) AND (category_id IS NULL OR id = $8) AND id IN (",
    )
    .bind(tenant)
    .bind(correction.id)
    .bind(correction.category_id)
    .bind(categorised.source.as_str())
    .bind(categorised.confidence.stored())
    .bind(categorised.reason.as_str())
    .bind(categorised.decided_at)
    .bind(correction.transaction_id);
    let mut keep = Statement::new(
        "INSERT INTO correction_changes (tenant_id, correction_id, transaction_id, category_id, category_source,
            category_confidence, category_reason, categorised_at, suggested_category_id, suggested_confidence,
            suggested_source, suggested_reason, suggested_others)
         SELECT tenant_id, $2, id, category_id, category_source, category_confidence, category_reason, categorised_at,
            suggested_category_id, suggested_confidence, suggested_source, suggested_reason, suggested_others
         FROM transactions WHERE tenant_id = $1 AND kind = 'normal' AND NOT is_split AND id IN (",
    )
    .bind(tenant)
    .bind(correction.id);
    for statement in [&mut keep, &mut change] {
        statement.push_list(ids.iter().copied()).push(")");
    }
    tx.execute(keep).await?;
    tx.execute(change).await
}

pub async fn find(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<Option<Correction>, Error> {
    let statement = Statement::new("SELECT * FROM corrections WHERE tenant_id = $1 AND id = $2");
    tx.optional(statement.bind(tenant).bind(id)).await
}

/// A month, of the column `month`.
struct Of(Month);

impl FromRow for Of {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.parse("month").map(Self)
    }
}

/// The months of the transactions a correction changed.
pub async fn months(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<Vec<Month>, Error> {
    let statement = Statement::new(
        "SELECT DISTINCT substr(t.date, 1, 7) AS month FROM correction_changes c
         JOIN transactions t ON t.tenant_id = c.tenant_id AND t.id = c.transaction_id
         WHERE c.tenant_id = $1 AND c.correction_id = $2 ORDER BY 1",
    );
    Ok(tx.all::<Of>(statement.bind(tenant).bind(id)).await?.into_iter().map(|Of(month)| month).collect())
}

/// Puts back what a correction changed, where its category still stands, and forgets it. Says no if somebody took
/// it back already.
pub async fn take_back(
    tx: &mut Tx,
    tenant: Uuid,
    correction: &Correction,
    now: Timestamp,
) -> Result<bool, Error> {
    let statement = Statement::new(
        "UPDATE transactions SET category_id = c.category_id, category_source = c.category_source,
            category_confidence = c.category_confidence, category_reason = c.category_reason,
            categorised_at = c.categorised_at, suggested_category_id = c.suggested_category_id,
            suggested_confidence = c.suggested_confidence, suggested_source = c.suggested_source,
            suggested_reason = c.suggested_reason, suggested_others = c.suggested_others, updated_at = $5,
            version = transactions.version + 1
         FROM correction_changes c
         WHERE c.tenant_id = $1 AND c.correction_id = $2 AND transactions.tenant_id = $1
           AND transactions.id = c.transaction_id AND transactions.category_id = $3
           AND transactions.categorised_at = $4",
    );
    let statement = statement
        .bind(tenant)
        .bind(correction.id)
        .bind(correction.category_id)
        .bind(correction.created_at)
        .bind(now);
    tx.execute(statement).await?;
    let statement = Statement::new("DELETE FROM corrections WHERE tenant_id = $1 AND id = $2");
    Ok(tx.execute(statement.bind(tenant).bind(correction.id)).await? == 1)
}
