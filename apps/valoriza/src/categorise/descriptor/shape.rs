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
    /// Of a clean text.
    pub(super) fn of(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        let any = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        if any(&["estorno", "estornado", "reembolso", "devolucao", "devolvido", "chargeback", "cancelamento"])
        {
            Self::Refund
        } else if any(&["pix"]) {
            Self::Pix
        } else if any(&["boleto", "titulo"]) {
            Self::Boleto
        } else if any(&["ted", "doc", "transf", "transferencia", "tef"]) {
            Self::Transfer
        } else if any(&["deb", "debito"]) && any(&["aut", "autom", "automatico"]) {
            Self::DirectDebit
        } else {
            Self::Purchase
        }
    }
}
