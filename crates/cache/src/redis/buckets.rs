//! Rate limits that all gateways share.
//!
//! The generic cell rate algorithm runs inside of Redis, in one exchange, by the clock of Redis: gateways' clocks
//! differ, and a bucket filled by one and emptied by another would give what is between them for free.

use std::time::Duration;

use redis::{Pipeline, Value};

use super::Redis;
use super::link::Line;
use super::scripts::Script;

/// What time is counted in there: the microseconds that Redis knows, with room for intervals between.
pub const TICK: Duration = Duration::from_nanos(250);

/// Some 35 years: what is slower is not told apart, and Lua has all sums exactly.
const SPAN_MAX: u64 = 1 << 52;

/// One bucket of one limit.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// Names the limit with all its settings.
    pub limit: [u8; 16],
    pub who: u128,
    /// Ticks for one request, at least 1.
    pub interval: u64,
    /// Requests at once, at least 1.
    pub burst: u64,
}

/// What taking a request out of a bucket left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Level {
    /// Requests that would pass now.
    pub remaining: u64,
    /// Ticks until it is full.
    pub full_in: u64,
    /// It was not there: ticks until it would be.
    pub wait: Option<u64>,
}

impl Redis {
    /// Takes one request out of a bucket. `None`: Redis is away, and nobody knows.
    pub async fn take(&self, bucket: &Bucket) -> Option<Level> {
        let link = &self.link;
        let (interval, burst) = bucket.bounded();
        let build = |line: &Line, commands: &mut Pipeline| {
            let name = link.keys.bucket(&bucket.limit, bucket.who);
            line.call(commands, Script::Take, &[name], &[interval.to_string(), burst.to_string()]);
        };
        let mut replies = link.exchange(link.deadline(), build).await.ok()?;
        let Some(Value::Array(said)) = replies.values.next() else { return None };
        let [Value::Int(passed), Value::Int(full_in), Value::Int(wait)] = said[..] else {
            link.misunderstood();
            return None;
        };
        let full_in = u64::try_from(full_in).unwrap_or_default();
        let wait = u64::try_from(wait).unwrap_or_default();
        let remaining = (interval * burst).saturating_sub(full_in) / interval;
        Some(Level { remaining, full_in, wait: (passed == 0).then_some(wait) })
    }
}

impl Bucket {
    fn bounded(&self) -> (u64, u64) {
        let interval = self.interval.clamp(1, SPAN_MAX);
        (interval, self.burst.clamp(1, SPAN_MAX / interval))
    }
}
