//! The tables of docs/evidence/categorisation.md.

use std::fmt::Write as _;

use super::splits::Curve;
use super::systems::ALL;
use super::{Report, Row};

pub(super) fn markdown(report: &Report) -> String {
    let mut out = String::new();
    let hand = &report.handwritten;
    section(
        &mut out,
        "Hand-written set, merchants the lexicon does not have (the headline)",
        &hand.unknown_merchants,
    );
    section(&mut out, "Hand-written set, no word of it in the lexicon either", &hand.no_word_known);
    section(&mut out, "Hand-written set, whole", &hand.all);
    sources(&mut out, &hand.all);
    section(
        &mut out,
        "Brands of name-suggestion-index that our own lexicon lacks, without the index",
        &report.foreign,
    );
    section(&mut out, "Development set (confidences were set on it)", &hand.development);
    for (split, rows) in &report.synthetic.splits {
        section(&mut out, &format!("Synthetic set, {}", split.name()), rows);
        sources(&mut out, rows);
    }
    curves(&mut out, &report.synthetic.cold_start);
    let _ = writeln!(out, "### Synthetic set, by time: accuracy by how often the merchant was seen before\n");
    let _ = writeln!(out, "| Seen | Movements | Accuracy |\n|---|---:|---:|");
    for (seen, samples, accuracy) in &report.synthetic.by_frequency {
        let _ = writeln!(out, "| {seen} | {samples} | {} |", percent(*accuracy));
    }
    let _ = writeln!(out, "\n### Hand-written set: applied and wrong\n");
    for (description, category) in &hand.applied_wrongly {
        let _ = writeln!(out, "- `{description}` -> {category}");
    }
    out
}

fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

fn section(out: &mut String, title: &str, rows: &[Row]) {
    let samples = rows.first().map_or((0, 0), |row| (row.score.samples, row.score.merchants));
    let _ = writeln!(out, "### {title}: {} movements, {} merchants\n", samples.0, samples.1);
    let _ = writeln!(
        out,
        "| System | Accuracy (95 % interval) | Macro-F1 | Applied | of these right | Coverage at 95 % | ECE | Corrections per 100 |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    );
    for Row { system, score } in rows {
        let bold = if *system == ALL { "**" } else { "" };
        let accuracy = score.accuracy;
        let _ = writeln!(
            out,
            "| {bold}{system}{bold} | {} ({}–{}) | {} | {} | {} | {} | {:.3} | {:.1} |",
            percent(accuracy.value),
            percent(accuracy.low),
            percent(accuracy.high),
            percent(score.macro_f1),
            percent(score.applied),
            percent(score.applied_precision),
            percent(score.coverage_at_95),
            score.ece,
            score.corrections_per_100,
        );
    }
    let _ = writeln!(out);
}

/// What each source of the whole engine did.
fn sources(out: &mut String, rows: &[Row]) {
    let Some(row) = rows.iter().find(|row| row.system == ALL) else { return };
    let _ = writeln!(
        out,
        "Per source of valoriza:\n\n| Source | First answers | right | Applied | right |\n|---|---:|---:|---:|---:|"
    );
    for (source, it) in &row.score.sources {
        let right = percent(super::metrics::share(it.right, it.answers));
        let applied_right = percent(super::metrics::share(it.applied_right, it.applied));
        let _ =
            writeln!(out, "| {source} | {} | {right} % | {} | {applied_right} % |", it.answers, it.applied);
    }
    let _ = writeln!(out);
}

fn curves(out: &mut String, curves: &[Curve]) {
    let Some(first) = curves.first() else { return };
    let _ = writeln!(out, "### Synthetic set: cold start, predict then reveal\n");
    let _ = write!(
        out,
        "Accuracy of the movements that follow n known ones, and in brackets the part applied and how much of it was right.\n\n| n"
    );
    for point in &first.points {
        let _ = write!(out, " | {}", point.known);
    }
    let _ = writeln!(out, " |\n|---{}|", "|---:".repeat(first.points.len()));
    for curve in curves {
        let _ = write!(out, "| {}", curve.system);
        for point in &curve.points {
            let [accuracy, applied, right] =
                [point.accuracy, point.applied, point.applied_precision].map(percent);
            let _ = write!(out, " | {accuracy} ({applied}, {right})");
        }
        let _ = writeln!(out, " |");
    }
    let _ = writeln!(out);
}
