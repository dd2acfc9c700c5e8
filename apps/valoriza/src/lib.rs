//! valoriza: personal and small-business finance for Brazil.
//!
//! `domain` says what is true without any I/O. `actions` write: validate, apply the rules, one transaction,
//! one event in the outbox. `queries` read. Both go through `store`, where the SQL is, written once for
//! SQLite and PostgreSQL over [`db`]. `http` speaks the contract, `worker` does what events ask for, `auth`
//! knows passwords and tokens, `seed` makes data. `statement` reads bank files without any I/O, `files` keeps them. `categorise` gives transactions
//! their category, purely; `brands` reads a file for it. `caching` says what may be kept
//! and when that ends. It links nothing of the platform that runs it. Start reading
//! at `http` or at `actions`.

pub mod actions;
pub mod api;
pub mod auth;
pub mod brands;
pub mod caching;
pub mod categorise;
mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod evaluation;
pub mod files;
pub mod http;
mod janitor;
pub mod queries;
pub mod seed;
pub mod statement;
pub mod store;
pub mod telemetry;
pub mod worker;
