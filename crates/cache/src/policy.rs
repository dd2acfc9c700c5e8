//! What HTTP lets a shared cache do: RFC 9111, with RFC 5861, 9110, 9211 and 9213. Pure: no clock, no storage.
//!
//! ```text
//! request ── Wishes::read ──> looked up? ── Stored::judge ──> Fresh, Stale ── Stored::answer ──> client
//!                                 │                             │
//!                                 │ nothing there               │ Revalidate: Stored::condition
//!                                 v                             v
//!                               fill <──────────────────── revalidation
//!                                 │ 200: Stored::read           │ 304: Stored::refresh
//!                                 └────────> kept? Refusal says why not
//! ```
//!
//! Everything of a response is read once, when it is stored; judging it later compares numbers.
//! Where the RFCs leave a choice, or a field is malformed, the reading that stores and reuses less is taken.

mod answer;
mod conditions;
mod directives;
mod fields;
mod frozen;
mod invalidate;
mod judge;
mod lifetime;
mod range;
mod refresh;
mod refusal;
mod request;
mod status;
mod stored;
mod tags;
mod targeted;
mod vary;

pub use fields::strip;
pub use invalidate::{Change, invalidated};
pub use judge::{Verdict, is_failure};
pub use refresh::{Mismatch, Refreshed};
pub use refusal::{Bypass, Refusal};
pub use request::{Asker, Wishes, unconditional};
pub use status::{Forward, Handling, mark};
pub use stored::{Exchange, Stored};
pub use tags::{Purges, purges};
pub use vary::Vary;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Time(pub u64);

#[cfg(test)]
mod tests;
