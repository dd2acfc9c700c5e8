//! Push queues, schedules and topics.
//!
//! A task is an HTTP request that is to be made once, later, as often as it takes. Creating one is acknowledged
//! only when it is on disk; from then on it is tried until it succeeds, is deleted, or has used up its attempts.
//!
//! - [`api`]: the Cloud Tasks v2 API over the store.
//! - [`model`]: queues, tasks, attempts.
//! - [`policy`]: the rules of queues, pure.
//! - [`store`]: what must last. Which task is next, and who may settle it, is the store's to say.
//! - [`service`]: the dispatcher; `send` makes one attempt, [`identity`] signs who it is from.
//! - [`targets`] (pure): where a task may go.
//!
//! This crate opens no listening socket: it exposes handlers over http types, and `mare` mounts them.

pub mod admin;
pub mod api;
pub mod identity;
mod metrics;
pub mod model;
pub mod policy;
mod proto;
pub mod schedule;
mod send;
pub mod service;
#[cfg(test)]
mod simulation;
pub mod store;
pub mod targets;
pub mod topic;
