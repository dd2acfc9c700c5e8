//! What makes a row of a statement the same row when it is read again.
//!
//! A bank's own id is not enough: banks repeat it for different movements. So a row is named by its account,
//! the bank's id (else its description), its day, its amount, and how many rows before it in its statement
//! were equal in all of these. Two equal rows thus have two names, and the same two whenever the statement, or
//! one that overlaps it, is read again.

use std::collections::HashMap;

use jiff::civil::Date;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Row;
use crate::domain::text::fold;

/// Half of a SHA-256: no two rows of anybody will meet.
const BYTES: usize = 16;

/// Names each row of one statement of `account`; those with a problem have no name.
pub fn of_rows(account: Uuid, rows: &[Row]) -> Vec<Option<String>> {
    let mut seen: HashMap<(String, Date, i64), u64> = HashMap::new();
    let mut name = |row: &Row| {
        let (Some(date), Some(amount), None) = (row.date, row.amount_cents, &row.problem) else {
            return None;
        };
        // The two kinds of names cannot be mistaken for one another.
        let what = match &row.bank_id {
            Some(id) => format!("i{id}"),
            None => format!("d{}", fold(&row.description)),
        };
        let before = seen.entry((what.clone(), date, amount)).or_default();
        let mut hash = Sha256::new();
        hash.update(account.as_bytes());
        hash.update(amount.to_be_bytes());
        hash.update(before.to_be_bytes());
        hash.update(date.to_string());
        hash.update(what);
        *before += 1;
        Some(hex(&hash.finalize()[..BYTES]))
    };
    rows.iter().map(&mut name).collect()
}

/// The name a row that is there already gets if the user wants it a second time: as the row at `position` of
/// the import `import`.
pub fn again(identity: &str, import: Uuid, position: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(import.as_bytes());
    hash.update(position.to_be_bytes());
    hash.update(identity);
    hex(&hash.finalize()[..BYTES])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes any text");
        text
    })
}
