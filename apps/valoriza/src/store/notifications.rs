//! Notifications.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::notification::Notification;
use crate::domain::page::Slice;

impl FromRow for Notification {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            kind: row.parse("kind")?,
            title: row.get("title")?,
            text: row.get("text")?,
            link: row.get("link")?,
            read_at: row.optional_instant("read_at")?,
            created_at: row.instant("created_at")?,
            import_id: row.get("import_id")?,
        })
    }
}

pub async fn insert(tx: &mut Tx, tenant: Uuid, notification: &Notification) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO notifications (id, tenant_id, kind, title, text, link, created_at, import_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    let statement = statement
        .bind(notification.id)
        .bind(tenant)
        .bind(notification.kind.as_str())
        .bind(notification.title.as_str())
        .bind(notification.text.as_str())
        .bind(notification.link.clone())
        .bind(notification.created_at)
        .bind(notification.import_id);
    tx.execute(statement).await.map(drop)
}

/// Newest first.
pub async fn list(tx: &mut Tx, tenant: Uuid, slice: &Slice<Uuid>) -> Result<Vec<Notification>, Error> {
    let mut statement = Statement::new("SELECT * FROM notifications WHERE tenant_id = $1").bind(tenant);
    if let Some(after) = slice.after {
        statement.push(" AND id < ").push_bind(after);
    }
    statement.push(" ORDER BY id DESC LIMIT ").push_bind(slice.rows());
    tx.all(statement).await
}

pub async fn unread(tx: &mut Tx, tenant: Uuid) -> Result<i64, Error> {
    let statement =
        Statement::new("SELECT COUNT(*) AS n FROM notifications WHERE tenant_id = $1 AND read_at IS NULL");
    tx.one(statement.bind(tenant)).await
}

/// Marks those of `ids`, or all where none are named, that are not read yet.
pub async fn read(tx: &mut Tx, tenant: Uuid, ids: Option<&[Uuid]>, now: Timestamp) -> Result<(), Error> {
    let mut statement =
        Statement::new("UPDATE notifications SET read_at = $2 WHERE tenant_id = $1 AND read_at IS NULL")
            .bind(tenant)
            .bind(now);
    if let Some(ids) = ids {
        statement.push(" AND id IN (").push_list(ids.iter().copied()).push(")");
    }
    tx.execute(statement).await.map(drop)
}

/// Deletes what told of an import.
pub async fn delete_of_import(tx: &mut Tx, tenant: Uuid, import: Uuid) -> Result<(), Error> {
    let statement = Statement::new("DELETE FROM notifications WHERE tenant_id = $1 AND import_id = $2");
    tx.execute(statement.bind(tenant).bind(import)).await.map(drop)
}

/// Forgets at most `rows` made before `before` and says whose each was.
pub async fn forget(tx: &mut Tx, before: Timestamp, rows: i64) -> Result<Vec<Uuid>, Error> {
    let statement = Statement::new(
        "DELETE FROM notifications WHERE id IN (SELECT id FROM notifications WHERE created_at < $1 LIMIT $2)
         RETURNING tenant_id AS id",
    );
    tx.all(statement.bind(before).bind(rows)).await
}
