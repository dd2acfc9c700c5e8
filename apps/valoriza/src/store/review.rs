//! What waits for a person: transactions without a category, but for split ones, whose parts have their own.

use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::categorised::Alternative;
use crate::domain::page::{DateAndId, Slice};
use crate::domain::transaction::Transaction;

/// A transaction without a category and what else it could be beside its suggestion.
#[derive(Debug)]
pub struct Waiting {
    pub transaction: Transaction,
    pub others: Vec<Alternative>,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let transaction = Transaction::from_row(row)?;
        let others =
            if transaction.suggestion.is_some() { row.json("suggested_others")? } else { Vec::new() };
        Ok(Self { transaction, others })
    }
}

/// Newest first.
pub async fn list(tx: &mut Tx, tenant: Uuid, slice: &Slice<DateAndId>) -> Result<Vec<Waiting>, Error> {
    let mut statement = Statement::new(
        "SELECT * FROM transactions WHERE tenant_id = $1 AND category_id IS NULL AND kind = 'normal' AND NOT is_split",
    )
    .bind(tenant);
    if let Some(after) = slice.after {
        statement.push(" AND (date, id) < (").push_bind(after.date).push(", ").push_bind(after.id).push(")");
    }
    statement.push(" ORDER BY date DESC, id DESC LIMIT ").push_bind(slice.rows());
    tx.all(statement).await
}

pub async fn count(tx: &mut Tx, tenant: Uuid) -> Result<i64, Error> {
    let statement = Statement::new(
        "SELECT COUNT(*) AS n FROM transactions
         WHERE tenant_id = $1 AND category_id IS NULL AND kind = 'normal' AND NOT is_split",
    );
    tx.one(statement.bind(tenant)).await
}

/// Forgets suggestions of a category that is about to go.
pub async fn forget_suggestions(tx: &mut Tx, tenant: Uuid, category: Uuid) -> Result<(), Error> {
    let statement = Statement::new(
        "UPDATE transactions SET suggested_category_id = NULL WHERE tenant_id = $1 AND suggested_category_id = $2
            AND category_id IS NULL AND kind = 'normal' AND NOT is_split",
    );
    tx.execute(statement.bind(tenant).bind(category)).await.map(drop)
}
