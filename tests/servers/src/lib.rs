//! Real servers that tests start for themselves: PostgreSQL, Redis and Prometheus.
//!
//! [`Postgres::shared`] is the one server of a test process; [`Postgres::fresh_database`] gives each test a
//! database of its own. [`Postgres::shared_with_vectors`] is another one that has pgvector. [`Redis::shared`] is one,
//! too; those who stop it start their own. A missing server is a loud panic: no test is ever skipped silently.

mod postgres;
mod prometheus;
mod redis;
mod watched;

pub use postgres::Postgres;
pub use prometheus::Prometheus;
pub use redis::Redis;
