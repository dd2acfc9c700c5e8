//! An outbox in SQLite.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params};
use uuid::Uuid;

use super::{ROWS_MAX, RelayError, Row, row};

/// As long as the applications themselves wait for each other.
const BUSY: Duration = Duration::from_secs(5);

pub(super) struct Source {
    /// Used by one blocking step at a time.
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    connection: Connection,
    table: String,
    /// `PRAGMA data_version` when nothing was pending: while it stays, nothing is.
    quiet_since: Option<i64>,
}

impl Source {
    pub(super) async fn open(file: &Path, table: &str) -> Result<Self, RelayError> {
        let (file, table) = (file.to_owned(), table.to_owned());
        tokio::task::spawn_blocking(move || {
            // The application makes the file; an empty one of ours would be in its way.
            if !file.exists() {
                return Err(RelayError::NoTable);
            }
            let connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(BUSY)?;
            if !connection.table_exists(None, table.as_str())? {
                return Err(RelayError::NoTable);
            }
            Ok(Self { inner: Arc::new(Mutex::new(Inner { connection, table, quiet_since: None })) })
        })
        .await?
    }

    pub(super) async fn pending(&mut self) -> Result<Vec<Row>, RelayError> {
        self.blocking(Inner::pending).await
    }

    pub(super) async fn mark(&mut self, rows: Vec<Row>) -> Result<(), RelayError> {
        self.blocking(move |inner| inner.mark(&rows)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Inner) -> Result<T, RelayError> + Send + 'static,
    ) -> Result<T, RelayError> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || step(&mut inner.lock())).await?
    }
}

impl Inner {
    fn pending(&mut self) -> Result<Vec<Row>, RelayError> {
        let version: i64 = self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        if self.quiet_since == Some(version) {
            return Ok(Vec::new());
        }
        let text = format!(
            "SELECT * FROM \"{}\" WHERE dispatched_at IS NULL ORDER BY id LIMIT {ROWS_MAX}",
            self.table
        );
        let mut statement = self.connection.prepare_cached(&text)?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut found = statement.query([])?;
        let mut rows = Vec::new();
        while let Some(one) = found.next()? {
            let columns = names.iter().enumerate();
            let columns = columns
                .map(|(index, name)| Ok((name.clone(), shown(one.get_ref(index)?))))
                .collect::<Result<Vec<_>, rusqlite::Error>>()?;
            rows.push(row(columns.into_iter())?);
        }
        self.quiet_since = rows.is_empty().then_some(version);
        Ok(rows)
    }

    fn mark(&mut self, rows: &[Row]) -> Result<(), RelayError> {
        let now = Timestamp::now().as_millisecond();
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            // A row is found by its id as it was shown: the id's own form first, which the index answers.
            let text = format!(
                "UPDATE \"{0}\" SET dispatched_at = ?1 WHERE id IN (?2, ?3) AND dispatched_at IS NULL",
                self.table
            );
            let mut statement = transaction.prepare_cached(&text)?;
            for Row { id, .. } in rows {
                let uuid = Uuid::parse_str(id).ok().map(|uuid| uuid.as_bytes().to_vec());
                match id.parse::<i64>() {
                    Ok(number) => statement.execute(params![now, number, id])?,
                    Err(_) => statement.execute(params![now, uuid, id])?,
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

/// How a value reads as an attribute; a blob of 16 bytes is a UUID.
fn shown(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => match Uuid::from_slice(bytes) {
            Ok(uuid) => Some(uuid.to_string()),
            Err(_) => Some(String::from_utf8_lossy(bytes).into_owned()),
        },
    }
}
