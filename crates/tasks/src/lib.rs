//! Push queues, schedules and topics.
//!
//! A task is an HTTP request that is to be made once, later, as often as it takes. Creating one is acknowledged
//! only when it is on disk; from then on it is tried until it succeeds, is deleted, or has used up its attempts.
//!
//! - [`model`]: queues, tasks, attempts.
//! - [`policy`]: the rules of queues, pure.
//! - [`store`]: what must last. Which task is next, and who may settle it, is the store's to say.
//!
//! This crate opens no listening socket: it exposes handlers over http types, and `mare` mounts them.

pub mod model;
pub mod policy;
#[cfg(test)]
mod simulation;
pub mod store;
