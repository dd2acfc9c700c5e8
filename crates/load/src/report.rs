//! What is shown and kept of a run: the page, the terminal's text, JSON and CSV. Pure: a [`Run`] and its
//! [`Findings`] in, text out.
//!
//! All of them read one `Summary`, so that they cannot contradict one another. Wherever several seconds or steps
//! come together, their histograms are merged first and the percentiles read after; percentiles are never averaged.
//!
//! Whatever comes from a run (names of steps, failures, the scenario's text) may be hostile: the page escapes it,
//! and the terminal gets no control characters.
//!
//! Start reading at `summary`; the page is `page`, its pictures `figures`.

mod chart;
mod exhausted;
mod figures;
mod files;
mod format;
mod merged;
mod page;
mod series;
mod summary;
#[cfg(test)]
mod tests;
mod text;

pub use files::{seconds_csv, steps_csv};
pub use text::Style;

use summary::Summary;

use crate::judge::Findings;
use crate::run::Run;

/// One HTML file with everything in it: nothing is loaded, nothing runs. Below 300 kB however long the run.
pub fn html(run: &Run, findings: &Findings) -> String {
    page::render(run, &Summary::of(run, findings))
}

/// The verdict, why, the objectives, the steps. Tables are at most 100 columns wide; sentences are left to the
/// terminal to break.
pub fn text(run: &Run, findings: &Findings, style: Style) -> String {
    text::render(&Summary::of(run, findings), style)
}

/// The summary, not the seconds. Names carry their units and stay as they are.
pub fn json(run: &Run, findings: &Findings) -> String {
    serde_json::to_string_pretty(&Summary::of(run, findings)).expect("maps have text keys") + "\n"
}
