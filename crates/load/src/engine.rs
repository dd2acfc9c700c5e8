//! Drives a scenario at a target, and records what came back as a [`Run`].
//!
//! - `plan`: the level over time, and when it asks for users and arrivals. Pure.
//! - `thread`, `dispatch` and `user`: virtual users, each with a connection of its own (`connector`, `connection`).
//! - `recorder` and `wire`: what they saw, second by second, and how the seconds of many come together.
//! - `division`, `crew` and `process`: the threads of this process, or other processes.
//! - `conductor`: listens to them all, and stops them. `seek`: holds level after level to find the knee.
//! - `drive`: starts everything. Start reading there.
//!
//! Response time counts from the intended start: the place in the schedule of arrivals, the pacing clock, or the
//! answer before plus the think time. Service time counts from the moment the request is sent. A user connects
//! before its first flow, so a first connection is in neither; one that has to be made again is in the response
//! time, because its user waits for it. Cookies are kept only if a step extracts them.

mod conductor;
mod connection;
mod connector;
mod crew;
mod dispatch;
mod division;
mod drive;
mod machine;
mod plan;
mod platform;
mod process;
mod recorder;
mod seek;
mod stream;
mod target;
mod thread;
mod user;
mod wire;

#[cfg(test)]
mod tests;

pub use drive::{Config, Error, Seen, drive};
pub use platform::Admin;
pub use process::{ReadScenario, VERB, child};
pub use seek::Seek;
pub use target::{Endpoint, Refusal};
