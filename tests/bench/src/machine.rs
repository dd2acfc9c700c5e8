//! Under which conditions was measured.

use std::fs::read_to_string;
use std::path::Path;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{Options, Program, process};

#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) cpu: String,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    /// When the measurement began, UTC.
    pub(crate) date: String,
    pub(crate) commit: String,
    /// What was measured and with what, each with its version.
    pub(crate) versions: Vec<(String, String)>,
}

impl Machine {
    pub(crate) async fn examine(options: &Options) -> Result<Self> {
        let mut versions = Vec::new();
        let wrk = process::find("wrk")?;
        versions.push(("wrk".to_owned(), version(&wrk, "-v").await));
        if options.only.contains(&Program::Nginx) {
            versions.push(("nginx".to_owned(), version(&process::find("nginx")?, "-v").await));
        }
        if options.only.contains(&Program::Haproxy) {
            versions.push(("haproxy".to_owned(), version(&process::find("haproxy")?, "-v").await));
        }
        if options.only.contains(&Program::Varnish) {
            versions.push(("varnish".to_owned(), version(&process::find("varnishd")?, "-V").await));
        }
        if let Some(mare) = &options.mare {
            versions.push(("mare".to_owned(), version(mare, "--version").await));
        }
        Self::with(versions).await
    }

    /// For the benchmark of tasks.
    pub(crate) async fn of_tasks(mare: &Path, peers: &Path) -> Result<Self> {
        let mut versions = vec![("mare".to_owned(), version(mare, "--version").await)];
        versions.push(("redis".to_owned(), version(&process::find("redis-server")?, "--version").await));
        versions.push(("node".to_owned(), version(&process::find("node")?, "--version").await));
        for package in ["bullmq", "graphile-worker"] {
            versions.push((package.to_owned(), package_version(peers, package)?));
        }
        Self::with(versions).await
    }

    /// For the backlog of valoriza.
    pub(crate) async fn of_drain(mare: &Path, valoriza: &Path) -> Result<Self> {
        let versions = [("mare", mare), ("valoriza", valoriza)];
        let mut said = Vec::new();
        for (name, program) in versions {
            said.push((name.to_owned(), version(program, "--version").await));
        }
        Self::with(said).await
    }

    async fn with(versions: Vec<(String, String)>) -> Result<Self> {
        let cpu = field("/proc/cpuinfo", "model name");
        let memory_kib: f64 =
            field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
        Ok(Self {
            cores: available_parallelism()?.get(),
            cpu,
            memory_gib: memory_kib / 1024.0 / 1024.0,
            kernel: read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            commit: commit().await,
            versions,
        })
    }
}

/// Of the npm package as it is installed for `folder`.
fn package_version(folder: &Path, package: &str) -> Result<String> {
    let folder = folder.canonicalize()?;
    let files = folder.ancestors().map(|above| above.join("node_modules").join(package).join("package.json"));
    let file = files.into_iter().find(|file| file.is_file());
    let file = file.with_context(|| format!("{package} is not installed: npm ci"))?;
    let description: serde_json::Value = serde_json::from_str(&read_to_string(file)?)?;
    Ok(description["version"].as_str().unwrap_or("unknown").to_owned())
}

/// The first line a program prints about itself; nginx and wrk print it elsewhere or fail afterwards.
async fn version(program: &Path, argument: &str) -> String {
    let Ok(output) = process::command(program).arg(argument).output().await else {
        return "unknown".to_owned();
    };
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("unknown").trim().to_owned()
}

async fn commit() -> String {
    let described =
        process::command("git").args(["describe", "--always", "--dirty", "--exclude=*"]).output().await;
    let text =
        described.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { "unknown".to_owned() } else { text }
}

/// The first `name : value` in a file of /proc; "unknown" on machines that have none.
fn field(path: &str, name: &str) -> String {
    let text = read_to_string(path).unwrap_or_default();
    let found = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name);
    found.map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}
