//! Transactions: movements of money, whole, split among categories, or between two accounts.

mod draft;

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::categorised::{Categorised, Suggestion};
use super::money::Currency;
use super::page::DateAndId;
use crate::categorise::Source;

pub use draft::{Draft, Normal, SplitDraft, TransactionBody, Transfer, TransferEdit};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TransactionKind)]
pub enum Kind {
    #[default]
    Normal,
    /// One of the two sides of a transfer; neither is income or expense.
    Transfer,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Transfer => "transfer",
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read the kind: it is neither normal nor transfer")]
pub struct NotAKind;

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        [Self::Normal, Self::Transfer].into_iter().find(|it| it.as_str() == text).ok_or(NotAKind)
    }
}

/// A part of a transaction with a category of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Split {
    pub id: Uuid,
    pub category_id: Option<Uuid>,
    pub amount_cents: i64,
    pub description: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Transaction {
    pub id: Uuid,
    pub account_id: Uuid,
    pub date: Date,
    pub description: String,
    pub notes: Option<String>,
    /// Negative: money out. Never 0.
    pub amount_cents: i64,
    pub currency: Currency,
    pub category_id: Option<Uuid>,
    pub kind: Kind,
    pub transfer_id: Option<Uuid>,
    /// The other side's account.
    pub transfer_account_id: Option<Uuid>,
    pub splits: Vec<Split>,
    pub tags: Vec<String>,
    /// How it came by its category; null without one.
    pub categorised: Option<Categorised>,
    /// What is proposed while it has no category.
    pub suggestion: Option<Suggestion>,
    /// The import that made it.
    pub import_id: Option<Uuid>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Transaction {
    /// Where it is in a list, newest first.
    pub fn place(&self) -> DateAndId {
        DateAndId { date: self.date, id: self.id }
    }

    /// The category that was found out and not chosen.
    ///
    /// A whole edit that says "none" leaves it: it may be over a view from before it was found, because finding
    /// raises no version. Who means to take it away changes that field alone.
    pub fn found_category(&self) -> Option<Uuid> {
        let is_found = self.categorised.as_ref().is_some_and(|it| it.source != Source::User);
        self.category_id.filter(|_| is_found)
    }

    /// What a client may write, with its present values.
    pub fn editable(&self) -> Map<String, Value> {
        let value = match self.kind {
            Kind::Normal => json!({
                "account_id": self.account_id, "date": self.date, "description": self.description,
                "notes": self.notes, "amount_cents": self.amount_cents, "category_id": self.category_id,
                "splits": self.splits, "tags": self.tags,
            }),
            Kind::Transfer => json!({
                "date": self.date, "description": self.description, "notes": self.notes,
                "amount_cents": self.amount_cents,
            }),
        };
        value.as_object().cloned().unwrap_or_default()
    }
}

/// Which transactions to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub account_id: Option<Uuid>,
    /// This category and those below it, in splits too.
    pub category_id: Option<Uuid>,
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// Text to find, folded.
    pub q: Option<String>,
    pub uncategorised: bool,
}
