//! Gives a movement of money its category, says why, and knows when it does not know.
//!
//! Pure: no I/O, no clock, no await. An [`Engine`] is shared knowledge, made once per process; a [`Tenant`] is
//! what one tenant taught; [`Engine::decide`] asks one source after the other and stops at the first that is sure
//! enough for this tenant:
//!
//! ```text
//!   Input ─► descriptor ─► rules ─► memory ─► structure ─► neighbours ─► lexicon ─► model ─► abstain
//!            (cleaned of     user's   same      the bank's   k nearest     merchants  hashed     (ask; offer
//!             CPF, numbers)  own      payee     wording      of the user   and words  n-grams     the best)
//! ```
//!
//! Start reading at [`engine`], then at `descriptor`. How good it is: docs/evidence/categorisation.md.

pub mod decision;
pub mod descriptor;
pub mod engine;
pub mod evaluate;
pub mod features;
pub mod lexicon;
pub mod memory;
pub mod model;
pub mod neighbours;
pub mod rules;
pub mod shared;
pub mod structure;
pub mod tenant;
pub mod threshold;
pub mod vector;

pub use decision::{ALTERNATIVES_MAX, Choice, Decision, Evidence, Input, Source};
pub use descriptor::{Descriptor, Direction};
pub use engine::{CASCADE, Engine};
pub use lexicon::Lexicon;
pub use neighbours::nearest;
pub use rules::{Rule, When};
pub use shared::{Categories, Shared};
pub use structure::Structure;
pub use tenant::{FACTS_MAX, Fact, Known, Tenant};
pub use threshold::{Outcome, Threshold};
