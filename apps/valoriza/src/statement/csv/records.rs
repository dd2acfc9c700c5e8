//! Cuts a table into records of cells, each with its line.

use super::super::{FIELD_BYTES_MAX, Failure, ROWS_MAX};
use super::PREAMBLE_ROWS_MAX;

/// Cells of a row; statements have at most a dozen.
const CELLS_MAX: usize = 200;

/// Follows the text to see whether a quote was left open, which would swallow it. No file contains a NUL.
const SENTINEL: &str = "\n\0";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub line: u64,
    /// Trimmed.
    pub cells: Vec<String>,
}

impl Record {
    /// The cell, or nothing where the row is too short.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(String::is_empty)
    }
}

pub(super) fn read(text: &str, delimiter: char) -> Result<Vec<Record>, Failure> {
    let marked = [text, SENTINEL].concat();
    let delimiter = u8::try_from(delimiter).expect("delimiters are ASCII");
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.delimiter(delimiter).has_headers(false).flexible(true);
    let mut reader = reader.from_reader(marked.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            Failure::new("not_a_statement", format!("A tabela não pode ser lida: {error}."))
        })?;
        let line = record.position().map_or(1, |it| line_of(&marked, it));
        if record.len() == 1 && &record[0] == "\0" {
            return Ok(records);
        }
        if record.iter().any(|cell| cell.contains('\0')) {
            let detail = "Uma aspa abre um campo que nunca fecha.";
            return Err(Failure::new("truncated", detail).at(line));
        }
        if record.len() > CELLS_MAX {
            let detail = format!("Uma linha tem mais de {CELLS_MAX} colunas.");
            return Err(Failure::new("too_many_columns", detail).at(line));
        }
        if record.iter().any(|cell| cell.len() > FIELD_BYTES_MAX) {
            return Err(Failure::field_too_long(line));
        }
        if records.len() >= ROWS_MAX + PREAMBLE_ROWS_MAX {
            return Err(Failure::too_many_rows(line));
        }
        records.push(Record { line, cells: record.iter().map(|cell| cell.trim().to_owned()).collect() });
    }
    // The sentinel is the last record unless an open quote swallowed it.
    Ok(records)
}

/// The line a record starts on: its position is where the one before ended, blank lines before it included.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let blank = text.as_bytes().iter().skip(start).take_while(|it| matches!(it, b'\r' | b'\n'));
    position.line() + blank.map(|it| u64::from(*it == b'\n')).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_know_their_lines_and_open_quotes_are_told() {
        let check = |text: &str, expected: &[(u64, &[&str])]| {
            let expected: Vec<_> = expected
                .iter()
                .map(|(line, cells)| Record {
                    line: *line,
                    cells: cells.iter().map(|it| (*it).to_owned()).collect(),
                })
                .collect();
            assert_eq!(read(text, ';').unwrap(), expected, "{text:?}");
        };
        let refuse = |text: &str, code: &str, line: u64| {
            let failure = read(text, ';').unwrap_err();
            assert_eq!((failure.code, failure.line), (code, Some(line)), "{text:?}");
        };
        check("a; b \r\n\r\n\"c\nd\";e\nf", &[(1, &["a", "b"]), (3, &["c\nd", "e"]), (5, &["f"])]);
        check("a;LOJA \"X\";b\n", &[(1, &["a", "LOJA \"X\"", "b"])]);
        refuse("a;b\n\"c;d\ne;f\n", "truncated", 2);
        refuse(&format!("a\n{}", "b".repeat(FIELD_BYTES_MAX + 1)), "field_too_long", 2);
        refuse(&";".repeat(CELLS_MAX), "too_many_columns", 1);
    }
}
