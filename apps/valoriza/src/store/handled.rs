//! Events that were handled, by subscription, so that none is handled twice.

use jiff::Timestamp;

use crate::db::{Error, Statement, Tx};

/// Claims an event for this transaction. Says no if it was handled before.
///
/// On PostgreSQL this waits for another transaction that claimed it, and fails as busy after `lock_timeout`.
pub async fn claim(tx: &mut Tx, subscription: &str, event: &str, now: Timestamp) -> Result<bool, Error> {
    let statement = Statement::new(
        "INSERT INTO handled_events (subscription, event_id, handled_at) VALUES ($1, $2, $3)
         ON CONFLICT (subscription, event_id) DO NOTHING",
    );
    Ok(tx.execute(statement.bind(subscription).bind(event).bind(now)).await? == 1)
}

/// Forgets at most `rows` events handled before `before` and says how many.
pub async fn forget(tx: &mut Tx, before: Timestamp, rows: i64) -> Result<u64, Error> {
    let statement = Statement::new(
        "DELETE FROM handled_events WHERE (subscription, event_id) IN (
            SELECT subscription, event_id FROM handled_events WHERE handled_at < $1 LIMIT $2)",
    );
    tx.execute(statement.bind(before).bind(rows)).await
}
