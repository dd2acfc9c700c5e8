//! What a start from zero costs beyond the service's own start.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::cpu::{binary_of, descendants};
use crate::http;
use crate::plan::Workload;
use crate::process::{Process, command, free_ports};
use crate::subjects::{service, start_mare};

/// How often a direct start is asked whether it is there.
const POLL: Duration = Duration::from_millis(1);
/// A canned upstream starts in milliseconds.
const START: Duration = Duration::from_secs(10);
/// Scaling to zero takes the service's idle time and grace.
const DOWN: Duration = Duration::from_mins(1);
const DOWN_POLL: Duration = Duration::from_millis(20);
/// Between the last instance's end and the next request, for whoever still has to note it.
const SETTLE: Duration = Duration::from_millis(300);

/// Times to the first answer, in milliseconds; the entries at the same index were measured one after the other.
#[derive(Debug, Serialize)]
pub(crate) struct ColdStarts {
    pub(crate) direct_ms: Vec<f64>,
    pub(crate) mare_ms: Vec<f64>,
}

impl ColdStarts {
    pub(crate) fn added_ms(&self) -> impl Iterator<Item = f64> {
        self.mare_ms.iter().zip(&self.direct_ms).map(|(mare, direct)| mare - direct)
    }
}

pub(crate) async fn run(mare: &Path, folder: &Path, starts: u32) -> Result<ColdStarts> {
    let manifest = service("scale = { min = 0, max = 1, concurrency = 80, idle = \"1s\", hold = \"1s\" }")?;
    let (process, port) = start_mare(mare, folder, "mare-cold", &manifest).await?;
    let own = std::env::current_exe()?;
    let mut results = ColdStarts { direct_ms: Vec::new(), mare_ms: Vec::new() };
    for turn in 0..starts {
        if turn % 2 == 0 {
            results.direct_ms.push(direct(&own, folder).await?);
        }
        results.mare_ms.push(from_zero(process.id(), &own, port).await?);
        if turn % 2 == 1 {
            results.direct_ms.push(direct(&own, folder).await?);
        }
        let (direct, mare) = (results.direct_ms.last(), results.mare_ms.last());
        eprintln!(
            "start {}/{starts}: direct {direct:.1?} ms, through mare from zero {mare:.1?} ms",
            turn + 1
        );
    }
    process.stop().await;
    Ok(results)
}

/// The service's own start: the same command, until it has answered.
async fn direct(own: &PathBuf, folder: &Path) -> Result<f64> {
    let [port] = free_ports()?;
    let mut upstream = command(own);
    upstream.arg("upstream").env("PORT", port.to_string());
    let began = Instant::now();
    let process = Process::start("direct", upstream, folder)?;
    let stream = loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => break stream,
            Err(error) => ensure!(began.elapsed() < START, "the upstream did not start: {error}"),
        }
        sleep(POLL).await;
    };
    http::get_on(stream, (Workload::Proxy.path(), None), Workload::Proxy.body_len()).await?;
    let took = began.elapsed();
    process.kill().await?;
    Ok(took.as_secs_f64() * 1e3)
}

/// The first request after the last instance has gone.
async fn from_zero(mare: u32, own: &PathBuf, port: u16) -> Result<f64> {
    let waiting = Instant::now();
    while descendants(mare)?.into_iter().any(|process| binary_of(process).as_ref() == Some(own)) {
        ensure!(waiting.elapsed() < DOWN, "mare did not scale the service to zero within {DOWN:?}");
        sleep(DOWN_POLL).await;
    }
    sleep(SETTLE).await;
    let began = Instant::now();
    let answer = http::get(port, (Workload::Proxy.path(), None), Workload::Proxy.body_len()).await;
    answer.context("the first request to a service at zero failed")?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}
