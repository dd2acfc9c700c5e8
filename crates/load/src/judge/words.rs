//! Findings as sentences.

use mare_slo::knee::Knee;
use mare_slo::{Clause, Judgement, Verdict};

use super::PromiseFinding;
use super::health::Health;
use crate::run::{Ended, Run};

/// The most important first.
pub(super) fn why(
    run: &Run,
    verdict: Verdict,
    promises: &[PromiseFinding],
    health: &[Health],
) -> Vec<String> {
    let mut why = Vec::new();
    match &run.ended {
        Ended::GaveUp(reason) => why.push(format!("the run was given up: {reason}")),
        Ended::Broke(reason) => why.push(format!("the load generator failed: {reason}")),
        Ended::Interrupted => {
            why.push(format!(
                "interrupted after {} s: judged on what was done until then",
                run.seconds.len()
            ));
        }
        Ended::Completed => {}
    }
    why.extend(run.knee.as_ref().map(|knee| about_knee(knee, unit(run))));
    let unhealthy: Vec<String> = unhealthy(run, health);
    let healthy = unhealthy.is_empty();
    why.extend(unhealthy);
    if promises.is_empty() {
        why.push(nothing_judged(run));
    }
    why.extend(judgements(run, verdict, promises));
    let is_given_up = matches!(run.ended, Ended::GaveUp(_));
    if verdict == Verdict::Fail && !is_given_up || run.knee.as_ref().is_some_and(|knee| knee.breaks.is_some())
    {
        let end = run.seconds.last().map_or(0, |second| second.at + 1);
        why.extend(run.exhausted(0, end).map(|what| format!("what ran out first: {what}")));
    }
    if verdict == Verdict::Pass && healthy && !run.generator.is_empty() {
        why.push("the generator was healthy throughout".to_owned());
    }
    why.extend(run.notes.iter().cloned());
    why
}

/// All of a PASS; otherwise those that are not PASS, the worst first.
fn judgements(run: &Run, verdict: Verdict, promises: &[PromiseFinding]) -> Vec<String> {
    let all =
        promises.iter().flat_map(|finding| finding.judgements.iter().map(move |j| (finding.promise, j)));
    let shown = |judgement: &Judgement| verdict == Verdict::Pass || judgement.verdict != Verdict::Pass;
    let mut told: Vec<(usize, &Judgement)> = all.filter(|(_, judgement)| shown(judgement)).collect();
    told.sort_by_key(|(_, judgement)| std::cmp::Reverse(judgement.verdict));
    told.into_iter().map(|(promise, judgement)| about(&run.promises[promise].name, judgement)).collect()
}

/// `read: P95 was 412 ms (95 %: 398 ms to 430 ms), the limit is 300 ms`
fn about(name: &str, judgement: &Judgement) -> String {
    let Judgement { clause, measured, interval, requests, verdict } = judgement;
    let (what, show): (_, fn(f64) -> String) = match clause {
        Clause::Latency { percentile, .. } => (format!("{percentile} was"), duration),
        Clause::Errors { .. } => ("errors were".to_owned(), percent),
        Clause::Availability { .. } => ("availability was".to_owned(), percent),
    };
    let Some(measured) = measured else {
        return format!("{name}: there was no request, so {clause} is not judged");
    };
    let within = interval.map_or_else(
        || format!("too few requests for an interval: {requests}"),
        |(low, high)| format!("95 %: {} to {}", show(low), show(high)),
    );
    let uncertain = match verdict {
        Verdict::Inconclusive => ", which is too uncertain to tell",
        Verdict::Pass | Verdict::Fail | Verdict::Invalid => "",
    };
    let (measured, limit) = (show(*measured), show(clause.limit()));
    format!("{name}: {what} {measured} ({within}), the limit is {limit}{uncertain}")
}

fn unhealthy(run: &Run, health: &[Health]) -> Vec<String> {
    let stages = run.stages.iter().zip(health).enumerate();
    let reasons = stages.flat_map(|(index, (stage, health))| {
        let told = move |reason| format!("stage {} ({} {}): {reason}", index + 1, stage.level, unit(run));
        health.reasons().into_iter().map(told)
    });
    reasons.collect()
}

fn nothing_judged(run: &Run) -> String {
    if run.promises.is_empty() {
        "nothing was promised, so nothing is judged: the scenario has no thresholds and names no objectives"
            .to_owned()
    } else {
        "the scenario exercises nothing that was promised, so nothing is judged".to_owned()
    }
}

fn about_knee(knee: &Knee, unit: &str) -> String {
    let uncertain = match knee.verdict {
        Verdict::Pass | Verdict::Fail => "in every repetition",
        Verdict::Inconclusive if starved(knee) => {
            "but the last hold had too few requests to tell: try a longer --hold"
        }
        Verdict::Inconclusive => "but repetitions disagree, or the search ended early",
        Verdict::Invalid => "but the generator was not healthy above that",
    };
    let interval = knee
        .interval
        .map_or_else(String::new, |(low, high)| format!(" (95 %: {} to {})", level(low), level(high)));
    match (knee.holds, knee.breaks) {
        (Some(holds), Some(breaks)) => format!(
            "the objectives hold up to {} {unit} and break at {}{interval}, {uncertain}",
            level(holds),
            level(breaks)
        ),
        (Some(holds), None) => {
            format!("the objectives hold up to {} {unit}, the highest level held, {uncertain}", level(holds))
        }
        (None, Some(breaks)) => {
            format!(
                "the objectives break at {} {unit} already, the lowest level held, {uncertain}",
                level(breaks)
            )
        }
        (None, None) => format!("no level could be judged, {uncertain}"),
    }
}

fn starved(knee: &Knee) -> bool {
    knee.levels.last().is_some_and(|level| level.verdict == Verdict::Inconclusive)
}

fn unit(run: &Run) -> &'static str {
    if run.open { "flows/s" } else { "users" }
}

fn level(level: f64) -> String {
    if level >= 100.0 { format!("{level:.0}") } else { three_digits(level) }
}

/// `412 ms`, `1.25 s`
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 0.999_5 {
        format!("{} ms", three_digits(seconds * 1000.0))
    } else {
        format!("{} s", three_digits(seconds))
    }
}

/// `0.52 %`, `99.531 %`: three decimals tell 99.999 % from 100 %.
pub(super) fn percent(ratio: f64) -> String {
    format!("{} %", (ratio * 100_000.0).round() / 1000.0)
}

/// Rounded to three significant digits.
fn three_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scale = 10_f64.powf(2.0 - value.abs().log10().floor()).min(1e6);
    format!("{}", (value * scale).round() / scale)
}
