//! A statement: portable SQL text and the values of its `$1`, `$2`, …

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Database, Encode, Type};
use uuid::Uuid;

/// A value both databases store the same way.
///
/// Absence carries its type, because PostgreSQL must know what a NULL would have been.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Id(Option<Uuid>),
    Bytes(Option<Vec<u8>>),
    Bool(Option<bool>),
}

/// SQL that is only ever put together from text in this program, never from input.
#[derive(Debug, Clone)]
pub struct Statement {
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

impl Statement {
    pub fn new(sql: &'static str) -> Self {
        Self { sql: Cow::Borrowed(sql), values: Vec::new() }
    }

    /// Gives the next `$n` already in the text its value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Appends text.
    pub fn push(&mut self, sql: &'static str) -> &mut Self {
        self.sql.to_mut().push_str(sql);
        self
    }

    /// Appends the next `$n` and gives it its value.
    pub fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        let number = self.values.len().to_string();
        let sql = self.sql.to_mut();
        sql.push('$');
        sql.push_str(&number);
        self
    }

    /// Appends `$n, $m, …`, what goes into the parentheses of `IN ()`.
    pub fn push_list<T: Into<Value>>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        for (position, value) in values.into_iter().enumerate() {
            self.push(if position == 0 { "" } else { ", " }).push_bind(value);
        }
        self
    }

    /// Appends `($n, $m, …), (…)`, the rows of a multi-row `INSERT … VALUES`.
    pub fn push_rows<const N: usize>(&mut self, rows: impl IntoIterator<Item = [Value; N]>) -> &mut Self {
        for (position, row) in rows.into_iter().enumerate() {
            self.push(if position == 0 { "(" } else { ", (" });
            for (column, value) in row.into_iter().enumerate() {
                if column > 0 {
                    self.push(", ");
                }
                self.push_bind(value);
            }
            self.push(")");
        }
        self
    }

    /// Makes the sqlx query. The one place that names what both databases must be able to encode.
    pub(super) fn into_query<DB>(self) -> Query<'static, DB, DB::Arguments>
    where
        DB: Database,
        Option<i64>: Encode<'static, DB> + Type<DB>,
        Option<String>: Encode<'static, DB> + Type<DB>,
        Option<Uuid>: Encode<'static, DB> + Type<DB>,
        Option<Vec<u8>>: Encode<'static, DB> + Type<DB>,
        Option<bool>: Encode<'static, DB> + Type<DB>,
    {
        // Safe because `new` and `push` accept only text with the program's own lifetime.
        let query = sqlx::query(AssertSqlSafe(self.sql));
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Id(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
            Value::Bool(value) => query.bind(value),
        })
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Id(Some(value))
    }
}

impl From<Option<Uuid>> for Value {
    fn from(value: Option<Uuid>) -> Self {
        Self::Id(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(Some(value))
    }
}

impl From<Date> for Value {
    fn from(value: Date) -> Self {
        value.to_string().into()
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        value.as_millisecond().into()
    }
}
