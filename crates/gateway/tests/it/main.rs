//! The gateway over real sockets: raw clients and raw servers around a gateway that runs in this process.
//!
//! `rig` builds the gateway and plays the controller, `wire` speaks HTTP/1.1 byte by byte from either side,
//! `upstream` is a scripted server. Every test ends with [`rig::Rig::settled`]: no slot, no waiter and no
//! connection may be left over.

mod access;
mod caching;
mod calls;
mod connections;
mod drain;
mod forwarding;
mod guards;
mod http2;
mod manual;
mod objectives;
mod retries;
mod rig;
mod routing;
mod several;
mod smuggling;
mod streaming;
mod timeouts;
mod tunnels;
mod upstream;
mod upstream_faults;
mod waiting;
mod wire;
