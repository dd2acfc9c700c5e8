use std::time::Duration;

use mare_scaling::Time;

/// An instance that lived this long was not killed by its own start.
const SETTLED: Duration = Duration::from_secs(10);

/// The wait after the second failure in a row; doubles with each further one. The first failure waits not at
/// all: one crash under load must cost as little as possible.
const FIRST_WAIT: Duration = Duration::from_millis(250);

const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// From this many failed starts in a row on, requests are refused instead of held.
const FAILING_AFTER: u32 = 3;

/// How long to wait before the next start after instances failed one after another.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Backoff {
    /// In a row, before or after readiness: the next start waits for them.
    failures: u32,
    /// In a row, with no instance ready in between: whoever waits for the next one waits in vain.
    failed_starts: u32,
    latest: Time,
    until: Time,
}

impl Backoff {
    /// An instance serves. How soon it ends again does not matter to those it served.
    pub fn became_ready(&mut self) {
        self.failed_starts = 0;
    }

    /// An instance that was ready ended by itself.
    pub fn crashed(&mut self, lived: Duration, now: Time) {
        if lived >= SETTLED {
            self.failures = 0;
        }
        if self.is_another(lived, now) {
            self.delay(now);
        }
    }

    /// An instance ended before it was ready; however long that took, it never worked.
    pub fn never_started(&mut self, lived: Duration, now: Time) {
        if self.is_another(lived, now) {
            self.failed_starts = self.failed_starts.saturating_add(1);
            self.delay(now);
        }
    }

    /// False if it ran already when another failed: the same mishap, not one more in a row.
    fn is_another(&self, lived: Duration, now: Time) -> bool {
        self.failures == 0 || now.since(self.latest) >= lived
    }

    fn delay(&mut self, now: Time) {
        self.failures = self.failures.saturating_add(1);
        self.latest = now;
        let wait = match self.failures {
            0 | 1 => Duration::ZERO,
            more => FIRST_WAIT.saturating_mul(1 << (more - 2).min(10)).min(LONGEST_WAIT),
        };
        self.until = now + wait;
    }

    pub fn failures(&self) -> u32 {
        self.failures
    }

    pub fn allows_start(&self, now: Time) -> bool {
        now >= self.until
    }

    /// While instances fail, one start at a time is tried.
    pub fn starts_max(&self) -> u32 {
        if self.failures > 1 { 1 } else { u32::MAX }
    }

    /// Set while the service counts as failing: when the next start is due, at least a second.
    pub fn retry_after(&self, now: Time) -> Option<Duration> {
        (self.failed_starts >= FAILING_AFTER).then(|| self.until.since(now).max(Duration::from_secs(1)))
    }
}
