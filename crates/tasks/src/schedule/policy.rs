//! Which ticks become tasks. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mare_manifest::cron::Cron;
pub use mare_manifest::model::schedule::Missed;

/// A tick is not missed while it is younger than this; a busy machine is late, not away.
const LATE: Duration = Duration::from_secs(60);

/// Of `Missed::All`, the youngest so many: a platform that was away for a month does not flood its queues.
pub const MISSED_MAX: usize = 100;

/// What is to be done now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Due {
    /// Become tasks, in order.
    pub ticks: Vec<Timestamp>,
    /// The last tick that is past, whether it becomes a task or not; `None`: none since `last`.
    pub reached: Option<Timestamp>,
    /// The next one to come.
    pub next: Option<Timestamp>,
}

/// `last` is the mark: ticks up to it are done with.
pub fn due(cron: &Cron, missed: Missed, last: Timestamp, now: Timestamp) -> Due {
    let wanted = match missed {
        Missed::Skip | Missed::Once => 1,
        Missed::All => MISSED_MAX,
    };
    let mut ticks = latest(cron, last, now, wanted);
    let reached = ticks.last().copied();
    if missed == Missed::Skip {
        ticks.retain(|tick| now.duration_since(*tick).unsigned_abs() <= LATE);
    }
    Due { ticks, reached, next: cron.after(now) }
}

/// The last `count` ticks after `last` and up to `now`. Looks back over twice as long each time, so that what it
/// walks through is never more than a few times what it returns, however long ago `last` is.
fn latest(cron: &Cron, last: Timestamp, now: Timestamp, count: usize) -> Vec<Timestamp> {
    let mut back = SignedDuration::from_mins(1);
    loop {
        let from = now.checked_sub(back).unwrap_or(Timestamp::MIN).max(last);
        let walk = std::iter::successors(cron.after(from), |tick| cron.after(*tick));
        let mut ticks: Vec<Timestamp> = walk.take_while(|tick| *tick <= now).collect();
        if ticks.len() >= count || from == last {
            ticks.drain(..ticks.len().saturating_sub(count));
            return ticks;
        }
        back = back.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn missed_ticks_follow_the_policy() {
        let check = |missed, last, now, expected: &[&str], reached: Option<&str>| {
            let cron = Cron::parse("0 * * * *", "UTC").expect("a schedule");
            let due = due(&cron, missed, at(last), at(now));
            let expected: Vec<Timestamp> = expected.iter().map(|text| at(text)).collect();
            assert_eq!((due.ticks, due.reached), (expected, reached.map(at)), "{missed:?} {last} {now}");
        };
        let (eight, nine, ten) = ("2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z");
        let soon = "2026-11-21T10:00:30Z";
        check(Missed::Once, ten, "2026-11-21T10:59:59Z", &[], None);
        check(Missed::Once, nine, ten, &[ten], Some(ten));
        check(Missed::Once, "2026-11-21T07:30:00Z", soon, &[ten], Some(ten));
        check(Missed::All, "2026-11-21T07:30:00Z", soon, &[eight, nine, ten], Some(ten));
        check(Missed::Skip, "2026-11-21T07:30:00Z", soon, &[ten], Some(ten));
        check(Missed::Skip, "2026-11-21T07:30:00Z", "2026-11-21T10:30:00Z", &[], Some(ten));
    }

    #[test]
    fn years_away_are_walked_through_in_a_moment_and_bounded() {
        let cron = Cron::parse("@every 1s", "UTC").expect("a schedule");
        let due = due(&cron, Missed::All, at("2006-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(due.ticks.len(), MISSED_MAX);
        assert_eq!(due.reached, Some(at("2026-01-01T00:00:00Z")));
    }

    #[test]
    fn after_what_was_due_is_done_nothing_is() {
        let cron = Cron::parse("*/7 3 * * *", "America/Sao_Paulo").expect("a schedule");
        let (mut last, mut now) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..500 {
            now += SignedDuration::from_secs(rng.i64(0..40_000));
            let first = due(&cron, Missed::All, last, now);
            assert!(first.ticks.iter().all(|tick| last < *tick && *tick <= now));
            last = first.reached.unwrap_or(last);
            assert_eq!(due(&cron, Missed::All, last, now).ticks, []);
            assert_eq!(first.next, cron.after(now));
        }
    }
}
