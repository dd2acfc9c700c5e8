//! The SQL: small repositories over [`crate::db::Tx`], one module per thing, all bound to a tenant.
//!
//! Text works on SQLite and PostgreSQL alike: `$n`, `RETURNING`, `ON CONFLICT`, row values, recursive CTEs.
//! `lock` is the portable `SELECT … FOR UPDATE`: it bumps the version of a row and returns it, so whoever
//! writes a row has it from its first statement to its commit.

pub mod accounts;
pub mod alerts;
pub mod automations;
pub mod budgets;
pub mod categories;
pub mod corrections;
pub mod embeddings;
pub mod handled;
pub mod idempotency;
pub mod imports;
pub mod knowledge;
pub mod notifications;
pub mod outbox;
pub mod refresh_tokens;
pub mod reports;
pub mod review;
pub mod signing_key;
pub mod suggestion;
pub mod summary;
pub mod transactions;
pub mod users;
