//! The level over time, and when it asks for users and arrivals. Pure.

use serde::{Deserialize, Serialize};

use crate::run::StageRun;
use crate::scenario::Stage;

/// How the level moves, in seconds since the start. It is 0 before, and stays where the last slope left it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Plan {
    slopes: Vec<Slope>,
    /// No request begins from then on. `None`: goes on until it is told.
    pub(crate) until: Option<f64>,
    /// How long after that answers are waited for.
    pub(crate) grace: f64,
}

/// From one level to another in `ramp` seconds, then held until the next slope.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
struct Slope {
    at: f64,
    from: f64,
    to: f64,
    ramp: f64,
}

impl Plan {
    /// The plan of a scenario's stages, and where in the run each of them is.
    pub(crate) fn of(stages: &[Stage]) -> (Self, Vec<StageRun>) {
        let mut plan = Self::default();
        let mut at = 0.0;
        let runs = stages.iter().map(|stage| {
            let run = plan.add(at, stage);
            at += (stage.ramp + stage.hold).as_secs_f64();
            run
        });
        let runs = runs.collect();
        plan.until = Some(at);
        (plan, runs)
    }

    /// Moves to the stage's level from `at` on, which must not lie before another slope's beginning.
    pub(crate) fn add(&mut self, at: f64, stage: &Stage) -> StageRun {
        let ramp = stage.ramp.as_secs_f64();
        self.slopes.push(Slope { at, from: self.level(at), to: stage.level, ramp });
        let holds = at + ramp;
        StageRun {
            level: stage.level,
            from: second(at.floor()),
            holds_from: second(holds.ceil()),
            until: second((holds + stage.hold.as_secs_f64()).floor()),
        }
    }

    pub(crate) fn level(&self, at: f64) -> f64 {
        self.slopes.iter().rfind(|slope| slope.at <= at).map_or(0.0, |slope| slope.level(at - slope.at))
    }

    /// The highest level so far planned.
    pub(crate) fn level_max(&self) -> f64 {
        self.slopes.iter().map(|slope| slope.to).fold(0.0, f64::max)
    }

    /// Whether nothing may begin any more.
    pub(crate) fn is_over(&self, at: f64) -> bool {
        self.until.is_some_and(|until| at >= until)
    }

    /// When user number `user` is wanted next, at `from` or later: users 0 to n-1 are at a level of n.
    pub(crate) fn wants_user(&self, user: u64, from: f64) -> Option<f64> {
        let user = user as f64;
        if self.is_over(from) {
            return None;
        }
        if self.level(from) > user {
            return Some(from);
        }
        let later = self.slopes.iter().filter_map(|slope| slope.above(user)).find(|&at| at >= from)?;
        (!self.is_over(later)).then_some(later)
    }

    /// How many arrivals there are before `at`, of those that fall to `share`.
    pub(crate) fn arrivals(&self, at: f64, share: Share) -> u64 {
        let at = self.until.map_or(at, |until| at.min(until));
        let area: f64 = self.with_ends().map(|(slope, end)| slope.area(end.min(at) - slope.at)).sum();
        // What rounding added must not become an arrival.
        share.of_first(whole((area - 1e-9).ceil()))
    }

    /// When arrival number `arrival` is due: where the area under the level reaches that number.
    pub(crate) fn arrival(&self, arrival: u64) -> Option<f64> {
        let mut missing = arrival as f64;
        for (slope, end) in self.with_ends() {
            let area = slope.area(end - slope.at);
            if area > missing + 1e-9 {
                let at = slope.at + slope.reaches(missing);
                return (!self.is_over(at)).then_some(at);
            }
            missing = (missing - area).max(0.0);
        }
        None
    }

    fn with_ends(&self) -> impl Iterator<Item = (&Slope, f64)> {
        let ends = self.slopes.iter().skip(1).map(|next| next.at).chain([f64::INFINITY]);
        self.slopes.iter().zip(ends)
    }
}

impl Slope {
    fn level(&self, since: f64) -> f64 {
        if since >= self.ramp { self.to } else { self.from + (self.to - self.from) * since / self.ramp }
    }

    /// When it first is above `level`.
    fn above(&self, level: f64) -> Option<f64> {
        if self.from > level {
            return Some(self.at);
        }
        let share = (level - self.from) / (self.to - self.from);
        // A little later, because at the crossing itself it is not above.
        (self.to > level).then_some(self.at + self.ramp * share + 1e-6)
    }

    /// The area under the level in the first `since` seconds; endless under a level that stays.
    fn area(&self, since: f64) -> f64 {
        let ramped = since.clamp(0.0, self.ramp);
        // Not a product: of an endless hold at level 0 that is not a number.
        let held = if self.to > 0.0 { self.to * (since - self.ramp).max(0.0) } else { 0.0 };
        f64::midpoint(self.from, self.level_in_ramp(ramped)) * ramped + held
    }

    /// The level at the end of a ramp is its target, also when the ramp takes no time.
    fn level_in_ramp(&self, since: f64) -> f64 {
        if self.ramp == 0.0 { self.to } else { self.from + (self.to - self.from) * since / self.ramp }
    }

