//! Transfers: two transactions that are written, changed and deleted as one.

use uuid::Uuid;

use super::super::{Change, Error};
use super::balance::move_balances;
use super::{event, outbox, transactions};
use crate::db::Tx;
use crate::domain::account::Account;
use crate::domain::member::Caller;
use crate::domain::transaction::{Kind, Transaction, Transfer, TransferEdit};
use crate::domain::violation::Violation;
use crate::store::accounts;

pub(super) async fn create(tx: &mut Tx, by: &Caller, draft: Transfer) -> Result<Transaction, Error> {
    check_accounts(tx, by.tenant, &draft).await?;
    let amount = draft.edit.amount_cents;
    let [from, to] = move_balances(tx, by.tenant, [(draft.from, -amount), (draft.to, amount)]).await?;
    let transfer_id = Uuid::now_v7();
    let side = |account: &Account, other: &Account, amount_cents| Transaction {
        id: Uuid::now_v7(),
        account_id: account.id,
        date: draft.edit.date,
        description: draft.edit.description.clone(),
        notes: draft.edit.notes.clone(),
        amount_cents,
        currency: account.currency,
        category_id: None,
        kind: Kind::Transfer,
        transfer_id: Some(transfer_id),
        transfer_account_id: Some(other.id),
        splits: Vec::new(),
        tags: Vec::new(),
        categorised: None,
        suggestion: None,
        import_id: None,
        version: 1,
        created_at: by.now,
        updated_at: by.now,
    };
    let sides = [side(&from, &to, -amount), side(&to, &from, amount)];
    transactions::insert(tx, by.tenant, &sides).await?;
    let [outgoing, _] = sides;
    outbox::insert(tx, by, "transaction.created", &event(&outgoing)).await?;
    Ok(outgoing)
}

/// Reports every account the tenant does not have, and currencies that differ.
async fn check_accounts(tx: &mut Tx, tenant: Uuid, draft: &Transfer) -> Result<(), Error> {
    let from = accounts::find(tx, tenant, draft.from).await?;
    let to = accounts::find(tx, tenant, draft.to).await?;
    let violations = match (&from, &to) {
        (Some(from), Some(to)) if from.currency == to.currency => return Ok(()),
        (Some(_), Some(_)) => {
            let message = "as contas devem ter a mesma moeda";
            vec![Violation::new("transfer_account_id", "currencies_differ", message)]
        }
        (from, to) => [("account_id", from), ("transfer_account_id", to)]
            .into_iter()
            .filter(|(_, account)| account.is_none())
            .map(|(field, _)| Violation::unknown(field))
            .collect(),
    };
    Err(violations.into())
}

/// Changes both sides; the notes only of the side named.
pub(super) async fn update(
    tx: &mut Tx,
    by: &Caller,
    present: Transaction,
    change: Change,
) -> Result<Transaction, Error> {
    let other = transactions::lock_transfer(tx, by.tenant, &present, by.now).await?.ok_or(Error::NotFound)?;
    let edit = TransferEdit::read_edit(change.over(present.editable()), &present)?;
    let moves = [&present, &other].map(|side| (side.account_id, signed(side, &edit) - side.amount_cents));
    move_balances(tx, by.tenant, moves).await?;
    let edited = |side: Transaction, notes| Transaction {
        date: edit.date,
        description: edit.description.clone(),
        notes,
        amount_cents: signed(&side, &edit),
        ..side
    };
    let other_notes = other.notes.clone();
    let (side, other) = (edited(present, edit.notes.clone()), edited(other, other_notes));
    transactions::update(tx, by.tenant, &side).await?;
    transactions::update(tx, by.tenant, &other).await?;
    outbox::insert(tx, by, "transaction.updated", &event(&side)).await?;
    Ok(side)
}

/// The amount moved, with the sign it has on this side.
fn signed(side: &Transaction, edit: &TransferEdit) -> i64 {
    edit.amount_cents * side.amount_cents.signum()
}

pub(super) async fn delete(tx: &mut Tx, by: &Caller, present: &Transaction) -> Result<(), Error> {
    let other = transactions::lock_transfer(tx, by.tenant, present, by.now).await?.ok_or(Error::NotFound)?;
    let moves = [present, &other].map(|side| (side.account_id, -side.amount_cents));
    move_balances(tx, by.tenant, moves).await?;
    transactions::delete(tx, by.tenant, present.id).await?;
    transactions::delete(tx, by.tenant, other.id).await?;
    Ok(())
}
