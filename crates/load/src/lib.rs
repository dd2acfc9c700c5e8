//! `mare load`: drives a scenario at a server, judges what came back by the objectives, and reports it.
//!
//! - [`scenario`]: what a scenario file says. Pure.
//! - [`engine`]: virtual users over HTTP; several threads, several processes. Produces a [`run::Run`].
//! - [`run`]: all that was seen, per second; what a report and a verdict are made of. Plain data, kept as JSON.
//! - [`report`]: the page, the tables and the files made of a run. Pure.
//!
//! Judging is `mare-slo`'s; this crate brings the data.

pub mod engine;
pub mod judge;
pub mod report;
pub mod run;
pub mod scenario;
