//! Which pictures a report has.

use mare_slo::Clause;

use super::chart::{Band, Chart, Line, Stroke, X, Y};
use super::exhausted;
use super::merged::Latency;
use super::series::{self, AtLevel, Slice};
use super::summary::Summary;
use crate::run::{Limit, Run};

/// Points of a line over time: more than a line this wide can show would only cost bytes.
const POINTS_MAX: u32 = 240;

/// Services drawn; more lines than this cannot be told apart.
pub(super) const SERVICES_MAX: usize = 6;

const COLOURS: [&str; SERVICES_MAX] =
    ["var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)"];

type Points = Vec<(f64, Option<f64>)>;

/// By level: latency, throughput.
pub(super) fn by_level(run: &Run, summary: &Summary) -> Vec<Chart> {
    let levels = series::levels(run, |stage| summary.stages[stage].unhealthy.is_empty());
    let unit = summary.level_unit();
    let x = X::Level(levels.last().map_or(0.0, |at| at.level).max(1.0) * 1.04);
    let latency = |read: fn(&Latency) -> f64| -> Points {
        levels.iter().map(|at| (at.level, at.response.as_ref().map(read))).collect()
    };
    let mut bands = unhealthy(&levels);
    let mut bands_note = String::new();
    if !bands.is_empty() {
        bands_note += " Violet: the generator was not healthy, so these do not count.";
    }
    if let Some((from, until)) = run.knee.as_ref().and_then(|knee| knee.interval) {
        bands.push(Band { from, until, colour: "var(--inconclusive)" });
        bands_note += " Ochre: where the objectives break, 95 %.";
    }
    let rate = |at: &AtLevel| (at.level, Some(at.tally.total as f64 / f64::from(at.seconds)));
    let chart = |title: String, note: String, y, lines, limits| Chart {
        title,
        note: note + &bands_note,
        x,
        y,
        height: 230.0,
        lines,
        names_matter: false,
        limits,
        bands: bands.clone(),
    };
    vec![
        chart(
            format!("Response time by {unit}"),
            "Each point is one level, all its requests together.".to_owned(),
            Y::Milliseconds,
            percentiles(latency, Stroke::Marked),
            latency_limits(run),
        ),
        chart(
            format!("Requests per second by {unit}"),
            "It grows with the load until something runs out.".to_owned(),
            Y::Number,
            vec![line("requests/s", "var(--c1)", Stroke::Marked, levels.iter().map(rate).collect())],
            Vec::new(),
        ),
    ]
    .into_iter()
    .filter(|chart| !chart.is_empty())
    .collect()
}

/// Over time, all on the same axis.
pub(super) fn over_time(run: &Run, summary: &Summary) -> Vec<Chart> {
    let slices = series::slices(run, POINTS_MAX);
    let mut charts = load(run, &slices, summary);
    charts.extend(platform(run, &slices));
    charts.push(generator(run, &slices));
    let late = points(&slices, |slice| slice.lag.map(|lag| lag.p99_ms));
    let late = vec![line("sent late", "var(--c3)", Stroke::Thick, late)];
    charts.push(over_time_chart(run, "Sent late, P99", "", Y::Milliseconds, late));
    let bands: Vec<_> = summary
        .stages
        .iter()
        .filter(|stage| !stage.unhealthy.is_empty())
        .map(|stage| unhealthy_band(f64::from(stage.from_s), f64::from(stage.until_s)))
        .collect();
    charts.retain(|chart| !chart.is_empty());
    for chart in &mut charts {
        chart.bands.clone_from(&bands);
    }
    charts
}

/// How many seconds a point of [`over_time`] stands for.
pub(super) fn seconds_per_point(run: &Run) -> u32 {
    series::width(run, POINTS_MAX)
}

