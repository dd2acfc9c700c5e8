//! The contract, against real servers: the router on a port of its own, over SQLite and over PostgreSQL.
//!
//! Every rule is one function that takes a [`support::Server`]; `on_both_databases!` makes two tests of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod support;

mod accounts;
mod alerts;
mod automations;
mod budgets;
mod busy;
mod caching;
mod categories;
mod idempotency;
mod imports;
mod input;
mod isolation;
mod notifications;
mod openapi;
mod paging;
mod processes;
mod reports;
mod review;
mod sessions;
mod transactions;
mod transfers;
mod versions;
mod worker;
