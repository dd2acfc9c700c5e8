//! What a request costs the one who sends it: `mare load` beside wrk and Locust, against nginx and a file of 1 KiB.
//!
//! All send as fast as 64 connections allow and read each answer to its end. What counts is completed requests per
//! second of the generator's own CPU time, its start and end included: how much of a machine is left for what is
//! measured. `mare load` does what it always does meanwhile: both latencies of every request into histograms.

use std::fs::write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::Options;
use crate::cpu;
use crate::plan::{Subject, Workload};
use crate::process::{command, find};
use crate::stats::Summary;
use crate::subjects::Subjects;
use crate::wrk;

const CONNECTIONS: u32 = 64;

/// Beyond the measurement itself: starting, winding up, and a report.
const SLACK: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Generator {
    Wrk,
    MareLoad,
    Locust,
}

impl Generator {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Wrk => "wrk, 1 thread",
            Self::MareLoad => "**mare load**, 1 thread",
            Self::Locust => "Locust, FastHttpUser",
        }
    }
}

/// One run of a generator.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Effort {
    pub(crate) round: u32,
    pub(crate) generator: Generator,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    /// User and system time of the generator and its children.
    pub(crate) cpu_s: f64,
}

impl Effort {
    pub(crate) fn requests_per_cpu_s(&self) -> f64 {
        self.requests as f64 / self.cpu_s
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.errors == 0 && self.requests > 0 && self.cpu_s > 0.0
    }
}

/// Measures in interleaved rounds. Nothing, if nginx or mare are left out; without Locust if it is not there.
pub(crate) async fn run(options: &Options, subjects: &Subjects, folder: &Path) -> Result<Vec<Effort>> {
    let (Some(nginx), Some(mare)) = (subjects.endpoint(Subject::Nginx), &options.mare) else {
        return Ok(Vec::new());
    };
    let bench = Bench {
        url: format!("http://127.0.0.1:{}", nginx.port),
        path: Workload::Static1Kib.path(),
        seconds: options.seconds,
        wrk: find("wrk")?,
        mare: mare.clone(),
        locust: options.locust.clone(),
        folder: folder.to_owned(),
    };
    bench.write_files()?;
    let mut generators = vec![Generator::Wrk, Generator::MareLoad];
    generators.extend(bench.locust.as_ref().map(|_| Generator::Locust));
    let mut efforts = Vec::new();
    for round in 0..options.rounds {
        let mut order = generators.clone();
        if round % 2 == 1 {
            order.reverse();
        }
        for generator in order {
            let effort = bench.measure(round, generator).await?;
            eprintln!(
                "round {}/{}  {:<24} {:>9.0} requests per CPU second  {} errors",
                round + 1,
                options.rounds,
                generator.label(),
                effort.requests_per_cpu_s(),
                effort.errors,
            );
            efforts.push(effort);
        }
    }
    Ok(efforts)
}

/// `generator`'s requests per CPU second against wrk's of the same round, for each round where both are valid.
pub(crate) fn against_wrk(efforts: &[Effort], generator: Generator) -> Option<Summary> {
    let of = |generator, round| {
        let mut of_round = efforts.iter().filter(move |effort: &&Effort| effort.round == round);
        of_round.find(|effort| effort.generator == generator && effort.is_valid())
    };
    let rounds = efforts.iter().map(|effort| effort.round + 1).max().unwrap_or(0);
    Summary::of((0..rounds).filter_map(|round| {
        Some(of(generator, round)?.requests_per_cpu_s() / of(Generator::Wrk, round)?.requests_per_cpu_s())
    }))
}

struct Bench {
    url: String,
    path: &'static str,
    seconds: u32,
    wrk: PathBuf,
    mare: PathBuf,
    locust: Option<PathBuf>,
    folder: PathBuf,
}

