use std::time::Duration;

use mare_scaling::{Observation, Time};

/// Exact counts of one pool since its last report.
#[derive(Debug)]
pub(super) struct Meter {
    in_flight: u32,
    max: u32,
    arrivals: u64,
    /// Sum of in-flight x nanoseconds up to `changed`.
    integral_ns: u64,
    changed: Time,
    since: Time,
    last_activity: Option<Time>,
    /// Nothing happened during the whole last report and nothing has since.
    quiet: bool,
}

impl Meter {
    pub(super) fn new(now: Time) -> Self {
        Self {
            in_flight: 0,
            max: 0,
            arrivals: 0,
            integral_ns: 0,
            changed: now,
            since: now,
            last_activity: None,
            quiet: true,
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.quiet
    }

    /// Counts a request; true if it ends a pause, so that somebody must start to report.
    pub(super) fn arrive(&mut self, now: Time) -> bool {
        self.arrivals += 1;
        self.last_activity = Some(now);
        std::mem::take(&mut self.quiet)
    }

    pub(super) fn begin(&mut self, now: Time) {
        self.advance(now);
        self.in_flight += 1;
        self.max = self.max.max(self.in_flight);
    }

    pub(super) fn end(&mut self, now: Time) {
        self.advance(now);
        self.in_flight -= 1;
        self.last_activity = Some(now);
    }

    /// The counts since the last report; starts the next one.
    pub(super) fn report(&mut self, waiting: u32, now: Time) -> Observation {
        self.advance(now);
        if self.in_flight > 0 || waiting > 0 {
            self.last_activity = Some(now);
        }
        let seen = Observation {
            elapsed: now.since(self.since),
            arrivals: self.arrivals,
            in_flight_integral: Duration::from_nanos(self.integral_ns),
            in_flight_max: self.max,
            in_flight: self.in_flight,
            waiting,
            last_activity: self.last_activity,
            ..Observation::default()
        };
        self.quiet = self.in_flight == 0 && self.arrivals == 0 && waiting == 0;
        self.max = self.in_flight;
        self.arrivals = 0;
        self.integral_ns = 0;
        self.since = now;
        seen
    }

    fn advance(&mut self, now: Time) {
        let span = u64::try_from(now.since(self.changed).as_nanos()).unwrap_or(u64::MAX);
        self.integral_ns = self.integral_ns.saturating_add(span.saturating_mul(u64::from(self.in_flight)));
        // Threads read the clock before they lock, so a later call may bring an earlier time.
        self.changed = self.changed.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_comes_late_counts_nothing_twice() {
        let mut meter = Meter::new(Time(0));
        meter.begin(Time(0));
        meter.begin(Time(20));
        meter.end(Time(10));
        meter.end(Time(30));
        assert_eq!(meter.report(0, Time(30)).in_flight_integral, Duration::from_nanos(20 + 10));
    }
}
