//! Imports: the uploads themselves here, their rows in [`rows`], what is remembered from one to the next in
//! [`memory`], and the transactions made of them in [`ledger`].

pub mod ledger;
pub mod memory;
pub mod rows;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::import::{Import, Plan, Status};
use crate::domain::page::Slice;
use crate::statement::Profile;

impl FromRow for Import {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let profile: Option<String> = row.get("profile")?;
        let profile = profile.map(|_| row.parse::<Profile>("profile")).transpose()?;
        Ok(Self {
            id: row.get("id")?,
            filename: row.get("filename")?,
            status: row.parse("status")?,
            format: profile.map(Profile::format),
            profile,
            statements: row.json("statements")?,
            rows_total: row.get("rows_total")?,
            rows_included: row.get("rows_included")?,
            rows_done: row.get("rows_done")?,
            error: optional_json(row, "error")?,
            warnings: row.json("warnings")?,
            created_at: row.instant("created_at")?,
            updated_at: row.instant("updated_at")?,
            version: row.get("version")?,
            plan: Plan {
                account_id: row.get("account_id")?,
                sources: row.json("sources")?,
                chosen: row.json("chosen")?,
                mapping: optional_json(row, "mapping")?,
                position: row.get("position")?,
            },
        })
    }
}

fn optional_json<T: serde::de::DeserializeOwned>(
    row: &Row,
    column: &'static str,
) -> Result<Option<T>, Error> {
    let value: Option<String> = row.get(column)?;
    value.map(|_| row.json(column)).transpose()
}

pub async fn insert(tx: &mut Tx, tenant: Uuid, import: &Import) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO imports (id, tenant_id, filename, account_id, status, statements, sources, chosen, warnings,
            rows_total, rows_done, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, '[]', '[]', '{}', '[]', 0, 0, $6, $7, $8)",
    );
    let statement = statement
        .bind(import.id)
        .bind(tenant)
        .bind(import.filename.as_str())
        .bind(import.plan.account_id)
        .bind(import.status.as_str())
        .bind(import.version)
        .bind(import.created_at)
        .bind(import.updated_at);
    tx.execute(statement).await.map(drop)
}

pub async fn find(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<Option<Import>, Error> {
    let statement = Statement::new("SELECT * FROM imports WHERE tenant_id = $1 AND id = $2");
    tx.optional(statement.bind(tenant).bind(id)).await
}

/// Newest first.
pub async fn list(tx: &mut Tx, tenant: Uuid, slice: &Slice<Uuid>) -> Result<Vec<Import>, Error> {
    let mut statement = Statement::new("SELECT * FROM imports WHERE tenant_id = $1").bind(tenant);
    if let Some(after) = slice.after {
        statement.push(" AND id < ").push_bind(after);
    }
    statement.push(" ORDER BY id DESC LIMIT ").push_bind(slice.rows());
    tx.all(statement).await
}

/// How many imports of a tenant wait for somebody.
pub async fn open(tx: &mut Tx, tenant: Uuid) -> Result<i64, Error> {
    let statement = Statement::new(
        "SELECT COUNT(*) AS n FROM imports
         WHERE tenant_id = $1 AND status IN ('parsing', 'needs_mapping', 'preview', 'failed')",
    );
    tx.one(statement.bind(tenant)).await
}

pub async fn lock(tx: &mut Tx, tenant: Uuid, id: Uuid, now: Timestamp) -> Result<Option<Import>, Error> {
    let statement = Statement::new(
        "UPDATE imports SET version = version + 1, updated_at = $3 WHERE tenant_id = $1 AND id = $2 RETURNING *",
    );
    tx.optional(statement.bind(tenant).bind(id).bind(now)).await
}

/// Locks an import that is in `status`, for a step of the worker; its version stays.
pub async fn lock_in(tx: &mut Tx, tenant: Uuid, id: Uuid, status: Status) -> Result<Option<Import>, Error> {
    let statement = Statement::new(
        "UPDATE imports SET rows_done = rows_done WHERE tenant_id = $1 AND id = $2 AND status = $3 RETURNING *",
    );
    tx.optional(statement.bind(tenant).bind(id).bind(status.as_str())).await
}

/// Writes over an import that is locked.
pub async fn update(tx: &mut Tx, tenant: Uuid, import: &Import) -> Result<(), Error> {
    let json = |value: serde_json::Value| value.to_string();
    let statement = Statement::new(
        "UPDATE imports SET status = $3, profile = $4, statements = $5, sources = $6, chosen = $7, mapping = $8,
            error = $9, warnings = $10, rows_total = $11, rows_included = $12, rows_done = $13, position = $14,
            account_id = $15, version = $16, updated_at = $17
         WHERE tenant_id = $1 AND id = $2",
    );
    let statement = statement
        .bind(tenant)
        .bind(import.id)
        .bind(import.status.as_str())
        .bind(import.profile.map(|it| it.as_str().to_owned()))
        .bind(json(json!(import.statements)))
        .bind(json(json!(import.plan.sources)))
        .bind(json(json!(import.plan.chosen)))
        .bind(import.plan.mapping.as_ref().map(|it| json(json!(it))))
        .bind(import.error.as_ref().map(|it| json(json!(it))))
        .bind(json(json!(import.warnings)))
        .bind(import.rows_total)
        .bind(import.rows_included)
        .bind(import.rows_done)
        .bind(import.plan.position)
        .bind(import.plan.account_id)
        .bind(import.version)
        .bind(import.updated_at);
    tx.execute(statement).await.map(drop)
}

/// An import nobody came back to.
pub struct Abandoned {
    pub tenant: Uuid,
    pub id: Uuid,
}

impl FromRow for Abandoned {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { tenant: row.get("tenant_id")?, id: row.get("id")? })
    }
}

/// At most `rows` imports that wait for a person since before `before`, the oldest first.
pub async fn abandoned(tx: &mut Tx, before: Timestamp, rows: i64) -> Result<Vec<Abandoned>, Error> {
    let statement = Statement::new(
        "SELECT tenant_id, id FROM imports
         WHERE status IN ('needs_mapping', 'preview', 'failed') AND updated_at < $1 ORDER BY updated_at LIMIT $2",
    );
    tx.all(statement.bind(before).bind(rows)).await
}

/// Deletes an import and its rows if still nobody came back to it, and says whether it did.
pub async fn delete_abandoned(tx: &mut Tx, it: &Abandoned, before: Timestamp) -> Result<bool, Error> {
    let statement = Statement::new(
        "DELETE FROM imports WHERE tenant_id = $1 AND id = $2
            AND status IN ('needs_mapping', 'preview', 'failed') AND updated_at < $3",
    );
    Ok(tx.execute(statement.bind(it.tenant).bind(it.id).bind(before)).await? == 1)
}

/// Deletes an import and its rows; transactions it made that are still there are nobody's import then.
pub async fn delete(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<(), Error> {
    let kept =
        Statement::new("UPDATE transactions SET import_id = NULL WHERE tenant_id = $1 AND import_id = $2");
    tx.execute(kept.bind(tenant).bind(id)).await?;
    let statement = Statement::new("DELETE FROM imports WHERE tenant_id = $1 AND id = $2");
    tx.execute(statement.bind(tenant).bind(id)).await.map(drop)
}
