//! Files made from mare.toml for programs beside Maré: rules for Prometheus, a dashboard for Grafana.
//!
//! Pure functions from a manifest to text. Nothing of the environment gets in: of all a manifest says, only names
//! and objectives are used, and what may be secret is in neither.
//!
//! Both files are about the same series, so what those are called is in one place, [`series`].

mod burn;
pub mod grafana;
pub mod prometheus;
mod series;

use std::collections::BTreeMap;

use mare_manifest::model::objective::Objective;

/// What the files are for.
#[derive(Clone, Copy, Debug)]
pub struct Application<'a> {
    /// The label `app` of every recorded series and alert, so that two applications fit in one Prometheus.
    pub name: &'a str,
    pub objectives: &'a BTreeMap<String, Objective>,
    /// Only series scraped under this job count. `None`: those of any job.
    pub job: Option<&'a str>,
}
