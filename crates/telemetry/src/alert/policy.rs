//! When an alert fires, is told again, and is over. Time comes in.
//!
//! ```text
//!              condition                       absent for `clear`
//!   inactive ───────────► firing (Fired) ─────────────────────────► inactive (Cleared)
//!                          │      ▲
//!                          └──────┘ more urgent: Fired; told `repeat` ago and still so: Repeated
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use mare_manifest::units::duration_text;
use mare_slo::burn::Severity;
use serde::{Deserialize, Serialize};

use super::{Condition, Event, Notice};

/// How patient alerts are.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For how long a condition must be absent.
    pub clear: Duration,
    /// Between two notices of an alert that goes on.
    pub repeat: Duration,
}

/// The alerts that fire, by name.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Firing(BTreeMap<String, State>);

/// One alert that fires.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct State {
    pub severity: Severity,
    pub reason: String,
    pub since: Timestamp,
    /// When its condition was last seen.
    last_true: Timestamp,
    last_told: Timestamp,
}

impl Firing {
    /// Takes every condition that is true now, each alert at most once; says what is to be told. The same again at
    /// the same time tells nothing.
    pub fn step(&mut self, now: Timestamp, conditions: Vec<Condition>, patience: Patience) -> Vec<Notice> {
        let mut notices = Vec::new();
        for condition in conditions {
            notices.extend(self.meet(now, condition, patience));
        }
        let is_over = |state: &State| passed(state.last_true, now) >= patience.clear;
        let over: Vec<String> =
            self.0.iter().filter(|(_, state)| is_over(state)).map(|(alert, _)| alert.clone()).collect();
        for alert in over {
            let Some(state) = self.0.remove(&alert) else { continue };
            let reason = format!("quiet for {}; it was: {}", duration_text(patience.clear), state.reason);
            notices.push(Notice { reason, ..notice(alert, Event::Cleared, &state, now) });
        }
        notices
    }

    fn meet(&mut self, now: Timestamp, condition: Condition, patience: Patience) -> Option<Notice> {
        let Condition { alert, severity, reason } = condition;
        let Some(state) = self.0.get_mut(&alert) else {
            let state = State { severity, reason, since: now, last_true: now, last_told: now };
            let notice = notice(alert.clone(), Event::Fired, &state, now);
            self.0.insert(alert, state);
            return Some(notice);
        };
        // `Severity` goes from the most urgent down.
        let is_more_urgent = severity < state.severity;
        state.severity = severity.min(state.severity);
        state.reason = reason;
        state.last_true = now;
        let event = match is_more_urgent {
            true => Event::Fired,
            false if passed(state.last_told, now) >= patience.repeat => Event::Repeated,
            false => return None,
        };
        state.last_told = now;
        Some(notice(alert, event, state, now))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &State)> {
        self.0.iter().map(|(alert, state)| (alert.as_str(), state))
    }

    pub fn contains(&self, alert: &str) -> bool {
        self.0.contains_key(alert)
    }
}

fn notice(alert: String, event: Event, state: &State, at: Timestamp) -> Notice {
    Notice { alert, event, severity: state.severity, reason: state.reason.clone(), since: state.since, at }
}

/// A clock that went back has let no time pass.
fn passed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Patience = Patience { clear: Duration::from_mins(5), repeat: Duration::from_hours(4) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn condition(severity: Severity) -> Condition {
        Condition { alert: "pix".to_owned(), severity, reason: "slow".to_owned() }
    }

    /// Second, condition, what is told.
    fn check(steps: &[(i64, Option<Severity>, Option<Event>)]) {
        let mut firing = Firing::default();
        for &(second, severity, expected) in steps {
            let conditions = severity.map(condition).into_iter().collect();
            let told: Vec<Event> =
                firing.step(at(second), conditions, PATIENCE).iter().map(|notice| notice.event).collect();
            assert_eq!(told, Vec::from_iter(expected), "at {second} of {steps:?}");
        }
    }

    #[test]
    fn an_alert_is_told_once() {
        let page = Some(Severity::Page);
        check(&[(0, None, None), (10, page, Some(Event::Fired)), (20, page, None), (30, page, None)]);
    }

    #[test]
    fn it_clears_only_after_a_quiet_time() {
        let page = Some(Severity::Page);
        check(&[
            (0, page, Some(Event::Fired)),
            (299, None, None),
            (300, page, None),
            (310, None, None),
            (599, None, None),
            (600, None, Some(Event::Cleared)),
            (610, None, None),
            (620, page, Some(Event::Fired)),
        ]);
    }

    #[test]
    fn what_goes_on_is_told_again() {
        let page = Some(Severity::Page);
        let four_hours = 4 * 3600;
        check(&[
            (0, page, Some(Event::Fired)),
            (four_hours - 1, page, None),
            (four_hours, page, Some(Event::Repeated)),
            (four_hours + 1, page, None),
            (2 * four_hours, page, Some(Event::Repeated)),
        ]);
    }

    #[test]
    fn what_becomes_more_urgent_is_told_and_less_is_not() {
        let (page, ticket) = (Some(Severity::Page), Some(Severity::Ticket));
        check(&[
            (0, ticket, Some(Event::Fired)),
            (10, page, Some(Event::Fired)),
            (20, ticket, None),
            (30, page, None),
        ]);
    }

    #[test]
    fn a_clock_that_goes_back_clears_nothing() {
        let page = Some(Severity::Page);
        check(&[(1000, page, Some(Event::Fired)), (0, None, None), (999, None, None)]);
    }

    #[test]
    fn the_reason_is_the_latest_and_the_notice_says_since_when() {
        let mut firing = Firing::default();
        firing.step(at(0), vec![condition(Severity::Page)], PATIENCE);
        let worse = Condition { reason: "slower".to_owned(), ..condition(Severity::Page) };
        firing.step(at(10), vec![worse], PATIENCE);
        let notices = firing.step(at(400), Vec::new(), PATIENCE);
        assert_eq!(notices[0].reason, "quiet for 5m; it was: slower");
        assert_eq!((notices[0].since, notices[0].at), (at(0), at(400)));
    }

    proptest! {
        #[test]
        fn fired_and_cleared_take_turns_and_deciding_twice_tells_nothing(
            steps in prop::collection::vec((0_i64..600, any::<bool>()), 1..60),
        ) {
            let (mut firing, mut now, mut is_on) = (Firing::default(), 0, false);
            for (pause, is_true) in steps {
                now += pause;
                let conditions = || if is_true { vec![condition(Severity::Page)] } else { Vec::new() };
                for notice in firing.step(at(now), conditions(), PATIENCE) {
                    match notice.event {
                        Event::Fired => prop_assert!(!std::mem::replace(&mut is_on, true)),
                        Event::Cleared => prop_assert!(std::mem::replace(&mut is_on, false)),
                        Event::Repeated => prop_assert!(is_on),
                    }
                }
                prop_assert_eq!(firing.contains("pix"), is_on);
                prop_assert_eq!(firing.step(at(now), conditions(), PATIENCE), Vec::new());
            }
        }
    }
}
