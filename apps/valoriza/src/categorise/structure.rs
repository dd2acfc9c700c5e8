//! What the bank's own wording says, whoever the payee is.

use super::descriptor::Descriptor;
use super::shared::Shared;

/// A kind of movement the wording gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// It has a category: what to call it, and the category's name.
    Means { what: &'static str, category: Shared },
    /// Between accounts of the same person.
    OwnTransfer,
    /// The bill of a credit card, whose purchases are already there one by one.
    CardBill,
    /// Pix, TED, DOC or boleto to or from somebody the shared sources should look at.
    Payment,
}

impl Structure {
    pub fn is_transfer(self) -> bool {
        match self {
            Self::OwnTransfer | Self::CardBill => true,
            Self::Means { .. } | Self::Payment => false,
        }
    }

    /// `people`: folded words of the names of the tenant's members.
    pub fn of(_descriptor: &Descriptor, _people: &[Vec<String>]) -> Option<Self> {
        None
    }
}
