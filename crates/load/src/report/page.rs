//! The page. `maud` escapes whatever is put between its tags; the only texts taken as they are (`PreEscaped`) are
//! our style sheet, kuva's SVG, which escapes by itself, and JSON made safe by [`data`].

mod data;
mod environment;
mod tables;

use mare_slo::Verdict;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart::{Chart, Stroke};
use super::figures;
use super::format::{bytes, clock, count, level, milliseconds, percent};
use super::summary::Summary;
use crate::run::{Ended, Judged, Run};

const STYLE: &str = include_str!("page/style.css");

/// Nothing is loaded and nothing runs, whatever slipped in.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

pub(super) fn render(run: &Run, summary: &Summary) -> String {
    let title = format!("{}: {}", summary.verdict, summary.scenario);
    let mut number = 0;
    let mut figures = |charts: &[Chart]| figures_of(charts, &mut number);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (verdict(summary))
                main {
                    (knee(summary))
                    (tables::objectives(summary))
                    (section("By load", None, &figures(&figures::by_level(run, summary))))
                    (section("Over time", Some(over_time_note(run)), &figures(&figures::over_time(run, summary))))
                    (section("Response time and service time", Some(judged(summary.judged)),
                        &figures(figures::gap(run).as_slice())))
                    (tables::steps(summary))
                    (tables::failures(summary))
                    (tables::generator(summary))
                    (environment::render(run, summary))
                }
                footer { "Made by mare " (summary.conditions.version) ". This file loads nothing from elsewhere." }
                script type="application/json" id="mare-report" { (PreEscaped(data::json(run, summary))) }
            }
        }
    }
    .into_string()
}

fn verdict(summary: &Summary) -> Markup {
    html! {
        header class=(class(summary.verdict)) {
            p.over { "Load test · " (clock_date(summary)) }
            h1 { (summary.scenario) }
            p.verdict { span.mark aria-hidden="true" { (mark(summary.verdict)) } (summary.verdict) }
            p.meaning { (meaning(summary)) }
            @if !summary.why.is_empty() {
                ul.why { @for why in &summary.why { li { (why) } } }
            }
            (facts(summary))
        }
    }
}

fn facts(summary: &Summary) -> Markup {
    let total = &summary.total;
    let latency = total.response.map_or_else(|| "–".to_owned(), |latency| milliseconds(latency.p95_ms));
    let unit = if summary.open { "Flows/s at most" } else { "Users at most" };
    let facts = [
        (unit, level(summary.level_max)),
        ("Requests", count(total.requests)),
        ("Requests/s", level(total.requests_per_s)),
        ("P95 of all", latency),
        ("Failed", percent(total.error_ratio())),
        ("Duration", clock(summary.duration_s.into())),
        ("Received", bytes(total.bytes_in)),
    ];
    html! { dl.facts { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } } }
}

fn knee(summary: &Summary) -> Markup {
    let Some(text) = summary.knee_text() else { return html! {} };
    let knee = summary.knee.as_ref();
    html! {
        section.knee {
            h2 { "Where the objectives break" }
            p.lead { (text) }
            @if let Some(knee) = knee { (tables::knee(knee, summary.level_unit())) }
        }
    }
}

fn section(title: &str, note: Option<String>, figures: &Markup) -> Markup {
    html! {
        @if !figures.0.is_empty() {
            section { h2 { (title) } @if let Some(note) = note { p.note { (note) } } (figures) }
        }
    }
}

fn figures_of(charts: &[Chart], number: &mut usize) -> Markup {
    html! {
        @for chart in charts {
            @let number = { *number += 1; *number };
            figure {
                figcaption id={ "figure-" (number) } {
                    strong { (chart.title) }
                    @if chart.lines.len() > 1 || !chart.note.is_empty() { " " }
                    @if chart.lines.len() > 1 || chart.names_matter { span.keys { (keys(chart)) } }
                    @if !chart.note.is_empty() { span.note { (chart.note) } }
                }
                (PreEscaped(chart.svg(number)))
            }
        }
    }
}

fn keys(chart: &Chart) -> Markup {
    let drawn = chart.lines.iter().filter(|line| line.points.iter().any(|(_, y)| y.is_some()));
    html! {
        @for line in drawn {
            span.key {
                i.dashed[line.stroke == Stroke::Dashed] style={ "border-color:" (line.colour) } {}
                (line.name)
            }
        }
    }
}

fn over_time_note(run: &Run) -> String {
    let seconds = figures::seconds_per_point(run);
    let services = super::series::services(run).len();
    let mut notes = vec!["All on the same time axis, in minutes and seconds since the start.".to_owned()];
    if seconds > 1 {
        notes.push(format!(
            "A point stands for {seconds} s: their requests together, and of gauges the highest value."
        ));
    }
    if services > figures::SERVICES_MAX {
        let shown = figures::SERVICES_MAX;
        notes.push(format!("Of {services} services, the {shown} with the most CPU time are drawn."));
    }
    notes.join(" ")
}

fn judged(judged: Judged) -> String {
    let from = match judged {
        Judged::ScheduledStart => "from its place in the schedule",
        Judged::IntendedStart => {
            "from the moment the user would have sent it (the answer before, plus think time)"
        }
    };
    format!(
        "Objectives are judged on response time: {from} until the last byte. Service time starts when the request was \
         really sent. Where they part, a generator that measures only service time would have hidden the wait \
         (coordinated omission)."
    )
}

fn clock_date(summary: &Summary) -> String {
    summary.started.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Fail => "fail",
        Verdict::Invalid => "invalid",
    }
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Inconclusive => "?",
        Verdict::Fail => "✗",
        Verdict::Invalid => "!",
    }
}

fn meaning(summary: &Summary) -> &'static str {
    match summary.verdict {
        Verdict::Fail if matches!(summary.ended, Ended::GaveUp(_)) => "The run was given up.",
        Verdict::Pass => "Every objective was kept.",
        Verdict::Inconclusive => "The measurement is too uncertain to tell.",
        Verdict::Fail => "At least one objective was broken.",
        Verdict::Invalid => "The load generator was not healthy, so these numbers prove nothing.",
    }
}
