//! Writes. An action checks the caller's role, validates, applies the rules, writes, and records one event,
//! all in the transaction it is given; the caller commits. Whatever fails, nothing was written.

pub mod accounts;
pub mod automations;
pub mod budgets;
pub mod categories;
pub mod imports;
pub mod notifications;
pub mod reports;
pub mod review;
pub mod sessions;
pub mod transactions;

use serde_json::{Map, Value};

use crate::db;
use crate::domain::form::Form;
use crate::domain::member::{Caller, Role};
use crate::domain::violation::Violation;

/// Why an action, or a query, was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("accept the input")]
    Invalid(Vec<Violation>),
    /// Unknown to this tenant, whether or not another one has it.
    #[error("find it")]
    NotFound,
    #[error("act: the role does not allow it")]
    Forbidden,
    /// The version the client named is not the present one.
    #[error("match the version")]
    Stale,
    #[error("avoid the conflict {0:?}")]
    Conflict(Conflict),
    #[error("authenticate: {0:?}")]
    Unauthenticated(Unauthenticated),
    /// More work is waiting already than is worth queueing.
    #[error("find room for more work")]
    Overloaded,
    #[error(transparent)]
    Db(#[from] db::Error),
    #[error("do our own part")]
    Internal(#[source] anyhow::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    EmailTaken,
    AccountInUse,
    CategoryInUse,
    CategoryNameTaken,
    BudgetExists,
    AutomationDisabled,
    ReportNotReady,
    /// The import is in a state in which this cannot be done.
    ImportState,
    /// So many of a thing that a tenant may not have more.
    LimitReached,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unauthenticated {
    BadToken,
    BadCredentials,
    TokenReused,
}

impl From<Vec<Violation>> for Error {
    fn from(violations: Vec<Violation>) -> Self {
        Self::Invalid(violations)
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }
}

/// What a client wants to be different about a thing, and over which version of it.
#[derive(Debug)]
pub struct Change {
    pub form: Form,
    pub extent: Extent,
    pub if_match: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// PUT: what is left out is missing.
    Whole,
    /// PATCH: what is left out stays.
    Part,
}

impl Change {
    /// The form to read, given what the thing looks like now.
    fn over(self, editable: Map<String, Value>) -> Form {
        match self.extent {
            Extent::Whole => self.form,
            Extent::Part => self.form.over(editable),
        }
    }
}

/// Compares the version the client named with that of a row just locked, which locking made one higher.
fn check_version(if_match: Option<i64>, locked: i64) -> Result<(), Error> {
    if if_match.is_none_or(|version| version == locked - 1) { Ok(()) } else { Err(Error::Stale) }
}

impl Caller {
    fn require(&self, role: Role) -> Result<(), Error> {
        if self.role >= role { Ok(()) } else { Err(Error::Forbidden) }
    }
}
