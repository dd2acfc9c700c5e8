//! What stands between a client and a route.

pub(crate) mod auth;
