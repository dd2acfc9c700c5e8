//! The gateway's HTTP response cache (RFC 9111), with tags.
//!
//! - `policy` (pure): what may be stored, what a stored answer is good for, how it is refreshed.
//! - `tags`: which entries a purge has ended.
//! - `memory`: where entries are; `redis`: where other gateways' are, and what all of them must know.
//! - `service`: looking up, filling, and waiting for somebody else's fill.
//!
//! It sends no requests: the gateway does, and tells a `Fill` how it went. Start reading at `service`.

pub mod admin;
mod flights;
mod frames;
mod key;
mod ledger;
mod memory;
mod metrics;
pub mod policy;
mod purge;
pub mod redis;
mod service;
mod tags;

pub use purge::{Purge, Purged, Unsafe};
pub use service::{
    Answered, Ask, Asked, Cache, Fill, Look, Recorder, RouteCache, Settled, Subject, UNSHARED, WAIT,
};
pub use tags::Tag;
