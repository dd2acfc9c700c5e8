//! A linear model over hashed n-grams.

/// What the user's corrections add to the shared model.
#[derive(Debug, Clone, Default)]
pub struct Personal {}