impl Bench {
    fn write_files(&self) -> Result<()> {
        let Self { url, path, seconds, folder, .. } = self;
        let scenario = format!(
            "[target]\nurl = \"{url}\"\n[[stages]]\nusers = {CONNECTIONS}\nhold = \"{seconds}s\"\n\
             [[flows]]\nsteps = [{{ request = \"GET {path}\" }}]\n"
        );
        write(folder.join("one-step.toml"), scenario)?;
        let locustfile = format!(
            "from locust import FastHttpUser, constant, task\n\n\
             class Reader(FastHttpUser):\n    wait_time = constant(0)\n\n    @task\n    def read(self):\n\
             \x20       self.client.get(\"{path}\")\n"
        );
        Ok(write(folder.join("locustfile.py"), locustfile)?)
    }

    async fn measure(&self, round: u32, generator: Generator) -> Result<Effort> {
        let mut command = self.command(generator);
        let before = cpu::of_ended_children()?;
        let limit = Duration::from_secs(u64::from(self.seconds)) + SLACK;
        let output = timeout(limit, command.output()).await.context("a generator did not end in time")??;
        let cpu_s = cpu::of_ended_children()?.saturating_sub(before).as_secs_f64();
        let text = String::from_utf8_lossy(&output.stdout);
        let what =
            || format!("{} printed:\n{text}{}", generator.label(), String::from_utf8_lossy(&output.stderr));
        let (requests, errors) = match generator {
            Generator::Wrk => wrk::parse(&text).map(|load| (load.requests, load.errors.len() as u64)),
            Generator::MareLoad => counts(&text, "/total/requests", "/total/errors"),
            Generator::Locust => counts(&text, "/0/num_requests", "/0/num_failures"),
        }
        .with_context(what)?;
        ensure!(requests > 0, what());
        Ok(Effort { round, generator, requests, errors, cpu_s })
    }

    fn command(&self, generator: Generator) -> Command {
        let Self { url, path, seconds, folder, .. } = self;
        let connections = CONNECTIONS.to_string();
        match generator {
            Generator::Wrk => {
                let mut wrk = command(&self.wrk);
                wrk.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), "--latency"]);
                wrk.arg(format!("{url}{path}"));
                wrk
            }
            Generator::MareLoad => {
                let mut mare = command(&self.mare);
                mare.arg("load").arg(folder.join("one-step.toml")).args([
                    "--threads",
                    "1",
                    "--json",
                    "--out",
                ]);
                mare.arg(folder.join("one-step"));
                mare
            }
            Generator::Locust => {
                let mut locust = command(self.locust.as_ref().expect("measured only if it is there"));
                locust.args([
                    "--headless",
                    "--json",
                    "--only-summary",
                    "-u",
                    &connections,
                    "-r",
                    &connections,
                ]);
                locust
                    .args(["-t", &format!("{seconds}s"), "-H", url, "-f"])
                    .arg(folder.join("locustfile.py"));
                locust
            }
        }
    }
}

/// Two numbers out of a JSON document.
fn counts(text: &str, requests: &str, errors: &str) -> Option<(u64, u64)> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some((value.pointer(requests)?.as_u64()?, value.pointer(errors)?.as_u64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generator_is_compared_with_wrk_in_the_same_round() {
        let effort =
            |round, generator, requests, errors| Effort { round, generator, requests, errors, cpu_s: 2.0 };
        let efforts = [
            effort(0, Generator::Wrk, 100, 0),
            effort(0, Generator::MareLoad, 80, 0),
            effort(1, Generator::MareLoad, 90, 0),
            effort(1, Generator::Wrk, 100, 0),
            effort(2, Generator::Wrk, 100, 1),
            effort(2, Generator::MareLoad, 500, 0),
        ];
        let ratio = against_wrk(&efforts, Generator::MareLoad).unwrap();
        assert_eq!((ratio.min, ratio.max), (0.8, 0.9));
        assert!(against_wrk(&efforts, Generator::Locust).is_none());
    }

    #[test]
    fn counts_are_read_from_json() {
        assert_eq!(
            counts(r#"{"total":{"requests":3,"errors":1}}"#, "/total/requests", "/total/errors"),
            Some((3, 1))
        );
        assert_eq!(counts(r#"[{"num_requests":3}]"#, "/0/num_requests", "/0/num_failures"), None);
    }
}
