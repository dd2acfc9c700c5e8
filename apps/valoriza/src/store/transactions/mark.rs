//! What is found out about transactions in the background.

use jiff::Timestamp;
use uuid::Uuid;

use super::write::{categorised_values, tags_text};
use crate::db::{Error, Statement, Tx};
use crate::domain::categorised::Alternative;
use crate::domain::transaction::Transaction;
use crate::store::suggestion;

/// Writes category, suggestion and tags over a transaction that was read at its `version`; says no if it was
/// changed since. The version stays: it counts what people did, and who edits or deletes a transaction must not be
/// refused because its category was found out meanwhile.
pub async fn mark(
    tx: &mut Tx,
    tenant: Uuid,
    transaction: &Transaction,
    others: &[Alternative],
    now: Timestamp,
) -> Result<bool, Error> {
    let [source, confidence, reason, decided_at] = categorised_values(transaction.categorised.as_ref());
    let suggestion = transaction.suggestion.as_ref();
    let others = suggestion.map(|_| serde_json::json!(others).to_string());
    let [proposed, proposed_confidence, proposed_source, proposed_reason] = suggestion::values(suggestion);
    let statement = Statement::new(
        "UPDATE transactions SET category_id = $4, category_source = $5, category_confidence = $6,
            category_reason = $7, categorised_at = $8, suggested_category_id = $9, suggested_confidence = $10,
            suggested_source = $11, suggested_reason = $12, suggested_others = $13, tags = $14, updated_at = $15
         WHERE tenant_id = $1 AND id = $2 AND version = $3",
    );
    let statement = statement
        .bind(tenant)
        .bind(transaction.id)
        .bind(transaction.version)
        .bind(transaction.category_id)
        .bind(source)
        .bind(confidence)
        .bind(reason)
        .bind(decided_at)
        .bind(proposed)
        .bind(proposed_confidence)
        .bind(proposed_source)
        .bind(proposed_reason)
        .bind(others)
        .bind(tags_text(&transaction.tags))
        .bind(now);
    Ok(tx.execute(statement).await? == 1)
}
