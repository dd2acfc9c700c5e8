//! Events, written in the transaction that made them happen.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::member::Caller;
use crate::worker::Event;

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

/// An event as it was written, and the id of its row.
struct Written(Uuid, Event);

impl FromRow for Written {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let id: Uuid = row.get("id")?;
        let event = Event {
            id: id.to_string(),
            tenant: row.get("tenant_id")?,
            topic: row.get("topic")?,
            payload: row.json("payload")?,
            trace_id: row.get("trace_id")?,
        };
        Ok(Self(id, event))
    }
}

/// At most `rows` events that were not dispatched, in the order of their ids, after `after`.
pub async fn undispatched(tx: &mut Tx, after: Uuid, rows: i64) -> Result<Vec<(Uuid, Event)>, Error> {
    let statement =
        Statement::new("SELECT * FROM outbox WHERE dispatched_at IS NULL AND id > $1 ORDER BY id LIMIT $2");
    let written: Vec<Written> = tx.all(statement.bind(after).bind(rows)).await?;
    Ok(written.into_iter().map(|Written(id, event)| (id, event)).collect())
}

/// At most some hundred at a time.
pub async fn mark_dispatched(tx: &mut Tx, ids: &[Uuid], now: Timestamp) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut statement = Statement::new("UPDATE outbox SET dispatched_at = $1 WHERE id IN (").bind(now);
    for (position, id) in ids.iter().enumerate() {
        statement.push(if position == 0 { "" } else { ", " }).push_bind(*id);
    }
    statement.push(")");
    tx.execute(statement).await.map(drop)
}

/// Deletes at most `rows` events dispatched before `before` and says how many.
pub async fn forget_dispatched(tx: &mut Tx, before: Timestamp, rows: i64) -> Result<u64, Error> {
    let statement = Statement::new(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE dispatched_at < $1 LIMIT $2)",
    );
    tx.execute(statement.bind(before).bind(rows)).await
}
