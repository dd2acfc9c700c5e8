//! Amounts as banks write them: `-1.234,56`, `1,234.56`, `R$ 10,00`, `(10,00)`, `10,00 D`.

use serde::{Deserialize, Serialize};

use crate::domain::money::AMOUNT_CENTS_MAX;

/// What separates the centavos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decimal {
    Comma,
    Point,
    /// Whichever comes last; a lone separator before exactly three digits could be either, and is refused.
    Either,
}

/// Reads an amount into centavos, or says in Portuguese why it is none.
pub(super) fn parse(text: &str, decimal: Decimal) -> Result<i64, &'static str> {
    const NOT_ONE: &str = "o valor não pode ser lido";
    let (negative, digits) = strip_sign(text).ok_or(NOT_ONE)?;
    let (whole, cents) = split(&digits, decimal)?;
    let mut total = 0i64;
    for digit in whole.bytes().chain(cents) {
        total =
            total.checked_mul(10).and_then(|it| it.checked_add(i64::from(digit - b'0'))).ok_or(NOT_ONE)?;
    }
    if total > AMOUNT_CENTS_MAX {
        return Err("o valor é grande demais");
    }
    Ok(if negative { -total } else { total })
}

/// Takes sign, currency and spaces away; what is left are digits and separators, at least one digit.
fn strip_sign(text: &str) -> Option<(bool, String)> {
    let upper = text.to_uppercase();
    let mut rest = upper.trim();
    let mut negative = false;
    if let Some(inner) = rest.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
        (negative, rest) = (true, inner.trim());
    }
    if let Some(start) = rest.strip_suffix('D').or_else(|| rest.strip_suffix('C')) {
        (negative, rest) = (negative || rest.ends_with('D'), start.trim());
    }
    let minus = ['-', '−', '–'];
    let signed: String = rest.replace("R$", "").chars().filter(|c| !c.is_whitespace()).collect();
    let mut rest = signed.as_str();
    if let Some(start) = rest.strip_suffix(minus) {
        (negative, rest) = (true, start);
    } else if let Some(end) = rest.strip_prefix(minus) {
        (negative, rest) = (true, end);
    } else if let Some(end) = rest.strip_prefix('+') {
        rest = end;
    }
    let plain = rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',');
    (plain && rest.bytes().any(|b| b.is_ascii_digit())).then(|| (negative, rest.to_owned()))
}

/// The digits before the decimal separator and two after it.
fn split(digits: &str, decimal: Decimal) -> Result<(String, [u8; 2]), &'static str> {
    const NOT_ONE: &str = "o valor não pode ser lido";
    let separator = match decimal {
        Decimal::Comma => ',',
        Decimal::Point => '.',
        Decimal::Either => last_separator(digits)?,
    };
    let (whole, fraction) = digits.rsplit_once(separator).unwrap_or((digits, ""));
    let thousands = if separator == ',' { '.' } else { ',' };
    let grouped = |whole: &str| {
        let mut groups = whole.split(thousands);
        let first = groups.next().unwrap_or_default();
        !whole.contains(thousands)
            || (!first.is_empty() && first.len() <= 3 && groups.all(|it| it.len() == 3))
    };
    if !grouped(whole) || !fraction.bytes().all(|b| b.is_ascii_digit()) || whole.contains(separator) {
        return Err(NOT_ONE);
    }
    let mut places = fraction.bytes().chain(std::iter::repeat(b'0'));
    let cents = [places.next().unwrap_or(b'0'), places.next().unwrap_or(b'0')];
    // More places than centavos have: fine when they are zeros.
    if fraction.bytes().skip(2).any(|b| b != b'0') {
        return Err("o valor tem frações de centavo");
    }
    Ok((whole.chars().filter(char::is_ascii_digit).collect(), cents))
}

/// Which of the two separators is the decimal one.
fn last_separator(digits: &str) -> Result<char, &'static str> {
    let Some(position) = digits.rfind(['.', ',']) else {
        return Ok('.');
    };
    let last = if digits.as_bytes()[position] == b',' { ',' } else { '.' };
    let (before, after) = (&digits[..position], &digits[position + 1..]);
    let is_alone = !before.contains(['.', ',']);
    if is_alone && after.len() == 3 && !before.is_empty() && before != "0" {
        return Err("o valor é ambíguo: milhares ou centavos?");
    }
    // Several of one kind and none of the other after them group thousands: 1.234.567
    Ok(match (before.contains(last), last) {
        (false, last) => last,
        (true, ',') => '.',
        (true, _) => ',',
    })
}

/// Writes centavos as Brazilians do: `-1.234,56`.
pub(super) fn format(cents: i64) -> String {
    let whole = (cents.unsigned_abs() / 100).to_string();
    let mut grouped = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{grouped},{:02}", cents.unsigned_abs() % 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Decimal::{Comma, Either, Point};
    use super::*;

    #[test]
    fn amounts_are_read_in_all_the_ways_banks_write_them() {
        let check = |text, decimal, expected: Option<i64>| {
            assert_eq!(parse(text, decimal).ok(), expected, "{text} {decimal:?}");
        };
        check("-25.00", Point, Some(-2_500));
        check("-1.234,56", Comma, Some(-123_456));
        check("R$ 1.234,56", Comma, Some(123_456));
        check("-R$ 10,00", Comma, Some(-1_000));
        check("R$ -10,00", Comma, Some(-1_000));
        check("(10,00)", Comma, Some(-1_000));
        check("10,00-", Comma, Some(-1_000));
        check("10,00 D", Comma, Some(-1_000));
        check("10,00 C", Comma, Some(1_000));
        check("+10", Comma, Some(1_000));
        check("\u{2212}10,5", Comma, Some(-1_050));
        check("1\u{a0}234,56", Comma, Some(123_456));
        check("1,234.56", Either, Some(123_456));
        check("1.234,56", Either, Some(123_456));
        check("25,5", Either, Some(2_550));
        check("-.50", Either, Some(-50));
        check("25.0000", Either, Some(2_500));
        check("1.234.567", Either, Some(123_456_700));
        check("0.500", Either, Some(50));
        check("1.234", Either, None);
        check("1.234", Comma, Some(123_400));
        check("12.34", Comma, None);
        check("1.23.4", Comma, None);
        check("10,005", Comma, None);
        check("", Comma, None);
        check("-", Comma, None);
        check("abc", Comma, None);
        check("10000000000,01", Comma, None);
        check("99999999999999999999999", Comma, None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(cents in -AMOUNT_CENTS_MAX..=AMOUNT_CENTS_MAX) {
            prop_assert_eq!(parse(&format(cents), Decimal::Comma), Ok(cents));
            prop_assert_eq!(parse(&format(cents), Decimal::Either), Ok(cents));
            let point = format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100);
            prop_assert_eq!(parse(&point, Decimal::Point), Ok(cents));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,20}") {
            for decimal in [Decimal::Comma, Decimal::Point, Decimal::Either] {
                let _ = parse(&text, decimal);
            }
        }
    }
}
