//! From which load on objectives are persistently violated.

use serde::{Deserialize, Serialize};

use crate::Verdict;

/// The end of a search.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Knee {
    /// The highest level that held, confirmed. `None`: even the lowest level tried broke the objectives.
    pub holds: Option<f64>,
    /// The lowest level above it that did not. `None`: the highest level allowed still held.
    pub breaks: Option<f64>,
    /// The 95 % interval of the level where they break.
    pub interval: Option<(f64, f64)>,
    /// PASS: found. INCONCLUSIVE: repetitions disagree. INVALID: the generator ended first.
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
