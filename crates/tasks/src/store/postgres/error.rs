//! What the database's errors mean to the callers of a store.

use crate::store::Error;
use crate::store::encoding::Unreadable;

/// Serialization failure, deadlock, lock timeout, statement cancelled by timeout, too many connections, starting up:
/// the transaction was rolled back, so it is safe to repeat.
const BUSY: [&str; 6] = ["40001", "40P01", "55P03", "57014", "53300", "57P03"];

/// Serialization failure, deadlock: worth repeating at once.
const COLLISIONS: [&str; 2] = ["40001", "40P01"];

/// Connection exceptions; shutting down, crashed, starting up.
const BROKEN: [&str; 4] = ["08", "57P01", "57P02", "57P03"];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let is_busy = match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
            _ => code_starts_with(&error, &BUSY),
        };
        if is_busy { Self::Busy } else { Self::Database(error.to_string()) }
    }
}

impl From<Unreadable> for Error {
    fn from(error: Unreadable) -> Self {
        Self::Database(format!("read what a later version or somebody else wrote: {error}"))
    }
}

/// Whether the transaction lost against another one, and was rolled back.
pub(super) fn is_collision(error: &sqlx::Error) -> bool {
    code_starts_with(error, &COLLISIONS)
}

/// Whether the connection is gone: what was under way may have been done or not.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        _ => code_starts_with(error, &BROKEN),
    }
}

fn code_starts_with(error: &sqlx::Error, codes: &[&str]) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| codes.iter().any(|start| code.starts_with(start)))
}
