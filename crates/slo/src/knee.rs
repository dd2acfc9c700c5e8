//! From which load on objectives are persistently violated.
//!
//! A [`Search`] says which level to hold next and is told what the hold's windows showed. It raises the level by half
//! until one breaks, bisects between the last that held and the first that broke, and runs these two again, twice each
//! and in balanced order, so that neither profits from coming later. Only what repeats is reported as found.

use serde::{Deserialize, Serialize};

use crate::Verdict;
use crate::events::ceil;

mod isotonic;
mod persistent;

pub use persistent::persistent;

/// The end of a search.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Knee {
    /// The highest level that held. `None`: even the lowest level tried broke the objectives.
    pub holds: Option<f64>,
    /// The lowest level above it that did not. `None`: the highest level allowed still held.
    pub breaks: Option<f64>,
    /// The 95 % interval of the level where they break.
    pub interval: Option<(f64, f64)>,
    /// PASS: `holds` and `breaks`, as far as there are, did so in every repetition. FAIL: they broke in every one and
    /// nothing holds. INCONCLUSIVE: repetitions disagree, or the search ended early. INVALID: the generator was not
    /// healthy before anything broke.
    pub verdict: Verdict,
    /// Every hold, in the order they ran.
    pub levels: Vec<Level>,
}

/// One hold at one level.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Level {
    pub level: f64,
    pub windows: u32,
    /// Windows in which an objective was violated.
    pub violated: u32,
    pub verdict: Verdict,
}

/// A search under way. Deciding is a function of what was recorded: [`Search::next`] asked twice says the same.
///
/// It ends: while it brackets, each hold raises the level by half or ends the bracket; while it bisects, each halves the
/// distance; then at most four holds confirm. A confirmation that overturns a level reopens the search from there, and
/// a hold that does not count is repeated once; [`Search::holds_max`] bounds all of it.
#[derive(Clone, Debug)]
pub struct Search {
    from: f64,
    to: f64,
    /// 0.05: to within 5 %.
    resolution: f64,
    whole: bool,
    seed: u64,
    holds: Vec<Hold>,
}

#[derive(Clone, Debug)]
struct Hold {
    level: f64,
    /// Whether an objective was violated in each.
    windows: Vec<bool>,
    verdict: Verdict,
}

/// How much higher the next level is until one breaks.
const STEP: f64 = 1.5;

/// How often the levels on either side of the knee are held in all.
const REPETITIONS: usize = 3;

/// A hold of fewer windows decides nothing.
pub const WINDOWS_MIN: usize = 5;

impl Search {
    /// Between these levels, of which `from` is above zero and not above `to`. `resolution` is at least 0.1 %. `seed`
    /// decides which of the two sides of the knee is confirmed first.
    pub fn new(from: f64, to: f64, resolution: f64, seed: u64) -> Self {
        let (to, resolution) = (to.max(from), resolution.max(0.001));
        Self { from, to, resolution, whole: false, seed, holds: Vec::new() }
    }

