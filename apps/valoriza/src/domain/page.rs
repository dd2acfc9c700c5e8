//! Pages of a list: a limit and a cursor that names the last item seen.
//!
//! A cursor is a place in the order, so that nothing is lost or repeated between pages whatever is written
//! meanwhile. It grants nothing: the query it continues is bound to the caller's tenant all the same.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::calendar;

pub const LIMIT_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it as `cursor` to read on; null at the end.
    pub next_cursor: Option<String>,
}

/// A place in a list, after which the next page starts.
pub trait Cursor: Sized {
    fn encode(&self) -> String;
    fn decode(text: &str) -> Option<Self>;
}

/// Place in a list ordered by id. Encoded as `i` and the 16 bytes of the id.
impl Cursor for Uuid {
    fn encode(&self) -> String {
        let mut bytes = vec![b'i'];
        bytes.extend(self.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let id = bytes.strip_prefix(b"i")?;
        Uuid::from_slice(id).ok()
    }
}

/// Place in a list ordered by date, then id. Encoded as `d`, the ten bytes of the date, and the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateAndId {
    pub date: Date,
    pub id: Uuid,
}

impl Cursor for DateAndId {
    fn encode(&self) -> String {
        let mut bytes = vec![b'd'];
        bytes.extend(self.date.to_string().into_bytes());
        bytes.extend(self.id.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (date, id) = bytes.strip_prefix(b"d")?.split_at_checked(10)?;
        let date = calendar::parse_date(std::str::from_utf8(date).ok()?)?;
        Some(Self { date, id: Uuid::from_slice(id).ok()? })
    }
}

/// Place in a list that people put in order. Encoded as `p`, the eight bytes of the position, and the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionAndId {
    pub position: i64,
    pub id: Uuid,
}

impl Cursor for PositionAndId {
    fn encode(&self) -> String {
        let mut bytes = vec![b'p'];
        bytes.extend(self.position.to_be_bytes());
        bytes.extend(self.id.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (position, id) = bytes.strip_prefix(b"p")?.split_first_chunk()?;
        Some(Self { position: i64::from_be_bytes(*position), id: Uuid::from_slice(id).ok()? })
    }
}

/// Place in a list numbered from 0. Encoded as `n` and the eight bytes of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(pub i64);

impl Cursor for Place {
    fn encode(&self) -> String {
        let mut bytes = vec![b'n'];
        bytes.extend(self.0.to_be_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let number = bytes.strip_prefix(b"n")?.try_into().ok()?;
        Some(Self(i64::from_be_bytes(number)))
    }
}

/// How much of a list to read, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Slice<C> {
    pub limit: usize,
    pub after: Option<C>,
}

impl<C: Cursor> Slice<C> {
    /// How many rows to ask for: one more than is shown tells whether there are more.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit + 1).expect("a limit is at most 200")
    }

    /// Makes the page of the rows read, `place` saying where an item is.
    pub fn page<T>(&self, mut rows: Vec<T>, place: impl Fn(&T) -> C) -> Page<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| place(last).encode());
        Page { items: rows, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(id: u128, days in 0i32..80_000) {
            let id = Uuid::from_u128(id);
            let date = Date::constant(1900, 1, 1).saturating_add(jiff::Span::new().days(days));
            prop_assert_eq!(Uuid::decode(&id.encode()), Some(id));
            let place = DateAndId { date, id };
            prop_assert_eq!(DateAndId::decode(&place.encode()), Some(place));
            let ordered = PositionAndId { position: days.into(), id };
            prop_assert_eq!(PositionAndId::decode(&ordered.encode()), Some(ordered));
            prop_assert_eq!(PositionAndId::decode(&place.encode()), None);
            prop_assert_eq!(Place::decode(&Place(days.into()).encode()), Some(Place(days.into())));
            prop_assert_eq!(Place::decode(&place.encode()), None);
            prop_assert_eq!(DateAndId::decode(&id.encode()), None);
            prop_assert_eq!(Uuid::decode(&place.encode()), None);
        }

        #[test]
        fn tampering_never_panics(text in "\\PC{0,60}") {
            let _ = DateAndId::decode(&text);
            let _ = Uuid::decode(&text);
            let _ = PositionAndId::decode(&text);
            let _ = Place::decode(&text);
        }
    }
}
