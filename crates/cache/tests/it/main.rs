//! Gateways that share a real Redis.

mod away;
mod buckets;
mod gateway;
mod laws;
mod shared;
