//! How sure is sure enough.

use super::decision::Source;

/// The precision that is promised of what is applied without asking.
pub const PRECISION: f32 = 0.95;

/// The least confidence at which a category is applied without asking; per tenant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold(f32);

/// What became of an answer of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    pub source: Source,
    pub confidence: f32,
    /// Whether the user left or took it so.
    pub right: bool,
}

impl Default for Threshold {
    fn default() -> Self {
        Self(0.9)
    }
}

impl Threshold {
    pub fn value(self) -> f32 {
        self.0
    }

    /// Tells whether an answer of this confidence may be applied without asking.
    pub fn admits(self, confidence: f32) -> bool {
        confidence >= self.0
    }
}
