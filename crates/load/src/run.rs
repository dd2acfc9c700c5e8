//! All that one run of a scenario saw. Plain data: `run.json` holds it, and every report can be made of it again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mare_slo::knee::Knee;
use mare_slo::{Sparse, Tally};
use serde::{Deserialize, Serialize};

/// One run. Its times are seconds since `started` unless they say otherwise.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Run {
    /// The format's version, [`Run::VERSION`] when written.
    pub version: u32,
    pub scenario: String,
    pub target: String,
    pub http: String,
    pub started: Timestamp,
    pub ended: Ended,
    pub judged: Judged,
    /// The level counts users, or flows per second.
    pub open: bool,
    pub stages: Vec<StageRun>,
    /// The recorded steps; `Second::steps` follows this order.
    pub steps: Vec<StepRun>,
    pub seconds: Vec<Second>,
    /// What `/api/status` said, about once per second. Empty if the target is not a mare or was not asked.
    pub platform: Vec<PlatformSample>,
    pub generator: Vec<GeneratorSample>,
    /// Objectives and thresholds, by name.
    pub promises: Vec<Promise>,
    /// What `--find-knee` found.
    pub knee: Option<Knee>,
    /// What else a reader should know, a sentence each: users whose set-up failed, requests left out.
    #[serde(default)]
    pub notes: Vec<String>,
    pub conditions: Conditions,
}

impl Run {
    pub const VERSION: u32 = 1;
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Completed,
    /// Ctrl-C.
    Interrupted,
    /// With the reason in words: the target cannot be reached, everything fails.
    GaveUp(String),
    /// The generator itself failed, with the reason in words.
    Broke(String),
}

/// Which latency the objectives are judged on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// From the place in the schedule of arrivals, or from the pacing clock.
    ScheduledStart,
    /// From the moment the user would have sent the request: the answer before, plus the think time.
    IntendedStart,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StageRun {
    pub level: f64,
    pub from: u32,
    /// The first second at the full level.
    pub holds_from: u32,
    /// The first second after it.
    pub until: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StepRun {
    pub flow: String,
    pub name: String,
    /// `GET /api/transactions`, without its query.
    pub request: String,
}

/// One second, by when the requests ended.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Second {
    pub at: u32,
    /// Users at work, at the second's end.
    pub users: u32,
    /// Flows that should have begun, and that did (open model).
    pub wanted: u64,
    pub begun: u64,
    /// How much later than intended requests were sent.
    pub lag: Sparse,
    pub steps: Vec<StepSecond>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct StepSecond {
    pub tally: Tally,
    /// From the intended start to the last byte; failed requests too, with the time they took to fail.
    pub response: Sparse,
    /// From the moment it was sent to the last byte.
    pub service: Sparse,
    pub bytes_in: u64,
    /// How many failed why: `timeout`, `connect`, `status 503`, `expected /id`. At most 20 kinds, then `other`.
    pub failures: BTreeMap<String, u64>,
}

/// What the platform said of itself.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct PlatformSample {
    /// Seconds since the start, with fraction.
    pub at: f64,
    pub services: BTreeMap<String, ServiceSample>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ServiceSample {
    pub ready: u32,
    pub starting: u32,
    pub max: u32,
    pub in_flight: u32,
    pub waiting: u32,
    /// Cores in use by all instances since the sample before.
    pub cpu: f64,
    pub memory_bytes: u64,
    /// Tasks waiting in its queues; 0 where there are none.
    pub backlog: u64,
}

/// How the generator itself was doing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct GeneratorSample {
    pub at: f64,
    /// The share of a core each thread used since the sample before, over all processes.
    pub threads: Vec<f64>,
    pub memory_bytes: u64,
    /// The share of the machine's CPU time taken by its host (`steal` of `proc_stat(5)`).
    pub steal: f64,
    /// All cores' busy share, 0 to 1.
    pub machine: f64,
}

/// An objective of the manifest or a threshold of the scenario, and the steps it is about.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Promise {
    pub name: String,
    /// `GET /api/transactions`, `service api` or `step create`.
    pub on: String,
    /// Indexes into [`Run::steps`]. None: the scenario does not exercise it, so it is not judged.
    pub steps: Vec<usize>,
    pub limits: Vec<Limit>,
}

/// One limit of a promise, in the form that is kept.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Limit {
    /// `quantile` is 0.95 for P95.
    Latency {
        quantile: f64,
        limit_us: u64,
    },
    Errors {
        max: f64,
    },
    Availability {
        min: f64,
    },
}

/// What one needs to know to repeat the run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Conditions {
    pub command: Vec<String>,
    /// The scenario file as it was.
    pub scenario_source: String,
    pub commit: Option<String>,
    pub version: String,
    pub machine: Machine,
    pub processes: u32,
    pub threads: u32,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: u32,
    pub memory_bytes: u64,
    pub kernel: String,
}
