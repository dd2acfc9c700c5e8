//! What one thread saw in the current second.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mare_slo::{Latencies, Tally};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use super::wire::{Setups, Tick, count_failure};
use crate::run::{Second, StepSecond};

/// Why a request failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Failure {
    /// No connection, with the reason.
    Connect(String),
    Timeout,
    /// The connection broke before the answer's end.
    Closed,
    /// Not the answer that was expected: `status 503`, `expected /id`.
    Wrong {
        why: String,
        is_unavailable: bool,
    },
    /// The request cannot be made, with the reason.
    Unsendable(String),
}

/// One request, ended.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) step: usize,
    pub(crate) intended: Instant,
    /// How long the generator was behind: a user was free and the request due, and still it was not sent.
    pub(crate) lag: Duration,
    pub(crate) sent: Instant,
    pub(crate) ended: Instant,
    pub(crate) bytes_in: u64,
    pub(crate) failure: Option<Failure>,
}

#[derive(Debug)]
pub(crate) struct Recorder {
    start: Instant,
    second: u32,
    /// When the current second ends.
    until: Instant,
    lag: Latencies,
    steps: Vec<StepRecorder>,
    cpu: Duration,
    pub(crate) users: u32,
    pub(crate) begun: u64,
    pub(crate) setups: Setups,
    /// Not yet sent on. One a second; the sender waits when nobody takes them.
    ticks: VecDeque<Tick>,
}

#[derive(Debug, Default)]
struct StepRecorder {
    tally: Tally,
    response: Latencies,
    service: Latencies,
    bytes_in: u64,
    failures: BTreeMap<String, u64>,
}

impl Failure {
    /// The words it is counted under.
    pub(crate) fn kind(&self) -> Cow<'static, str> {
        match self {
            Self::Connect(why) => format!("connect: {why}").into(),
            Self::Timeout => "timeout".into(),
            Self::Closed => "closed".into(),
            Self::Wrong { why, .. } => why.clone().into(),
            Self::Unsendable(why) => format!("not sent: {why}").into(),
        }
    }

    /// Whether the service gave no answer, or one that says it cannot.
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Timeout | Self::Closed => true,
            Self::Wrong { is_unavailable, .. } => *is_unavailable,
            Self::Unsendable(_) => false,
        }
    }
}

impl Recorder {
    pub(crate) fn new(start: Instant, steps: usize) -> Self {
        Self {
            start,
            second: 0,
            until: start + SECOND,
            lag: Latencies::default(),
            steps: (0..steps).map(|_| StepRecorder::default()).collect(),
            cpu: thread_cpu(),
            users: 0,
            begun: 0,
            setups: Setups::default(),
            ticks: VecDeque::new(),
        }
    }

    /// `wanted` tells the arrivals due before a time since the start.
    pub(crate) fn record(&mut self, sample: &Sample, wanted: &dyn Fn(f64) -> u64) {
        self.roll(sample.ended, wanted);
        self.lag.record(sample.lag);
        let step = &mut self.steps[sample.step];
        step.response.record(sample.ended.saturating_duration_since(sample.intended));
        step.service.record(sample.ended.saturating_duration_since(sample.sent));
        step.bytes_in += sample.bytes_in;
        step.tally.total += 1;
        if let Some(failure) = &sample.failure {
            step.tally.errors += 1;
            step.tally.unavailable += u64::from(failure.is_unavailable());
            count_failure(&mut step.failures, &failure.kind(), 1);
        }
    }

    /// Closes every second that has passed.
    pub(crate) fn roll(&mut self, now: Instant, wanted: &dyn Fn(f64) -> u64) {
        while now >= self.until {
            let cpu = thread_cpu();
            let used = cpu.saturating_sub(std::mem::replace(&mut self.cpu, cpu));
            let from = f64::from(self.second);
            let second = Second {
                at: self.second,
                users: self.users,
                wanted: wanted(from + 1.0) - wanted(from),
                begun: std::mem::take(&mut self.begun),
                lag: drain(&mut self.lag),
                steps: self.steps.iter_mut().map(StepRecorder::drain).collect(),
            };
            self.ticks.push_back(Tick {
                second,
                threads: vec![used.as_secs_f64()],
                memory_bytes: 0,
                setups: std::mem::take(&mut self.setups),
            });
            self.second += 1;
            self.until = self.start + SECOND * (self.second + 1);
        }
    }

    pub(crate) fn next_tick(&mut self) -> Option<Tick> {
        self.ticks.pop_front()
    }

    /// When the current second ends.
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    /// Whether the current second has seen nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.tally.total == 0) && self.setups == Setups::default()
    }
}

const SECOND: Duration = Duration::from_secs(1);

impl StepRecorder {
    fn drain(&mut self) -> StepSecond {
        StepSecond {
            tally: std::mem::take(&mut self.tally),
            response: drain(&mut self.response),
            service: drain(&mut self.service),
            bytes_in: std::mem::take(&mut self.bytes_in),
            failures: std::mem::take(&mut self.failures),
        }
    }
}

/// Most steps of a long flow see nothing in most seconds: those cost nothing.
fn drain(latencies: &mut Latencies) -> mare_slo::Sparse {
    if latencies.count() == 0 {
        return mare_slo::Sparse::default();
    }
    let sparse = latencies.sparse();
    latencies.clear();
    sparse
}

/// The CPU time this thread has used.
fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
