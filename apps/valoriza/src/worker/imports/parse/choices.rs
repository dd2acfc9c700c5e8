//! What a user chose of a preview, kept when its file is read again because of another account or mapping.

use crate::domain::import::{Row, RowStatus};

/// Repeats the choices of the rows `chosen` on the rows read now, where a row still means the same.
///
/// To leave a row out is about the movement: it stands while day, amount and description are the same. To take one in,
/// though it looks like a duplicate, is about the account too, which is part of its identity.
pub(super) fn keep(chosen: &[Row], rows: &mut [Row]) {
    for before in chosen {
        let place = usize::try_from(before.index).ok();
        let Some(row) = place.and_then(|place| rows.get_mut(place)) else { continue };
        let stands = match before.chosen {
            Some(true) => row.identity.is_some() && row.identity == before.identity,
            Some(false) => is_same_movement(row, before),
            None => false,
        };
        if stands && row.status != RowStatus::Invalid {
            row.chosen = before.chosen;
            row.include = before.include;
        }
    }
}

fn is_same_movement(a: &Row, b: &Row) -> bool {
    (a.date, a.amount_cents) == (b.date, b.amount_cents) && a.description == b.description
}