    /// After how many seconds the area is `area`, which it must reach.
    fn reaches(&self, area: f64) -> f64 {
        let ramped = self.area(self.ramp);
        if area >= ramped {
            return self.ramp + (area - ramped) / self.to;
        }
        // The root of from·x + steepness·x²/2 = area, in the form that does not cancel.
        let steepness = (self.to - self.from) / self.ramp;
        let root = (self.from * self.from + 2.0 * steepness * area).max(0.0).sqrt();
        if area <= 0.0 { 0.0 } else { 2.0 * area / (self.from + root) }
    }
}

/// One of several equal parts of the users or arrivals: those whose number leaves `index` when divided by `of`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Share {
    pub(crate) index: u64,
    pub(crate) of: u64,
}

impl Share {
    /// How many of the first `count` numbers are its own.
    pub(crate) fn of_first(self, count: u64) -> u64 {
        (count + self.of - 1).saturating_sub(self.index) / self.of
    }

    /// Its own `nth` number.
    pub(crate) fn number(self, nth: u64) -> u64 {
        nth * self.of + self.index
    }

    /// A part of this part.
    pub(crate) fn part(self, index: u64, of: u64) -> Self {
        Self { index: self.index + index * self.of, of: self.of * of }
    }
}

/// A count or a number of seconds, cut to a whole one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and below zero is none"
)]
pub(crate) fn whole(count: f64) -> u64 {
    count as u64
}

/// Saturates, after 136 years.
pub(crate) fn second(at: f64) -> u32 {
    u32::try_from(whole(at)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ALL: Share = Share { index: 0, of: 1 };

    fn plan(stages: &[(f64, u64, u64)]) -> Plan {
        let stage = |&(level, ramp, hold): &(f64, u64, u64)| Stage {
            level,
            ramp: Duration::from_secs(ramp),
            hold: Duration::from_secs(hold),
        };
        Plan::of(&stages.iter().map(stage).collect::<Vec<_>>()).0
    }

    #[test]
    fn the_level_ramps_and_holds() {
        let plan = plan(&[(10.0, 10, 5), (4.0, 3, 0), (4.0, 0, 10)]);
        for (at, level) in [(0.0, 0.0), (2.5, 2.5), (10.0, 10.0), (15.0, 10.0), (16.0, 8.0), (20.0, 4.0)] {
            assert!((plan.level(at) - level).abs() < 1e-9, "at {at}: {}", plan.level(at));
        }
        assert!(!plan.is_over(27.9));
        assert!(plan.is_over(28.0));
    }

    #[test]
    fn a_user_is_wanted_while_the_level_is_above_its_number() {
        let plan = plan(&[(10.0, 10, 5), (4.0, 3, 0), (8.0, 2, 10)]);
        let check = |user, from, expected: Option<f64>| {
            let wanted = plan.wants_user(user, from);
            assert_eq!(wanted.map(|at| (at * 1000.0).round() / 1000.0), expected, "{user} from {from}");
        };
        check(0, 0.0, Some(0.0));
        check(4, 0.0, Some(4.0));
        check(9, 12.0, Some(12.0));
        check(9, 15.5, None);
        check(6, 17.5, Some(19.0));
        check(10, 0.0, None);
        check(0, 30.0, None);
    }

    #[test]
    fn arrivals_are_spaced_by_the_area_under_the_level() {
        let plan = plan(&[(0.0, 0, 3), (10.0, 10, 10), (0.0, 0, 5)]);
        let check = |arrival, expected: Option<f64>| {
            assert_eq!(plan.arrival(arrival).map(|at| (at * 1e6).round() / 1e6), expected, "{arrival}");
        };
        check(0, Some(3.0));
        // x²/2 = 8
        check(8, Some(7.0));
        check(50, Some(13.0));
        check(51, Some(13.1));
        check(149, Some(22.9));
        check(150, None);
        assert_eq!(plan.arrivals(3.0, ALL), 0);
        assert_eq!(plan.arrivals(13.0, ALL), 50);
        assert_eq!(plan.arrivals(100.0, ALL), 150);
    }

    #[test]
    fn shares_together_are_the_whole() {
        let plan = plan(&[(7.3, 4, 9)]);
        for at in [0.5, 3.7, 4.0, 11.1] {
            let parts: u64 = (0..3).map(|index| plan.arrivals(at, Share { index, of: 3 })).sum();
            assert_eq!(parts, plan.arrivals(at, ALL), "at {at}");
        }
        let numbers = |share: Share| (0..3).map(|nth| share.number(nth)).collect::<Vec<_>>();
        let half = Share { index: 1, of: 2 };
        assert_eq!(numbers(half), [1, 3, 5]);
        assert_eq!(numbers(half.part(0, 2)), [1, 5, 9]);
        assert_eq!(numbers(half.part(1, 2)), [3, 7, 11]);
    }

    #[test]
    fn a_slope_begins_where_the_one_before_is_cut() {
        let mut plan = Plan::default();
        let stage = |level, ramp| Stage { level, ramp: Duration::from_secs(ramp), hold: Duration::ZERO };
        plan.add(0.0, &stage(10.0, 10));
        plan.add(5.0, &stage(0.0, 5));
        assert!((plan.level(7.5) - 2.5).abs() < 1e-9);
        assert_eq!(plan.until, None);
    }
}
