//! Which row of a feed a flow takes, and what is in it.
//!
//! Both are functions of the user's and the flow's number: nothing is remembered, processes need not agree on
//! anything, and a run can be repeated.

use fastrand::Rng;

use super::render::Scope;
use super::{Feed, Order, Rows};

impl Feed {
    /// How many rows there are.
    pub fn count(&self) -> u64 {
        match &self.rows {
            Rows::Given(rows) => rows.len() as u64,
            Rows::Generated { rows, .. } => *rows,
        }
    }

    /// The row for this user's flow; all steps of a flow have the same. `name` keeps feeds apart.
    pub(super) fn row(&self, name: &str, user: u64, iteration: u64) -> u64 {
        let count = self.count().max(1);
        let row = match self.order {
            Order::Sequential => user.wrapping_add(iteration),
            Order::Unique => user,
            Order::Random => {
                let salt = name.bytes().fold(0, |salt, byte| mix(salt ^ u64::from(byte)));
                mix(mix(salt ^ user) ^ iteration)
            }
        };
        row % count
    }

    /// Appends what is in the column; nothing if there is none of that name.
    pub(super) fn render(&self, row: u64, column: &str, scope: &Scope<'_>, out: &mut String) {
        let Some(column) = self.columns.iter().position(|name| name == column) else { return };
        match &self.rows {
            Rows::Given(rows) => {
                let row = usize::try_from(row).ok().and_then(|row| rows.get(row));
                out.push_str(row.and_then(|row| row.get(column)).map_or("", String::as_str));
            }
            Rows::Generated { columns, .. } => {
                // A row is the same whenever it is asked for.
                let mut rng = Rng::with_seed(mix(mix(row) ^ column as u64));
                if let Some(template) = columns.get(column) {
                    template.render(&scope.of_row(row), &mut rng, out);
                }
            }
        }
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea, Flood 2014): neighbours become far apart.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
