//! What the summary of a month is made of.

use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::calendar::Month;
use crate::domain::summary::Line;

impl FromRow for Line {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            date: row.parse("date")?,
            category_id: row.get("category_id")?,
            in_cents: row.get("in_cents")?,
            out_cents: row.get("out_cents")?,
        })
    }
}

/// What each category moved on each day from `first` to `last`, in BRL: splits by their own category, no transfers.
pub async fn lines(tx: &mut Tx, tenant: Uuid, first: Month, last: Month) -> Result<Vec<Line>, Error> {
    let statement = Statement::new(
        "SELECT date, category_id,
            CAST(SUM(CASE WHEN cents > 0 THEN cents ELSE 0 END) AS BIGINT) AS in_cents,
            CAST(SUM(CASE WHEN cents < 0 THEN cents ELSE 0 END) AS BIGINT) AS out_cents
         FROM (
            SELECT date, category_id, amount_cents AS cents FROM transactions
            WHERE tenant_id = $1 AND date >= $2 AND date <= $3 AND currency = 'BRL' AND kind = 'normal'
              AND NOT is_split
            UNION ALL
            SELECT t.date, s.category_id, s.amount_cents FROM transactions t
            JOIN splits s ON s.tenant_id = t.tenant_id AND s.transaction_id = t.id
            WHERE t.tenant_id = $1 AND t.date >= $2 AND t.date <= $3 AND t.currency = 'BRL' AND t.is_split
         ) AS lines GROUP BY date, category_id",
    );
    tx.all(statement.bind(tenant).bind(first.first_day()).bind(last.last_day())).await
}

/// What all accounts in BRL that are not archived hold.
pub async fn balance(tx: &mut Tx, tenant: Uuid) -> Result<i64, Error> {
    let statement = Statement::new(
        "SELECT CAST(COALESCE(SUM(balance_cents), 0) AS BIGINT) AS n FROM accounts
         WHERE tenant_id = $1 AND currency = 'BRL' AND NOT archived",
    );
    tx.one(statement.bind(tenant)).await
}

/// How many transactions of `month` lack a category, as a whole or in one of their splits.
pub async fn uncategorised(tx: &mut Tx, tenant: Uuid, month: Month) -> Result<i64, Error> {
    let mut statement = Statement::new(
        "SELECT COUNT(*) AS n FROM transactions t WHERE t.tenant_id = $1 AND t.date >= $2 AND t.date <= $3 AND ",
    )
    .bind(tenant)
    .bind(month.first_day())
    .bind(month.last_day());
    statement.push(super::transactions::IS_UNCATEGORISED);
    tx.one(statement).await
}
