//! The API over the reference model of the store.

mod clients;
mod errors;
mod plain;
mod queues;
mod rig;
mod tasks;
