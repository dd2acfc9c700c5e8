//! The autoscaler's decisions, as functions of state and time.
//!
//! - [`decide`]: how many instances a service should have, from what the gateways saw.
//! - [`pick`]: which instance gets the next request.
//! - [`Admission`]: who waits when no instance has a free slot, and for how long.
//!
//! Nothing here awaits, reads a clock or draws a random number: time comes in as [`Time`]. The simulator
//! runs this very code on virtual time. [`Observation`] and [`Endpoints`] are the only two things that flow
//! between a gateway and the controller, so both sides can move to different machines.
//!
//! Start reading at [`decide`].

mod admission;
mod decide;
mod endpoints;
mod observation;
mod pick;
mod time;

pub use admission::{Admission, Full, Ticket};
pub use decide::{Decision, Plan, Policy, Reason, State, Supply, decide};
pub use endpoints::{Availability, Endpoint, Endpoints, Failing, InstanceId};
pub use observation::{InstanceObservation, Load, Observation};
pub use pick::{Candidate, pick};
pub use time::Time;
