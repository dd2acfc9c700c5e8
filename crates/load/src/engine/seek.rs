//! Looks for the knee: holds the levels that a [`Search`] asks for, one after the other, within one run.

use std::time::Duration;

use mare_slo::knee::Search;

use super::plan::{Plan, second};
use crate::run::{Run, StageRun};
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

    /// As many windows as the hold is divided into.
    const WINDOWS: u32 = 6;

    /// The way to a level and the time to settle there take this part of a hold each; a pause after a level that
    /// broke takes twice that.
    const PART: u32 = 6;
}

pub(crate) struct Seeker {
    seek: Seek,
    search: Search,
    /// The last of the run's stages is being held.
    is_holding: bool,
}

impl Seeker {
    pub(crate) fn new(seek: Seek, model: Model) -> Self {
        let search = Search::new(seek.from, seek.to, seek.resolution, fastrand::u64(..));
        let search = match model {
            Model::Users => search.whole(),
            Model::Rate { .. } => search,
        };
        Self { seek, search, is_holding: false }
    }

    /// To be called after each second of the run and before the first. Plans the next hold when one is over.
    /// True if the plan changed.
    pub(crate) fn advance(&mut self, run: &mut Run, plan: &mut Plan, now: f64) -> bool {
        let mut at = now;
        if self.is_holding
            && let Some(stage) = run.stages.last()
        {
            if (run.seconds.len() as u64) < u64::from(stage.until) {
                return false;
            }
            let window = (self.seek.hold / Seek::WINDOWS).as_secs().max(1);
            let window = u32::try_from(window).unwrap_or(u32::MAX);
            let (windows, generator) = run.hold(stage.holds_from, stage.until, window);
            let is_bad = windows.iter().any(|&violated| violated);
            self.search.record(stage.level, windows, generator);
            if is_bad {
                // What piled up must not count against the next level.
                let pause = self.seek.hold / Seek::PART * 2;
                plan.add(at, &Stage { level: 0.0, ramp: Duration::ZERO, hold: pause });
                at += pause.as_secs_f64();
            }
        }
        self.is_holding = false;
        match self.search.next() {
            Some(level) => {
                run.stages.push(self.hold(level, at, plan));
                self.is_holding = true;
            }
            None => plan.until = Some(now),
        }
        true
    }

    fn hold(&self, level: f64, at: f64, plan: &mut Plan) -> StageRun {
        let part = self.seek.hold / Seek::PART;
        let stage = plan.add(at, &Stage { level, ramp: part, hold: part + self.seek.hold });
        let holds_from = second((at + 2.0 * part.as_secs_f64()).ceil());
        StageRun { holds_from, until: holds_from + second(self.seek.hold.as_secs_f64()), ..stage }
    }

    /// What it found, or knows if it was ended early.
    pub(crate) fn knee(&self) -> mare_slo::knee::Knee {
        self.search.knee()
    }
}
