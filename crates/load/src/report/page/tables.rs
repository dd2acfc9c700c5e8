//! The tables of the page.

use mare_slo::knee::Knee;
use maud::{Markup, html};

use super::{class, mark};
use crate::report::format::{self, bytes, clock, count, level, milliseconds, percent};
use crate::report::merged::Latency;
use crate::report::summary::{ObjectiveRow, StageRow, StepRow, Summary};

/// What a failure's text may take; the whole is in `run.json`.
const KIND_MAX: usize = 160;

/// Reads one percentile.
type Read = fn(&Latency) -> f64;

pub(super) fn objectives(summary: &Summary) -> Markup {
    html! {
        @if !summary.objectives.is_empty() {
            section {
                h2 { "Objectives" }
                table.cards {
                    caption { "Measured over the whole run, ramps included." }
                    thead { tr {
                        th scope="col" { "Objective" } th scope="col" { "Limit" } th scope="col" { "Measured" }
                        th scope="col" { "95 % interval" } th scope="col" { "Margin" } th scope="col" { "Verdict" }
                    } }
                    tbody { @for row in &summary.objectives { (objective(row)) } }
                }
            }
        }
    }
}

fn objective(row: &ObjectiveRow) -> Markup {
    let name = html! { th scope="row" { (row.name) small { (row.on) } } };
    let Some(measured) = &row.measured else {
        return html! { tr { (name) td colspan="5" { (row.unmeasured_text()) } } };
    };
    html! {
        tr {
            (name)
            td data-label="Limit" { (measured.limit_text) }
            td data-label="Measured" { strong { (measured.measured_text()) } }
            td data-label="95 % interval" { (measured.interval_text()) }
            td data-label="Margin" { (measured.margin_text()) (bar(measured.margin_ratio)) }
            td data-label="Verdict" {
                span class={ "badge " (class(measured.verdict)) } {
                    span aria-hidden="true" { (mark(measured.verdict)) " " } (measured.verdict)
                }
            }
        }
    }
}

/// How much of the limit was used.
fn bar(margin_ratio: Option<f64>) -> Markup {
    let Some(margin) = margin_ratio else { return html! {} };
    let used = ((1.0 - margin) * 100.0).clamp(1.0, 100.0);
    html! { span.bar.over[margin < 0.0] aria-hidden="true" { i style={ "width:" (format::trimmed(used, 0)) "%" } {} } }
}

pub(super) fn knee(knee: &Knee, unit: &str) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Levels tried" {
            table {
                caption { "Every hold, in the order they ran." }
                thead { tr {
                    th.n scope="col" { (unit) } th.n scope="col" { "windows" } th.n scope="col" { "violated" }
                    th scope="col" { "verdict" }
                } }
                tbody {
                    @for held in &knee.levels {
                        tr {
                            th.n scope="row" { (level(held.level)) }
                            td.n { (held.windows) } td.n { (held.violated) }
                            td { span class={ "badge " (class(held.verdict)) } {
                                span aria-hidden="true" { (mark(held.verdict)) " " } (held.verdict)
                            } }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn steps(summary: &Summary) -> Markup {
    html! {
        @if !summary.steps.is_empty() {
            section {
                h2 { "Steps" }
                div.wide tabindex="0" role="region" aria-label="Steps" {
                    table {
                        caption { "Response times of the whole run." }
                        thead { tr {
                            th scope="col" { "Step" }
                            @for head in ["requests", "req/s", "failed", "P50", "P90", "P95", "P99", "P99.9", "max",
                                "received"] {
                                th.n scope="col" { (head) }
                            }
                        } }
                        tbody { @for row in &summary.steps { (step(row)) } }
                    }
                }
            }
        }
    }
}

fn step(row: &StepRow) -> Markup {
    const PERCENTILES: [Read; 6] =
        [|l| l.p50_ms, |l| l.p90_ms, |l| l.p95_ms, |l| l.p99_ms, |l| l.p999_ms, |l| l.max_ms];
    let measures = &row.measures;
    html! {
        tr {
            th scope="row" { (row.name) small { (row.flow) @if row.request != row.name { " · " (row.request) } } }
            td.n { (count(measures.requests)) }
            td.n { (level(measures.requests_per_s)) }
            td.n { (percent(measures.error_ratio())) }
            @for read in PERCENTILES { td.n { (latency(measures.response, read)) } }
            td.n { (bytes(measures.bytes_in)) }
        }
    }
}

fn latency(latency: Option<Latency>, read: Read) -> String {
    latency.map_or_else(|| "–".to_owned(), |latency| milliseconds(read(&latency)))
}

pub(super) fn failures(summary: &Summary) -> Markup {
    html! {
        section {
            h2 { "Failures" }
            @if summary.failures.is_empty() { p { "None." } }
            @else {
                div.wide tabindex="0" role="region" aria-label="Failures" {
                    table {
                        caption { "By step and kind, the most frequent first." }
                        thead { tr {
                            th scope="col" { "Step" } th scope="col" { "Kind" } th.n scope="col" { "requests" }
                            th.n scope="col" { "first" } th.n scope="col" { "last" }
                        } }
                        tbody { @for failure in &summary.failures {
                            tr {
                                th scope="row" { (failure.step) }
                                td { (format::line(&failure.kind, KIND_MAX)) }
                                td.n { (count(failure.count)) }
                                td.n { (clock(failure.first_s.into())) }
                                td.n { (clock(failure.last_s.into())) }
                            }
                        } }
                    }
                }
            }
        }
    }
}

pub(super) fn generator(summary: &Summary) -> Markup {
    let generator = &summary.generator;
    let facts = [
        ("Sent late, P99", latency(generator.lag, |l| l.p99_ms)),
        ("Sent late, at most", latency(generator.lag, |l| l.max_ms)),
        ("Busiest thread, at most", percent(generator.thread_max)),
        ("Busiest thread, mean", percent(generator.thread_mean)),
        ("Machine busy, mean", percent(generator.machine_mean)),
        ("Taken by the host, at most", percent(generator.steal_max)),
        ("Memory", bytes(generator.memory_bytes_max)),
    ];
    html! {
        section {
            h2 { "Generator health" }
            p.note {
                "A generator that sends late or has no CPU left measures itself. Then the verdict is INVALID."
            }
            dl.facts { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
            @if !summary.stages.is_empty() {
                div.wide tabindex="0" role="region" aria-label="Stages" {
                    table {
                        caption { "By stage (its hold, if it has one)." }
                        thead { tr {
                            th.n scope="col" { (summary.level_unit()) }
                            @for head in ["from", "until", "requests", "P95", "sent late, P99"] {
                                th.n scope="col" { (head) }
                            }
                            th scope="col" { "generator" }
                        } }
                        tbody { @for row in &summary.stages { (stage(row)) } }
                    }
                }
            }
        }
    }
}

fn stage(row: &StageRow) -> Markup {
    html! {
        tr {
            th.n scope="row" { (level(row.level)) }
            td.n { (clock(row.from_s.into())) }
            td.n { (clock(row.until_s.into())) }
            td.n { (count(row.requests)) }
            td.n { (latency(row.response, |l| l.p95_ms)) }
            td.n { (latency(row.lag, |l| l.p99_ms)) }
            td {
                @if row.unhealthy.is_empty() { "healthy" }
                @else { span.badge.invalid { span aria-hidden="true" { "! " } "INVALID" } " " (row.unhealthy.join("; ")) }
            }
        }
    }
}
