//! Bank statements as banks write them: from a file's bytes to rows, without I/O.
//!
//! [`read`] decodes the bytes, tells OFX from CSV, and returns every [`Statement`] of the file, or one
//! [`Failure`] that says what is wrong and on which line. A row that cannot be understood does not fail the
//! file: it is kept with its `problem`. Files are hostile until proven otherwise: every size is bounded, no
//! entity is ever expanded, nothing recurses. [`identity`] names rows so that a file read again is recognised;
//! [`matching`] compares them with what is there already.

mod amount;
mod balance;
pub mod csv;
mod date;
mod encoding;
pub mod identity;
pub mod matching;
pub mod ofx;
mod source;

use std::collections::HashMap;

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

pub use amount::Decimal;
pub use csv::mapping::{AmountColumns, Mapping};
pub use date::Order;
pub use source::Source;

/// The largest file: a year of a busy shop's account is a tenth.
pub const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Rows of all statements of a file together.
pub const ROWS_MAX: usize = 50_000;

/// The longest text of one field, of which a description keeps the first 200 characters.
const FIELD_BYTES_MAX: usize = 10_000;

/// Accounts in one file.
const STATEMENTS_MAX: usize = 100;

/// Warnings of one kind about one statement; the rest are counted.
const WARNINGS_MAX: usize = 3;

/// Why a file cannot be read at all. Nothing of it was used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read the statement: {detail}")]
pub struct Failure {
    /// Stable, for programs.
    pub code: &'static str,
    /// For people, in Portuguese.
    pub detail: String,
    pub line: Option<u64>,
}

impl Failure {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), line: None }
    }

    fn at(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The file is not where it was kept.
    pub fn lost() -> Self {
        Self::new("file_lost", "O arquivo enviado não está mais guardado: envie-o de novo.")
    }

    fn too_many_rows(line: u64) -> Self {
        Self::new("too_many_rows", format!("O arquivo tem mais de {ROWS_MAX} lançamentos.")).at(line)
    }

    fn field_too_long(line: u64) -> Self {
        Self::new("field_too_long", format!("Um campo passa de {FIELD_BYTES_MAX} bytes.")).at(line)
    }
}

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StatementProfile)]
pub enum Profile {
    Ofx,
    NubankAccount,
    NubankCard,
    Inter,
    Itau,
    Bradesco,
    /// A table whose columns the user named.
    Mapped,
}

#[derive(Debug, thiserror::Error)]
#[error("read the profile: it is not one of ours")]
pub struct NotAProfile;

impl std::str::FromStr for Profile {
    type Err = NotAProfile;

    fn from_str(text: &str) -> Result<Self, NotAProfile> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(NotAProfile)
    }
}

impl Profile {
    const ALL: [Self; 7] = [
        Self::Ofx,
        Self::NubankAccount,
        Self::NubankCard,
        Self::Inter,
        Self::Itau,
        Self::Bradesco,
        Self::Mapped,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ofx => "ofx",
            Self::NubankAccount => "nubank_account",
            Self::NubankCard => "nubank_card",
            Self::Inter => "inter",
            Self::Itau => "itau",
            Self::Bradesco => "bradesco",
            Self::Mapped => "mapped",
        }
    }

    pub fn format(self) -> &'static str {
        match self {
            Self::Ofx => "ofx",
            Self::NubankAccount
            | Self::NubankCard
            | Self::Inter
            | Self::Itau
            | Self::Bradesco
            | Self::Mapped => "csv",
        }
    }
}

/// One account's part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub source: Source,
    /// As the file says it, such as `BRL`.
    pub currency: String,
    /// The period the file says it covers, else that of its rows.
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// The balance before the first row, if the file lets us know.
    pub opening_cents: Option<i64>,
    pub rows: Vec<Row>,
    /// For people, in Portuguese.
    pub warnings: Vec<String>,
}

/// One movement as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    pub date: Option<Date>,
    /// Negative: money out.
    pub amount_cents: Option<i64>,
    /// At most 200 characters on one line.
    pub description: String,
    /// What the bank calls this row. Banks repeat it: it is no key by itself.
    pub bank_id: Option<String>,
    /// Why the row cannot be imported, in Portuguese.
    pub problem: Option<String>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    Statements {
        profile: Profile,
        statements: Vec<Statement>,
    },
    /// A table nobody knows: its user must say which column is what.
    Unknown(csv::Sample),
}

/// What helps to read a file beside its bytes.
#[derive(Debug, Clone, Default)]
pub struct Hints<'a> {
    pub filename: &'a str,
    /// What the user said about the columns of this file.
    pub mapping: Option<&'a Mapping>,
    /// What was said about tables before, by the signature of their headers.
    pub known_mappings: Option<&'a HashMap<String, Mapping>>,
    /// How tables of this account without a header were read: tried last.
    pub fallback: Option<&'a Mapping>,
}

/// Reads a file.
pub fn read(bytes: &[u8], hints: &Hints<'_>) -> Result<Reading, Failure> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Failure::new("file_too_large", "O arquivo passa de 10 MiB."));
    }
    let text = encoding::decode(bytes)?;
    if ofx::is_ofx(&text) {
        let statements = ofx::read(&text)?;
        return Ok(Reading::Statements { profile: Profile::Ofx, statements });
    }
    csv::read(&text, hints)
}

/// An amount for people: `R$ -1.234,56`.
pub fn reais(cents: i64) -> String {
    format!("R$ {}", amount::format(cents))
}

/// The period of `rows`.
fn period(rows: &[Row]) -> (Option<Date>, Option<Date>) {
    let dates = || rows.iter().filter_map(|row| row.date);
    (dates().min(), dates().max())
}

/// Text fit for a description: one line, single spaces, at most 200 characters.
fn clean(text: &str) -> String {
    use crate::domain::text::DESCRIPTION;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = String::new();
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((end, _)) = line.char_indices().nth(DESCRIPTION.chars_max) {
        line.truncate(end);
        line.truncate(line.trim_end().len());
    }
    line
}

/// Two texts about the same row as one, without saying anything twice.
fn join(first: &str, second: &str) -> String {
    use crate::domain::text::fold;
    let (first, second) = (clean(first), clean(second));
    let (a, b) = (fold(&first), fold(&second));
    if b.contains(&a) {
        second
    } else if a.contains(&b) {
        first
    } else {
        clean(&format!("{first} - {second}"))
    }
}

#[cfg(test)]
mod tests;
