//! How fast an error budget may be spent, as pairs of windows (The Site Reliability Workbook, chapter "Alerting on
//! SLOs").

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Every window a burn rate is looked at over.
pub(super) const WINDOWS: [Duration; 7] = [
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(HOUR),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(6 * HOUR),
    Duration::from_secs(DAY),
    Duration::from_secs(3 * DAY),
];

/// An alert fires while the budget burns too fast over both windows: the long one proves that it matters, the short
/// one that it goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) long: Duration,
    pub(super) short: Duration,
    /// The share of the budget that is gone if it burns this fast for the whole long window.
    share: f64,
    /// `page`: somebody should get up. `ticket`: somebody should look within days.
    pub(super) severity: &'static str,
}

pub(super) const PAIRS: [Pair; 4] = [
    Pair { long: WINDOWS[2], short: WINDOWS[0], share: 0.02, severity: "page" },
    Pair { long: WINDOWS[4], short: WINDOWS[1], share: 0.05, severity: "page" },
    Pair { long: WINDOWS[5], short: WINDOWS[3], share: 0.1, severity: "ticket" },
    Pair { long: WINDOWS[6], short: WINDOWS[4], share: 0.1, severity: "ticket" },
];

impl Pair {
    /// How many times faster than the budget of `window` allows: 14.4 for the first pair and 30 days.
    pub(super) fn rate(&self, window: Duration) -> f64 {
        rounded(self.share * window.as_secs_f64() / self.long.as_secs_f64())
    }

    /// When the budget is gone if it burns on like this. The same for every window of an objective.
    pub(super) fn exhaustion(&self) -> Duration {
        Duration::from_secs((self.long.as_secs_f64() / self.share).round() as u64)
    }
}

/// Without what binary fractions add to the twelfth digit: 0.05, not 1 - 0.95.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 1e12).round() / 1e12
}
