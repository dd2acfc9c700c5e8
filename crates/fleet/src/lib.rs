//! Instances of services: who runs them, who decides how many there are, and which one gets a request.
//!
//! - [`pool`]: a gateway's view of a service. Hands out slots, holds who must wait, reports what it saw.
//! - [`policy`] (pure): from reports and events to actions, on top of `mare-scaling`.
//! - [`service`]: the controller, the loop that carries the actions out.
//! - [`driver`]: runs instances as processes of this machine, each under a [`guard`].
//!
//! It does not proxy, route or parse requests. Only [`pool::Link`] connects a gateway with the controller.
//! Start reading at [`policy::reconcile`].

mod clock;
pub mod driver;
pub mod guard;
mod metrics;
mod orphans;
pub mod policy;
pub mod pool;
mod proc;
pub mod service;
pub mod status;

pub use clock::Clock;
pub use mare_scaling::InstanceId;
pub use pool::{Instance, Lease, Pool, Refused, Waiting};
pub use proc::who_listens;
pub use service::{Config, Controller, Handle, ServiceConfig};
