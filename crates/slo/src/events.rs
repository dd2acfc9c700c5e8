//! Counts of what was good: what every ratio here is made of.

use serde::{Deserialize, Serialize};

/// How many events there were, and how many of them were good.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Events {
    pub good: u64,
    pub total: u64,
}

impl Events {
    pub fn bad(self) -> u64 {
        self.total.saturating_sub(self.good)
    }

    /// The share that was bad. `None` without events.
    pub fn bad_ratio(self) -> Option<f64> {
        (self.total > 0).then(|| self.bad() as f64 / self.total as f64)
    }

    /// Whether at least this share was good. Without events nothing was missed.
    pub fn meet(self, target: f64) -> bool {
        self.good >= needed(target, self.total)
    }

    /// What came after `earlier`, of counts that only grow.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self { good: self.good.saturating_sub(earlier.good), total: self.total.saturating_sub(earlier.total) }
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { good: self.good + other.good, total: self.total + other.total }
    }
}

/// How many of `total` must be good for a share of `target`.
pub(crate) fn needed(target: f64, total: u64) -> u64 {
    // 1 - 0.005 is not quite 0.995: without the allowance, 199 of 200 would not be 99.5 %.
    ceil((target * total as f64) * (1.0 - 1e-12))
}

/// The least whole number that is not below `x`; 0 if that is negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is whole, and `as` saturates"
)]
pub(crate) fn ceil(x: f64) -> u64 {
    x.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_is_exactly_reached_is_met() {
        for (target, total, needs) in [
            (0.995, 200, 199),
            (1.0 - 0.005, 200, 199),
            (1.0 - 0.001, 1000, 999),
            (0.95, 100, 95),
            (0.95, 101, 96),
            (1.0, 7, 7),
            (0.5, 0, 0),
        ] {
            assert_eq!(needed(target, total), needs, "{target} of {total}");
        }
    }
}
