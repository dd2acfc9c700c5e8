//! What a user says about the columns of a table nobody knows.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::{Decimal, Order};
use super::records::Record;
use super::{Layout, PREAMBLE_ROWS_MAX};
use crate::domain::text::fold;

/// The highest column a mapping may name.
pub const COLUMN_MAX: usize = 199;
/// The most rows a mapping may skip.
pub const HEADER_ROWS_MAX: usize = PREAMBLE_ROWS_MAX;

/// Where the amount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountColumns {
    One(usize),
    /// Money in and money out apart; of the latter the sign does not matter.
    Two {
        credit: usize,
        debit: usize,
    },
}

/// Columns count from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub delimiter: char,
    pub header_rows: usize,
    pub date_column: usize,
    pub description_column: usize,
    pub amount: AmountColumns,
    pub order: Order,
    pub decimal: Decimal,
    /// Positive amounts are spending.
    pub negate: bool,
}

impl Mapping {
    pub(super) fn layout(&self) -> Layout {
        Layout {
            header_rows: self.header_rows,
            date: self.date_column,
            description: vec![self.description_column],
            amount: self.amount,
            identifier: None,
            balance: None,
            order: self.order,
            decimal: self.decimal,
            negate: self.negate,
        }
    }
}

/// Names the table by its header: the last row the mapping skips. None if it skips none.
pub(super) fn signature(records: &[Record], mapping: &Mapping) -> Option<String> {
    let header = records.get(mapping.header_rows.checked_sub(1)?)?;
    let mut hash = Sha256::new();
    for cell in &header.cells {
        hash.update(fold(cell));
        hash.update([0]);
    }
    Some(crate::statement::identity::hex(&hash.finalize()))
}
