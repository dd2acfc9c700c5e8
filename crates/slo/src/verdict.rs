//! What measurements say of an objective.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Clause;

/// From best to worst, so that the verdict on several is the greatest of them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    Pass,
    /// The measurement is too uncertain to tell.
    Inconclusive,
    Fail,
    /// The generator was not healthy, so nothing it measured counts.
    Invalid,
}

/// One clause, measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    pub clause: Clause,
    /// Seconds for a latency, else a ratio. `None`: there were no requests.
    pub measured: Option<f64>,
    /// The 95 % interval of `measured`, where it can be told.
    pub interval: Option<(f64, f64)>,
    pub requests: u64,
    pub verdict: Verdict,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "PASS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Fail => "FAIL",
            Self::Invalid => "INVALID",
        })
    }
}
