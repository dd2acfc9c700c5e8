//! Recording, changing and deleting transactions, and keeping the balances of their accounts.

mod balance;
mod transfer;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Change, Error, Extent, check_version};
use crate::db::Tx;
use crate::domain::categorised::Categorised;
use crate::domain::member::{Caller, Role};
use crate::domain::transaction::{Draft, Kind, Normal, Split, Transaction};
use crate::domain::violation::Violation;
use crate::store::{accounts, categories, knowledge, outbox, transactions};

use balance::move_balances;

/// Records a transaction; of a transfer, both sides, and returns the one the money leaves.
pub async fn create(tx: &mut Tx, by: &Caller, draft: Draft) -> Result<Transaction, Error> {
    by.require(Role::Member)?;
    match draft {
        Draft::Normal(normal) => create_normal(tx, by, normal).await,
        Draft::Transfer(transfer) => transfer::create(tx, by, transfer).await,
    }
}

async fn create_normal(tx: &mut Tx, by: &Caller, draft: Normal) -> Result<Transaction, Error> {
    check_references(tx, by.tenant, &draft).await?;
    let touched = move_balances(tx, by.tenant, [(draft.account_id, draft.amount_cents)]).await?;
    let transaction = Transaction {
        id: Uuid::now_v7(),
        account_id: draft.account_id,
        date: draft.date,
        currency: touched[0].currency,
        category_id: draft.category_id,
        splits: splits(&draft),
        description: draft.description,
        notes: draft.notes,
        amount_cents: draft.amount_cents,
        kind: Kind::Normal,
        transfer_id: None,
        transfer_account_id: None,
        tags: draft.tags,
        categorised: draft.category_id.map(|_| Categorised::by_user(by.now)),
        suggestion: None,
        import_id: None,
        version: 1,
        created_at: by.now,
        updated_at: by.now,
    };
    transactions::insert(tx, by.tenant, std::slice::from_ref(&transaction)).await?;
    transactions::insert_splits(tx, by.tenant, transaction.id, &transaction.splits).await?;
    outbox::insert(tx, by, "transaction.created", &event(&transaction)).await?;
    Ok(transaction)
}

pub async fn update(tx: &mut Tx, by: &Caller, id: Uuid, change: Change) -> Result<Transaction, Error> {
    by.require(Role::Member)?;
    let present = transactions::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(change.if_match, present.version)?;
    match present.kind {
        Kind::Normal => update_normal(tx, by, present, change).await,
        Kind::Transfer => transfer::update(tx, by, present, change).await,
    }
}

async fn update_normal(
    tx: &mut Tx,
    by: &Caller,
    present: Transaction,
    mut change: Change,
) -> Result<Transaction, Error> {
    // Splitting takes the place of the category: a client need not clear it too.
    if change.extent == Extent::Part && change.form.has_items("splits") && !change.form.has("category_id") {
        change.form.set("category_id", Value::Null);
    }
    let extent = change.extent;
    let mut draft = Normal::read_edit(change.over(present.editable()))?;
    if extent == Extent::Whole && draft.category_id.is_none() && draft.splits.is_empty() {
        draft.category_id = present.found_category();
    }
    check_references(tx, by.tenant, &draft).await?;
    let moves = [(present.account_id, -present.amount_cents), (draft.account_id, draft.amount_cents)];
    let touched = move_balances(tx, by.tenant, moves).await?;
    let described_anew = draft.description != present.description;
    let chosen_anew = draft.category_id != present.category_id;
    let transaction = Transaction {
        account_id: draft.account_id,
        date: draft.date,
        currency: touched[1].currency,
        category_id: draft.category_id,
        splits: splits(&draft),
        description: draft.description,
        notes: draft.notes,
        amount_cents: draft.amount_cents,
        tags: draft.tags,
        categorised: match draft.category_id {
            Some(_) if chosen_anew => Some(Categorised::by_user(by.now)),
            Some(_) => present.categorised,
            None => None,
        },
        suggestion: present.suggestion.filter(|_| draft.category_id.is_none() && !described_anew),
        ..present
    };
    transactions::delete_splits(tx, by.tenant, transaction.id).await?;
    transactions::update(tx, by.tenant, &transaction).await?;
    transactions::insert_splits(tx, by.tenant, transaction.id, &transaction.splits).await?;
    let mut payload = event(&transaction);
    payload["described_anew"] = described_anew.into();
    outbox::insert(tx, by, "transaction.updated", &payload).await?;
    if chosen_anew {
        knowledge::changed(tx, by.tenant).await?;
    }
    Ok(transaction)
}

/// Deletes a transaction; of a transfer, both sides.
pub async fn delete(tx: &mut Tx, by: &Caller, id: Uuid, if_match: Option<i64>) -> Result<(), Error> {
    by.require(Role::Member)?;
    let present = transactions::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(if_match, present.version)?;
    match present.kind {
        Kind::Normal => {
            move_balances(tx, by.tenant, [(present.account_id, -present.amount_cents)]).await?;
            transactions::delete(tx, by.tenant, id).await?;
        }
        Kind::Transfer => transfer::delete(tx, by, &present).await?,
    }
    outbox::insert(tx, by, "transaction.deleted", &event(&present)).await?;
    Ok(())
}

/// Reports every account and category the tenant does not have.
async fn check_references(tx: &mut Tx, tenant: Uuid, draft: &Normal) -> Result<(), Error> {
    let whole = draft.category_id.map(|id| ("category_id".to_owned(), id));
    let parts = draft.splits.iter().enumerate();
    let parts = parts.filter_map(|(n, split)| Some((format!("splits.{n}.category_id"), split.category_id?)));
    let wanted: Vec<(String, Uuid)> = whole.into_iter().chain(parts).collect();
    let ids: Vec<Uuid> = wanted.iter().map(|(_, id)| *id).collect();
    let known = categories::existing(tx, tenant, &ids).await?;
    let mut violations = Vec::new();
    if accounts::find(tx, tenant, draft.account_id).await?.is_none() {
        violations.push(Violation::unknown("account_id"));
    }
    let unknown = wanted.into_iter().filter(|(_, id)| !known.contains(id));
    violations.extend(unknown.map(|(field, _)| Violation::unknown(field)));
    if violations.is_empty() { Ok(()) } else { Err(violations.into()) }
}

fn splits(draft: &Normal) -> Vec<Split> {
    let split = |it: &crate::domain::transaction::SplitDraft| Split {
        id: Uuid::now_v7(),
        category_id: it.category_id,
        amount_cents: it.amount_cents,
        description: it.description.clone(),
    };
    draft.splits.iter().map(split).collect()
}

fn event(transaction: &Transaction) -> Value {
    json!({
        "transaction_id": transaction.id,
        "account_id": transaction.account_id,
        "transfer_account_id": transaction.transfer_account_id,
    })
}
