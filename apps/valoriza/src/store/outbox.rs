//! Events, written in the transaction that made them happen.

use serde_json::Value;
use uuid::Uuid;

use crate::db::{Error, Statement, Tx};
use crate::domain::member::Caller;

/// Records that `topic` happened to the thing `payload` names.
pub async fn insert(tx: &mut Tx, by: &Caller, topic: &'static str, payload: &Value) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO outbox (id, tenant_id, topic, payload, trace_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let statement = statement
        .bind(Uuid::now_v7())
        .bind(by.tenant)
        .bind(topic)
        .bind(payload.to_string())
        .bind(by.trace_id.as_str())
        .bind(by.now);
    tx.execute(statement).await.map(drop)
}

/// How many events of a tenant wait to be dispatched, by topic `topic`.
pub async fn pending(tx: &mut Tx, tenant: Uuid, topic: &str) -> Result<i64, Error> {
    let statement = Statement::new(
        "SELECT COUNT(*) AS n FROM outbox WHERE tenant_id = $1 AND topic = $2 AND dispatched_at IS NULL",
    );
    tx.one(statement.bind(tenant).bind(topic)).await
}
