//! What can go wrong in the database, told apart by what the caller should do about it.

use sqlx::error::ErrorKind;

/// Which rule of the schema a write ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    Unique,
    /// A row refers to this one, or this one to a row that is gone.
    ForeignKey,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Locked or out of connections for longer than we wait: the caller should try again soon.
    #[error("the database is busy")]
    Busy(#[source] sqlx::Error),
    #[error("a {kind:?} constraint was violated")]
    Constraint { kind: Constraint, source: sqlx::Error },
    /// A commit that broke off: it may have been done all the same.
    #[error("learn whether a commit was done")]
    OutcomeUnknown(#[source] sqlx::Error),
    #[error("run a statement")]
    Sql(#[source] sqlx::Error),
    #[error("migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("lock {path} for the migration")]
    Lock { path: String, source: std::io::Error },
    #[error("read column {column}: {value:?} is not one of its values")]
    Decode { column: &'static str, value: String },
    #[error("read a row: there is none")]
    NoRow,
    #[error("open the database: DATABASE_URL must start with sqlite: or postgres:")]
    UnknownScheme,
    #[error("open the database: an in-memory SQLite database cannot be shared by several connections")]
    InMemory,
}

/// `SQLITE_BUSY` and `SQLITE_LOCKED`; extended codes carry them in the low byte.
const SQLITE_BUSY: [i64; 2] = [5, 6];

/// Serialization failure, deadlock, lock timeout, statement timeout, too many connections, shutting down, starting up.
const POSTGRES_BUSY: [&str; 7] = ["40001", "40P01", "55P03", "57014", "53300", "57P01", "57P03"];

/// A commit frame may be in the log though the disk did not confirm it.
const SQLITE_IOERR: i64 = 10;

/// Shutting down or crashing, which may strike between a commit and its answer; completion unknown; connection
/// exceptions.
const POSTGRES_BREAKS: [&str; 3] = ["57P0", "40003", "08"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Self::Busy(error),
            sqlx::Error::Database(cause) => match cause.kind() {
                ErrorKind::UniqueViolation => Self::Constraint { kind: Constraint::Unique, source: error },
                ErrorKind::ForeignKeyViolation => {
                    Self::Constraint { kind: Constraint::ForeignKey, source: error }
                }
                _ if cause.code().is_some_and(|code| is_busy(&code)) => Self::Busy(error),
                _ => Self::Sql(error),
            },
            _ => Self::Sql(error),
        }
    }
}

impl Error {
    /// What a failed commit means. Only an answer of the database that lets the transaction end there tells that
    /// nothing was written; a connection that broke may have carried the commit and lost the answer.
    pub(super) fn of_commit(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) if !cause.code().is_some_and(|code| is_break(&code)) => error.into(),
            _ => Self::OutcomeUnknown(error),
        }
    }

    /// Tells whether the write ran into `wanted`.
    pub fn violates(&self, wanted: Constraint) -> bool {
        matches!(self, Self::Constraint { kind, .. } if *kind == wanted)
    }
}

fn is_busy(code: &str) -> bool {
    POSTGRES_BUSY.contains(&code) || sqlite(code).is_some_and(|code| SQLITE_BUSY.contains(&code))
}

/// Whether the database reports that it broke off, not that it refused.
fn is_break(code: &str) -> bool {
    POSTGRES_BREAKS.iter().any(|start| code.starts_with(start)) || sqlite(code) == Some(SQLITE_IOERR)
}

/// PostgreSQL codes have five characters, SQLite's are shorter or equal numbers below 10,000.
fn sqlite(code: &str) -> Option<i64> {
    let code: i64 = (code.len() < 5).then(|| code.parse().ok())??;
    Some(code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_broke_off_is_told_from_one_that_was_refused() {
        let check = |code, expected| assert_eq!(is_break(code), expected, "{code}");
        check("10", true);
        check("1034", true); // SQLITE_IOERR_FSYNC
        check("5", false);
        check("13", false); // SQLITE_FULL
        check("57P01", true);
        check("08006", true);
        check("40001", false);
        check("57014", false);
        check("23505", false);
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(matches!(Error::of_commit(lost), Error::OutcomeUnknown(_)));
    }

    #[test]
    fn busy_codes_of_both_databases_are_known() {
        let check = |code, expected| assert_eq!(is_busy(code), expected, "{code}");
        check("5", true);
        check("517", true); // SQLITE_BUSY_SNAPSHOT
        check("6", true);
        check("19", false); // SQLITE_CONSTRAINT
        check("40001", true);
        check("23505", false);
        check("55P03", true);
    }
}
