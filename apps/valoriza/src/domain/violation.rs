//! What is wrong with an input, field by field.

use serde::Serialize;
use utoipa::ToSchema;

/// One mistake in one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Violation {
    /// Where: names and positions joined by dots, such as `splits.0.amount_cents`.
    pub field: String,
    /// Stable, for programs.
    pub code: &'static str,
    /// For people, in Portuguese.
    pub message: String,
}

impl Violation {
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }

    /// A reference to something this tenant does not have, whether or not another one does.
    pub fn unknown(field: impl Into<String>) -> Self {
        Self::new(field, "unknown_reference", "não existe")
    }
}
