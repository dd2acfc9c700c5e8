//! The report of the terminal.

use mare_slo::Verdict;

use super::format::{bytes, clock, count, level, line, milliseconds, percent};
use super::merged::Latency;
use super::summary::{ObjectiveRow, StepRow, Summary};

/// Whether the text may carry colour codes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    Plain,
    Coloured,
}

#[derive(Clone, Copy)]
enum Align {
    Left,
    /// All but the first column to the right.
    Numbers,
}

/// The longest name a table shows whole.
const NAME_MAX: usize = 28;

/// Reasons and failures shown; the page has them all.
const LINES_MAX: usize = 10;

pub(super) fn render(summary: &Summary, style: Style) -> String {
    let why = summary.why.iter().take(LINES_MAX).map(|why| format!("  - {}\n", line(why, 400)));
    let parts = [
        format!("{}  {}\n", verdict(summary.verdict, style), line(&summary.scenario, 60)),
        facts(summary),
        why.collect(),
        knee(summary),
        section("Objectives", &objectives(summary, style), Align::Left),
        section("Steps (response time)", &steps(summary), Align::Numbers),
        section("Failures", &failures(summary), Align::Left),
        section("Generator", &generator(summary), Align::Left),
    ];
    parts.concat()
}

fn facts(summary: &Summary) -> String {
    format!(
        "{} requests in {}, up to {} {}, {} failed, {}\n",
        count(summary.total.requests),
        clock(summary.duration_s.into()),
        level(summary.level_max),
        summary.level_unit(),
        percent(summary.total.error_ratio()),
        line(&summary.target, 60),
    )
}

fn knee(summary: &Summary) -> String {
    let Some(knee) = summary.knee_text() else { return String::new() };
    format!("\n{knee}\n")
}

fn objectives(summary: &Summary, style: Style) -> Vec<Vec<String>> {
    let heads = ["", "limit", "measured", "95 % interval", "margin", "verdict"];
    let rows = summary.objectives.iter().map(|row| objective(row, style));
    with_heads(&heads, rows)
}

fn objective(row: &ObjectiveRow, style: Style) -> Vec<String> {
    let name = line(&row.name, NAME_MAX);
    let Some(measured) = &row.measured else {
        return vec![name, row.unmeasured_text().to_owned()];
    };
    vec![
        name,
        measured.limit_text.clone(),
        measured.measured_text(),
        measured.interval_text(),
        measured.margin_text(),
        verdict(measured.verdict, style),
    ]
}

fn steps(summary: &Summary) -> Vec<Vec<String>> {
    let heads = ["", "requests", "req/s", "failed", "P50", "P95", "P99", "max"];
    with_heads(&heads, summary.steps.iter().map(step))
}

fn step(row: &StepRow) -> Vec<String> {
    let measures = &row.measures;
    let latency = |read: fn(&Latency) -> f64| {
        measures.response.map_or_else(|| "–".to_owned(), |latency| milliseconds(read(&latency)))
    };
    vec![
        line(&row.name, NAME_MAX),
        count(measures.requests),
        level(measures.requests_per_s),
        percent(measures.error_ratio()),
        latency(|l| l.p50_ms),
        latency(|l| l.p95_ms),
        latency(|l| l.p99_ms),
        latency(|l| l.max_ms),
    ]
}

fn failures(summary: &Summary) -> Vec<Vec<String>> {
    let row = |failure: &super::summary::Failure| {
        vec![line(&failure.step, NAME_MAX), count(failure.count), line(&failure.kind, 40)]
    };
    summary.failures.iter().take(LINES_MAX).map(row).collect()
}

fn generator(summary: &Summary) -> Vec<Vec<String>> {
    let generator = &summary.generator;
    let lag = generator.lag.map_or_else(|| "–".to_owned(), |lag| milliseconds(lag.p99_ms));
    let fact = |what: &str, value: String| vec![what.to_owned(), value];
    vec![
        fact("sent late, P99", lag),
        fact("busiest thread", format!("{} of a core at most", percent(generator.thread_max))),
        fact("taken by the host", format!("{} at most", percent(generator.steal_max))),
        fact("memory", bytes(generator.memory_bytes_max)),
    ]
}

fn with_heads(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let heads = heads.iter().map(|&head| head.to_owned()).collect();
    std::iter::once(heads).chain(rows).collect()
}

/// Columns as wide as their widest cell. Nothing if there is no row besides the head.
fn section(title: &str, rows: &[Vec<String>], align: Align) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    if columns == 0 || (rows.len() == 1 && rows[0].first().is_some_and(String::is_empty)) {
        return String::new();
    }
    let width = |column: usize| {
        // A row that stops early speaks past the columns: it does not widen them.
        let full = rows.iter().filter(|row| row.len() == columns);
        full.map(|row| visible(&row[column])).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            let padding = " ".repeat(width.saturating_sub(visible(cell)));
            match align {
                Align::Numbers if column > 0 => format!("{padding}{cell}"),
                Align::Left | Align::Numbers => format!("{cell}{padding}"),
            }
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    });
    format!("\n{title}\n{}", lines.collect::<String>())
}

/// How many columns of the terminal it takes: colour codes take none.
fn visible(cell: &str) -> usize {
    let mut width = 0;
    let mut in_code = false;
    for c in cell.chars() {
        match c {
            '\u{1b}' => in_code = true,
            'm' if in_code => in_code = false,
            _ if in_code => {}
            _ => width += 1,
        }
    }
    width
}

fn verdict(verdict: Verdict, style: Style) -> String {
    let colour = match verdict {
        Verdict::Pass => 32,
        Verdict::Inconclusive => 33,
        Verdict::Fail => 31,
        Verdict::Invalid => 35,
    };
    match style {
        Style::Plain => verdict.to_string(),
        Style::Coloured => format!("\u{1b}[1;{colour}m{verdict}\u{1b}[0m"),
    }
}
