//! A Prometheus server in a temporary folder, on a port of its own choice.

use std::fs;
use std::net::SocketAddr;

use crate::watched::{End, Watched};

/// How often it scrapes and evaluates; tests have no time for minutes.
const EVERY: &str = "1s";

pub struct Prometheus {
    watched: Watched,
    address: SocketAddr,
}

impl Prometheus {
    /// Starts a server that scrapes `target` as `job` and evaluates these rules, and returns once it serves.
    pub fn start(job: &str, target: SocketAddr, rules: &str) -> Self {
        let folder =
            tempfile::Builder::new().prefix("mare-prometheus-").tempdir().expect("make a folder").keep();
        let config = format!(
            "global:\n  scrape_interval: {EVERY}\n  evaluation_interval: {EVERY}\n\
             rule_files: [rules.yml]\n\
             scrape_configs:\n  - job_name: {job}\n    static_configs:\n      - targets: ['{target}']\n"
        );
        fs::write(folder.join("prometheus.yml"), config).expect("write its configuration");
        fs::write(folder.join("rules.yml"), rules).expect("write its rules");
        let option = |name: &str, file: &str| format!("--{name}={}", folder.join(file).display());
        let words = [
            "prometheus".to_owned(),
            option("config.file", "prometheus.yml"),
            option("storage.tsdb.path", "data"),
            "--web.listen-address=127.0.0.1:0".to_owned(),
        ];
        let watched = Watched::start(folder, End::Quit, &words, "Server is ready to receive web requests");
        // Its log is the only place that tells the port.
        let address = watched.log().lines().find(|line| line.contains("Listening on")).and_then(|line| {
            let text = line.split("address=").nth(1)?.split_whitespace().next()?;
            text.parse().ok()
        });
        let address = address.unwrap_or_else(|| panic!("no address in the log:\n{}", watched.log()));
        Self { watched, address }
    }

    /// Where its API is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder all of the server is in.
    pub fn folder(&self) -> &std::path::Path {
        self.watched.folder()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_server_leaves_nothing_behind() {
        let server = Prometheus::start("none", "127.0.0.1:1".parse().unwrap(), "groups: []");
        let (folder, address) = (server.folder().to_owned(), server.address());
        assert!(std::net::TcpStream::connect(address).is_ok());
        drop(server);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(address).is_err());
    }
}
