//! Opening, changing and deleting accounts.

use serde_json::json;
use uuid::Uuid;

use super::{Change, Conflict, Error, check_version};
use crate::db::{Constraint, Tx};
use crate::domain::account::{Account, Draft, Edit};
use crate::domain::member::{Caller, Role};
use crate::domain::money::is_balance;
use crate::domain::violation::Violation;
use crate::store::{accounts, outbox};

/// More than any business keeps; bounds what a summary adds up.
const ACCOUNTS_MAX: i64 = 500;

pub async fn create(tx: &mut Tx, by: &Caller, draft: Draft) -> Result<Account, Error> {
    by.require(Role::Member)?;
    if accounts::count(tx, by.tenant).await? >= ACCOUNTS_MAX {
        return Err(Error::Conflict(Conflict::LimitReached));
    }
    let account = Account {
        id: Uuid::now_v7(),
        name: draft.name,
        kind: draft.kind,
        currency: draft.currency,
        opening_balance_cents: draft.opening_balance_cents,
        balance_cents: draft.opening_balance_cents,
        archived: false,
        version: 1,
        created_at: by.now,
        updated_at: by.now,
    };
    accounts::insert(tx, by.tenant, &account).await?;
    outbox::insert(tx, by, "account.created", &json!({ "account_id": account.id })).await?;
    Ok(account)
}

pub async fn update(tx: &mut Tx, by: &Caller, id: Uuid, change: Change) -> Result<Account, Error> {
    by.require(Role::Member)?;
    let present = accounts::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(change.if_match, present.version)?;
    let edit = Edit::read(change.over(present.editable()))?;
    let account = accounts::update(tx, by.tenant, id, &edit).await?;
    if !is_balance(account.balance_cents) {
        let message = "deixaria o saldo da conta fora dos limites";
        return Err(Violation::new("opening_balance_cents", "balance_out_of_range", message).into());
    }
    outbox::insert(tx, by, "account.updated", &json!({ "account_id": id })).await?;
    Ok(account)
}

pub async fn delete(tx: &mut Tx, by: &Caller, id: Uuid, if_match: Option<i64>) -> Result<(), Error> {
    by.require(Role::Owner)?;
    let present = accounts::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(if_match, present.version)?;
    match accounts::delete(tx, by.tenant, id).await {
        Err(error) if error.violates(Constraint::ForeignKey) => {
            return Err(Error::Conflict(Conflict::AccountInUse));
        }
        outcome => outcome?,
    }
    outbox::insert(tx, by, "account.deleted", &json!({ "account_id": id })).await?;
    Ok(())
}
