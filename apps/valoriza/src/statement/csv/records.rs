//! Cuts a table into records of cells, each with its line.

use super::super::{FIELD_BYTES_MAX, Failure, ROWS_MAX};
use super::PREAMBLE_ROWS_MAX;

/// Cells of a row; statements have at most a dozen.
const CELLS_MAX: usize = 200;

/// Longer than any preamble and header.
const HEAD_BYTES_MAX: usize = 64 * 1024;

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

/// All records of a table.
pub(super) fn read(text: &str, delimiter: char) -> Result<Vec<Record>, Failure> {
    let marked = [text, SENTINEL].concat();
    let mut records = Vec::new();
    for record in reader(&marked, delimiter).into_records() {
        let record = record.map_err(|error| {
            Failure::new("not_a_statement", format!("A tabela não pode ser lida: {error}."))
        })?;
        let line = record.position().map_or(1, |it| line_of(&marked, it));
        if record.len() == 1 && &record[0] == "\0" {
            break;
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
        records.push(trimmed(line, &record));
    }
    Ok(records)
}

/// The first records, to tell by what table and by which delimiter this is: a wrong one makes no error.
pub(super) fn head(text: &str, delimiter: char) -> Vec<Record> {
    let head = &text[..text.floor_char_boundary(HEAD_BYTES_MAX)];
    let records = reader(head, delimiter).into_records().map_while(Result::ok).take(PREAMBLE_ROWS_MAX);
    let records = records.filter(|record| record.len() <= CELLS_MAX);
    records.map(|record| trimmed(record.position().map_or(1, csv::Position::line), &record)).collect()
}

fn reader(text: &str, delimiter: char) -> csv::Reader<&[u8]> {
    let delimiter = u8::try_from(delimiter).expect("delimiters are ASCII");
    let mut reader = csv::ReaderBuilder::new();
    reader.delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes())
}

fn trimmed(line: u64, record: &csv::StringRecord) -> Record {
    Record { line, cells: record.iter().map(|cell| cell.trim().to_owned()).collect() }
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
