//! The data plane: owns every listening socket and brings each request to who answers it.
//!
//! - [`service`]: listeners, connections, and the way of one request.
//! - [`router`] (pure): which route.
//! - [`proxy`], [`upstream`]: slots, connections, retries.
//! - [`files`]: routes that serve a folder.
//! - `guards`: who may ask, how often, from where; what answers say to browsers.
//! - `objectives`: what is promised of requests, counted.
//! - [`problem`]: what the gateway answers itself.
//!
//! It works with no routes at all. It does not start instances (`fleet` does) and knows nothing of what is
//! mounted. It never collects a body. Start reading at `service/respond.rs`.

mod access;
mod aftermath;
mod body;
mod cached;
pub mod files;
mod guards;
mod headers;
mod io;
mod listener;
mod metrics;
mod objectives;
pub mod problem;
mod proxy;
mod recorded;
mod retry;
pub mod router;
pub mod service;
mod trace;
mod upgrade;
mod upstream;
mod workers;

pub use access::{Access, Limited};
pub use body::{Body, BoxError, MountBody};
pub use guards::auth::{AuthError, KeyError, check_keys};
pub use listener::{Handler, Listener, Mount, Role, Socket};
pub use objectives::{Counts, Objectives, Recorder, Snapshot};
pub use service::{Calls, Config, Gateway};
