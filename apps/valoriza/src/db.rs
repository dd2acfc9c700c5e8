//! The database: one enum over SQLite and PostgreSQL, behind which every query is written once.
//!
//! A query is a [`Statement`] (portable SQL and its values), run on a [`Tx`], read back through [`Row`].
//! Only this module knows which database it is talking to. Where to start: [`Db::connect`], then [`Tx`].
//!
//! Writers take [`Db::write`]; on SQLite that is `BEGIN IMMEDIATE` on the one writer connection, so the
//! lock is taken, or refused, before anything was read. Readers take [`Db::snapshot`], which sees one
//! moment however many statements it runs.

mod error;
mod postgres;
mod row;
mod sqlite;
mod statement;

use sqlx::{Postgres, Sqlite, Transaction};

pub use error::{Constraint, Error};
pub use row::{FromRow, Row};
pub use statement::{Statement, Value};

/// A handle to the database; clones share the pools.
#[derive(Debug, Clone)]
pub enum Db {
    Sqlite(sqlite::Pools),
    Postgres(postgres::Pool),
}

impl Db {
    /// Opens the database named by `url` (`sqlite:file` or `postgres://…`) and migrates it.
    ///
    /// Any number of instances may do this at once: migrations run under a lock.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        match url.split_once(':') {
            Some(("sqlite", _)) => sqlite::connect(url).await.map(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => postgres::connect(url).await.map(Self::Postgres),
            _ => Err(Error::UnknownScheme),
        }
    }

    /// Begins a transaction that may write.
    pub async fn write(&self) -> Result<Tx, Error> {
        match self {
            Self::Sqlite(pools) => Ok(Tx::Sqlite(pools.write().await?)),
            Self::Postgres(pool) => Ok(Tx::Postgres(pool.connections.begin().await?)),
        }
    }

    /// Begins a read-only transaction in which all statements see the same moment.
    pub async fn snapshot(&self) -> Result<Tx, Error> {
        match self {
            Self::Sqlite(pools) => Ok(Tx::Sqlite(pools.readers.begin().await?)),
            Self::Postgres(pool) => {
                const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Ok(Tx::Postgres(pool.connections.begin_with(BEGIN).await?))
            }
        }
    }

    /// Whether it compares vectors itself, by what `migrations/pgvector.sql` makes.
    pub fn has_vectors(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(pool) => pool.has_vectors,
        }
    }

    /// The same database, used as one that has none, to compare.
    #[must_use]
    pub fn without_vectors(self) -> Self {
        match self {
            Self::Sqlite(_) => self,
            Self::Postgres(pool) => Self::Postgres(postgres::Pool { has_vectors: false, ..pool }),
        }
    }

    /// Touches the database as cheaply as it can be.
    pub async fn ping(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(pools) => sqlx::query("SELECT 1").execute(&pools.readers).await.map(drop)?,
            Self::Postgres(pool) => sqlx::query("SELECT 1").execute(&pool.connections).await.map(drop)?,
        }
        Ok(())
    }

    /// Waits for transactions under way, then closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(pools) => pools.close().await,
            Self::Postgres(pool) => pool.connections.close().await,
        }
    }
}

/// A transaction under way; dropping it rolls it back.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Runs `statement` and returns how many rows it touched.
    pub async fn execute(&mut self, statement: Statement) -> Result<u64, Error> {
        match self {
            Self::Sqlite(tx) => Ok(statement.into_query().execute(&mut **tx).await?.rows_affected()),
            Self::Postgres(tx) => Ok(statement.into_query().execute(&mut **tx).await?.rows_affected()),
        }
    }

    /// Runs `statement` and reads all its rows; the statement bounds how many there can be.
    pub async fn all<T: FromRow>(&mut self, statement: Statement) -> Result<Vec<T>, Error> {
        let rows: Vec<Row> = match self {
            Self::Sqlite(tx) => {
                let rows = statement.into_query().fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(tx) => {
                let rows = statement.into_query().fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        };
        rows.iter().map(T::from_row).collect()
    }

    /// Runs `statement` and reads its first row, if any.
    ///
    /// Reads to the end: SQLite finishes an `UPDATE … RETURNING` only when stepped past its last row.
    pub async fn optional<T: FromRow>(&mut self, statement: Statement) -> Result<Option<T>, Error> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// Runs `statement`, which always has a row, and reads it.
    pub async fn one<T: FromRow>(&mut self, statement: Statement) -> Result<T, Error> {
        self.optional(statement).await?.ok_or(Error::NoRow)
    }

    /// Commits: after this returns, the writes are durable. With [`Error::OutcomeUnknown`] they may be, with any
    /// other error they are not there.
    pub async fn commit(self) -> Result<(), Error> {
        let committed = match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        };
        committed.map_err(Error::of_commit)
    }
}
