//! Debian's `wrk` as the load generator.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::timeout;

use crate::process;

/// Beyond the measurement itself: connecting and winding up.
const SLACK: Duration = Duration::from_secs(30);

#[derive(Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) requests: u64,
    pub(crate) rate: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// What went wrong, in wrk's words: socket errors, answers outside of 2xx and 3xx.
    pub(crate) errors: Vec<String>,
}

/// What each request is.
pub(crate) struct Ask<'a> {
    pub(crate) url: String,
    pub(crate) token: Option<&'a str>,
}

pub(crate) struct Wrk {
    binary: PathBuf,
}

impl Wrk {
    pub(crate) fn find() -> Result<Self> {
        Ok(Self { binary: process::find("wrk")? })
    }

    pub(crate) async fn run(&self, ask: &Ask<'_>, connections: u32, seconds: u32) -> Result<Load> {
        let mut command = process::command(&self.binary);
        command.args(["-t2", &format!("-c{connections}"), &format!("-d{seconds}s"), "--latency"]);
        if let Some(token) = ask.token {
            command.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        command.arg(&ask.url);
        let limit = Duration::from_secs(u64::from(seconds)) + SLACK;
        let output = timeout(limit, command.output()).await.context("wrk did not end in time")??;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        parse(&text).with_context(|| format!("wrk printed something unexpected:\n{text}"))
    }
}

pub(crate) fn parse(text: &str) -> Option<Load> {
    // "50%" also stands in the header's "+/- Stdev" column: only a line that begins with it is the percentile.
    let percentile = |name: &str| {
        let rest = text.lines().find_map(|line| line.trim_start().strip_prefix(name))?;
        microseconds(rest.trim())
    };
    let requests = text.lines().find_map(|line| line.trim_start().split_once(" requests in "))?.0;
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"))?;
    let is_error =
        |line: &&str| line.starts_with("Socket errors:") || line.starts_with("Non-2xx or 3xx responses:");
    Some(Load {
        requests: requests.parse().ok()?,
        rate: rate.trim().parse().ok()?,
        p50_us: percentile("50%")?,
        p99_us: percentile("99%")?,
        errors: text.lines().map(str::trim).filter(is_error).map(str::to_owned).collect(),
    })
}

/// `850.00us`, `1.28ms`, `2.01s`, `1.05m`.
fn microseconds(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 60e6,
        "h" => 3600e6,
        _ => return None,
    };
    digits.parse::<f64>().ok().map(|number| number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
Running 4s test @ http://127.0.0.1:1/
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.44ms    1.10ms  30.00ms   50.00%
    Req/Sec    23.90k     2.42k   29.00k    99.00%
  Latency Distribution
     50%  850.00us
     75%    1.60ms
     90%    2.44ms
     99%    1.05s
  190123 requests in 4.10s, 210.00MB read
  Socket errors: connect 0, read 3, write 0, timeout 0
  Non-2xx or 3xx responses: 7
Requests/sec:  46371.50
Transfer/sec:     51.22MB
";

    #[test]
    fn the_percentiles_are_not_taken_from_the_stdev_column() {
        let load = parse(OUTPUT).unwrap();
        assert_eq!((load.requests, load.rate), (190_123, 46_371.5));
        assert_eq!((load.p50_us, load.p99_us), (850.0, 1_050_000.0));
        assert_eq!(load.errors.len(), 2);
        let clean: String = OUTPUT
            .lines()
            .filter(|line| !line.contains("rrors") && !line.contains("Non-"))
            .fold(String::new(), |text, line| text + line + "\n");
        assert_eq!(parse(&clean).unwrap().errors, Vec::<String>::new());
        assert_eq!(parse("unable to connect"), None);
    }

    #[test]
    fn every_unit_of_wrk_is_known() {
        assert_eq!(microseconds("1.50m"), Some(90e6));
        assert_eq!(microseconds("2.00h"), Some(7.2e9));
        assert_eq!(microseconds("2.00"), None);
        assert_eq!(microseconds("ms"), None);
    }
}
