//! Service-level objectives, as functions of counts and time: are they met, what is left of the error budget, how
//! fast does it burn, and from which load on do they break.
//!
//! Nothing here awaits or reads a clock: time and data come in as values. Percentiles come from histograms that
//! were merged, and are never averaged; ratios come from counts, and are never averaged either.
//!
//! Every limit of an objective is seen as one [`Clause`]: a share of events that must be good. "P95 ≤ 300 ms" is
//! "95 % of the requests take at most 300 ms", so a budget and its burn rate mean the same for all of them.
//!
//! Start reading at [`Clause`].

mod bootstrap;
pub mod budget;
pub mod burn;
mod clause;
mod events;
mod history;
pub mod knee;
mod latencies;
mod series;
mod verdict;

pub use budget::Budget;
pub use clause::{Clause, Tally};
pub use events::Events;
pub use history::History;
pub use latencies::{Latencies, Sparse};
pub use series::Series;
pub use verdict::{Judgement, Verdict};