    /// With levels that are whole numbers, as users are.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { from: self.from.ceil(), to: self.to.floor().max(self.from.ceil()), whole: true, ..self }
    }

    /// The level to hold next. `None`: the search has ended.
    pub fn next(&self) -> Option<f64> {
        if self.stuck() || self.holds.len() >= self.holds_max() {
            return None;
        }
        match self.holds.last() {
            Some(last) if !last.counts() => return Some(last.level),
            _ => {}
        }
        match self.sides() {
            (None, None) => Some(self.from),
            (Some(holds), None) if holds < self.to => Some(self.rounded(holds * STEP).min(self.to)),
            (Some(level), None) | (None, Some(level)) => {
                (self.repeated(level) < REPETITIONS).then_some(level)
            }
            (Some(holds), Some(breaks)) => {
                self.between(holds, breaks).or_else(|| self.unconfirmed(holds, breaks))
            }
        }
    }

    /// Takes what a hold showed: whether an objective was violated in each of its windows. A hold with an unhealthy
    /// generator or with fewer than [`WINDOWS_MIN`] windows does not count; it is repeated once.
    pub fn record(&mut self, level: f64, windows: Vec<bool>, generator: Generator) {
        let verdict = match generator {
            Generator::Unhealthy => Verdict::Invalid,
            Generator::Healthy if windows.len() < WINDOWS_MIN => Verdict::Inconclusive,
            Generator::Healthy if persistent(&windows) => Verdict::Fail,
            Generator::Healthy => Verdict::Pass,
        };
        self.holds.push(Hold { level, windows, verdict });
    }

    /// What is known so far; at the end, what was found.
    pub fn knee(&self) -> Knee {
        let (holds, breaks) = self.sides();
        let interval = holds.zip(breaks).map(|sides| self.interval(sides));
        let levels = self.holds.iter().map(Hold::level).collect();
        Knee { holds, breaks, interval, verdict: self.verdict(), levels }
    }

    /// More holds than this there never are: those of a straight search, and as many bisections and confirmations
    /// twice more for levels that turn out to be what they first did not seem.
    pub fn holds_max(&self) -> usize {
        let bracket = ceil((self.to / self.from).ln() / STEP.ln()) + 1;
        let bisection = ceil((STEP.ln() / self.resolution.ln_1p()).log2());
        usize::try_from(bracket + 3 * (bisection + 4)).unwrap_or(usize::MAX)
    }

    fn verdict(&self) -> Verdict {
        let unanimous = |level: f64| self.repeated(level) >= REPETITIONS && self.disagreeing(level) == 0;
        let sides = self.sides();
        let found = match sides {
            (Some(holds), Some(breaks)) => self.between(holds, breaks).is_none(),
            (Some(holds), None) => holds >= self.to,
            (None, breaks) => breaks.is_some(),
        };
        let confirmed = [sides.0, sides.1].into_iter().flatten().all(unanimous);
        match sides {
            (None, _) if found && confirmed => Verdict::Fail,
            _ if found && confirmed => Verdict::Pass,
            (_, None)
                if self.stuck() && self.holds.last().is_some_and(|hold| hold.verdict == Verdict::Invalid) =>
            {
                Verdict::Invalid
            }
            _ => Verdict::Inconclusive,
        }
    }

    /// The highest level that holds, and the lowest above it that breaks. Above that one nothing holds.
    fn sides(&self) -> (Option<f64>, Option<f64>) {
        let levels = |breaking: bool| {
            let counted = self.holds.iter().filter(|hold| hold.counts()).map(|hold| hold.level);
            counted.filter(move |&level| self.breaks(level) == breaking)
        };
        let holds = levels(false).max_by(f64::total_cmp);
        let breaks = levels(true).filter(|&level| holds.is_none_or(|holds| level > holds));
        (holds, breaks.min_by(f64::total_cmp))
    }

    /// By the majority of its holds that count; in a tie, by the first.
    fn breaks(&self, level: f64) -> bool {
        let failed: Vec<bool> = self.counted(level).map(|hold| hold.verdict == Verdict::Fail).collect();
        let fails = failed.iter().filter(|&&failed| failed).count();
        match (2 * fails).cmp(&failed.len()) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => failed.first() == Some(&true),
        }
    }

    fn counted(&self, level: f64) -> impl Iterator<Item = &Hold> {
        self.holds.iter().filter(move |hold| hold.level.total_cmp(&level).is_eq() && hold.counts())
    }

    fn repeated(&self, level: f64) -> usize {
        self.counted(level).count()
    }

    fn disagreeing(&self, level: f64) -> usize {
        let fails = self.counted(level).filter(|hold| hold.verdict == Verdict::Fail).count();
        fails.min(self.repeated(level) - fails)
    }

    /// The last two holds did not count.
    fn stuck(&self) -> bool {
        matches!(self.holds.as_slice(), [.., before, last] if !before.counts() && !last.counts())
    }

    /// The level to bisect with. `None`: they are as close as asked for, or neighbours.
    fn between(&self, holds: f64, breaks: f64) -> Option<f64> {
        let middle = self.rounded((holds * breaks).sqrt());
        (breaks / holds > 1.0 + self.resolution && middle > holds && middle < breaks).then_some(middle)
    }

    /// The order is A B B A, and A the side the seed says.
    fn unconfirmed(&self, holds: f64, breaks: f64) -> Option<f64> {
        let [first, second] = if self.seed.is_multiple_of(2) { [holds, breaks] } else { [breaks, holds] };
        match (self.repeated(first), self.repeated(second)) {
            (a, b) if a >= REPETITIONS && b >= REPETITIONS => None,
            (a, _) if a >= REPETITIONS => Some(second),
            (_, b) if b >= REPETITIONS => Some(first),
            // Both once, or both twice: the second time the other side goes first.
            (a, b) if a == b => Some(if a == 1 { first } else { second }),
            (a, b) => Some(if a < b { first } else { second }),
        }
    }

    /// To four digits, or to a whole number.
    fn rounded(&self, level: f64) -> f64 {
        let scale = if self.whole { 1.0 } else { 10_f64.powf(3.0 - level.log10().floor()) };
        (level * scale).round() / scale
    }

    fn interval(&self, (holds, breaks): (f64, f64)) -> (f64, f64) {
        let mut levels: Vec<f64> = self.holds.iter().map(|hold| hold.level).collect();
        levels.sort_unstable_by(f64::total_cmp);
        levels.dedup();
        let windows = |level: f64| -> Vec<bool> {
            self.counted(level).flat_map(|hold| hold.windows.iter().copied()).collect()
        };
        let tried: Vec<(f64, Vec<bool>)> = levels
            .into_iter()
            .map(|level| (level, windows(level)))
            .filter(|(_, windows)| !windows.is_empty())
            .collect();
        // The search knows no more than that it is between these two.
        let crossing = isotonic::interval(&tried, self.seed);
        crossing.map_or((holds, breaks), |(low, high)| (low.min(holds), high.max(breaks)))
    }
}

/// Whether the load of a hold was what it should have been.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Generator {
    Healthy,
    Unhealthy,
}

impl Hold {
    fn counts(&self) -> bool {
        match self.verdict {
            Verdict::Pass | Verdict::Fail => true,
            Verdict::Inconclusive | Verdict::Invalid => false,
        }
    }

    fn level(&self) -> Level {
        let count = |windows: usize| u32::try_from(windows).unwrap_or(u32::MAX);
        let violated = self.windows.iter().filter(|&&violated| violated).count();
        let windows = count(self.windows.len());
        Level { level: self.level, windows, violated: count(violated), verdict: self.verdict }
    }
}

#[cfg(test)]
mod tests;
