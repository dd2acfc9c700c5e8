//! The rules of queues as functions of their arguments: no clock, no await, no chance.
//!
//! All stores decide with these, each with its own way of finding and keeping the data: `attempt` (what an attempt
//! makes of a task), `backoff` (when it is tried again, when no more), `order` (which task is next), `pace` on top
//! of `bucket` (how many may begin now), `wake` (when asking again makes sense).

pub mod attempt;
pub mod backoff;
pub mod bucket;
pub mod order;
pub mod pace;
pub mod wake;

use std::time::Duration;

use jiff::Timestamp;

/// `at` without what is smaller than a microsecond, which no store keeps.
pub fn micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// `wait` after `at` in whole microseconds; the end of time if there is no such time.
pub fn later(at: Timestamp, wait: Duration) -> Timestamp {
    at.checked_add(wait).map_or(Timestamp::MAX, micros)
}

/// From `earlier` to `at`; zero if the clock went back.
pub fn since(at: Timestamp, earlier: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(earlier)).unwrap_or(Duration::ZERO)
}
