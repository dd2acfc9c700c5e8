//! The API over the reference model of the store.

mod clients;
mod errors;
mod queues;
mod rig;
mod tasks;
