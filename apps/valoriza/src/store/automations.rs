//! Automations, and which transactions they met.

use jiff::Timestamp;
use uuid::Uuid;

use crate::categorise::Direction;
use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::automation::{Automation, Draft, Then, When};
use crate::domain::page::{PositionAndId, Slice};

impl FromRow for Automation {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let direction: Option<String> = row.get("when_direction")?;
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            enabled: row.get("enabled")?,
            position: row.get("position")?,
            when: When {
                text: row.get("when_text")?,
                account_id: row.get("when_account_id")?,
                direction: direction.as_deref().and_then(Direction::find),
                min_cents: row.get("when_min_cents")?,
                max_cents: row.get("when_max_cents")?,
            },
            then: Then {
                category_id: row.get("category_id")?,
                tags: row.json("tags")?,
                notify: row.get("notify")?,
            },
            matched: row.get("matched")?,
            version: row.get("version")?,
            created_at: row.instant("created_at")?,
            updated_at: row.instant("updated_at")?,
        })
    }
}

const SELECT: &str = "SELECT a.*, (SELECT COUNT(*) FROM automation_matches m
    WHERE m.tenant_id = a.tenant_id AND m.automation_id = a.id) AS matched FROM automations a WHERE a.tenant_id = $1";

pub async fn count(tx: &mut Tx, tenant: Uuid) -> Result<i64, Error> {
    let statement = Statement::new("SELECT COUNT(*) AS n FROM automations WHERE tenant_id = $1");
    tx.one(statement.bind(tenant)).await
}

/// The position after all others.
pub async fn next_position(tx: &mut Tx, tenant: Uuid) -> Result<i64, Error> {
    let statement =
        Statement::new("SELECT COALESCE(MAX(position), 0) + 1 AS n FROM automations WHERE tenant_id = $1");
    tx.one(statement.bind(tenant)).await
}

pub async fn find(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<Option<Automation>, Error> {
    let mut statement = Statement::new(SELECT).bind(tenant);
    statement.push(" AND a.id = ").push_bind(id);
    tx.optional(statement).await
}

/// All of them, in their order; there are few.
pub async fn all(tx: &mut Tx, tenant: Uuid) -> Result<Vec<Automation>, Error> {
    let mut statement = Statement::new(SELECT).bind(tenant);
    statement.push(" ORDER BY a.position, a.id");
    tx.all(statement).await
}

/// In their order, from a place in it.
pub async fn list(tx: &mut Tx, tenant: Uuid, slice: &Slice<PositionAndId>) -> Result<Vec<Automation>, Error> {
    let mut statement = Statement::new(SELECT).bind(tenant);
    if let Some(after) = slice.after {
        statement
            .push(" AND (a.position, a.id) > (")
            .push_bind(after.position)
            .push(", ")
            .push_bind(after.id)
            .push(")");
    }
    statement.push(" ORDER BY a.position, a.id LIMIT ").push_bind(slice.rows());
    tx.all(statement).await
}

pub async fn insert(tx: &mut Tx, tenant: Uuid, automation: &Automation) -> Result<(), Error> {
    let mut statement = Statement::new(
        "INSERT INTO automations (id, tenant_id, name, enabled, position, when_text, when_account_id, when_direction,
            when_min_cents, when_max_cents, category_id, tags, notify, version, created_at, updated_at) VALUES ",
    );
    let it = automation;
    statement.push_rows([[
        it.id.into(),
        tenant.into(),
        it.name.as_str().into(),
        it.enabled.into(),
        it.position.into(),
        it.when.text.clone().into(),
        it.when.account_id.into(),
        it.when.direction.map(|it| it.as_str().to_owned()).into(),
        it.when.min_cents.into(),
        it.when.max_cents.into(),
        it.then.category_id.into(),
        serde_json::json!(it.then.tags).to_string().into(),
        it.then.notify.into(),
        it.version.into(),
        it.created_at.into(),
        it.updated_at.into(),
    ]]);
    tx.execute(statement).await.map(drop)
}

pub async fn lock(tx: &mut Tx, tenant: Uuid, id: Uuid, now: Timestamp) -> Result<Option<Automation>, Error> {
    let statement = Statement::new(
        "UPDATE automations SET version = version + 1, updated_at = $3 WHERE tenant_id = $1 AND id = $2 RETURNING id",
    );
    match tx.optional::<Uuid>(statement.bind(tenant).bind(id).bind(now)).await? {
        Some(id) => find(tx, tenant, id).await,
        None => Ok(None),
    }
}

/// Writes over an automation that is locked; without a position it stays where it is.
pub async fn update(tx: &mut Tx, tenant: Uuid, id: Uuid, draft: &Draft) -> Result<(), Error> {
    let statement = Statement::new(
        "UPDATE automations SET name = $3, enabled = $4, position = COALESCE($5, position), when_text = $6,
            when_account_id = $7, when_direction = $8, when_min_cents = $9, when_max_cents = $10, category_id = $11,
            tags = $12, notify = $13 WHERE tenant_id = $1 AND id = $2",
    );
    let statement = statement
        .bind(tenant)
        .bind(id)
        .bind(draft.name.as_str())
        .bind(draft.enabled)
        .bind(draft.position)
        .bind(draft.when.text.clone())
        .bind(draft.when.account_id)
        .bind(draft.when.direction.map(|it| it.as_str().to_owned()))
        .bind(draft.when.min_cents)
        .bind(draft.when.max_cents)
        .bind(draft.then.category_id)
        .bind(serde_json::json!(draft.then.tags).to_string())
        .bind(draft.then.notify);
    tx.execute(statement).await.map(drop)
}

pub async fn delete(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<(), Error> {
    let statement = Statement::new("DELETE FROM automations WHERE tenant_id = $1 AND id = $2");
    tx.execute(statement.bind(tenant).bind(id)).await.map(drop)
}

/// Records that an automation met a transaction. Says no if it had before.
pub async fn meet(tx: &mut Tx, tenant: Uuid, automation: Uuid, transaction: Uuid) -> Result<bool, Error> {
    let statement = Statement::new(
        "INSERT INTO automation_matches (tenant_id, automation_id, transaction_id) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, automation_id, transaction_id) DO NOTHING",
    );
    Ok(tx.execute(statement.bind(tenant).bind(automation).bind(transaction)).await? == 1)
}
