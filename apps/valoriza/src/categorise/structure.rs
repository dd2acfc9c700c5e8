//! What the bank's own wording says, whoever the payee is.

mod names;
mod patterns;

use super::descriptor::{Descriptor, Direction, Shape};
use super::lexicon::is_business_word;
use super::shared::Shared;
use names::FIRST_NAMES;
use patterns::{BANKS_AND_CARDS, CASH, MEANINGS, OWN_TRANSFERS};

/// A kind of movement the wording gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// It has a category: what people call such a movement, and the category's name.
    Means { what: &'static str, category: Shared },
    /// Between accounts of the same person.
    OwnTransfer,
    /// The bill of a credit card, whose purchases are already there one by one.
    CardBill,
    /// Money to or from a person: only its owner knows what for.
    Person,
    /// Cash drawn, paid in or a cheque: the same.
    Cash,
}

impl Structure {
    pub fn is_transfer(self) -> bool {
        match self {
            Self::OwnTransfer | Self::CardBill => true,
            Self::Means { .. } | Self::Person | Self::Cash => false,
        }
    }

    /// Tells whether no shared knowledge can know the category: only the user's own does.
    pub fn is_private(self) -> bool {
        match self {
            Self::OwnTransfer | Self::CardBill | Self::Person | Self::Cash => true,
            Self::Means { .. } => false,
        }
    }

    /// `people`: folded words of the names of the tenant's members.
    pub fn of(descriptor: &Descriptor, people: &[Vec<String>]) -> Option<Self> {
        let words: Vec<&str> = descriptor.text.split(' ').collect();
        if OWN_TRANSFERS.iter().any(|pattern| holds(pattern, &words)) || is_member(descriptor, people) {
            return Some(Self::OwnTransfer);
        }
        if is_card_bill(descriptor, &words) {
            return Some(Self::CardBill);
        }
        let meaning = MEANINGS.iter().find(|it| {
            it.direction == descriptor.direction && it.patterns.iter().any(|pattern| holds(pattern, &words))
        });
        if let Some(meaning) = meaning {
            let category = Shared::named(meaning.category)?;
            return Some(Self::Means { what: meaning.what, category });
        }
        if words.first().is_some_and(|word| CASH.contains(word)) {
            return Some(Self::Cash);
        }
        is_person(descriptor).then_some(Self::Person)
    }
}

/// The wordings as texts, for the model to learn from.
pub(super) fn wordings() -> impl Iterator<Item = (String, Shared)> {
    MEANINGS.iter().flat_map(|meaning| {
        let category = Shared::named(meaning.category);
        let texts = meaning.patterns.iter().map(|words| words.join(" ").replace('*', ""));
        texts.filter_map(move |text| Some((text, category?)))
    })
}

/// Tells whether all words of the pattern occur; one that ends in `*` stands for all that start so.
fn holds(pattern: &[&str], words: &[&str]) -> bool {
    pattern.iter().all(|wanted| match wanted.strip_suffix('*') {
        Some(start) => words.iter().any(|word| word.starts_with(start)),
        None => words.contains(wanted),
    })
}

/// Money by Pix, TED or DOC whose other end has the name of a member: first and last word, and of a name cut short
/// what there is.
fn is_member(descriptor: &Descriptor, people: &[Vec<String>]) -> bool {
    if !matches!(descriptor.shape, Shape::Pix | Shape::Transfer) {
        return false;
    }
    let words: Vec<&str> = descriptor.payee.split(' ').collect();
    people.iter().any(|name| match (name.first(), name.last(), words.as_slice()) {
        (Some(first), Some(last), [one, .., other]) if name.len() > 1 => {
            one == first && (other == last || (other.len() >= 4 && last.starts_with(other)))
        }
        _ => false,
    })
}

/// "PAGAMENTO FATURA CARTAO", "PGTO FATURA NUBANK", but not "FATURA" of whoever else sends one; and on the card's own
/// statement "PAGAMENTO RECEBIDO".
fn is_card_bill(descriptor: &Descriptor, words: &[&str]) -> bool {
    let known = |word: &&str| BANKS_AND_CARDS.contains(word);
    match descriptor.direction {
        Direction::Out => {
            words.iter().any(|word| matches!(*word, "fatura" | "fat")) && words.iter().all(known)
        }
        Direction::In => {
            words.starts_with(&["pagamento", "recebido"])
                && words
                    .iter()
                    .all(|word| known(word) || matches!(*word, "recebido" | "obrigado" | "obrigada"))
        }
    }
}

/// A first name followed by another word, by a way people pay people.
fn is_person(descriptor: &Descriptor) -> bool {
    let mut words = descriptor.payee.split(' ');
    let named = words.next().is_some_and(|word| FIRST_NAMES.contains(&word));
    let business = descriptor.payee.split(' ').any(is_business_word);
    matches!(descriptor.shape, Shape::Pix | Shape::Transfer) && named && words.next().is_some() && !business
}

#[cfg(test)]
mod tests;
