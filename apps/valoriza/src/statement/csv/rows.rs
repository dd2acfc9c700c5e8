//! Reads the rows of a table by its layout.

use super::super::balance::{self, Entry};
use super::super::{Row, Source, Statement, amount, clean, date, join, period};
use super::Layout;
use super::mapping::AmountColumns;
use super::records::Record;
use crate::domain::text::fold;

/// Rows that state a balance and move nothing begin so.
const BALANCE_ROWS: [&str; 8] = [
    "saldo anterior",
    "saldo total",
    "saldo do dia",
    "saldo final",
    "saldo inicial",
    "saldo parcial",
    "saldo aplic",
    "s a l d o",
];

pub(super) fn read(records: &[Record], layout: &Layout, source: Source) -> Statement {
    let mut rows: Vec<Row> = Vec::new();
    let mut entries = Vec::new();
    for record in records.iter().skip(layout.header_rows).filter(|it| !it.is_blank()) {
        match layout.kind(record) {
            Kind::Movement(row) => {
                let balance_cents = layout.balance_of(record);
                entries.push(Entry { line: row.line, amount_cents: row.amount_cents, balance_cents });
                rows.push(row);
            }
            Kind::Balance(cents) => {
                entries.push(Entry { line: record.line, amount_cents: None, balance_cents: Some(cents) });
            }
            Kind::Continuation(text) => {
                if let Some(last) = rows.last_mut() {
                    last.description = clean(&format!("{} {text}", last.description));
                }
            }
            Kind::Comment => {}
        }
    }
    let (from, to) = period(&rows);
    let check = balance::check(&entries);
    Statement {
        source,
        currency: "BRL".to_owned(),
        from,
        to,
        opening_cents: check.opening_cents,
        rows,
        warnings: check.warnings,
    }
}

enum Kind {
    Movement(Row),
    /// States a balance.
    Balance(i64),
    /// More of the description of the row above (Bradesco).
    Continuation(String),
    /// Totals, footers, notes.
    Comment,
}

impl Layout {
    fn kind(&self, record: &Record) -> Kind {
        let day = date::parse(record.cell(self.date), self.order);
        let description =
            self.description.iter().fold(String::new(), |it, column| join(&it, record.cell(*column)));
        let folded = fold(&description);
        if BALANCE_ROWS.iter().any(|it| folded.starts_with(it)) {
            let amount = || self.amount_of(record).and_then(Result::ok);
            return self.balance_of(record).or_else(amount).map_or(Kind::Comment, Kind::Balance);
        }
        match (day, self.amount_of(record)) {
            (None, None | Some(Err(_))) if record.cell(self.date).is_empty() && !description.is_empty() => {
                Kind::Continuation(description)
            }
            (None, None | Some(Err(_))) => Kind::Comment,
            // A sum under the columns.
            (None, Some(Ok(_))) if record.cells.iter().any(|cell| fold(cell).starts_with("total")) => {
                Kind::Comment
            }
            (date, amount) => Kind::Movement(self.row(record, date, amount, description)),
        }
    }

    fn row(
        &self,
        record: &Record,
        date: Option<jiff::civil::Date>,
        amount: Option<Result<i64, &'static str>>,
        description: String,
    ) -> Row {
        let problem = match (date, amount) {
            (None, _) => Some(format!("a data não pode ser lida: {}", clean(record.cell(self.date)))),
            (_, None) => Some("falta o valor".to_owned()),
            (_, Some(Err(why))) => Some(why.to_owned()),
            (_, Some(Ok(0))) => Some("o valor é zero".to_owned()),
            (Some(_), Some(Ok(_))) => None,
        };
        let identifier = self.identifier.map(|column| clean(record.cell(column)));
        Row {
            line: record.line,
            date,
            amount_cents: amount.and_then(Result::ok),
            description: if description.is_empty() { "Sem descrição".to_owned() } else { description },
            bank_id: identifier.filter(|it| !it.is_empty()),
            problem,
        }
    }

    /// The amount with its sign; nothing if the row has none.
    fn amount_of(&self, record: &Record) -> Option<Result<i64, &'static str>> {
        let read = |column| {
            let text = record.cell(column);
            (!text.is_empty()).then(|| amount::parse(text, self.decimal))
        };
        let amount = match self.amount {
            AmountColumns::One(column) => read(column)?,
            AmountColumns::Two { credit, debit } => match (read(credit), read(debit)) {
                (None, None) => return None,
                (Some(Err(why)), _) | (_, Some(Err(why))) => Err(why),
                (credit, debit) => {
                    let cents = |it: Option<Result<i64, _>>| it.and_then(Result::ok).unwrap_or(0).abs();
                    Ok(cents(credit) - cents(debit))
                }
            },
        };
        Some(amount.map(|cents| if self.negate { -cents } else { cents }))
    }

    fn balance_of(&self, record: &Record) -> Option<i64> {
        amount::parse(record.cell(self.balance?), self.decimal).ok()
    }
}
