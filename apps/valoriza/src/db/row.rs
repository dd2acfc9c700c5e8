//! A row of either database.

use std::str::FromStr;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};
use uuid::Uuid;

use super::Error;

#[derive(Debug)]
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What a row can be read into; each record of `store` reads itself.
pub trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, Error>;
}

impl Row {
    /// Reads a column both databases decode by themselves: numbers, text, ids, bytes, booleans.
    pub fn get<'r, T>(&'r self, column: &'static str) -> Result<T, Error>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        match self {
            Self::Sqlite(row) => Ok(row.try_get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// Reads a text column into one of our types.
    pub fn parse<T: FromStr>(&self, column: &'static str) -> Result<T, Error> {
        let value: String = self.get(column)?;
        value.parse().map_err(|_error: T::Err| Error::Decode { column, value })
    }

    /// Reads a text column that holds JSON.
    pub fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        let value: String = self.get(column)?;
        serde_json::from_str(&value).map_err(|_not_ours| Error::Decode { column, value })
    }

    /// Reads a column of milliseconds since 1970.
    pub fn instant(&self, column: &'static str) -> Result<Timestamp, Error> {
        self.optional_instant(column)?.ok_or(Error::Decode { column, value: String::new() })
    }

    /// Reads a column of milliseconds since 1970, or nothing.
    pub fn optional_instant(&self, column: &'static str) -> Result<Option<Timestamp>, Error> {
        let value: Option<i64> = self.get(column)?;
        let instant = value.map(Timestamp::from_millisecond).transpose();
        instant.map_err(|_out_of_range| Error::Decode { column, value: format!("{value:?}") })
    }
}

/// Reads the single column `id`.
impl FromRow for Uuid {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("id")
    }
}

/// Reads the single column `n`.
impl FromRow for i64 {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("n")
    }
}
