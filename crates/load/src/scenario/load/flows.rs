//! `[[setup]]` and `[[flows]]`

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mare_manifest::Mistake;
use mare_manifest::reading::Written;
use mare_manifest::reading::section::Section;
use mare_manifest::units;
use toml::de::DeValue;

use super::super::{Feed, Flow, Model, Pause, Span, Step};
use super::texts::Names;
use super::{check_length, name, steps};

/// A longer rest is a user who has gone.
const SPAN_MAX: Duration = Duration::from_hours(1);

pub(super) fn flows(
    root: &Section<'_>,
    model: Model,
    feeds: &BTreeMap<String, Feed>,
) -> (Vec<Step>, Vec<Flow>) {
    let setup = root.list("setup");
    check_length(root, "setup", setup.len());
    let sections = root.list("flows");
    check_length(root, "flows", sections.len());
    if sections.is_empty() {
        let mistake =
            Mistake::new(root.at.clone(), "there is nothing to do: no `[[flows]]`", "not in this file");
        root.reading.note_absence(mistake.help("add a `[[flows]]` with `steps = [{ request = \"GET /\" }]`"));
    }
    let sections: Vec<_> = sections.into_iter().map(|flow| (flow.list("steps"), flow)).collect();
    let all = sections.iter().flat_map(|(steps, _)| steps).chain(&setup);
    let anywhere: BTreeSet<String> = all.flat_map(extracted).collect();
    let mut names = Names::of_steps(root.reading, feeds, &anywhere);
    let setup = setup.iter().map(|section| steps::step(section, &mut names)).collect();
    let of_setup = names.known().clone();
    let mut flows: Vec<Flow> = Vec::new();
    for (steps, section) in &sections {
        names.set_known(of_setup.clone());
        let flow = flow(section, steps, model, &mut names);
        if flows.iter().any(|other| other.name == flow.name) {
            let title = format!("two flows are called `{}`", flow.name);
            let mistake = Mistake::new(section.place("name"), title, "the second one");
            section.reading.note(mistake.help("reports could not tell them apart: give one another `name`"));
        }
        flows.push(flow);
    }
    (setup, flows)
}

fn extracted(step: &Section<'_>) -> Vec<String> {
    match step.value("extract").map(toml::Spanned::get_ref) {
        Some(DeValue::Table(table)) => table.keys().map(|name| name.get_ref().to_string()).collect(),
        _ => Vec::new(),
    }
}

fn flow(section: &Section<'_>, steps: &[Section<'_>], model: Model, names: &mut Names<'_>) -> Flow {
    check_length(section, "steps", steps.len());
    // Notes its absence.
    if section.value("steps").is_some() && steps.is_empty() {
        let mistake = Mistake::new(section.place("steps"), "a flow without a step", "no request in it");
        section.reading.note_absence(mistake.help("for example `steps = [{ request = \"GET /\" }]`"));
    }
    let pause = pause(section, model);
    let weight = section.number("weight").unwrap_or(1.0);
    let steps: Vec<Step> = steps.iter().map(|section| steps::step(section, names)).collect();
    let of_step = || steps.first().map_or(String::new(), |step| step.name.clone());
    Flow { name: name(section).unwrap_or_else(of_step), weight, pause, steps }
}

fn pause(section: &Section<'_>, model: Model) -> Pause {
    let think = section.text("think").and_then(|text| span(section, "think", &text));
    let pacing = section.text("pacing").and_then(|text| span(section, "pacing", &text));
    if section.has("think") && section.has("pacing") {
        section.reading.note(
            Mistake::new(section.place("pacing"), "a flow has `think` and `pacing`", "one of them")
                .see(section.place("think"), "the other one")
                .help("`think` rests after each answer; `pacing` is from one start to the next"),
        );
    } else if section.has("pacing") && model != Model::Users {
        let mistake = Mistake::new(
            section.place("pacing"),
            "`pacing` beside a rate",
            "the stages' rate starts the flows",
        );
        section.reading.note(mistake.help("remove it, or let the stages count `users`"));
    }
    match pacing {
        Some(pacing) => Pause::Pacing(pacing),
        None => Pause::Think(think.unwrap_or(Span::Fixed(Duration::ZERO))),
    }
}

fn span(section: &Section<'_>, key: &str, text: &Written) -> Option<Span> {
    let read = read_span(text.value()).and_then(|span| {
        let (from, to) = match span {
            Span::Fixed(time) | Span::Exponential(time) => (time, time),
            Span::Uniform(from, to) => (from, to),
        };
        // Pacing by nothing would be no pacing at all.
        let shortest = if key == "pacing" { Duration::from_millis(1) } else { Duration::ZERO };
        if from > to {
            Err("its first time is longer than the second")
        } else if from < shortest || to > SPAN_MAX {
            Err("out of bounds: at most 1h, and `pacing` at least 1ms")
        } else {
            Ok(span)
        }
    });
    read.map_err(|wrong| {
        section.reading.note(
            Mistake::new(
                text.at.clone(),
                format!("`{key}` must be a time or a distribution of times"),
                wrong,
            )
            .help(format!(
                "for example `{key} = \"1s\"`, `\"uniform(500ms, 2s)\"` or `\"exp(1s)\"` (the mean)"
            )),
        );
    })
    .ok()
}

fn read_span(text: &str) -> Result<Span, &'static str> {
    let arguments = |name: &str| text.strip_prefix(name)?.trim().strip_prefix('(')?.strip_suffix(')');
    if let Some(inside) = arguments("uniform") {
        let (from, to) = inside.split_once(',').ok_or("`uniform` takes two times")?;
        return Ok(Span::Uniform(units::duration(from.trim())?, units::duration(to.trim())?));
    }
    if let Some(mean) = arguments("exp") {
        return units::duration(mean.trim()).map(Span::Exponential);
    }
    units::duration(text).map(Span::Fixed)
}
