//! Money: integer centavos of a currency, and how many of them there may be.

use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

/// Largest amount of one movement: ten billion, beyond any person's and still exact after nine million of
/// them are added up in 64 bits.
pub const AMOUNT_CENTS_MAX: i64 = 1_000_000_000_000;

/// Largest balance: the largest integer JavaScript reads exactly is a little above.
pub const BALANCE_CENTS_MAX: i64 = 9_000_000_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    #[default]
    Brl,
    Eur,
    Usd,
}

impl Currency {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brl => "BRL",
            Self::Eur => "EUR",
            Self::Usd => "USD",
        }
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        [Self::Brl, Self::Eur, Self::Usd].into_iter().find(|it| it.as_str() == text).ok_or(NotACurrency)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read the currency: it is not one of BRL, EUR, USD")]
pub struct NotACurrency;

/// Tells whether an account may hold this.
pub fn is_balance(cents: i64) -> bool {
    cents.unsigned_abs() <= BALANCE_CENTS_MAX.unsigned_abs()
}

/// As people in Brazil write it: `R$ 1.234,56`.
pub fn reais(cents: i64) -> String {
    let digits = (cents.unsigned_abs() / 100).to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}R$ {grouped},{:02}", cents.unsigned_abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reais_have_a_comma_and_dots() {
        let check = |cents, expected| assert_eq!(reais(cents), expected);
        check(0, "R$ 0,00");
        check(-5, "-R$ 0,05");
        check(123_456, "R$ 1.234,56");
        check(-100_000_000, "-R$ 1.000.000,00");
        check(99_999, "R$ 999,99");
    }
}
