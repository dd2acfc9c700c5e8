//! Budgets, and what was moved in their months.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::budget::{Budget, Draft, Movement};
use crate::domain::calendar::Month;
use crate::domain::page::Slice;

/// What was spent is measured afterwards, from [`movements`].
impl FromRow for Budget {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            category_id: row.get("category_id")?,
            month: row.parse("month")?,
            amount_cents: row.get("amount_cents")?,
            spent_cents: 0,
            left_cents: 0,
            version: row.get("version")?,
            created_at: row.instant("created_at")?,
            updated_at: row.instant("updated_at")?,
        })
    }
}

impl FromRow for Movement {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            month: row.parse("month")?,
            category_id: row.get("category_id")?,
            amount_cents: row.get("amount_cents")?,
        })
    }
}

pub async fn insert(tx: &mut Tx, tenant: Uuid, budget: &Budget) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO budgets (id, tenant_id, category_id, month, amount_cents, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    let statement = statement
        .bind(budget.id)
        .bind(tenant)
        .bind(budget.category_id)
        .bind(budget.month.to_string())
        .bind(budget.amount_cents)
        .bind(budget.version)
        .bind(budget.created_at)
        .bind(budget.updated_at);
    tx.execute(statement).await.map(drop)
}

pub async fn find(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<Option<Budget>, Error> {
    let statement = Statement::new("SELECT * FROM budgets WHERE tenant_id = $1 AND id = $2");
    tx.optional(statement.bind(tenant).bind(id)).await
}

/// Oldest first.
pub async fn list(
    tx: &mut Tx,
    tenant: Uuid,
    month: Option<Month>,
    slice: &Slice<Uuid>,
) -> Result<Vec<Budget>, Error> {
    let mut statement = Statement::new("SELECT * FROM budgets WHERE tenant_id = $1").bind(tenant);
    if let Some(month) = month {
        statement.push(" AND month = ").push_bind(month.to_string());
    }
    if let Some(after) = slice.after {
        statement.push(" AND id > ").push_bind(after);
    }
    statement.push(" ORDER BY id LIMIT ").push_bind(slice.rows());
    tx.all(statement).await
}

pub async fn lock(tx: &mut Tx, tenant: Uuid, id: Uuid, now: Timestamp) -> Result<Option<Budget>, Error> {
    let statement = Statement::new(
        "UPDATE budgets SET version = version + 1, updated_at = $3 WHERE tenant_id = $1 AND id = $2 RETURNING *",
    );
    tx.optional(statement.bind(tenant).bind(id).bind(now)).await
}

/// Writes over a budget that is locked.
pub async fn update(tx: &mut Tx, tenant: Uuid, id: Uuid, draft: &Draft) -> Result<Budget, Error> {
    let statement = Statement::new(
        "UPDATE budgets SET category_id = $3, month = $4, amount_cents = $5
         WHERE tenant_id = $1 AND id = $2 RETURNING *",
    );
    let statement = statement
        .bind(tenant)
        .bind(id)
        .bind(draft.category_id)
        .bind(draft.month.to_string())
        .bind(draft.amount_cents);
    tx.one(statement).await
}

pub async fn delete(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<(), Error> {
    let statement = Statement::new("DELETE FROM budgets WHERE tenant_id = $1 AND id = $2");
    tx.execute(statement.bind(tenant).bind(id)).await.map(drop)
}

/// Tells whether a category has budgets, which only expenses may have.
pub async fn any_of_category(tx: &mut Tx, tenant: Uuid, category: Uuid) -> Result<bool, Error> {
    let statement =
        Statement::new("SELECT id FROM budgets WHERE tenant_id = $1 AND category_id = $2 LIMIT 1");
    Ok(tx.optional::<Uuid>(statement.bind(tenant).bind(category)).await?.is_some())
}

/// What each category moved in each month from `first` to `last`, in BRL: splits by their own category, no transfers.
pub async fn movements(tx: &mut Tx, tenant: Uuid, first: Month, last: Month) -> Result<Vec<Movement>, Error> {
    let statement = Statement::new(
        "SELECT month, category_id, CAST(SUM(cents) AS BIGINT) AS amount_cents FROM (
            SELECT substr(date, 1, 7) AS month, category_id, amount_cents AS cents FROM transactions
            WHERE tenant_id = $1 AND date >= $2 AND date <= $3 AND currency = 'BRL' AND category_id IS NOT NULL
            UNION ALL
            SELECT substr(t.date, 1, 7), s.category_id, s.amount_cents FROM transactions t
            JOIN splits s ON s.tenant_id = t.tenant_id AND s.transaction_id = t.id
            WHERE t.tenant_id = $1 AND t.date >= $2 AND t.date <= $3 AND t.currency = 'BRL' AND t.is_split
              AND s.category_id IS NOT NULL
         ) AS lines GROUP BY month, category_id",
    );
    tx.all(statement.bind(tenant).bind(first.first_day()).bind(last.last_day())).await
}
