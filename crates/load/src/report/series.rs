//! The run over time and by level, thinned to what a picture can show.

use mare_slo::{Sparse, Tally};

use super::merged::{Latency, Merged};
use crate::run::{Run, Second, ServiceSample, StageRun};

/// Some consecutive seconds as one.
pub(super) struct Slice {
    pub(super) from: u32,
    pub(super) seconds: u32,
    /// At the end.
    pub(super) users: u32,
    pub(super) tally: Tally,
    pub(super) response: Option<Latency>,
    pub(super) service: Option<Latency>,
    pub(super) lag: Option<Latency>,
}

/// What was seen at one level.
pub(super) struct AtLevel {
    pub(super) level: f64,
    pub(super) seconds: u32,
    pub(super) tally: Tally,
    pub(super) response: Option<Latency>,
    /// Every stage it is made of had a healthy generator.
    pub(super) healthy: bool,
}

/// Of a run without several holds: as many levels as this are told apart on its ramps.
const LEVELS_MAX: usize = 20;

/// How many seconds were seen. An interrupted run has fewer than planned.
pub(super) fn length(run: &Run) -> u32 {
    run.seconds.last().map_or(0, |second| second.at + 1)
}

/// Seconds per slice if there may be `max` of them.
pub(super) fn width(run: &Run, max: u32) -> u32 {
    length(run).div_ceil(max).max(1)
}

/// At most `max` slices of equal length, the last one shorter if it must.
pub(super) fn slices(run: &Run, max: u32) -> Vec<Slice> {
    let width = width(run, max);
    let same_slice = |a: &Second, b: &Second| a.at / width == b.at / width;
    run.seconds.chunk_by(same_slice).filter_map(|seconds| slice(seconds, width, length(run))).collect()
}

fn slice(seconds: &[Second], width: u32, end: u32) -> Option<Slice> {
    let last = seconds.last()?;
    let from = last.at / width * width;
    Some(Slice {
        from,
        seconds: width.min(end - from),
        users: last.users,
        tally: tally(seconds),
        response: responses(seconds),
        service: Merged::of(steps(seconds).map(|step| &step.service)).latency(),
        lag: lags(seconds),
    })
}

fn steps(seconds: &[Second]) -> impl Iterator<Item = &crate::run::StepSecond> {
    seconds.iter().flat_map(|second| &second.steps)
}

pub(super) fn tally(seconds: &[Second]) -> Tally {
    let mut sum = Tally::default();
    steps(seconds).for_each(|step| sum.add(step.tally));
    sum
}

pub(super) fn responses(seconds: &[Second]) -> Option<Latency> {
    Merged::of(steps(seconds).map(|step| &step.response)).latency()
}

pub(super) fn lags(seconds: &[Second]) -> Option<Latency> {
    Merged::of(seconds.iter().map(|second| &second.lag)).latency()
}

/// The seconds from `from` until before `until`.
pub(super) fn between(run: &Run, from: u32, until: u32) -> &[Second] {
    let place = |at| run.seconds.partition_point(|second| second.at < at);
    &run.seconds[place(from)..place(until.max(from))]
}

/// The seconds that stand for a stage: its hold, or its ramp if it has no hold.
pub(super) fn of_stage<'a>(run: &'a Run, stage: &StageRun) -> &'a [Second] {
    let from = if stage.holds_from < stage.until { stage.holds_from } else { stage.from };
    between(run, from, stage.until)
}

/// By rising level: the holds, or, if there are less than three, equal parts of the ramps.
pub(super) fn levels(run: &Run, healthy: impl Fn(usize) -> bool) -> Vec<AtLevel> {
    let holds = run.stages.iter().filter(|stage| stage.holds_from < stage.until).count();
    let top = run.stages.iter().map(|stage| stage.level).fold(0.0, f64::max);
    let part = (top / LEVELS_MAX as f64).max(f64::MIN_POSITIVE);
    let mut seconds: Vec<(f64, usize, &Second)> = run
        .seconds
        .iter()
        .filter_map(|second| {
            let (stage, level, held) = planned(run, second.at)?;
            let part_middle = ((level / part).ceil() - 0.5).max(0.5) * part;
            let level = if held { level } else { part_middle };
            (held || holds < 3).then_some((level, stage, second))
        })
        .collect();
    seconds.sort_by(|a, b| a.0.total_cmp(&b.0));
    seconds
        .chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq())
        .map(|same| {
            let steps = || same.iter().flat_map(|(_, _, second)| &second.steps);
            let mut tally = Tally::default();
            steps().for_each(|step| tally.add(step.tally));
            AtLevel {
                level: same[0].0,
                seconds: u32::try_from(same.len()).unwrap_or(u32::MAX),
                tally,
                response: Merged::of(steps().map(|step| &step.response)).latency(),
                healthy: same.iter().all(|(_, stage, _)| healthy(*stage)),
            }
        })
        .filter(|at| at.tally.total > 0)
        .collect()
}

/// The stage, the level planned at this second, and whether it is held there.
pub(super) fn planned(run: &Run, at: u32) -> Option<(usize, f64, bool)> {
    let index = run.stages.iter().position(|stage| (stage.from..stage.until).contains(&at))?;
    let stage = &run.stages[index];
    if at >= stage.holds_from {
        return Some((index, stage.level, true));
    }
    let before = if index == 0 { 0.0 } else { run.stages[index - 1].level };
    let way = (f64::from(at - stage.from) + 0.5) / f64::from(stage.holds_from - stage.from);
    Some((index, before + (stage.level - before) * way, false))
}

/// One gauge of one service over time: the highest of each slice, so that no peak is lost.
pub(super) fn peaks(
    run: &Run,
    service: &str,
    slices: &[Slice],
    gauge: fn(&ServiceSample) -> f64,
) -> Vec<(f64, Option<f64>)> {
    let samples =
        run.platform.iter().filter_map(|sample| Some((sample.at, gauge(sample.services.get(service)?))));
    highest(samples, slices)
}

/// The highest value of each slice.
pub(super) fn highest(
    samples: impl Iterator<Item = (f64, f64)>,
    slices: &[Slice],
) -> Vec<(f64, Option<f64>)> {
    let mut points: Vec<_> = slices.iter().map(|slice| (f64::from(slice.from), None)).collect();
    for (at, value) in samples {
        let place = slices.partition_point(|slice| f64::from(slice.from) <= at);
        if let Some((_, highest)) = place.checked_sub(1).and_then(|place| points.get_mut(place)) {
            *highest = Some(highest.map_or(value, |highest: f64| highest.max(value)));
        }
    }
    points
}

/// The latencies of one step in some seconds.
pub(super) fn step_latency(
    seconds: &[Second],
    step: usize,
    which: fn(&crate::run::StepSecond) -> &Sparse,
) -> Option<Latency> {
    Merged::of(seconds.iter().filter_map(|second| second.steps.get(step)).map(which)).latency()
}
