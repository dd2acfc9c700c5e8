//! The gateway's HTTP response cache (RFC 9111), with tags.
//!
//! - `policy` (pure): what may be stored, what a stored answer is good for, how it is refreshed.
//! - `tags`: which entries a purge has ended.
//! - `memory`, `redis`: where entries are.
//! - `service`: looking up, filling, and waiting for somebody else's fill.
//!
//! It sends no requests: the gateway does, and tells a `Fill` how it went. Start reading at `service`.
