//! Accounts.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::account::{Account, Edit};
use crate::domain::page::Slice;

impl FromRow for Account {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            kind: row.parse("kind")?,
            currency: row.parse("currency")?,
            opening_balance_cents: row.get("opening_balance_cents")?,
            balance_cents: row.get("balance_cents")?,
            archived: row.get("archived")?,
            version: row.get("version")?,
            created_at: row.instant("created_at")?,
            updated_at: row.instant("updated_at")?,
        })
    }
}

pub async fn insert(tx: &mut Tx, tenant: Uuid, account: &Account) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO accounts (id, tenant_id, name, kind, currency, opening_balance_cents, balance_cents,
            archived, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    let statement = statement
        .bind(account.id)
        .bind(tenant)
        .bind(account.name.as_str())
        .bind(account.kind.as_str())
        .bind(account.currency.as_str())
        .bind(account.opening_balance_cents)
        .bind(account.balance_cents)
        .bind(account.archived)
        .bind(account.version)
        .bind(account.created_at)
        .bind(account.updated_at);
    tx.execute(statement).await.map(drop)
}

pub async fn find(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<Option<Account>, Error> {
    let statement = Statement::new("SELECT * FROM accounts WHERE tenant_id = $1 AND id = $2");
    tx.optional(statement.bind(tenant).bind(id)).await
}

pub async fn count(tx: &mut Tx, tenant: Uuid) -> Result<i64, Error> {
    tx.one(Statement::new("SELECT COUNT(*) AS n FROM accounts WHERE tenant_id = $1").bind(tenant)).await
}

/// Oldest first.
pub async fn list(tx: &mut Tx, tenant: Uuid, slice: &Slice<Uuid>) -> Result<Vec<Account>, Error> {
    let mut statement = Statement::new("SELECT * FROM accounts WHERE tenant_id = $1").bind(tenant);
    if let Some(after) = slice.after {
        statement.push(" AND id > ").push_bind(after);
    }
    statement.push(" ORDER BY id LIMIT ").push_bind(slice.rows());
    tx.all(statement).await
}

pub async fn lock(tx: &mut Tx, tenant: Uuid, id: Uuid, now: Timestamp) -> Result<Option<Account>, Error> {
    let statement = Statement::new(
        "UPDATE accounts SET version = version + 1, updated_at = $3 WHERE tenant_id = $1 AND id = $2 RETURNING *",
    );
    tx.optional(statement.bind(tenant).bind(id).bind(now)).await
}

/// Writes over an account that is locked; its balance moves with its opening balance.
pub async fn update(tx: &mut Tx, tenant: Uuid, id: Uuid, edit: &Edit) -> Result<Account, Error> {
    let statement = Statement::new(
        "UPDATE accounts SET name = $3, kind = $4, archived = $5,
            balance_cents = balance_cents + ($6 - opening_balance_cents), opening_balance_cents = $6
         WHERE tenant_id = $1 AND id = $2 RETURNING *",
    );
    let statement = statement
        .bind(tenant)
        .bind(id)
        .bind(edit.name.as_str())
        .bind(edit.kind.as_str())
        .bind(edit.archived)
        .bind(edit.opening_balance_cents);
    tx.one(statement).await
}

/// Moves the balance by `cents` and returns the account as it is then.
///
/// The version stays: it guards what people edit, and a balance is not edited.
pub async fn adjust(tx: &mut Tx, tenant: Uuid, id: Uuid, cents: i64) -> Result<Option<Account>, Error> {
    let statement = Statement::new(
        "UPDATE accounts SET balance_cents = balance_cents + $3 WHERE tenant_id = $1 AND id = $2 RETURNING *",
    );
    tx.optional(statement.bind(tenant).bind(id).bind(cents)).await
}

/// Deletes an account; fails on a foreign key if anything refers to it.
pub async fn delete(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<(), Error> {
    let statement = Statement::new("DELETE FROM accounts WHERE tenant_id = $1 AND id = $2");
    tx.execute(statement.bind(tenant).bind(id)).await.map(drop)
}
