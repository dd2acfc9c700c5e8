//! The generic cell rate algorithm (ITU-T I.371): a bucket is one number, the moment it will be full again.
//!
//! Moments and spans are nanoseconds, since an origin of the caller's. In any span of `t` seconds at most
//! `burst + rate * t` requests pass: each moves that moment on by one interval, never further than `burst` intervals
//! ahead of now.

use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

/// Some 146 years: what is slower is not told apart, and no sum of two such spans overflows.
const SPAN_MAX: u64 = u64::MAX / 4;

/// How fast a bucket fills.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// For one request.
    interval: u64,
    burst: u64,
}

/// What is left in a bucket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Quota {
    /// Requests that would pass now.
    pub(crate) remaining: u64,
    /// Seconds until all of the burst is there again, rounded up.
    pub(crate) full_in_s: u64,
}

impl Pace {
    /// `rate` requests per second, above 0; `burst` at once, at least 1.
    pub(crate) fn new(rate: f64, burst: u32) -> Self {
        let nearest =
            Duration::try_from_secs_f64(rate.recip()).map_or(u128::MAX, |interval| interval.as_nanos());
        let nearest = u64::try_from(nearest).unwrap_or(u64::MAX).clamp(1, SPAN_MAX);
        // Rather a nanosecond too slow than faster than promised.
        let is_too_fast = nearest as f64 * rate < SECOND as f64;
        let interval = nearest + u64::from(is_too_fast);
        Self { interval, burst: u64::from(burst).clamp(1, (SPAN_MAX / interval).max(1)) }
    }

    /// Nanoseconds for one request.
    pub(crate) fn interval(&self) -> u64 {
        self.interval
    }

    pub(crate) fn burst(&self) -> u64 {
        self.burst
    }

    /// Seconds in which an empty bucket fills, rounded up.
    pub(crate) fn window_s(&self) -> u64 {
        self.span().div_ceil(SECOND)
    }

    fn span(&self) -> u64 {
        self.interval.saturating_mul(self.burst)
    }

    /// Takes one request out of a bucket that is full at `full_at`; the past means it is full. Returns when it is full
    /// after that, or how long until one request would pass.
    pub(crate) fn take(&self, full_at: u64, now: u64) -> Result<u64, u64> {
        let after = full_at.max(now).saturating_add(self.interval);
        let passes_at = after.saturating_sub(self.span());
        if passes_at <= now { Ok(after) } else { Err(passes_at - now) }
    }

    pub(crate) fn quota(&self, full_at: u64, now: u64) -> Quota {
        let missing = full_at.saturating_sub(now);
        Quota {
            remaining: self.span().saturating_sub(missing) / self.interval,
            full_in_s: missing.div_ceil(SECOND),
        }
    }
}

/// Whole seconds of a span, rounded up: who waits so long waited long enough.
pub(crate) fn seconds(span: u64) -> u64 {
    span.div_ceil(SECOND)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Which of the requests at these moments pass.
    fn passed(pace: Pace, moments: &[u64]) -> Vec<u64> {
        let mut full_at = 0;
        let mut passed = Vec::new();
        for &now in moments {
            if let Ok(after) = pace.take(full_at, now) {
                full_at = after;
                passed.push(now);
            }
        }
        passed
    }

    #[test]
    fn a_burst_passes_at_once_and_then_one_per_interval() {
        let pace = Pace::new(10.0, 3);
        assert_eq!(passed(pace, &[0; 5]).len(), 3);
        assert_eq!(pace.take(3 * SECOND / 10, 0), Err(SECOND / 10));
        assert_eq!(pace.take(3 * SECOND / 10, SECOND / 10 - 1), Err(1));
        assert_eq!(pace.take(3 * SECOND / 10, SECOND / 10), Ok(4 * SECOND / 10));
    }

    #[test]
    fn what_is_left_is_whole_requests_and_seconds() {
        let pace = Pace::new(2.0, 4);
        assert_eq!(pace.window_s(), 2);
        let check = |full_at, now, remaining, full_in_s| {
            assert_eq!(pace.quota(full_at, now), Quota { remaining, full_in_s }, "{full_at} {now}");
        };
        check(0, 0, 4, 0);
        check(0, 5 * SECOND, 4, 0);
        check(SECOND / 2, 0, 3, 1);
        check(2 * SECOND, 0, 0, 2);
        check(2 * SECOND, 1, 0, 2);
        check(2 * SECOND, SECOND / 2, 1, 2);
        check(2 * SECOND, SECOND, 2, 1);
    }

    #[test]
    fn no_rate_is_too_slow_or_too_fast() {
        let check = |rate, burst, expected: usize| {
            assert_eq!(passed(Pace::new(rate, burst), &[7; 40]).len(), expected, "{rate}/s, {burst}");
        };
        check(1.0 / 86400.0, 2, 2);
        check(f64::MIN_POSITIVE, 1, 1);
        check(1e-9, u32::MAX, 4);
        check(1e12, 5, 5);
        check(f64::MAX, 5, 5);
    }

    proptest! {
        #[test]
        fn in_any_span_at_most_the_burst_and_the_rate_pass(
            rate in 0.01..5000.0, burst in 1..50u32,
            gaps in prop::collection::vec(prop_oneof![Just(0), 0..1_000_000_u64, 0..3_000_000_000_u64], 1..200),
        ) {
            let mut now = 0;
            let moments: Vec<u64> = gaps.iter().map(|gap| { now += gap; now }).collect();
            let passed = passed(Pace::new(rate, burst), &moments);
            for (first, &from) in passed.iter().enumerate() {
                for (last, &to) in passed.iter().enumerate().skip(first) {
                    let allowed = f64::from(burst) + rate * (to - from) as f64 / SECOND as f64;
                    prop_assert!((last - first + 1) as f64 <= allowed + 1e-6);
                }
            }
        }

        #[test]
        fn who_waits_as_long_as_told_passes_and_who_does_not_does_not(
            rate in 0.01..5000.0, burst in 1..50u32, full_at in 0..100_000_000_000_u64, now in 0..1_000_000_000_u64,
        ) {
            let pace = Pace::new(rate, burst);
            if let Err(wait) = pace.take(full_at, now) {
                prop_assert!(pace.take(full_at, now + wait).is_ok());
                prop_assert!(pace.take(full_at, now + wait - 1).is_err());
                prop_assert!(pace.take(full_at, now + seconds(wait) * SECOND).is_ok());
                prop_assert_eq!(pace.quota(full_at, now).remaining, 0);
            }
        }

        #[test]
        fn as_many_pass_as_are_said_to_remain(rate in 0.01..5000.0, burst in 1..50u32, taken in 0..60_usize) {
            let pace = Pace::new(rate, burst);
            let mut full_at = 0;
            for _ in 0..taken {
                full_at = pace.take(full_at, 9).unwrap_or(full_at);
            }
            let remaining = pace.quota(full_at, 9).remaining;
            for left in (0..remaining).rev() {
                full_at = pace.take(full_at, 9).expect("it was said to pass");
                prop_assert_eq!(pace.quota(full_at, 9).remaining, left);
            }
            prop_assert!(pace.take(full_at, 9).is_err());
        }
    }
}
