//! Messages of the API and what this crate makes of them.

mod http;
pub(super) mod queue;
mod retry;
pub(super) mod task;
