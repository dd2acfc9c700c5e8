//! Alerts that budgets gave, each once.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, Statement, Tx};

/// Claims the alert of a budget at `percent`. Says no if it was given before.
pub async fn claim(tx: &mut Tx, budget: Uuid, percent: i64, now: Timestamp) -> Result<bool, Error> {
    let statement = Statement::new(
        "INSERT INTO alerts_sent (budget_id, percent, sent_at) VALUES ($1, $2, $3)
         ON CONFLICT (budget_id, percent) DO NOTHING",
    );
    Ok(tx.execute(statement.bind(budget).bind(percent).bind(now)).await? == 1)
}

/// The percentages a budget gave an alert at.
pub async fn given(tx: &mut Tx, budget: Uuid) -> Result<Vec<i64>, Error> {
    let statement = Statement::new("SELECT percent AS n FROM alerts_sent WHERE budget_id = $1");
    tx.all(statement.bind(budget)).await
}
