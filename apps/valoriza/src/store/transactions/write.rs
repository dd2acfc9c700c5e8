//! The writing half.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{self, Error, Statement, Tx};
use crate::domain::categorised::Categorised;
use crate::domain::text::fold;
use crate::domain::transaction::{Split, Transaction};

/// The text a search looks at.
fn search_text(transaction: &Transaction) -> String {
    let notes = transaction.notes.as_deref().unwrap_or_default();
    fold(&format!("{}\n{notes}", transaction.description))
}

/// Tags as they are stored.
pub(super) fn tags_text(tags: &[String]) -> String {
    Value::from(tags).to_string()
}

/// How a transaction came by its category as it is stored: source, confidence, reason, time.
pub(super) fn categorised_values(categorised: Option<&Categorised>) -> [db::Value; 4] {
    [
        db::Value::Text(categorised.map(|it| it.source.as_str().to_owned())),
        db::Value::Int(categorised.map(|it| it.confidence.stored())),
        db::Value::Text(categorised.map(|it| it.reason.clone())),
        db::Value::Int(categorised.map(|it| it.decided_at.as_millisecond())),
    ]
}

/// Inserts transactions without their splits; at most some 1,500 at a time (each takes 22 values).
pub async fn insert(tx: &mut Tx, tenant: Uuid, transactions: &[Transaction]) -> Result<(), Error> {
    let mut statement = Statement::new(
        "INSERT INTO transactions (id, tenant_id, account_id, date, description, notes, search, amount_cents,
            currency, category_id, is_split, kind, transfer_id, transfer_account_id, tags, category_source,
            category_confidence, category_reason, categorised_at, version, created_at, updated_at) VALUES ",
    );
    statement.push_rows(transactions.iter().map(|it| {
        let [source, confidence, reason, decided_at] = categorised_values(it.categorised.as_ref());
        [
            it.id.into(),
            tenant.into(),
            it.account_id.into(),
            it.date.into(),
            it.description.as_str().into(),
            it.notes.clone().into(),
            search_text(it).into(),
            it.amount_cents.into(),
            it.currency.as_str().into(),
            it.category_id.into(),
            (!it.splits.is_empty()).into(),
            it.kind.as_str().into(),
            it.transfer_id.into(),
            it.transfer_account_id.into(),
            tags_text(&it.tags).into(),
            source,
            confidence,
            reason,
            decided_at,
            it.version.into(),
            it.created_at.into(),
            it.updated_at.into(),
        ]
    }));
    tx.execute(statement).await.map(drop)
}

pub async fn insert_splits(
    tx: &mut Tx,
    tenant: Uuid,
    transaction: Uuid,
    splits: &[Split],
) -> Result<(), Error> {
    if splits.is_empty() {
        return Ok(());
    }
    let mut statement = Statement::new(
        "INSERT INTO splits (id, tenant_id, transaction_id, position, category_id, amount_cents, description) VALUES ",
    );
    statement.push_rows(splits.iter().zip(0i64..).map(|(split, position)| {
        [
            split.id.into(),
            tenant.into(),
            transaction.into(),
            position.into(),
            split.category_id.into(),
            split.amount_cents.into(),
            split.description.clone().into(),
        ]
    }));
    tx.execute(statement).await.map(drop)
}

pub async fn delete_splits(tx: &mut Tx, tenant: Uuid, transaction: Uuid) -> Result<(), Error> {
    let statement = Statement::new("DELETE FROM splits WHERE tenant_id = $1 AND transaction_id = $2");
    tx.execute(statement.bind(tenant).bind(transaction)).await.map(drop)
}

pub async fn lock(tx: &mut Tx, tenant: Uuid, id: Uuid, now: Timestamp) -> Result<Option<Transaction>, Error> {
    let statement = Statement::new(
        "UPDATE transactions SET version = version + 1, updated_at = $3
         WHERE tenant_id = $1 AND id = $2 RETURNING id",
    );
    match tx.optional::<Uuid>(statement.bind(tenant).bind(id).bind(now)).await? {
        Some(id) => super::find(tx, tenant, id).await,
        None => Ok(None),
    }
}

/// Locks the other side of a transfer whose side `id` is locked.
///
/// Two edits that come from opposite sides may meet here; PostgreSQL then refuses one (a deadlock), which
/// is a 503 the client repeats.
pub async fn lock_transfer(
    tx: &mut Tx,
    tenant: Uuid,
    side: &Transaction,
    now: Timestamp,
) -> Result<Option<Transaction>, Error> {
    let statement = Statement::new(
        "UPDATE transactions SET version = version + 1, updated_at = $4
         WHERE tenant_id = $1 AND transfer_id = $2 AND id <> $3 RETURNING *",
    );
    tx.optional(statement.bind(tenant).bind(side.transfer_id).bind(side.id).bind(now)).await
}

/// Writes over a transaction that is locked; its splits are written apart.
pub async fn update(tx: &mut Tx, tenant: Uuid, transaction: &Transaction) -> Result<(), Error> {
    let statement = Statement::new(
        "UPDATE transactions SET account_id = $3, date = $4, description = $5, notes = $6, search = $7,
            amount_cents = $8, currency = $9, category_id = $10, is_split = $11, tags = $12, category_source = $13,
            category_confidence = $14, category_reason = $15, categorised_at = $16,
            suggested_category_id = CASE WHEN $17 THEN suggested_category_id END
         WHERE tenant_id = $1 AND id = $2",
    );
    let [source, confidence, reason, decided_at] = categorised_values(transaction.categorised.as_ref());
    let statement = statement
        .bind(tenant)
        .bind(transaction.id)
        .bind(transaction.account_id)
        .bind(transaction.date)
        .bind(transaction.description.as_str())
        .bind(transaction.notes.clone())
        .bind(search_text(transaction))
        .bind(transaction.amount_cents)
        .bind(transaction.currency.as_str())
        .bind(transaction.category_id)
        .bind(!transaction.splits.is_empty())
        .bind(tags_text(&transaction.tags))
        .bind(source)
        .bind(confidence)
        .bind(reason)
        .bind(decided_at)
        .bind(transaction.suggestion.is_some());
    tx.execute(statement).await.map(drop)
}

/// Deletes a transaction and its splits.
pub async fn delete(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<(), Error> {
    let statement = Statement::new("DELETE FROM transactions WHERE tenant_id = $1 AND id = $2");
    tx.execute(statement.bind(tenant).bind(id)).await.map(drop)
}