/// Response time beside service time: their gap is what a generator that waits politely would have hidden.
pub(super) fn gap(run: &Run) -> Option<Chart> {
    let slices = series::slices(run, POINTS_MAX);
    let response = points(&slices, |slice| slice.response.map(|l| l.p99_ms));
    let service = points(&slices, |slice| slice.service.map(|l| l.p99_ms));
    let chart = over_time_chart(
        run,
        "P99 response time and service time",
        "From when the request should have been sent, and from when it was.",
        Y::Milliseconds,
        vec![
            line("response time", "var(--c2)", Stroke::Thick, response),
            line("service time", "var(--c1)", Stroke::Dashed, service),
        ],
    );
    (!chart.is_empty()).then_some(chart)
}

fn load(run: &Run, slices: &[Slice], summary: &Summary) -> Vec<Chart> {
    let per_second = |count: u64, slice: &Slice| count as f64 / f64::from(slice.seconds);
    let users = points(slices, |slice| Some(f64::from(slice.users)));
    let requests = points(slices, |slice| Some(per_second(slice.tally.total, slice)));
    let errors = points(slices, |slice| Some(slice.tally.errors as f64 / slice.tally.total.max(1) as f64));
    let has_errors = summary.total.errors > 0;
    let latency = |read: fn(&Latency) -> f64| points(slices, |slice| slice.response.as_ref().map(read));
    let mut response =
        over_time_chart(run, "Response time", "", Y::Milliseconds, percentiles(latency, Stroke::Thick));
    response.limits = latency_limits(run);
    let mut failed = over_time_chart(
        run,
        "Failed requests",
        "",
        Y::Percent,
        vec![line("failed", "var(--fail)", Stroke::Thick, if has_errors { errors } else { Vec::new() })],
    );
    failed.limits = error_limits(run);
    vec![
        over_time_chart(
            run,
            "Users at work",
            "",
            Y::Number,
            vec![line("users", "var(--c4)", Stroke::Thick, users)],
        ),
        response,
        over_time_chart(
            run,
            "Requests per second",
            "",
            Y::Number,
            vec![line("requests/s", "var(--c1)", Stroke::Thick, requests)],
        ),
        failed,
    ]
}

fn platform(run: &Run, slices: &[Slice]) -> Vec<Chart> {
    let services = shown_services(run);
    let per_service = |title: &str, note: &str, y, gauge: fn(&crate::run::ServiceSample) -> f64| {
        let lines = services
            .iter()
            .zip(COLOURS)
            .map(|(name, colour)| line(name, colour, Stroke::Thick, series::peaks(run, name, slices, gauge)));
        Chart { names_matter: true, ..over_time_chart(run, title, note, y, lines.collect()) }
    };
    let mut charts = vec![
        per_service("Instances ready", "", Y::Count, |service| f64::from(service.ready)),
        per_service("CPU, in cores", "", Y::Number, |service| service.cpu),
        per_service("Memory", "", Y::Bytes, |service| service.memory_bytes as f64),
        per_service("Requests waiting for an instance", "", Y::Count, |service| f64::from(service.waiting)),
    ];
    let samples = || run.platform.iter().flat_map(|sample| sample.services.values());
    if samples().any(|service| service.backlog > 0) {
        charts.push(per_service("Tasks waiting", "", Y::Count, |service| service.backlog as f64));
    }
    charts
}

/// The ones with the most CPU time, in order of their names.
pub(super) fn shown_services(run: &Run) -> Vec<&str> {
    let mut services = exhausted::services(run);
    let used = |name: &str| -> f64 {
        run.platform.iter().filter_map(|sample| sample.services.get(name)).map(|service| service.cpu).sum()
    };
    services.sort_by(|a, b| used(b).total_cmp(&used(a)));
    services.truncate(SERVICES_MAX);
    services.sort_unstable();
    services
}

fn generator(run: &Run, slices: &[Slice]) -> Chart {
    let highest = |gauge: fn(&crate::run::GeneratorSample) -> f64| {
        series::highest(run.generator.iter().map(|sample| (sample.at, gauge(sample))), slices)
    };
    let busiest = highest(|sample| sample.threads.iter().copied().fold(0.0, f64::max));
    over_time_chart(
        run,
        "Generator and machine",
        "",
        Y::Percent,
        vec![
            line("busiest generator thread", "var(--c2)", Stroke::Thick, busiest),
            line("machine, all cores", "var(--c1)", Stroke::Thin, highest(|sample| sample.machine)),
            line("taken by the host", "var(--c5)", Stroke::Thin, highest(|sample| sample.steal)),
        ],
    )
}

