//! Bank descriptors of Brazil, made comparable and freed of what identifies people.
//!
//! Two texts come out. `text` is the wording folded, without CPF, account and card numbers, dates and
//! instalments: this and nothing rawer is stored, trained or embedded. `payee` is who is at the other end, without
//! the words of the bank around it: the key under which memory keeps what the user said. Reading either again
//! changes nothing.

mod clean;
mod cnpj;
mod payee;
mod shape;
mod words;

use serde::Serialize;
use utoipa::ToSchema;

pub use shape::Shape;

/// Which way money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Direction)]
pub enum Direction {
    In,
    Out,
}

impl Direction {
    pub fn of(amount_cents: i64) -> Self {
        if amount_cents < 0 { Self::Out } else { Self::In }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }

    pub fn find(name: &str) -> Option<Self> {
        [Self::In, Self::Out].into_iter().find(|it| it.as_str() == name)
    }
}

/// What a description says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Folded and without personal numbers.
    pub text: String,
    /// Who was paid or paid; empty where the text names nobody ("PIX ENVIADO").
    pub payee: String,
    /// The payee's, 14 characters, where the text has a valid one.
    pub cnpj: Option<String>,
    pub shape: Shape,
    pub direction: Direction,
}

/// Longer descriptions are cut; valoriza's own have at most 200 characters.
pub const CHARS_MAX: usize = 300;

impl Descriptor {
    pub fn read(description: &str, amount_cents: i64) -> Self {
        let cut: String = description.chars().take(CHARS_MAX).collect();
        let (text, cnpj) = clean::clean(&cut);
        let shape = Shape::of(&text);
        let payee = payee::of(&text);
        Self { text, payee, cnpj, shape, direction: Direction::of(amount_cents) }
    }

    /// What the model learns from: the payee, or the bank's words where nobody is named.
    pub fn model_text(&self) -> &str {
        if self.payee.is_empty() { &self.text } else { &self.payee }
    }
}

#[cfg(test)]
mod tests;
