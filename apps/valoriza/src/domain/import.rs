//! Imports of bank statements: from an uploaded file, over a preview, to transactions, and back.
//!
//! ```text
//!   upload ──► parsing ──► preview ──► committing ──► done ──► undoing ──► undone
//!                │  ▲         │ another account or mapping
//!                │  └─────────┤
//!                ├──► needs_mapping ──► parsing
//!                └──► failed
//! ```
//!
//! `parsing`, `committing` and `undoing` are the worker's; the rest wait for people.

mod change;

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::categorised::Suggestion;
use crate::statement::{Failure, Mapping, Profile};

pub use change::{Change, ImportChange, MappingBody, StatementAccount};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportStatus)]
pub enum Status {
    Parsing,
    NeedsMapping,
    Preview,
    Committing,
    Done,
    Failed,
    Undoing,
    Undone,
}

impl Status {
    const ALL: [Self; 8] = [
        Self::Parsing,
        Self::NeedsMapping,
        Self::Preview,
        Self::Committing,
        Self::Done,
        Self::Failed,
        Self::Undoing,
        Self::Undone,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parsing => "parsing",
            Self::NeedsMapping => "needs_mapping",
            Self::Preview => "preview",
            Self::Committing => "committing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// Whether nothing of it is among the transactions, nor about to be.
    pub fn may_be_forgotten(self) -> bool {
        match self {
            Self::Parsing | Self::NeedsMapping | Self::Preview | Self::Failed | Self::Undone => true,
            Self::Committing | Self::Done | Self::Undoing => false,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read an import: it is not one of our words")]
pub struct NotAWord;

impl FromStr for Status {
    type Err = NotAWord;

    fn from_str(text: &str) -> Result<Self, NotAWord> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(NotAWord)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Import {
    pub id: Uuid,
    pub filename: String,
    pub status: Status,
    /// `ofx` or `csv`, once it is known.
    pub format: Option<&'static str>,
    pub profile: Option<Profile>,
    pub statements: Vec<Statement>,
    pub rows_total: i64,
    /// Rows that were confirmed.
    pub rows_included: i64,
    /// Rows of which a transaction was made that was not taken back: importing counts up to `rows_included`, undoing
    /// down again.
    pub rows_done: i64,
    pub error: Option<Refusal>,
    /// For people, in Portuguese.
    pub warnings: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
    #[serde(skip)]
    pub plan: Plan,
}

/// What clients do not see of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Named at the upload.
    pub account_id: Option<Uuid>,
    /// Of each statement.
    pub sources: Vec<SourceKey>,
    /// The accounts its user chose, by statement; none is a choice too.
    pub chosen: BTreeMap<usize, Option<Uuid>>,
    pub mapping: Option<Mapping>,
    /// How far importing has come: rows before it are done; when undoing, those from it on.
    pub position: i64,
}

/// By what an account is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceKey {
    pub bank: String,
    pub number: String,
}

/// One account's part of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportStatement)]
pub struct Statement {
    pub index: usize,
    /// The bank and the end of the account's number.
    pub label: String,
    pub account_id: Option<Uuid>,
    pub currency: String,
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub rows: usize,
    pub new: usize,
    pub duplicate: usize,
    pub invalid: usize,
    pub warnings: Vec<String>,
}

/// Why a file cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportError)]
pub struct Refusal {
    pub code: String,
    /// For people, in Portuguese.
    pub detail: String,
    pub line: Option<u64>,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { code: failure.code.to_owned(), detail: failure.detail, line: failure.line }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportRowStatus)]
pub enum RowStatus {
    New,
    /// Imported before, or probably entered by hand: left out unless its user includes it.
    Duplicate,
    /// Cannot be imported; `reason` says why.
    Invalid,
}

impl RowStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
        }
    }
}

impl FromStr for RowStatus {
    type Err = NotAWord;

    fn from_str(text: &str) -> Result<Self, NotAWord> {
        [Self::New, Self::Duplicate, Self::Invalid].into_iter().find(|it| it.as_str() == text).ok_or(NotAWord)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportRow)]
pub struct Row {
    /// Its place in the file, from 0.
    pub index: i64,
    pub statement: i64,
    pub date: Option<Date>,
    pub description: String,
    pub amount_cents: Option<i64>,
    pub status: RowStatus,
    /// Whether it is, or was, imported.
    pub include: bool,
    /// Why it is a duplicate or invalid, for people, in Portuguese.
    pub reason: Option<String>,
    /// Made of it; of a duplicate, the one it resembles.
    pub transaction_id: Option<Uuid>,
    /// The category it would get, or be proposed, as far as was known when the file was read.
    pub suggestion: Option<Suggestion>,
    #[serde(skip)]
    pub identity: Option<String>,
    /// Whether its user asked for it to be in or out.
    #[serde(skip)]
    pub chosen: Option<bool>,
}

impl Import {
    /// The account rows of the statement `index` go to.
    pub fn account_of(&self, index: i64) -> Option<Uuid> {
        self.statements.get(usize::try_from(index).ok()?)?.account_id
    }
}
