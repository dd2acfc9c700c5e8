//! What the platform says about itself: logs, the output of instances, metrics, objectives and alerts.
//!
//! - [`log`]: mare's own log lines, for people or as JSON.
//! - [`output`]: what instances write, printed with their name, kept for `mare logs`.
//! - [`metrics`]: the `/metrics` page of a registry that other crates filled.
//!
//! - [`slo`]: are the objectives met, and how fast do their budgets burn.
//! - [`alert`]: who is told, when, and how.
//! - [`render`]: rules for Prometheus and a dashboard for Grafana, made from the manifest.
//!
//! It counts no request itself. Start reading at [`output::Service`] or [`slo::Service`].

pub mod alert;
pub mod log;
pub mod metrics;
pub mod output;
pub mod render;
pub mod slo;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

/// The body of an answer from one of this crate's handlers.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;
