//! Pages of listings.

use crate::store::{Page, Slice};

/// One more than was asked for, to learn whether there is more.
pub(super) fn limit(slice: &Slice) -> i64 {
    i64::try_from(slice.size).unwrap_or(i64::MAX - 1).saturating_add(1)
}

/// The page of what [`limit`] brought.
pub(super) fn of<T>(mut items: Vec<T>, slice: &Slice, name: impl Fn(&T) -> String) -> Page<T> {
    let is_all = items.len() <= slice.size;
    items.truncate(slice.size);
    let next = if is_all { None } else { items.last().map(name) };
    Page { items, next }
}
