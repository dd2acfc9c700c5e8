//! Measures in interleaved rounds, so that a slow minute of the machine hits every subject; every other round goes
//! backwards, so that nobody always comes after the same neighbour.

use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::Options;
use crate::cpu::{Busy, OnCpu};
use crate::plan::{CONNECTIONS, Subject, Workload};
use crate::subjects::{Endpoint, Subjects};
use crate::wrk::{Ask, Wrk};

/// Before the first round each subject gets that much load: pools and caches fill, code is paged in.
const WARM_UP_S: u32 = 1;

/// One run of wrk against one subject.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) workload: Workload,
    pub(crate) connections: u32,
    pub(crate) subject: Subject,
    pub(crate) requests: u64,
    pub(crate) rate: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// On-CPU time of the subject per completed request.
    pub(crate) cpu_us: f64,
    /// Cores busy with something else, stolen time included.
    pub(crate) noise_cores: f64,
    /// Not empty: the run is invalid and counts nowhere.
    pub(crate) errors: Vec<String>,
}

impl Sample {
    pub(crate) fn is_valid(&self) -> bool {
        self.errors.is_empty() && self.requests > 0
    }
}

pub(crate) async fn run(options: &Options, subjects: &Subjects) -> Result<Vec<Sample>> {
    let wrk = Wrk::find()?;
    let cases =
        Workload::ALL.into_iter().flat_map(|workload| CONNECTIONS.map(|connections| (workload, connections)));
    let cases: Vec<(Workload, u32)> = cases.collect();
    for workload in Workload::ALL {
        for endpoint in workload.subjects().iter().filter_map(|subject| subjects.endpoint(*subject)) {
            wrk.run(&ask(endpoint, workload, subjects), CONNECTIONS[0], WARM_UP_S).await?;
        }
    }
    let mut samples = Vec::new();
    for round in 0..options.rounds {
        for (workload, connections) in &cases {
            let mut order: Vec<Subject> = workload.subjects().to_vec();
            if round % 2 == 1 {
                order.reverse();
            }
            for endpoint in order.into_iter().filter_map(|subject| subjects.endpoint(subject)) {
                let case = Case { round, workload: *workload, connections: *connections, endpoint };
                let sample = measure(&wrk, &case, options.seconds, subjects).await?;
                report_progress(&sample, options.rounds);
                samples.push(sample);
            }
        }
    }
    Ok(samples)
}

struct Case<'a> {
    round: u32,
    workload: Workload,
    connections: u32,
    endpoint: &'a Endpoint,
}

async fn measure(wrk: &Wrk, case: &Case<'_>, seconds: u32, subjects: &Subjects) -> Result<Sample> {
    let Case { round, workload, connections, endpoint } = *case;
    let (began, busy, before) = (Instant::now(), Busy::now()?, Times::now(endpoint, subjects)?);
    let load = wrk.run(&ask(endpoint, workload, subjects), connections, seconds).await?;
    let (elapsed, after) = (began.elapsed(), Times::now(endpoint, subjects)?);
    let spent = after.subject.since(&before.subject);
    let known = after.known.iter().zip(&before.known).map(|(after, before)| after.since(before));
    let noise_cores = Busy::now()?.unrelated_cores(&busy, known.sum(), elapsed);
    let requests = load.requests;
    let mut errors = load.errors;
    if let Some(lost) = after.subject.lost_since(&before.subject) {
        errors.push(format!("threads ended and {lost:.1?} of CPU time with them"));
    }
    Ok(Sample {
        round,
        workload,
        connections,
        subject: endpoint.subject,
        requests,
        rate: load.rate,
        p50_us: load.p50_us,
        p99_us: load.p99_us,
        cpu_us: spent.as_secs_f64() * 1e6 / requests.max(1) as f64,
        noise_cores,
        errors,
    })
}

/// On-CPU times at one moment.
struct Times {
    subject: OnCpu,
    /// Of everything the benchmark started.
    known: Vec<OnCpu>,
}

impl Times {
    fn now(endpoint: &Endpoint, subjects: &Subjects) -> Result<Self> {
        let known = subjects.processes().map(OnCpu::of_all).collect::<Result<_>>()?;
        Ok(Self { subject: OnCpu::of(endpoint.process)?, known })
    }
}

fn report_progress(sample: &Sample, rounds: u32) {
    let Sample { round, workload, connections, subject, rate, cpu_us, noise_cores, .. } = sample;
    let mark = if sample.is_valid() { "" } else { "  INVALID" };
    eprintln!(
        "round {}/{rounds}  {:<22} {connections:>4} connections  {:<20} {rate:>9.0}/s  {cpu_us:>6.1} us CPU  noise {noise_cores:.2}{mark}",
        round + 1,
        workload.label(),
        subject.label(),
    );
}

fn ask<'a>(endpoint: &Endpoint, workload: Workload, subjects: &'a Subjects) -> Ask<'a> {
    let url = format!("http://127.0.0.1:{}{}", endpoint.port, endpoint.subject.path(workload));
    Ask { url, token: endpoint.subject.wants_token().then_some(&subjects.token) }
}

/// `metric` of `subject` divided by nginx's in the same round, for every round where both are valid.
pub(crate) fn against_nginx(
    samples: &[Sample],
    case: (Workload, u32),
    subject: Subject,
    metric: fn(&Sample) -> f64,
) -> Vec<f64> {
    let pairs = beside(samples, case, (subject, Subject::Nginx), metric);
    pairs.into_iter().filter(|(_, nginx)| *nginx > 0.0).map(|(own, nginx)| own / nginx).collect()
}

/// `metric` of two subjects in the same round, for every round where both are valid.
pub(crate) fn beside(
    samples: &[Sample],
    (workload, connections): (Workload, u32),
    (one, other): (Subject, Subject),
    metric: fn(&Sample) -> f64,
) -> Vec<(f64, f64)> {
    let of = |subject: Subject| {
        samples.iter().filter(move |sample| {
            let same_case = (sample.workload, sample.connections) == (workload, connections);
            same_case && sample.subject == subject && sample.is_valid()
        })
    };
    let pair = |sample: &Sample| {
        let other = of(other).find(|other| other.round == sample.round)?;
        Some((metric(sample), metric(other)))
    };
    of(one).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(round: u32, subject: Subject, cpu_us: f64) -> Sample {
        Sample {
            round,
            workload: Workload::Proxy,
            connections: 64,
            subject,
            requests: 1,
            rate: 1.0,
            p50_us: 1.0,
            p99_us: 1.0,
            cpu_us,
            noise_cores: 0.0,
            errors: Vec::new(),
        }
    }

    #[test]
    fn ratios_are_of_the_same_round_and_skip_invalid_runs() {
        let mut samples = vec![
            sample(0, Subject::Nginx, 10.0),
            sample(0, Subject::MareUrl, 12.0),
            sample(1, Subject::Nginx, 20.0),
            sample(1, Subject::MareUrl, 22.0),
            sample(2, Subject::MareUrl, 99.0),
            sample(3, Subject::Nginx, 1.0),
            sample(3, Subject::MareUrl, 99.0),
        ];
        samples[5].errors.push("Socket errors".to_owned());
        let ratios = against_nginx(&samples, (Workload::Proxy, 64), Subject::MareUrl, |sample| sample.cpu_us);
        assert_eq!(ratios, [1.2, 1.1]);
        assert!(against_nginx(&samples, (Workload::Proxy, 512), Subject::MareUrl, |it| it.cpu_us).is_empty());
    }
}
