//! How many attempts of a queue may begin now.
//!
//! The rate a queue was given is scaled by two factors. The *ramp* grows linearly from a tenth to the whole in the
//! ten seconds after a queue was resumed, so that a backlog does not fall upon targets that may be cold. The
//! *throttle* is halved by targets that say 429 or 503 and restored by those that succeed. What flows into the
//! bucket is the integral of the product, in closed form: how often it is asked changes nothing.
//!
//! A rate without limit cannot be scaled: such queues are bounded by their concurrency alone.

use std::time::Duration;

use jiff::Timestamp;

use super::bucket::Bucket;
use super::{later, since};
use crate::model::{Answer, RateLimits};

/// How long the ramp is, in seconds.
const RAMP: f64 = 10.0;

/// The factor at the foot of the ramp, also for what the bucket holds then.
const FOOT: f64 = 0.1;

/// The least throttle, and what each success gives back of it.
const STEP: f64 = 1.0 / 64.0;

/// The throttle is halved at most once in this time: answers to a burst are one message, not many.
const HALVED_AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// What is remembered of a queue's past. Plain values, so that a store can keep them where several processes see
/// them. The caller passes the limits in force since the last call that changed anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    pub bucket: Bucket,
    /// The bucket's level is of this time.
    pub at: Timestamp,
    /// When the ramp began.
    pub ramp: Option<Timestamp>,
    /// From 1/64 to 1.
    pub throttle: f64,
    pub halved: Option<Timestamp>,
}

impl Pace {
    /// Of a queue that was just made.
    pub fn new(limits: &RateLimits, now: Timestamp) -> Self {
        Self { bucket: Bucket::full(limits.burst), at: now, ramp: None, throttle: 1.0, halved: None }
    }

    /// How many may begin at `now`.
    pub fn available(&self, limits: &RateLimits, now: Timestamp) -> u32 {
        if limits.per_second.is_infinite() { u32::MAX } else { self.filled(limits, now).bucket.whole() }
    }

    /// `count` begin at `now`; no more than are available.
    pub fn take(&mut self, limits: &RateLimits, now: Timestamp, count: u32) {
        if count > 0 && limits.per_second.is_finite() {
            *self = self.filled(limits, now);
            self.bucket = self.bucket.less(count);
        }
    }

    /// The first time from `now` on at which one may begin.
    pub fn next_at(&self, limits: &RateLimits, now: Timestamp) -> Timestamp {
        if self.available(limits, now) > 0 {
            return now;
        }
        let filled = self.filled(limits, now);
        // In seconds of the full rate.
        let missing = filled.bucket.missing() / (limits.per_second * self.throttle);
        let seconds = match self.ramp {
            None => missing,
            Some(ramp) => {
                let passed = since(now, ramp).as_secs_f64();
                climb_back(climb(passed) + missing) - passed
            }
        };
        // Up to the next microsecond, in which the token is surely there.
        later(now, Duration::try_from_secs_f64(seconds + 1e-6).unwrap_or(Duration::MAX))
    }

    /// The queue, paused until `now`, may dispatch again; or this process found it with a backlog.
    pub fn resume(&mut self, limits: &RateLimits, now: Timestamp) {
        *self = self.filled(limits, now);
        let foot = (FOOT * f64::from(limits.burst)).max(1.0);
        self.bucket = Bucket::with_level(self.bucket.level().min(foot));
        self.ramp = Some(now);
    }

    /// The queue has other limits from `now` on.
    pub fn change(&mut self, before: &RateLimits, after: &RateLimits, now: Timestamp) {
        *self = self.filled(before, now);
        self.bucket = Bucket::with_level(self.bucket.level().min(f64::from(after.burst)));
    }

    /// A target answered.
    pub fn observe(&mut self, limits: &RateLimits, answer: &Answer, now: Timestamp) {
        let throttle = match answer {
            Answer::Status { status: 429 | 503, .. } if self.may_halve(now) => {
                self.halved = Some(now);
                (self.throttle / 2.0).max(STEP)
            }
            Answer::Status { status: 200..=299, .. } => (self.throttle + STEP).min(1.0),
            Answer::Status { .. } | Answer::Deadline | Answer::Broken(_) => return,
        };
        if throttle.total_cmp(&self.throttle).is_ne() {
            *self = Self { throttle, ..self.filled(limits, now) };
        }
    }

    fn may_halve(&self, now: Timestamp) -> bool {
        self.halved.is_none_or(|last| since(now, last) >= HALVED_AT_MOST_EVERY)
    }

    fn filled(&self, limits: &RateLimits, now: Timestamp) -> Self {
        let seconds = match self.ramp {
            None => since(now, self.at).as_secs_f64(),
            Some(ramp) => climb(since(now, ramp).as_secs_f64()) - climb(since(self.at, ramp).as_secs_f64()),
        };
        let tokens = (limits.per_second * self.throttle * seconds.max(0.0)).min(f64::from(limits.burst));
        // 0 times infinity is not a number; a queue without a limit has a full bucket.
        let tokens = if tokens.is_nan() { f64::from(limits.burst) } else { tokens };
        Self { bucket: self.bucket.filled(tokens, limits.burst), at: now.max(self.at), ..*self }
    }
}

/// The integral of the ramp's factor over its first `seconds`: seconds of the full rate.
fn climb(seconds: f64) -> f64 {
    let on = seconds.min(RAMP);
    FOOT * on + (1.0 - FOOT) / (2.0 * RAMP) * on * on + (seconds - on)
}

/// The inverse of [`climb`].
fn climb_back(full: f64) -> f64 {
    let top = climb(RAMP);
    if full >= top {
        return RAMP + full - top;
    }
    let slope = (1.0 - FOOT) / (2.0 * RAMP);
    ((FOOT * FOOT + 4.0 * slope * full).sqrt() - FOOT) / (2.0 * slope)
}

#[cfg(test)]
mod tests;
