//! Alerts that budgets gave, each once.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::calendar::Month;

/// Claims the alert of a budget at `percent`, to be given by a notification. Says no if it was given before.
pub async fn claim(
    tx: &mut Tx,
    budget: Uuid,
    percent: i64,
    notification: Uuid,
    now: Timestamp,
) -> Result<bool, Error> {
    let statement = Statement::new(
        "INSERT INTO alerts_sent (budget_id, percent, notification_id, sent_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (budget_id, percent) DO NOTHING",
    );
    Ok(tx.execute(statement.bind(budget).bind(percent).bind(notification).bind(now)).await? == 1)
}

/// Takes back the alert of a budget at `percent`, its notification, and what else that one gave.
pub async fn take_back(tx: &mut Tx, budget: Uuid, percent: i64) -> Result<(), Error> {
    let told = Statement::new(
        "DELETE FROM notifications WHERE id IN (
             SELECT notification_id FROM alerts_sent WHERE budget_id = $1 AND percent = $2)",
    );
    tx.execute(told.bind(budget).bind(percent)).await?;
    let given = Statement::new(
        "DELETE FROM alerts_sent WHERE budget_id = $1 AND (percent = $2 OR notification_id IN (
             SELECT notification_id FROM alerts_sent WHERE budget_id = $1 AND percent = $2))",
    );
    tx.execute(given.bind(budget).bind(percent)).await.map(drop)
}

/// A percentage at which a budget gave an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    pub budget: Uuid,
    pub percent: i64,
}

impl FromRow for Given {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { budget: row.get("budget_id")?, percent: row.get("percent")? })
    }
}

/// All alerts the budgets of a month gave: some for each budget.
pub async fn given(tx: &mut Tx, tenant: Uuid, month: Month) -> Result<Vec<Given>, Error> {
    let statement = Statement::new(
        "SELECT a.budget_id, a.percent FROM alerts_sent a JOIN budgets b ON b.id = a.budget_id
         WHERE b.tenant_id = $1 AND b.month = $2",
    );
    tx.all(statement.bind(tenant).bind(month.to_string())).await
}
