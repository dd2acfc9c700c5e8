//! Alerts that budgets gave, each once.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, Statement, Tx};

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

/// The percentages a budget gave an alert at.
pub async fn given(tx: &mut Tx, budget: Uuid) -> Result<Vec<i64>, Error> {
    let statement = Statement::new("SELECT percent AS n FROM alerts_sent WHERE budget_id = $1");
    tx.all(statement.bind(budget)).await
}
