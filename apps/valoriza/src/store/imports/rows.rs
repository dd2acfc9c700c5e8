//! Rows of a file as they would be imported. Callers have found the import to be the tenant's.

use uuid::Uuid;

use crate::db::{self, Error, FromRow, Statement, Tx, Value};
use crate::domain::import::{Row, RowStatus};
use crate::domain::page::{Place, Slice};
use crate::store::suggestion;

/// Rows of one INSERT, with sixteen values each. Not more: SQLite finds the name of a `$n` by walking a list.
const BATCH: usize = 100;

impl FromRow for Row {
    fn from_row(row: &db::Row) -> Result<Self, Error> {
        let date: Option<String> = row.get("date")?;
        Ok(Self {
            index: row.get("position")?,
            statement: row.get("statement")?,
            date: date.map(|_| row.parse("date")).transpose()?,
            description: row.get("description")?,
            amount_cents: row.get("amount_cents")?,
            status: row.parse("status")?,
            include: row.get("include")?,
            reason: row.get("reason")?,
            transaction_id: row.get("transaction_id")?,
            suggestion: suggestion::read(row)?,
            identity: row.get("identity")?,
            chosen: row.get("chosen")?,
        })
    }
}

/// Writes rows, over those already at their places: an earlier attempt may have been broken off.
pub async fn put(tx: &mut Tx, import: Uuid, rows: &[Row]) -> Result<(), Error> {
    for batch in rows.chunks(BATCH) {
        let mut statement = Statement::new(
            "INSERT INTO import_rows (import_id, position, statement, date, description, amount_cents, identity,
                status, include, chosen, reason, transaction_id, suggested_category_id, suggested_confidence,
                suggested_source, suggested_reason) VALUES ",
        );
        statement.push_rows(batch.iter().map(|it| {
            let [category, confidence, source, why] = suggestion::values(it.suggestion.as_ref());
            [
                import.into(),
                it.index.into(),
                it.statement.into(),
                it.date.map(|it| it.to_string()).into(),
                it.description.as_str().into(),
                it.amount_cents.into(),
                it.identity.clone().into(),
                it.status.as_str().into(),
                it.include.into(),
                Value::Bool(it.chosen),
                it.reason.clone().into(),
                it.transaction_id.into(),
                category,
                confidence,
                source,
                why,
            ]
        }));
        statement.push(
            " ON CONFLICT (import_id, position) DO UPDATE SET statement = excluded.statement, date = excluded.date,
                description = excluded.description, amount_cents = excluded.amount_cents,
                identity = excluded.identity, status = excluded.status, include = excluded.include,
                chosen = excluded.chosen,
                reason = excluded.reason, transaction_id = excluded.transaction_id,
                suggested_category_id = excluded.suggested_category_id,
                suggested_confidence = excluded.suggested_confidence,
                suggested_source = excluded.suggested_source, suggested_reason = excluded.suggested_reason",
        );
        tx.execute(statement).await?;
    }
    Ok(())
}

/// Deletes the rows from the place `from` on: those of an earlier reading that found more.
pub async fn delete_from(tx: &mut Tx, import: Uuid, from: i64) -> Result<(), Error> {
    let statement = Statement::new("DELETE FROM import_rows WHERE import_id = $1 AND position >= $2");
    tx.execute(statement.bind(import).bind(from)).await.map(drop)
}

/// The rows their user asked to be in or out.
pub async fn chosen(tx: &mut Tx, import: Uuid) -> Result<Vec<Row>, Error> {
    let statement = Statement::new("SELECT * FROM import_rows WHERE import_id = $1 AND chosen IS NOT NULL");
    tx.all(statement.bind(import)).await
}

/// In the order of the file.
pub async fn list(
    tx: &mut Tx,
    import: Uuid,
    status: Option<RowStatus>,
    slice: &Slice<Place>,
) -> Result<Vec<Row>, Error> {
    let mut statement = Statement::new("SELECT * FROM import_rows WHERE import_id = $1").bind(import);
    if let Some(status) = status {
        statement.push(" AND status = ").push_bind(status.as_str());
    }
    if let Some(Place(after)) = slice.after {
        statement.push(" AND position > ").push_bind(after);
    }
    statement.push(" ORDER BY position LIMIT ").push_bind(slice.rows());
    tx.all(statement).await
}

/// At most `rows` rows from the place `from` on.
pub async fn from(tx: &mut Tx, import: Uuid, from: i64, rows: i64) -> Result<Vec<Row>, Error> {
    let statement = Statement::new(
        "SELECT * FROM import_rows WHERE import_id = $1 AND position >= $2 ORDER BY position LIMIT $3",
    );
    tx.all(statement.bind(import).bind(from).bind(rows)).await
}

/// Whether a row is to be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    In,
    Out,
}

/// Includes or excludes rows that can be imported and says how many of those named can.
pub async fn want(tx: &mut Tx, import: Uuid, positions: &[i64], wanted: Wanted) -> Result<u64, Error> {
    let mut touched = 0;
    for batch in positions.chunks(BATCH) {
        let mut statement =
            Statement::new("UPDATE import_rows SET include = $2, chosen = $2 WHERE import_id = $1")
                .bind(import)
                .bind(wanted == Wanted::In);
        statement.push(" AND status <> 'invalid' AND position IN (");
        push_list(&mut statement, batch.iter().copied());
        statement.push(")");
        touched += tx.execute(statement).await?;
    }
    Ok(touched)
}

/// At most `rows` rows before the place `before` of which transactions were made, last first.
pub async fn made_before(tx: &mut Tx, import: Uuid, before: i64, rows: i64) -> Result<Vec<Row>, Error> {
    let statement = Statement::new(
        "SELECT * FROM import_rows WHERE import_id = $1 AND position < $2 AND include
            AND transaction_id IS NOT NULL ORDER BY position DESC LIMIT $3",
    );
    tx.all(statement.bind(import).bind(before).bind(rows)).await
}

/// Makes rows forget their transactions, which are gone.
pub async fn forget_transactions(tx: &mut Tx, import: Uuid, positions: &[i64]) -> Result<(), Error> {
    for batch in positions.chunks(BATCH) {
        let mut statement = Statement::new(
            "UPDATE import_rows SET transaction_id = NULL WHERE import_id = $1 AND position IN (",
        )
        .bind(import);
        push_list(&mut statement, batch.iter().copied());
        statement.push(")");
        tx.execute(statement).await?;
    }
    Ok(())
}

/// What the included rows of each statement add up to.
pub async fn sums(tx: &mut Tx, import: Uuid) -> Result<Vec<Sum>, Error> {
    let statement = Statement::new(
        "SELECT statement, COUNT(*) AS n, CAST(SUM(amount_cents) AS BIGINT) AS cents FROM import_rows
         WHERE import_id = $1 AND include GROUP BY statement ORDER BY statement",
    );
    tx.all(statement.bind(import)).await
}

pub struct Sum {
    pub statement: i64,
    pub rows: i64,
    pub cents: i64,
}

impl FromRow for Sum {
    fn from_row(row: &db::Row) -> Result<Self, Error> {
        Ok(Self { statement: row.get("statement")?, rows: row.get("n")?, cents: row.get("cents")? })
    }
}

/// Appends `$n, $m, …`.
pub(super) fn push_list(statement: &mut Statement, values: impl IntoIterator<Item = impl Into<db::Value>>) {
    for (position, value) in values.into_iter().enumerate() {
        statement.push(if position == 0 { "" } else { ", " }).push_bind(value);
    }
}
