//! A limit that all gateways share.

use mare_cache::redis::{Bucket, Redis, TICK};
use mare_manifest::model::guard as model;
use prometheus_client::metrics::counter::Counter;
use sha2::{Digest as _, Sha256};

use super::buckets::Taken;
use super::pace::{Pace, Quota};

pub(super) struct Shared {
    redis: Redis,
    /// Of whom, is filled in for each request.
    bucket: Bucket,
    pub(super) unshared: Counter,
}

/// A request whose bucket is in Redis.
pub(crate) struct Doubt {
    redis: Redis,
    bucket: Bucket,
}

/// What Redis said.
pub(crate) struct Known {
    /// `None`: it is away.
    pub(super) taken: Option<Taken>,
}

impl Shared {
    pub(super) fn new(
        redis: Redis,
        route: &str,
        limit: &model::Limit,
        pace: &Pace,
        unshared: Counter,
    ) -> Self {
        // Another rate is another limit, and begins anew.
        let name = format!("{} {} {:?} {route}", limit.rate, limit.burst, limit.per);
        let mut of = [0; 16];
        of.copy_from_slice(&Sha256::digest(name)[..16]);
        let bucket = Bucket { limit: of, who: 0, interval: ticks(pace.interval()), burst: pace.burst() };
        Self { redis, bucket, unshared }
    }

    pub(super) fn doubt(&self, who: u128) -> Doubt {
        Doubt { redis: self.redis.clone(), bucket: Bucket { who, ..self.bucket } }
    }
}

impl Doubt {
    pub(crate) async fn settle(self) -> Known {
        let taken = self.redis.take(&self.bucket).await.map(|level| Taken {
            quota: Quota { remaining: level.remaining, full_in_s: seconds(level.full_in) },
            wait_s: level.wait.map(seconds),
        });
        Known { taken }
    }
}

/// Rather a tick too slow than faster than promised.
fn ticks(nanoseconds: u64) -> u64 {
    nanoseconds.div_ceil(u64::from(TICK.subsec_nanos()))
}

/// Rounded up, as everywhere.
fn seconds(ticks: u64) -> u64 {
    ticks.div_ceil(1_000_000_000 / u64::from(TICK.subsec_nanos()))
}
