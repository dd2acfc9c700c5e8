//! Real servers that tests start for themselves: PostgreSQL and Prometheus.
//!
//! [`Postgres::shared`] is the one server of a test process; [`Postgres::fresh_database`] gives each test a
//! database of its own. [`Postgres::shared_with_vectors`] is another one that has pgvector. A missing server is a loud panic: no test is ever skipped silently.

mod postgres;
mod prometheus;
mod watched;

pub use postgres::Postgres;
pub use prometheus::Prometheus;
