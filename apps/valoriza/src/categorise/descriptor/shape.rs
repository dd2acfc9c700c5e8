//! By which way the money moved, as far as the wording says.

/// The bank's operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A card, or nothing that says otherwise.
    Purchase,
    Pix,
    Boleto,
    /// TED, DOC and other transfers.
    Transfer,
    /// Débito automático.
    DirectDebit,
    /// Money back.
    Refund,
}

impl Shape {
    pub(super) fn of(_text: &str) -> Self {
        Self::Purchase
    }
}
