//! CSV: one row per second and step, one row per stage and step. Units are in the headers.

use super::merged::Latency;
use super::series;
use super::summary::Measures;
use crate::run::{Run, Second, StageRun};

/// One row per second and step. `lag` is how much later than intended that second's requests of all steps were sent.
pub fn seconds_csv(run: &Run) -> String {
    let mut header =
        vec!["at_s", "users", "wanted_flows", "begun_flows", "lag_p50_ms", "lag_p99_ms", "lag_max_ms"];
    header.extend(STEP_HEADER);
    header.extend(MEASURES_HEADER);
    let rows = run.seconds.iter().flat_map(|second| {
        let lag = series::lags(std::slice::from_ref(second));
        (0..run.steps.len().min(second.steps.len())).map(move |step| second_row(run, second, lag, step))
    });
    table(&header, rows)
}

/// One row per stage and step: of the stage's hold, or of its ramp if it has no hold.
pub fn steps_csv(run: &Run) -> String {
    let mut header = vec!["stage", "level", "from_s", "holds_from_s", "until_s"];
    header.extend(STEP_HEADER);
    header.extend(MEASURES_HEADER);
    let rows =
        run.stages.iter().enumerate().flat_map(|(index, stage)| {
            (0..run.steps.len()).map(move |step| stage_row(run, index, stage, step))
        });
    table(&header, rows)
}

const STEP_HEADER: [&str; 3] = ["flow", "step", "request"];

const MEASURES_HEADER: [&str; 19] = [
    "requests",
    "requests_per_s",
    "errors",
    "unavailable",
    "bytes_in",
    "mean_ms",
    "p50_ms",
    "p90_ms",
    "p95_ms",
    "p99_ms",
    "p999_ms",
    "max_ms",
    "service_mean_ms",
    "service_p50_ms",
    "service_p90_ms",
    "service_p95_ms",
    "service_p99_ms",
    "service_p999_ms",
    "service_max_ms",
];

fn second_row(run: &Run, second: &Second, lag: Option<Latency>, step: usize) -> Vec<String> {
    let lag = |read: fn(&Latency) -> f64| lag.map_or_else(String::new, |lag| read(&lag).to_string());
    let mut row = vec![
        second.at.to_string(),
        second.users.to_string(),
        second.wanted.to_string(),
        second.begun.to_string(),
        lag(|lag| lag.p50_ms),
        lag(|lag| lag.p99_ms),
        lag(|lag| lag.max_ms),
    ];
    add_step(&mut row, run, std::slice::from_ref(second), step);
    row
}

fn stage_row(run: &Run, index: usize, stage: &StageRun, step: usize) -> Vec<String> {
    let mut row = vec![
        index.to_string(),
        stage.level.to_string(),
        stage.from.to_string(),
        stage.holds_from.to_string(),
        stage.until.to_string(),
    ];
    add_step(&mut row, run, series::of_stage(run, stage), step);
    row
}

fn add_step(row: &mut Vec<String>, run: &Run, seconds: &[Second], step: usize) {
    let of = &run.steps[step];
    row.extend([of.flow.clone(), of.name.clone(), of.request.clone()]);
    let measures = Measures::of_step(seconds, step);
    row.extend([
        measures.requests.to_string(),
        measures.requests_per_s.to_string(),
        measures.errors.to_string(),
        measures.unavailable.to_string(),
        measures.bytes_in.to_string(),
    ]);
    add_latency(row, measures.response);
    add_latency(row, measures.service);
}

/// Empty fields where nothing was measured: a latency of 0 would be a lie.
fn add_latency(row: &mut Vec<String>, latency: Option<Latency>) {
    let Some(l) = latency else {
        row.extend(std::iter::repeat_n(String::new(), 7));
        return;
    };
    row.extend(
        [l.mean_ms, l.p50_ms, l.p90_ms, l.p95_ms, l.p99_ms, l.p999_ms, l.max_ms].map(|ms| ms.to_string()),
    );
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    const WRITES: &str = "memory takes every row, and each has the header's length";
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).expect(WRITES);
    rows.for_each(|row| writer.write_record(&row).expect(WRITES));
    String::from_utf8(writer.into_inner().expect(WRITES)).expect("made of text")
}
