//! The time.

use jiff::{Timestamp, Unit};

/// Now, to the millisecond: what the database keeps, so that what is answered is what will be read.
pub(crate) fn now() -> Timestamp {
    Timestamp::now().round(Unit::Millisecond).expect("now is far from the end of time")
}
