//! Looks for the knee: holds the levels that a [`Search`] asks for, one after the other, within one run.
//!
//! ```text
//!        ┌── held ────────────────────────────────┐
//!        ▼                                        │
//!   ramp and settle ──► hold, in windows ─────────┤
//!        ▲                                        │
//!        └── pause, until nothing is under way ◄──┘ broke
//! ```
//!
//! Each of them is bounded, and the search ends, so this ends.

use std::time::Duration;

use mare_slo::Latencies;
use mare_slo::knee::{Search, WINDOWS_MIN, persistent};

use super::plan::{Plan, second};
use crate::run::{PlatformSample, Run, Second, StageRun};
use crate::scenario::{Model, Stage};

/// Between which levels to look, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seek {
    pub from: f64,
    pub to: f64,
    /// How long each level is judged. At least [`Seek::HOLD_MIN`] makes windows of five seconds or more.
    pub hold: Duration,
    /// 0.05: to within 5 %.
    pub resolution: f64,
}

impl Seek {
    pub const HOLD_MIN: Duration = Duration::from_secs(30);

    /// As many windows as the hold is divided into. The way to a level takes as long as a window, and so does the
    /// least time to settle there.
    const WINDOWS: u32 = 6;

    /// A hold with too few requests for its windows goes on until there are enough, so many times as long at most.
    const HOLDS_MAX: u32 = 10;
}

/// While the P95 of a window is lower than this share of the one before, what came before still shows: connections
/// and caches that warm up, instances that had to start.
const FALLING: f64 = 0.9;

pub(crate) struct Seeker {
    seek: Seek,
    search: Search,
    phase: Phase,
}

#[derive(Clone, Copy)]
enum Phase {
    /// Until this second at the latest.
    Pause(u32),
    /// Until one of these seconds.
    Settle {
        earliest: u32,
        latest: u32,
    },
    /// Until the end of the last stage, and until this second at the latest.
    Hold(u32),
    Over,
}

impl Seeker {
    pub(crate) fn new(seek: Seek, model: Model) -> Self {
        let search = Search::new(seek.from, seek.to, seek.resolution, fastrand::u64(..));
        let search = match model {
            Model::Users => search.whole(),
            Model::Rate { .. } => search,
        };
        Self { seek, search, phase: Phase::Pause(0) }
    }

    /// To be called before the first second of the run and after each. True if the plan changed.
    pub(crate) fn advance(&mut self, run: &mut Run, plan: &mut Plan, now: f64) -> bool {
        let at = u32::try_from(run.seconds.len()).unwrap_or(u32::MAX);
        match self.phase {
            Phase::Pause(latest) => {
                let is_quiet = run.seconds.last().is_none_or(|second| second.users == 0);
                let is_over = is_quiet || at >= latest;
                if is_over {
                    self.next(run, plan, now);
                }
                is_over
            }
            Phase::Settle { earliest, latest } => {
                if at >= earliest && (at >= latest || is_settled(&run.seconds, &run.platform, self.window()))
                {
                    self.hold(run, at);
                }
                false
            }
            Phase::Hold(latest) => self.judge(run, plan, now, latest),
            Phase::Over => false,
        }
    }

    /// Goes to the next level, if there is one.
    fn next(&mut self, run: &mut Run, plan: &mut Plan, now: f64) {
        let Some(level) = self.search.next() else {
            plan.until = Some(now);
            self.phase = Phase::Over;
            return;
        };
        let ramp = self.seek.hold / Seek::WINDOWS;
        let stage = plan.add(now, &Stage { level, ramp, hold: Duration::ZERO });
        let earliest = stage.holds_from + self.window();
        self.phase = Phase::Settle { earliest, latest: earliest + self.held() };
        // Its end is not known yet.
        run.stages.push(StageRun { holds_from: u32::MAX, until: u32::MAX, ..stage });
    }

    fn hold(&mut self, run: &mut Run, at: u32) {
        if let Some(stage) = run.stages.last_mut() {
            (stage.holds_from, stage.until) = (at, at + self.held());
        }
        self.phase = Phase::Hold(at + Seek::HOLDS_MAX * self.held());
    }

