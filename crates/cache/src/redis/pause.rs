//! How long nobody tries to reach Redis after a failure.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);

/// Before the attempt after so many failures in a row, at least one. `chance`, from 0 to 1, spreads the gateways that
/// lost Redis at the same moment.
pub(super) fn pause(failures: u32, chance: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(8));
    doubled.min(LONGEST).mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_second_and_are_spread_over_their_upper_half() {
        let check = |failures, chance, expected_ms| {
            assert_eq!(pause(failures, chance), Duration::from_millis(expected_ms), "{failures} {chance}");
        };
        check(0, 1.0, 100);
        check(1, 0.0, 50);
        check(1, 1.0, 100);
        check(2, 1.0, 200);
        check(4, 1.0, 800);
        check(5, 1.0, 1000);
        check(u32::MAX, 0.0, 500);
        check(u32::MAX, 1.0, 1000);
    }
}
