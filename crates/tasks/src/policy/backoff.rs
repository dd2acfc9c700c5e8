//! When a failed task is tried again, and when no more: the rules of Cloud Tasks.

use std::time::Duration;

use jiff::Timestamp;

use super::{later, since};
use crate::model::{Answer, Progress, Retry};

/// A target may ask for a longer wait than the retry rules give, up to this.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// So long after its first attempt no task is tried again, however its retries are limited.
pub const RETENTION: Duration = Duration::from_hours(31 * 24);

/// The wait before the `n`th retry, `n` from 1 on: `min * 2^(n-1)`, after `doublings` of them growing by
/// `min * 2^doublings` each time; never more than `max`.
pub fn interval(retry: &Retry, n: u32) -> Duration {
    let (exponent, factor) =
        if n <= retry.doublings { (n.saturating_sub(1), 1) } else { (retry.doublings, n - retry.doublings) };
    let max = retry.max.as_nanos();
    let min = retry.min.as_nanos();
    // A shift that loses bits is beyond any maximum.
    let doubled = if exponent < min.leading_zeros() { min << exponent } else { max };
    let nanos = doubled.saturating_mul(u128::from(factor)).min(max);
    if nanos == max { retry.max } else { Duration::from_nanos_u128(nanos) }
}

/// Whether a task that failed at `now` has used up its attempts: as many as `attempts` **and** `duration` since the
/// first. A limit that is not set counts as passed if the other one is set; with neither, only [`RETENTION`] ends it.
pub fn is_exhausted(retry: &Retry, progress: &Progress, now: Timestamp) -> bool {
    let age = progress.first_attempt.map_or(Duration::ZERO, |first| since(now, first));
    let limited = retry.attempts.is_some() || retry.duration.is_some();
    let attempts_used = retry.attempts.is_none_or(|most| progress.dispatched >= most);
    let too_old = retry.duration.is_none_or(|most| age >= most);
    age >= RETENTION || (limited && attempts_used && too_old)
}

/// When a task is due again whose latest attempt failed at `now`. `Retry-After` can only make that later.
pub fn retry_at(retry: &Retry, progress: &Progress, answer: &Answer, now: Timestamp) -> Timestamp {
    let asked = match answer {
        Answer::Status { retry_after: Some(wait), .. } => (*wait).min(RETRY_AFTER_MAX),
        Answer::Status { retry_after: None, .. } | Answer::Deadline | Answer::Broken(_) => Duration::ZERO,
    };
    later(now, interval(retry, progress.dispatched.max(1)).max(asked))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn retry(min_ms: u64, max_ms: u64, doublings: u32) -> Retry {
        let (min, max) = (Duration::from_millis(min_ms), Duration::from_millis(max_ms));
        Retry { attempts: Some(5), duration: None, min, max, doublings }
    }

    #[test]
    fn intervals_double_then_grow_linearly_then_stay() {
        let check = |retry: Retry, expected: &[u64]| {
            let seen: Vec<u64> = (1..).take(expected.len()).map(|n| interval(&retry, n).as_secs()).collect();
            assert_eq!(seen, expected);
        };
        // The example of Cloud Tasks' own documentation.
        check(retry(10_000, 300_000, 3), &[10, 20, 40, 80, 160, 240, 300, 300]);
        check(retry(10_000, 300_000, 0), &[10, 20, 30, 40]);
        check(retry(7_000, 5_000, 4), &[5, 5, 5]);
        check(retry(0, 5_000, 4), &[0, 0, 0]);
        assert_eq!(interval(&retry(100, 3_600_000, u32::MAX), u32::MAX), Duration::from_hours(1));
        let endless = Retry { min: Duration::MAX, max: Duration::MAX, ..retry(0, 0, 7) };
        assert_eq!(interval(&endless, 9), Duration::MAX);
    }

    #[test]
    fn a_task_ends_only_when_all_its_limits_are_passed() {
        let check = |attempts, duration: Option<u64>, dispatched, age: u64, expected| {
            let retry = Retry { attempts, duration: duration.map(Duration::from_secs), ..Retry::default() };
            let progress =
                Progress { dispatched, first_attempt: Some(Timestamp::UNIX_EPOCH), ..Progress::default() };
            let now = later(Timestamp::UNIX_EPOCH, Duration::from_secs(age));
            assert_eq!(
                is_exhausted(&retry, &progress, now),
                expected,
                "{attempts:?} {duration:?} {dispatched}"
            );
        };
        check(Some(3), None, 2, 1000, false);
        check(Some(3), None, 3, 0, true);
        check(Some(3), Some(60), 3, 59, false);
        check(Some(3), Some(60), 9, 60, true);
        check(Some(3), Some(60), 2, 99, false);
        check(None, Some(60), 1, 59, false);
        check(None, Some(60), 1, 60, true);
        check(None, None, u32::MAX, 31 * 86_400 - 1, false);
        check(None, None, 1, 31 * 86_400, true);
    }

    #[test]
    fn retry_after_is_a_minimum_with_a_bound() {
        let check = |asked: Option<u64>, expected: u64| {
            let answer = Answer::Status { status: 503, retry_after: asked.map(Duration::from_secs) };
            let progress = Progress { dispatched: 2, ..Progress::default() };
            let at = retry_at(&retry(10_000, 300_000, 3), &progress, &answer, Timestamp::UNIX_EPOCH);
            assert_eq!(at.as_second(), i64::try_from(expected).expect("small"));
        };
        check(None, 20);
        check(Some(5), 20);
        check(Some(30), 30);
        check(Some(u64::MAX), 3600);
    }

    proptest! {
        #[test]
        fn intervals_never_shrink_and_never_pass_the_maximum(
            min in any::<u64>(), max in any::<u64>(), doublings in any::<u32>(), n in 1..u32::MAX,
        ) {
            let retry = Retry { min: Duration::from_nanos(min), ..retry(0, max, doublings) };
            prop_assert!(interval(&retry, n) <= interval(&retry, n + 1));
            prop_assert!(interval(&retry, n) <= retry.max);
            prop_assert!(interval(&retry, 1) == retry.min.min(retry.max));
        }
    }
}
