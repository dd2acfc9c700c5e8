//! `[thresholds.NAME]`

use std::collections::BTreeMap;

use mare_manifest::model::objective::{Limits, Percentile};
use mare_manifest::reading::section::Section;
use mare_manifest::{Mistake, closest};

use super::super::{Flow, Threshold};

pub(super) fn thresholds(root: &Section<'_>, flows: &[Flow]) -> BTreeMap<String, Threshold> {
    let threshold = |(name, section): (&str, Section<'_>)| (name.to_owned(), threshold(&section, flows));
    root.named("thresholds").into_iter().map(threshold).collect()
}

fn threshold(section: &Section<'_>, flows: &[Flow]) -> Threshold {
    let step = section.text("step").map(|step| {
        let steps = || flows.iter().flat_map(|flow| &flow.steps).map(|step| step.name.as_str());
        if !steps().any(|name| name == step.value()) {
            let help = step.shown().and_then(|shown| closest(shown, steps()));
            section.reading.note_absence(
                Mistake::new(
                    step.at.clone(),
                    "`step` must name a step of a flow",
                    "there is none of this name",
                )
                .help("a step is called as its `name` says, or as its `request` without the query")
                .maybe_help(help.map(|known| format!("did you mean `{known}`?"))),
            );
        }
        step.value().to_owned()
    });
    let latency = |percentile: Percentile| Some((percentile, section.duration_if(percentile.key())?));
    let limits = Limits {
        latency: Percentile::ALL.into_iter().filter_map(latency).collect(),
        errors: section.ratio("errors"),
        availability: section.ratio("availability"),
    };
    let says = |key: &str| section.has(key);
    if !Percentile::ALL.into_iter().any(|percentile| says(percentile.key()))
        && !says("errors")
        && !says("availability")
    {
        let mistake = Mistake::new(section.at.clone(), "a threshold without a limit", "limits nothing");
        section.reading.note_absence(
            mistake.help("for example `p95 = \"300ms\"`, `errors = \"0.5%\"` or `availability = \"99.5%\"`"),
        );
    }
    Threshold { step, limits }
}
