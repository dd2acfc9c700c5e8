//! Tables: the CSV files of banks we know, and of those the user explains.
//!
//! [`profile`] recognises a bank by its header, [`mapping`] is what a user says of an unknown table; both come
//! down to a [`Layout`], by which [`rows`] reads.

pub mod mapping;
mod profile;
mod records;
mod rows;

use super::{Decimal, Failure, Hints, Order, Profile, Reading, Source};

use mapping::{AmountColumns, Mapping};
use records::Record;

/// Where the header is at the latest; banks put some ten lines before it.
const PREAMBLE_ROWS_MAX: usize = 40;

/// Rows of an unknown table shown to the user.
const SAMPLE_ROWS: usize = 20;

/// How to read the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layout {
    /// Rows before the first movement.
    header_rows: usize,
    date: usize,
    /// Joined, what repeats left out.
    description: Vec<usize>,
    amount: AmountColumns,
    identifier: Option<usize>,
    balance: Option<usize>,
    order: Order,
    decimal: Decimal,
    /// Positive amounts are spending, as on a card's bill.
    negate: bool,
}

/// The start of a table nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub delimiter: char,
    /// Names of the columns: the cells of what looks like the header.
    pub columns: Vec<String>,
    /// Its first rows as they are.
    pub rows: Vec<Vec<String>>,
}

pub(super) fn read(text: &str, hints: &Hints<'_>) -> Result<Reading, Failure> {
    if let Some(mapping) = hints.mapping {
        return Ok(mapped(&records::read(text, mapping.delimiter)?, mapping));
    }
    for delimiter in [';', ','] {
        let records = records::read(text, delimiter)?;
        if let Some(found) = profile::recognise(&records, delimiter) {
            let statement = rows::read(&records, &found.layout, source(&found, &records, hints.filename));
            return Ok(Reading::Statements { profile: found.profile, statements: vec![statement] });
        }
    }
    let known = hints.known_mappings.into_iter().flatten();
    for (signature, mapping) in known {
        let records = records::read(text, mapping.delimiter)?;
        if mapping::signature(&records, mapping) == Some(signature.clone()) {
            return Ok(mapped(&records, mapping));
        }
    }
    if let Some(mapping) = hints.fallback {
        let reading = mapped(&records::read(text, mapping.delimiter)?, mapping);
        if reading.is_sound() {
            return Ok(reading);
        }
    }
    sample(text).map(Reading::Unknown)
}

impl Reading {
    /// Whether there are rows and all can be imported: the guess how to read them was right.
    fn is_sound(&self) -> bool {
        match self {
            Self::Statements { statements, .. } => {
                let mut rows = statements.iter().flat_map(|it| &it.rows).peekable();
                rows.peek().is_some() && rows.all(|row| row.problem.is_none())
            }
            Self::Unknown(_) => false,
        }
    }
}

/// The source is named by the table's header: the next table of that shape is of the same account.
fn mapped(records: &[Record], mapping: &Mapping) -> Reading {
    let signature = mapping::signature(records, mapping);
    let bank = if signature.is_some() { "csv".to_owned() } else { String::new() };
    let source = Source { bank, number: signature.unwrap_or_default(), label: "Arquivo CSV".to_owned() };
    let statement = rows::read(records, &mapping.layout(), source);
    Reading::Statements { profile: Profile::Mapped, statements: vec![statement] }
}

fn source(found: &profile::Found, records: &[Record], filename: &str) -> Source {
    let preamble = &records[..found.layout.header_rows.min(records.len())];
    let number = profile::account_in(preamble).or_else(|| profile::account_in_name(found.profile, filename));
    Source::of_csv(found.profile.as_str(), found.name, &number.unwrap_or_default())
}

/// Shows the start of a table, cut by whatever cuts most of its first rows into equally many cells.
pub fn sample(text: &str) -> Result<Sample, Failure> {
    let mut best: Option<(usize, char, Vec<Record>)> = None;
    for delimiter in [';', ',', '\t', '|'] {
        let mut records = records::read(text, delimiter)?;
        records.truncate(PREAMBLE_ROWS_MAX);
        let widths = records.iter().map(|it| it.cells.len());
        let widest = widths.clone().max().unwrap_or(0);
        let score = if widest < 2 { 0 } else { widths.filter(|width| *width == widest).count() };
        if score > best.as_ref().map_or(0, |(score, ..)| *score) {
            best = Some((score, delimiter, records));
        }
    }
    let Some((_, delimiter, records)) = best else {
        let detail = "O arquivo não é OFX nem uma tabela CSV.";
        return Err(Failure::new("not_a_statement", detail));
    };
    let widest = records.iter().map(|it| it.cells.len()).max().unwrap_or(0);
    let header = records.iter().find(|it| it.cells.len() == widest);
    Ok(Sample {
        delimiter,
        columns: header.map(|it| it.cells.clone()).unwrap_or_default(),
        rows: records.into_iter().take(SAMPLE_ROWS).map(|it| it.cells).collect(),
    })
}

/// Decodes a file that is known to be a table and shows its start.
pub fn sample_of(bytes: &[u8]) -> Result<Sample, Failure> {
    sample(&super::encoding::decode(bytes)?)
}