fn over_time_chart(run: &Run, title: &str, note: &str, y: Y, lines: Vec<Line>) -> Chart {
    Chart {
        title: title.to_owned(),
        note: note.to_owned(),
        x: X::Seconds(f64::from(series::length(run).max(1))),
        y,
        height: match y {
            // More ticks.
            Y::Milliseconds => 220.0,
            Y::Count | Y::Number | Y::Percent | Y::Bytes => 150.0,
        },
        lines,
        names_matter: false,
        limits: Vec::new(),
        bands: Vec::new(),
    }
}

fn percentiles(points: impl Fn(fn(&Latency) -> f64) -> Points, main: Stroke) -> Vec<Line> {
    vec![
        line(
            "P99",
            "var(--c3)",
            if main == Stroke::Marked { main } else { Stroke::Thin },
            points(|l| l.p99_ms),
        ),
        line("P95", "var(--c2)", main, points(|l| l.p95_ms)),
        line(
            "P50",
            "var(--c1)",
            if main == Stroke::Marked { main } else { Stroke::Thin },
            points(|l| l.p50_ms),
        ),
    ]
}

fn line(name: &str, colour: &'static str, stroke: Stroke, points: Points) -> Line {
    Line { name: super::format::line(name, 60), stroke, colour, points }
}

fn points(slices: &[Slice], read: impl Fn(&Slice) -> Option<f64>) -> Points {
    slices.iter().map(|slice| (f64::from(slice.from), read(slice))).collect()
}

/// Half way to the neighbours, around every level that does not count.
fn unhealthy(levels: &[AtLevel]) -> Vec<Band> {
    let middle = |a: usize, b: usize| f64::midpoint(levels[a].level, levels[b].level);
    let unhealthy = levels.iter().enumerate().filter(|(_, at)| !at.healthy);
    unhealthy
        .map(|(index, at)| {
            let from = if index == 0 { 0.0 } else { middle(index - 1, index) };
            let until = if index + 1 == levels.len() { at.level * 1.04 } else { middle(index, index + 1) };
            unhealthy_band(from, until)
        })
        .collect()
}

fn unhealthy_band(from: f64, until: f64) -> Band {
    Band { from, until, colour: "var(--invalid)" }
}

/// Limits on latency, each once.
fn latency_limits(run: &Run) -> Vec<(f64, String)> {
    limits(run, |limit| match limit {
        Limit::Latency { quantile, limit_us } => {
            let clause = percentile_clause(quantile, limit_us)?;
            Some((limit_us as f64 / 1000.0, clause))
        }
        Limit::Errors { .. } | Limit::Availability { .. } => None,
    })
}

fn error_limits(run: &Run) -> Vec<(f64, String)> {
    limits(run, |limit| match limit {
        Limit::Errors { max } => Some((max, Clause::Errors { max }.to_string())),
        Limit::Latency { .. } | Limit::Availability { .. } => None,
    })
}

fn limits(run: &Run, read: impl Fn(Limit) -> Option<(f64, String)>) -> Vec<(f64, String)> {
    let judged = run.promises.iter().filter(|promise| !promise.steps.is_empty());
    let mut limits: Vec<_> =
        judged.flat_map(|promise| promise.limits.iter().filter_map(|&l| read(l))).collect();
    limits.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    limits.dedup();
    limits
}

fn percentile_clause(quantile: f64, limit_us: u64) -> Option<String> {
    use mare_manifest::model::objective::Percentile;

    let percentile = Percentile::ALL.into_iter().find(|p| p.quantile().total_cmp(&quantile).is_eq())?;
    let limit = std::time::Duration::from_micros(limit_us);
    Some(Clause::Latency { percentile, limit }.to_string())
}
