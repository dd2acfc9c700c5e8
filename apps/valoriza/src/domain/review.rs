//! The review inbox: what waits for a person to say what it was.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::categorised::{Alternative, Confidence, Suggestion};
use super::form::Form;
use super::transaction::Transaction;
use super::violation::Violation;

/// A transaction without a category, and what it could be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Item {
    pub transaction: Transaction,
    pub suggestion: Option<Suggestion>,
    /// Beside the suggestion, likeliest first.
    pub alternatives: Vec<Alternative>,
}

/// What a person says a transaction was.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = CorrectionDraft)]
pub struct Draft {
    pub category_id: Uuid,
    /// Whether what else waits of the same payee is given it too.
    #[schema(required = false)]
    pub similar: bool,
}

impl Draft {
    pub fn read(mut form: Form) -> Result<Self, Vec<Violation>> {
        let draft = Self {
            category_id: form.id("category_id"),
            similar: form.optional_flag("similar").unwrap_or(false),
        };
        form.finish(draft)
    }
}

/// How many suggestions are accepted in one go, and how many notifications read.
pub const IDS_MAX: usize = 200;

/// Another transaction and how much its wording is like the one asked about, 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Similar {
    pub transaction: Transaction,
    #[schema(value_type = f64)]
    pub similarity: Confidence,
}
