//! Reports and their files.

use jiff::Timestamp;
use uuid::Uuid;

use crate::db::{Error, FromRow, Row, Statement, Tx};
use crate::domain::calendar::Month;
use crate::domain::page::Slice;
use crate::domain::report::{Format, Line, Report, Status};

impl FromRow for Report {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            month: row.parse("month")?,
            status: row.parse("status")?,
            created_at: row.instant("created_at")?,
            ready_at: row.optional_instant("ready_at")?,
        })
    }
}

/// Who a report is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// By a person.
    Asked,
    /// By the schedule, once for every month.
    Scheduled,
}

/// Says no if the schedule made one of this month before.
pub async fn insert(tx: &mut Tx, tenant: Uuid, report: &Report, wanted: Wanted) -> Result<bool, Error> {
    let statement = Statement::new(
        "INSERT INTO reports (id, tenant_id, month, scheduled, status, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
    );
    let statement = statement
        .bind(report.id)
        .bind(tenant)
        .bind(report.month.to_string())
        .bind(wanted == Wanted::Scheduled)
        .bind(report.status.as_str())
        .bind(report.created_at);
    Ok(tx.execute(statement).await? == 1)
}

pub async fn find(tx: &mut Tx, tenant: Uuid, id: Uuid) -> Result<Option<Report>, Error> {
    let statement = Statement::new("SELECT * FROM reports WHERE tenant_id = $1 AND id = $2");
    tx.optional(statement.bind(tenant).bind(id)).await
}

/// Newest first.
pub async fn list(tx: &mut Tx, tenant: Uuid, slice: &Slice<Uuid>) -> Result<Vec<Report>, Error> {
    let mut statement = Statement::new("SELECT * FROM reports WHERE tenant_id = $1").bind(tenant);
    if let Some(after) = slice.after {
        statement.push(" AND id < ").push_bind(after);
    }
    statement.push(" ORDER BY id DESC LIMIT ").push_bind(slice.rows());
    tx.all(statement).await
}

/// Ends a queued report one way or the other. Says no if it had ended.
pub async fn end(tx: &mut Tx, tenant: Uuid, id: Uuid, status: Status, now: Timestamp) -> Result<bool, Error> {
    let ready_at = (status == Status::Ready).then(|| now.as_millisecond());
    let statement = Statement::new(
        "UPDATE reports SET status = $3, ready_at = $4 WHERE tenant_id = $1 AND id = $2 AND status = 'queued'",
    );
    let statement = statement.bind(tenant).bind(id).bind(status.as_str()).bind(ready_at);
    Ok(tx.execute(statement).await? == 1)
}

/// Deletes all but the newest `kept`.
pub async fn prune(tx: &mut Tx, tenant: Uuid, kept: i64) -> Result<(), Error> {
    let statement = Statement::new(
        "DELETE FROM reports WHERE tenant_id = $1 AND id < (
            SELECT id FROM reports WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
    );
    tx.execute(statement.bind(tenant).bind(kept - 1)).await.map(drop)
}

pub async fn keep_file(
    tx: &mut Tx,
    tenant: Uuid,
    id: Uuid,
    format: Format,
    bytes: Vec<u8>,
) -> Result<(), Error> {
    let statement = Statement::new(
        "INSERT INTO report_files (tenant_id, report_id, format, bytes) VALUES ($1, $2, $3, $4)",
    );
    tx.execute(statement.bind(tenant).bind(id).bind(format.as_str()).bind(bytes)).await.map(drop)
}

struct Bytes(Vec<u8>);

impl FromRow for Bytes {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("bytes").map(Self)
    }
}

pub async fn file(tx: &mut Tx, tenant: Uuid, id: Uuid, format: Format) -> Result<Option<Vec<u8>>, Error> {
    let statement = Statement::new(
        "SELECT bytes FROM report_files WHERE tenant_id = $1 AND report_id = $2 AND format = $3",
    );
    let found = tx.optional::<Bytes>(statement.bind(tenant).bind(id).bind(format.as_str())).await?;
    Ok(found.map(|Bytes(bytes)| bytes))
}

/// A line with the category it has, whose path is found afterwards.
#[derive(Debug)]
pub struct LineOf {
    pub line: Line,
    pub category_id: Option<Uuid>,
}

impl FromRow for LineOf {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            category_id: row.get("category_id")?,
            line: Line {
                date: row.parse("date")?,
                account: row.get("account")?,
                description: row.get("description")?,
                category: None,
                amount_cents: row.get("cents")?,
                currency: row.parse("currency")?,
                kind: row.parse("kind")?,
                tags: row.json("tags")?,
            },
        })
    }
}

/// The transactions of a month in order of date, split ones as their splits; at most `rows`.
pub async fn lines(tx: &mut Tx, tenant: Uuid, month: Month, rows: i64) -> Result<Vec<LineOf>, Error> {
    let statement = Statement::new(
        "SELECT t.date, a.name AS account, COALESCE(s.description, t.description) AS description,
            CASE WHEN t.is_split THEN s.category_id ELSE t.category_id END AS category_id,
            CASE WHEN t.is_split THEN s.amount_cents ELSE t.amount_cents END AS cents,
            t.currency, t.kind, t.tags
         FROM transactions t
         JOIN accounts a ON a.tenant_id = t.tenant_id AND a.id = t.account_id
         LEFT JOIN splits s ON t.is_split AND s.tenant_id = t.tenant_id AND s.transaction_id = t.id
         WHERE t.tenant_id = $1 AND t.date >= $2 AND t.date <= $3
         ORDER BY t.date, t.id, s.position LIMIT $4",
    );
    tx.all(statement.bind(tenant).bind(month.first_day()).bind(month.last_day()).bind(rows)).await
}

/// The next `rows` tenants after `after` that have transactions in `month`, in order of id.
pub async fn tenants_with(tx: &mut Tx, month: Month, after: Uuid, rows: i64) -> Result<Vec<Uuid>, Error> {
    let statement = Statement::new(
        "SELECT n.id FROM tenants n WHERE n.id > $1 AND EXISTS (
            SELECT 1 FROM transactions t WHERE t.tenant_id = n.id AND t.date >= $2 AND t.date <= $3)
         ORDER BY n.id LIMIT $4",
    );
    tx.all(statement.bind(after).bind(month.first_day()).bind(month.last_day()).bind(rows)).await
}
