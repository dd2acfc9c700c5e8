//! Banks whose tables we know, told by their header.

use super::super::{Decimal, Order, Profile};
use super::mapping::AmountColumns;
use super::records::Record;
use super::{Layout, PREAMBLE_ROWS_MAX};
use crate::domain::text::fold;

/// A bank's table.
struct Known {
    profile: Profile,
    /// The bank, for people.
    name: &'static str,
    delimiter: char,
    /// The folded cells of the header, in order; more may follow.
    header: &'static [&'static str],
    date: usize,
    description: &'static [usize],
    amount: AmountColumns,
    identifier: Option<usize>,
    balance: Option<usize>,
    order: Order,
    decimal: Decimal,
    negate: bool,
}

/// What most Brazilian banks have in common.
const COMMON: Known = Known {
    profile: Profile::Inter,
    name: "",
    delimiter: ';',
    header: &[],
    date: 0,
    description: &[1],
    amount: AmountColumns::One(0),
    identifier: None,
    balance: None,
    order: Order::DayMonthYear,
    decimal: Decimal::Comma,
    negate: false,
};

const KNOWN: [Known; 7] = [
    Known {
        profile: Profile::NubankAccount,
        name: "Nubank",
        delimiter: ',',
        header: &["data", "valor", "identificador", "descricao"],
        description: &[3],
        amount: AmountColumns::One(1),
        identifier: Some(2),
        decimal: Decimal::Point,
        ..COMMON
    },
    Known {
        profile: Profile::NubankCard,
        name: "Nubank, cartão",
        delimiter: ',',
        header: &["date", "title", "amount"],
        amount: AmountColumns::One(2),
        order: Order::YearMonthDay,
        decimal: Decimal::Point,
        negate: true,
        ..COMMON
    },
    Known {
        profile: Profile::NubankCard,
        name: "Nubank, cartão",
        delimiter: ',',
        header: &["date", "category", "title", "amount"],
        description: &[2],
        amount: AmountColumns::One(3),
        order: Order::YearMonthDay,
        decimal: Decimal::Point,
        negate: true,
        ..COMMON
    },
    Known {
        profile: Profile::Inter,
        name: "Inter",
        header: &["data lancamento", "historico", "descricao", "valor", "saldo"],
        description: &[1, 2],
        amount: AmountColumns::One(3),
        balance: Some(4),
        ..COMMON
    },
    Known {
        profile: Profile::Inter,
        name: "Inter",
        header: &["data lancamento", "descricao", "valor", "saldo"],
        amount: AmountColumns::One(2),
        balance: Some(3),
        ..COMMON
    },
    Known {
        profile: Profile::Itau,
        name: "Itaú",
        header: &["data", "lancamento", "ag./origem", "valor (r$)", "saldos (r$)"],
        amount: AmountColumns::One(3),
        balance: Some(4),
        ..COMMON
    },
    Known {
        profile: Profile::Bradesco,
        name: "Bradesco",
        header: &["data", "historico", "docto.", "credito (r$)", "debito (r$)", "saldo (r$)"],
        amount: AmountColumns::Two { credit: 3, debit: 4 },
        balance: Some(5),
        ..COMMON
    },
];

/// Itaú's older text file, which has no header.
const ITAU_TEXT: Known =
    Known { profile: Profile::Itau, name: "Itaú", amount: AmountColumns::One(2), ..COMMON };

/// Rows that must look right for a table without a header to be recognised.
const HEADERLESS_ROWS: usize = 5;

pub(super) struct Found {
    pub profile: Profile,
    pub name: &'static str,
    pub layout: Layout,
}

/// Tells whose table this is, if it is one of ours.
pub(super) fn recognise(records: &[Record], delimiter: char) -> Option<Found> {
    for (position, record) in records.iter().take(PREAMBLE_ROWS_MAX).enumerate() {
        // A header is short; folding megabytes of something else would be in vain.
        if record.cells.iter().any(|cell| cell.len() > 64) {
            continue;
        }
        let cells: Vec<String> = record.cells.iter().map(|cell| fold(cell)).collect();
        let fits = |it: &&Known| it.delimiter == delimiter && it.has_header(&cells);
        if let Some(known) = KNOWN.iter().find(fits) {
            return Some(known.found(position + 1));
        }
    }
    is_itau_text(records, delimiter).then(|| ITAU_TEXT.found(0))
}

impl Known {
    fn has_header(&self, cells: &[String]) -> bool {
        let (header, rest) = cells.split_at_checked(self.header.len()).unwrap_or((&[], cells));
        header == self.header && rest.iter().all(String::is_empty)
    }

    fn found(&self, header_rows: usize) -> Found {
        let layout = Layout {
            header_rows,
            date: self.date,
            description: self.description.to_vec(),
            amount: self.amount,
            identifier: self.identifier,
            balance: self.balance,
            order: self.order,
            decimal: self.decimal,
            negate: self.negate,
        };
        Found { profile: self.profile, name: self.name, layout }
    }
}

fn is_itau_text(records: &[Record], delimiter: char) -> bool {
    use super::super::{amount, date};
    let is_row = |it: &Record| {
        it.cells.len() == 3
            && date::parse(&it.cells[0], Order::DayMonthYear).is_some()
            && amount::parse(&it.cells[2], Decimal::Comma).is_ok()
    };
    let mut first = records.iter().filter(|it| !it.is_blank()).take(HEADERLESS_ROWS).peekable();
    delimiter == ';' && first.peek().is_some() && first.all(is_row)
}

/// The account's number, as lines before the header say it: `Conta: 12345-6`, `Agência;1234;Conta;12345-6`.
pub(super) fn account_in(preamble: &[Record]) -> Option<String> {
    let digits = |text: &str| {
        let text = text.trim_start_matches([' ', ':', '|']);
        let number: String = text
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | ' '))
            .collect();
        let number = number.split_whitespace().next().unwrap_or_default().to_owned();
        number.contains(|c: char| c.is_ascii_digit()).then_some(number)
    };
    for record in preamble {
        let line = fold(&record.cells.join(" "));
        let after = line.match_indices("conta").map(|(at, word)| &line[at + word.len()..]);
        // `Conta corrente: 123`, but not `Contato`.
        let mut after = after.map(|rest| rest.trim_start_matches(" corrente"));
        if let Some(number) = after.find_map(digits) {
            return Some(number);
        }
    }
    None
}

/// The account's number in `NU_<number>_<from>_<to>.csv`.
pub(super) fn account_in_name(profile: Profile, filename: &str) -> Option<String> {
    let number = filename.strip_prefix("NU_")?.split('_').next()?;
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    (profile == Profile::NubankAccount && plain).then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_numbers_are_found_before_the_header_and_in_the_name() {
        let check = |line: &[&str], expected: Option<&str>| {
            let record = Record { line: 1, cells: line.iter().map(|it| (*it).to_owned()).collect() };
            assert_eq!(account_in(&[record]).as_deref(), expected, "{line:?}");
        };
        check(&["Conta ", "12345678-9"], Some("12345678-9"));
        check(&["Extrato de: Agência: 123 | Conta: 45678-9"], Some("45678-9"));
        check(&["Conta Corrente: 1234-5"], Some("1234-5"));
        check(&["Extrato Conta Corrente"], None);
        check(&["Contato 0800"], None);
        assert_eq!(
            account_in_name(Profile::NubankAccount, "NU_123_01NOV2026_30NOV2026.csv").as_deref(),
            Some("123")
        );
        assert_eq!(account_in_name(Profile::NubankAccount, "extrato.csv"), None);
    }
}
