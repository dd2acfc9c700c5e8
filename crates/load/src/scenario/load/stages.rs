//! `[[stages]]`

use mare_manifest::Mistake;
use mare_manifest::reading::section::Section;

use super::super::{Model, Stage};
use super::check_length;

const EXAMPLE: &str = "add a `[[stages]]` with `users = 10` and `hold = \"30s\"`";

pub(super) fn stages(root: &Section<'_>) -> (Model, Vec<Stage>) {
    let sections = root.list("stages");
    check_length(root, "stages", sections.len());
    if sections.is_empty() {
        let mistake = Mistake::new(root.at.clone(), "there is no load: no `[[stages]]`", "not in this file");
        root.reading.note_absence(mistake.help(EXAMPLE));
    }
    let is_open = sections.first().is_some_and(|first| first.has("rate") && !first.has("users"));
    let unit = if is_open { "rate" } else { "users" };
    if let Some((first, rest)) = sections.split_first() {
        let other = if is_open { "users" } else { "rate" };
        for section in rest.iter().filter(|section| section.has(other)) {
            section.reading.note(
                Mistake::new(section.place(other), format!("`{other}` among stages of `{unit}`"), "not in this scenario")
                    .see(first.place(unit), "the first stage decides")
                    .help("all stages say `users` (who wait for their answers), or all say `rate` (whatever comes back)"),
            );
        }
    }
    let stages: Vec<Stage> = sections.iter().filter_map(|section| stage(section, unit)).collect();
    if let Some(first) = sections.first()
        && stages.len() == sections.len()
        && stages.iter().all(|stage| stage.level <= 0.0)
    {
        let mistake = Mistake::new(first.place(unit), "there is no load: every stage is zero", "zero");
        root.reading.note(mistake.help(EXAMPLE));
    }
    let users_max = root.count("users_max");
    if !is_open && !sections.is_empty() && root.has("users_max") {
        let mistake =
            Mistake::new(root.place("users_max"), "`users_max` without a rate", "means nothing here");
        root.reading.note(mistake.help("it bounds the flows under way when stages say `rate`; remove it"));
    }
    (if is_open { Model::Rate { users_max } } else { Model::Users }, stages)
}

/// `None` after a mistake.
fn stage(section: &Section<'_>, unit: &str) -> Option<Stage> {
    let (users, rate) = (section.has("users"), section.has("rate"));
    if users && rate {
        section.reading.note(
            Mistake::new(section.place("rate"), "a stage of `users` and `rate`", "the other one")
                .see(section.place("users"), "one of them")
                .help("`users` wait for their answers, a `rate` does not: say one of them in all stages"),
        );
    } else if !users && !rate {
        let title = format!("`[[stages]]` needs `{unit}`");
        let mistake = Mistake::new(section.at.clone(), title, "no level");
        section.reading.note_absence(mistake.help("`users = 150`, or in all stages `rate = \"500/s\"`"));
    }
    let level = if unit == "rate" { section.rate("rate") } else { section.count_if("users").map(f64::from) };
    let (ramp, hold) = (section.duration_if("ramp"), section.duration_if("hold"));
    let stage = Stage { level: level?, ramp: ramp?, hold: hold? };
    if stage.ramp.is_zero() && stage.hold.is_zero() {
        let mistake = Mistake::new(section.at.clone(), "a stage takes no time", "neither `ramp` nor `hold`");
        section.reading.note_absence(mistake.help("for example `ramp = \"30s\"` and `hold = \"60s\"`"));
    }
    Some(stage)
}
