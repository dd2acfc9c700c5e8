//! Categories.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::category::{Category, Draft, Node, Tree};
use crate::domain::page::Slice;
use crate::domain::text::fold;

impl FromRow for Category {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            parent_id: row.get("parent_id")?,
            name: row.get("name")?,
            kind: row.parse("kind")?,
            color: row.get("color")?,
            icon: row.get("icon")?,
            version: row.get("version")?,
            created_at: row.instant("created_at")?,
            updated_at: row.instant("updated_at")?,
        })
    }
}

impl FromRow for Node {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            parent_id: row.get("parent_id")?,
            name: row.get("name")?,
            kind: row.parse("kind")?,
            color: row.get("color")?,
        })
    }
}

/// Makes category writes of a tenant happen one at a time, so that the tree checked is the tree written.
pub async fn lock_tree(tx: &mut Tx, tenant: Uuid) -> Result<Tree, Error> {
    let statement = Statement::new("UPDATE tenants SET tree_version = tree_version + 1 WHERE id = $1");
    tx.execute(statement.bind(tenant)).await?;
    tree(tx, tenant).await
}

pub async fn tree(tx: &mut Tx, tenant: Uuid) -> Result<Tree, Error> {
    let statement =
        Statement::new("SELECT id, parent_id, name, kind, color FROM categories WHERE tenant_id = $1");
    Ok(tx.all::<Node>(statement.bind(tenant)).await?.into_iter().collect())
}

/// Inserts categories, parents before children.
pub async fn insert(tx: &mut Tx, tenant: Uuid, categories: &[Category]) -> Result<(), Error> {
    let mut statement = Statement::new(
        "INSERT INTO categories (id, tenant_id, parent_id, name, name_key, kind, color, icon, version,
            created_at, updated_at) VALUES ",
    );
    statement.push_rows(categories.iter().map(|it| {
        [
            it.id.into(),
            tenant.into(),
            it.parent_id.into(),
            it.name.as_str().into(),
            fold(&it.name).into(),
            it.kind.as_str().into(),
            it.color.as_str().into(),
            it.icon.clone().into(),
            it.version.into(),
            it.created_at.into(),
            it.updated_at.into(),
        ]
    }));
    tx.execute(statement).await.map(drop)
}

pub async fn find(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<Option<Category>, Error> {
    let statement = Statement::new("SELECT * FROM categories WHERE tenant_id = $1 AND id = $2");
    tx.optional(statement.bind(tenant).bind(id)).await
}

/// Oldest first.
pub async fn list(tx: &mut Tx, tenant: Uuid, slice: &Slice<Uuid>) -> Result<Vec<Category>, Error> {
    let mut statement = Statement::new("SELECT * FROM categories WHERE tenant_id = $1").bind(tenant);
    if let Some(after) = slice.after {
        statement.push(" AND id > ").push_bind(after);
    }
    statement.push(" ORDER BY id LIMIT ").push_bind(slice.rows());
    tx.all(statement).await
}

pub async fn lock(tx: &mut Tx, tenant: Uuid, id: Uuid, now: Timestamp) -> Result<Option<Category>, Error> {
    let statement = Statement::new(
        "UPDATE categories SET version = version + 1, updated_at = $3 WHERE tenant_id = $1 AND id = $2 RETURNING *",
    );
    tx.optional(statement.bind(tenant).bind(id).bind(now)).await
}

/// Writes over a category that is locked.
pub async fn update(tx: &mut Tx, tenant: Uuid, id: Uuid, draft: &Draft) -> Result<Category, Error> {
    let statement = Statement::new(
        "UPDATE categories SET parent_id = $3, name = $4, name_key = $5, kind = $6, color = $7, icon = $8
         WHERE tenant_id = $1 AND id = $2 RETURNING *",
    );
    let statement = statement
        .bind(tenant)
        .bind(id)
        .bind(draft.parent_id)
        .bind(draft.name.as_str())
        .bind(fold(&draft.name))
        .bind(draft.kind.as_str())
        .bind(draft.color.as_str())
        .bind(draft.icon.clone());
    tx.one(statement).await
}

/// Deletes a category; fails on a foreign key if anything refers to it.
pub async fn delete(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<(), Error> {
    let statement = Statement::new("DELETE FROM categories WHERE tenant_id = $1 AND id = $2");
    tx.execute(statement.bind(tenant).bind(id)).await.map(drop)
}

/// Which of `ids` the tenant has.
pub async fn existing(tx: &mut Tx, tenant: Uuid, ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement =
        Statement::new("SELECT id FROM categories WHERE tenant_id = $1 AND id IN (").bind(tenant);
    statement.push_list(ids.iter().copied()).push(")");
    tx.all(statement).await
}
