use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::Command;
use crate::guard;

/// Why an instance failed, in words for the person who wrote the service.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("no free port is left for another instance")]
    NoPort,
    #[error("cannot find `{program}` in PATH or in the manifest's folder")]
    NotFound { program: String },
    #[error("cannot run `{program}`")]
    CannotRun { program: String, source: std::io::Error },
    #[error("{what}")]
    Instance { what: String, tail: Vec<String> },
}

impl Failure {
    pub(super) fn exited(
        command: &Command,
        status: Option<ExitStatus>,
        lived: Duration,
        tail: Vec<String>,
    ) -> Self {
        let how = status.map_or_else(|| "disappeared".to_owned(), describe);
        let hint = match status.and_then(|status| status.code()) {
            Some(0) => "; a service must stay in the foreground and listen on $PORT",
            Some(guard::CANNOT_RUN) => "; could the command be run at all?",
            _ => "",
        };
        Self::Instance { what: format!("{} {how} after {}{hint}", command.service, Seconds(lived)), tail }
    }

    pub(super) fn unready(command: &Command, last_seen: &str, tail: Vec<String>) -> Self {
        let within = Seconds(command.health.startup);
        Self::Instance {
            what: format!("{} was not ready within {within}: {last_seen}", command.service),
            tail,
        }
    }

    /// The last lines the instance wrote.
    pub fn tail(&self) -> &[String] {
        match self {
            Failure::Instance { tail, .. } => tail,
            Failure::NoPort | Failure::NotFound { .. } | Failure::CannotRun { .. } => &[],
        }
    }
}

fn describe(status: ExitStatus) -> String {
    // The guard reports a signal as the shell does.
    let signal = status.signal().or_else(|| status.code().filter(|code| *code > 128).map(|code| code - 128));
    match (signal, status.code()) {
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (None, Some(code)) => format!("exited with status {code}"),
        (None, None) => "ended".to_owned(),
    }
}

struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            short if short < Duration::from_secs(1) => write!(f, "{} ms", short.as_millis()),
            long => write!(f, "{:.1} s", long.as_secs_f64()),
        }
    }
}
