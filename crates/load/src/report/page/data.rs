//! The numbers of the page as JSON, so that two reports can be compared.

use serde::Serialize;

use crate::report::merged::Latency;
use crate::report::series::{self, Slice};
use crate::report::summary::Summary;
use crate::run::Run;

/// Second by second up to 25 minutes; a longer run is thinned.
const ROWS_MAX: u32 = 1500;

#[derive(Serialize)]
struct Data<'a> {
    summary: &'a Summary,
    seconds: Columns,
}

/// All of the same length. Arrays rather than objects, to be small.
#[derive(Serialize)]
struct Columns {
    at_s: Vec<u32>,
    users: Vec<u32>,
    requests: Vec<u64>,
    errors: Vec<u64>,
    p50_ms: Vec<Option<f64>>,
    p95_ms: Vec<Option<f64>>,
    p99_ms: Vec<Option<f64>>,
    service_p95_ms: Vec<Option<f64>>,
}

/// Fit for a `script` element: without `<`, nothing in it can end the element or open a comment.
pub(super) fn json(run: &Run, summary: &Summary) -> String {
    let slices = series::slices(run, ROWS_MAX);
    let latency = |read: fn(&Slice) -> Option<Latency>, value: fn(&Latency) -> f64| {
        slices.iter().map(|slice| read(slice).as_ref().map(value).map(tenth)).collect()
    };
    let seconds = Columns {
        at_s: slices.iter().map(|slice| slice.from).collect(),
        users: slices.iter().map(|slice| slice.users).collect(),
        requests: slices.iter().map(|slice| slice.tally.total).collect(),
        errors: slices.iter().map(|slice| slice.tally.errors).collect(),
        p50_ms: latency(|slice| slice.response, |l| l.p50_ms),
        p95_ms: latency(|slice| slice.response, |l| l.p95_ms),
        p99_ms: latency(|slice| slice.response, |l| l.p99_ms),
        service_p95_ms: latency(|slice| slice.service, |l| l.p95_ms),
    };
    let json = serde_json::to_string(&Data { summary, seconds }).expect("maps have text keys");
    json.replace('<', "\\u003c")
}

fn tenth(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}
