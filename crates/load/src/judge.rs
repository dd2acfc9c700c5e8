//! What a run proves.

use mare_slo::{Judgement, Verdict};

use crate::run::Run;

/// The judgement of a whole run.
#[derive(Clone, Debug)]
pub struct Findings {
    pub verdict: Verdict,
    /// In words, one sentence each, the most important first: why it is not PASS, or what PASS rests on.
    pub why: Vec<String>,
    pub promises: Vec<PromiseFinding>,
    /// In the order of [`Run::stages`].
    pub stages: Vec<StageFinding>,
}

#[derive(Clone, Debug)]
pub struct PromiseFinding {
    /// Indexes [`Run::promises`].
    pub promise: usize,
    pub judgements: Vec<Judgement>,
    pub verdict: Verdict,
}

/// Whether the generator was healthy during one stage.
#[derive(Clone, Debug, Default)]
pub struct StageFinding {
    /// Why not, in words. Empty: it was.
    pub unhealthy: Vec<String>,
}

impl Run {
    /// Judges the whole run, ramps included.
    pub fn findings(&self) -> Findings {
        todo!("judged from the seconds of this run")
    }
}
