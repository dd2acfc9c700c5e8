//! How often a route may be asked, and what answers say of it.
//!
//! - `pace` (pure): the arithmetic of one bucket.
//! - `buckets`: all buckets of a route, bounded.
//! - `shared`: the same for several gateways, in Redis. While that is away each counts on its own.
//!
//! Answers carry `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).

mod buckets;
mod pace;
mod shared;

use std::fmt::Write as _;
use std::net::IpAddr;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use mare_cache::redis::Redis;
use mare_manifest::model::guard as model;
use prometheus_client::metrics::counter::Counter;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use self::buckets::{BUCKETS_MAX, Buckets, Taken};
use self::pace::Pace;
pub(crate) use self::pace::Quota;
use self::shared::Shared;
pub(crate) use self::shared::{Doubt, Known};
use super::auth::Claimant;
use super::{Asked, Notes};
use crate::problem::{Code, Refusal};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Of requests that show nothing by which to tell them apart.
const EVERYBODY: u128 = 0;

pub(crate) struct Limit {
    per: Per,
    /// What the limit is called in headers.
    name: &'static str,
    policy: HeaderValue,
    pace: Pace,
    buckets: Buckets,
    /// Where there are several gateways.
    shared: Option<Shared>,
    /// Moments are counted from here.
    origin: Instant,
}

enum Per {
    Ip,
    User,
    ApiKey,
    Route,
    Header(HeaderName),
}

/// What the limit of a route is made with.
pub(crate) struct Of<'a> {
    pub(crate) route: &'a str,
    pub(crate) redis: Option<&'a Redis>,
    /// Counts buckets that were dropped for want of room.
    pub(crate) forgotten: Counter,
    /// Counts requests that only this gateway counted, because Redis was away.
    pub(crate) unshared: Counter,
}

impl Limit {
    pub(crate) fn new(limit: &model::Limit, of: Of<'_>) -> Self {
        let (per, name) = match &limit.per {
            model::Per::Ip => (Per::Ip, "ip"),
            model::Per::User => (Per::User, "user"),
            model::Per::ApiKey => (Per::ApiKey, "key"),
            model::Per::Route => (Per::Route, "route"),
            model::Per::Header(name) => {
                let name = HeaderName::from_bytes(name.as_bytes()).expect("validation let names pass only");
                (Per::Header(name), "header")
            }
        };
        let pace = Pace::new(limit.rate, limit.burst);
        let shared = of.redis.map(|redis| Shared::new(redis.clone(), of.route, limit, &pace, of.unshared));
        let policy = format!("\"{name}\";q={};w={}", pace.burst(), pace.window_s());
        Self {
            per,
            name,
            policy: HeaderValue::from_str(&policy).expect("ascii"),
            pace,
            buckets: Buckets::new(BUCKETS_MAX, of.forgotten),
            shared,
            origin: Instant::now(),
        }
    }

    /// Whether it must be known who asks.
    pub(crate) fn is_of_claimant(&self) -> bool {
        match self.per {
            Per::User | Per::ApiKey => true,
            Per::Ip | Per::Route | Per::Header(_) => false,
        }
    }

    /// What must be asked of Redis to take a request out of its bucket. `None`: nothing, it is all here.
    pub(crate) fn doubt(&self, asked: &Asked<'_>, claimant: Option<&Claimant>) -> Option<Doubt> {
        self.shared.as_ref().map(|shared| shared.doubt(self.key(asked, claimant)))
    }

    /// Takes one request out of its bucket, as Redis said.
    pub(crate) fn taken(
        &self,
        known: Known,
        asked: &Asked<'_>,
        claimant: Option<&Claimant>,
        notes: &mut Notes,
    ) -> Result<(), Refusal> {
        match (known.taken, &self.shared) {
            (Some(taken), _) => judge(&taken, notes),
            (None, Some(shared)) => {
                shared.unshared.inc();
                self.take(asked, claimant, notes)
            }
            (None, None) => self.take(asked, claimant, notes),
        }
    }

    /// Takes one request out of its bucket in this gateway.
    pub(crate) fn take(
        &self,
        asked: &Asked<'_>,
        claimant: Option<&Claimant>,
        notes: &mut Notes,
    ) -> Result<(), Refusal> {
        let key = self.key(asked, claimant);
        let now = u64::try_from(asked.now.duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX);
        judge(&self.buckets.take(key, now, &self.pace), notes)
    }

    fn key(&self, asked: &Asked<'_>, claimant: Option<&Claimant>) -> u128 {
        let of_address = || of_address(asked.visitor.address);
        match &self.per {
            Per::Ip => of_address(),
            Per::User => claimant.map_or_else(of_address, |claimant| first_half(claimant.user())),
            Per::ApiKey => {
                claimant.and_then(Claimant::api_key).map_or_else(of_address, |name| digest(name.as_bytes()))
            }
            Per::Route => EVERYBODY,
            Per::Header(name) => asked.headers.get(name).map_or(EVERYBODY, |value| digest(value.as_bytes())),
        }
    }

    pub(crate) fn dress(&self, answer: &mut HeaderMap, quota: Quota) {
        let Quota { remaining, full_in_s } = quota;
        let mut text = String::with_capacity(48);
        let _ = write!(text, "\"{}\";r={remaining};t={full_in_s}", self.name);
        let value = HeaderValue::from_maybe_shared(Bytes::from(text)).expect("ascii");
        answer.insert(RATE_LIMIT, value);
        answer.insert(RATE_LIMIT_POLICY, self.policy.clone());
    }
}

fn judge(taken: &Taken, notes: &mut Notes) -> Result<(), Refusal> {
    notes.quota = Some(taken.quota);
    match taken.wait_s {
        None => Ok(()),
        Some(seconds) => {
            Err(Refusal::new(Code::RateLimited, "there were too many requests").retry_after(seconds))
        }
    }
}

/// An IPv6 client is its /64, which providers give to one customer.
fn of_address(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().into(),
        IpAddr::V6(address) => u128::from(address) >> 64 << 64,
    }
}

/// Nobody can find a text for a bucket of somebody else.
fn digest(text: &[u8]) -> u128 {
    first_half(&Sha256::digest(text).into())
}

fn first_half(hash: &[u8; 32]) -> u128 {
    hash.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}
