//! What several gateways share, in Redis: which purge ended what, answers, and how much of a rate limit is used up.
//!
//! ```text
//!   workers of the gateway ── exchange ──► Line (one connection) ──► Redis
//!        │                                   ▲
//!        │ failed, or took too long:         │ connects, reads the server's run, loads scripts, records the purges that
//!        │ nobody uses the line any more     │ could not be, and only then lets others use the line
//!        └───────────────────────────────► Service (on the platform's runtime)
//! ```
//!
//! - `keys`, `scripts` (pure): names in Redis, and what runs there.
//! - `link`: one exchange, and the breaker: whoever fails takes the line away from all.
//! - `service`: brings it back, a probe at a time.
//! - `numbers`: purges and the numbers of fills. `frozen`: entries as bytes. `buckets`: rate limits.
//!
//! A number is good within its epoch: one run of the server, and one life of the sequence in it. Whatever makes Redis
//! forget (a restart, an eviction, an operator) changes the epoch or loses a record; either ends entries, neither
//! brings one back.

mod buckets;
pub(crate) mod frozen;
mod keys;
mod link;
mod numbers;
mod pause;
mod scripts;
mod service;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;

pub use buckets::{Bucket, Level, TICK};
pub(crate) use link::Away;
use link::Link;
pub(crate) use numbers::Begun;
pub use service::Service;

/// A gateway's way to Redis. A clone is the same.
#[derive(Clone)]
pub struct Redis {
    link: Arc<Link>,
}

pub struct Config<'a> {
    /// `redis://` or `rediss://`.
    pub url: &'a str,
    /// Of one exchange.
    pub timeout: Duration,
    /// Names what it shares with its other gateways.
    pub app: &'a str,
}

/// The address of Redis cannot be used. Says nothing of it: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("the address of Redis is not valid")]
pub struct AddressError;

impl Redis {
    /// Uses Redis once the [`Service`] runs and has reached it.
    pub fn new(config: &Config<'_>, registry: &mut Registry) -> Result<(Self, Service), AddressError> {
        let client = ::redis::Client::open(config.url).map_err(|_may_show_it| AddressError)?;
        let (link, errands) = Link::new(config, registry);
        let redis = Self { link: Arc::new(link) };
        Ok((redis.clone(), Service::new(client, redis, errands)))
    }

    /// Returns when it may be used.
    pub async fn wait_until_up(&self) {
        self.link.wait_until(true).await;
    }

    /// Returns when it may not.
    pub async fn wait_until_away(&self) {
        self.link.wait_until(false).await;
    }
}