    fn judge(&mut self, run: &mut Run, plan: &mut Plan, now: f64, latest: u32) -> bool {
        let at = u32::try_from(run.seconds.len()).unwrap_or(u32::MAX);
        let Some(StageRun { level, holds_from, until, .. }) = run.stages.last().cloned() else {
            return false;
        };
        if at < until {
            return false;
        }
        let (windows, generator) = run.hold(holds_from, until, self.window());
        if windows.len() < WINDOWS_MIN && until < latest {
            if let Some(stage) = run.stages.last_mut() {
                stage.until = (until + self.window()).min(latest);
            }
            return false;
        }
        let is_broken = persistent(&windows);
        self.search.record(level, windows, generator);
        if is_broken {
            // What piled up must not count against the next level.
            plan.add(now, &Stage { level: 0.0, ramp: Duration::ZERO, hold: Duration::ZERO });
            self.phase = Phase::Pause(at + 2 * self.held());
        } else {
            self.next(run, plan, now);
        }
        true
    }

    /// In seconds, as all times here.
    fn window(&self) -> u32 {
        second((self.seek.hold / Seek::WINDOWS).as_secs_f64()).max(1)
    }

    fn held(&self) -> u32 {
        second(self.seek.hold.as_secs_f64())
    }

    /// What it found, or knows if it was ended early.
    pub(crate) fn knee(&self) -> mare_slo::knee::Knee {
        self.search.knee()
    }
}

/// Whether the last `window` seconds are as those to come: instances neither came nor went, and the P95 does not fall
/// any more. That it rises is what a hold is to see.
fn is_settled(seconds: &[Second], platform: &[PlatformSample], window: u32) -> bool {
    let window = window as usize;
    let mut windows = seconds.rchunks(window).map(p95);
    let (last, before) = (windows.next().flatten(), windows.next().flatten());
    let is_falling = last.zip(before).is_some_and(|(last, before)| last < before.mul_f64(FALLING));
    let since = seconds.len().saturating_sub(window) as f64;
    let mut instances = platform.iter().filter(|sample| sample.at > since).map(|sample| {
        sample.services.values().map(|service| (service.ready, service.starting)).collect::<Vec<_>>()
    });
    let first = instances.next().unwrap_or_default();
    let is_steady = first.iter().all(|&(_, starting)| starting == 0) && instances.all(|now| now == first);
    is_steady && !is_falling
}

fn p95(seconds: &[Second]) -> Option<Duration> {
    let mut response = Latencies::default();
    seconds.iter().flat_map(|second| &second.steps).for_each(|step| response.add(&step.response));
    response.quantile(0.95)
}

#[cfg(test)]
mod tests {
    use mare_slo::Sparse;

    use super::*;
    use crate::run::{PlatformSample, ServiceSample, StepSecond};

    #[test]
    fn a_level_is_settled_when_nothing_gets_better_by_itself() {
        let check = |what: &str, p95_ms: [u64; 2], instances: [(u32, u32); 2], expected: bool| {
            let seconds = (0..10).map(|at| {
                let response = Sparse(vec![(p95_ms[at / 5] * 1000, 100)]);
                Second { steps: vec![StepSecond { response, ..StepSecond::default() }], ..Second::default() }
            });
            let platform = (0..10_u32).map(|at| {
                let (ready, starting) = instances[usize::from(at >= 8)];
                let service = ServiceSample { ready, starting, ..ServiceSample::default() };
                PlatformSample { at: f64::from(at) + 0.5, services: [("api".to_owned(), service)].into() }
            });
            assert_eq!(
                is_settled(&seconds.collect::<Vec<_>>(), &platform.collect::<Vec<_>>(), 5),
                expected,
                "{what}"
            );
        };
        check("flat", [100, 100], [(2, 0), (2, 0)], true);
        check("noise", [100, 95], [(2, 0), (2, 0)], true);
        check("warms up", [100, 80], [(2, 0), (2, 0)], false);
        check("breaks", [100, 900], [(2, 0), (2, 0)], true);
        check("an instance came", [100, 100], [(1, 0), (2, 0)], false);
        check("an instance starts", [100, 100], [(2, 1), (2, 1)], false);
        assert!(is_settled(&[], &[], 5));
    }
}
