//! How much may still go wrong.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Events;

/// An error budget: of the events in an objective's window, `1 - target` may be bad.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Budget {
    /// [`crate::Clause::target`]
    pub target: f64,
    /// Of the objective's whole window, or of what there is of it.
    pub events: Events,
}

impl Budget {
    /// What is left, as a share of the whole: 1 when nothing was bad, 0 when it is spent, negative when it is
    /// overspent. A target of 100 % has no budget: the first bad event overspends it by a whole.
    pub fn left(&self) -> f64 {
        let allowed = self.events.total as f64 * (1.0 - self.target);
        match self.events.bad() {
            0 => 1.0,
            _ if allowed <= 0.0 => -1.0,
            // 1 - 0.995 is not quite 0.005: rounded, so that spent is spent.
            bad => ((1.0 - bad as f64 / allowed) * 1e9).round() / 1e9,
        }
    }

    /// When it will be spent if it goes on burning at `rate` (see [`burn_rate`]) while traffic stays as it was over the
    /// objective's window. Zero if it is spent already, `None` if nothing burns.
    ///
    /// Old bad events leave the window meanwhile, which is not counted on: it may last longer, but not shorter.
    pub fn exhausted_in(&self, rate: f64, window: Duration) -> Option<Duration> {
        let left = self.left();
        if left <= 0.0 {
            return Some(Duration::ZERO);
        }
        Duration::try_from_secs_f64(left * window.as_secs_f64() / rate).ok().filter(|_| rate > 0.0)
    }
}

/// How many times faster than allowed the budget is spent: at 1 it lasts exactly for the objective's window. `None`
/// without events. Infinite if there is no budget and something was bad.
pub fn burn_rate(target: f64, events: Events) -> Option<f64> {
    let bad = events.bad_ratio()?;
    Some(if bad == 0.0 { 0.0 } else { bad / (1.0 - target).max(0.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(target: f64, bad: u64, total: u64) -> Budget {
        Budget { target, events: Events { good: total - bad, total } }
    }

    #[test]
    fn what_is_left_is_a_share_of_what_may_go_wrong() {
        for (target, bad, total, left) in [
            (0.995, 0, 0, 1.0),
            (0.995, 0, 1000, 1.0),
            (0.995, 1, 1000, 0.8),
            (0.995, 5, 1000, 0.0),
            (0.995, 10, 1000, -1.0),
            (0.95, 25, 1000, 0.5),
            (1.0, 0, 1000, 1.0),
            (1.0, 1, 1000, -1.0),
        ] {
            let got = budget(target, bad, total).left();
            assert!((got - left).abs() < 1e-9, "{target}: {bad} of {total}: {got}");
        }
    }

    #[test]
    fn a_burn_of_one_spends_a_full_budget_in_the_window_and_14_4_in_50_hours() {
        let month = Duration::from_secs(30 * 86_400);
        let full = budget(0.995, 0, 1000);
        let hours = |rate| full.exhausted_in(rate, month).map(|left| left.as_secs() / 3600);
        assert_eq!(hours(1.0), Some(720));
        assert_eq!(hours(14.4), Some(50));
        assert_eq!(hours(0.0), None);
        assert_eq!(budget(0.995, 5, 1000).exhausted_in(0.0, month), Some(Duration::ZERO));
        let some = budget(0.995, 1, 1000).exhausted_in(8.0, month);
        assert_eq!(some.map(|left| left.as_secs()), Some(3 * 86_400));
    }

    #[test]
    fn burn_rates_come_from_counts() {
        assert_eq!(burn_rate(0.995, Events { good: 0, total: 0 }), None);
        assert_eq!(burn_rate(0.5, Events { good: 0, total: 10 }), Some(2.0));
        assert_eq!(burn_rate(1.0, Events { good: 10, total: 10 }), Some(0.0));
        assert_eq!(burn_rate(1.0, Events { good: 9, total: 10 }), Some(f64::INFINITY));
    }
}
