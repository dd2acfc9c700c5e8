//! Startup and liveness probes. They go straight to the instance, so they never count as activity.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use mare_manifest::model::Health;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::Command;
use crate::proc;

/// Between two looks at an instance that just started: what a scale from zero adds to the service's own start
/// is half of this on average.
const FIRST_INTERVAL: Duration = Duration::from_millis(4);

/// A service that takes long to start is looked at less often: an eighth of its age, within these bounds.
const LONGEST_INTERVAL: Duration = Duration::from_millis(100);

/// Until a service has had this long, not listening on the right port is nothing to talk about.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks a starting instance until it is ready.
pub(super) struct Startup<'a> {
    command: &'a Command,
    guard: u32,
    address: SocketAddr,
    /// What the latest look saw, or once it was explained, what the service does instead.
    last_seen: String,
    explained: bool,
}

impl<'a> Startup<'a> {
    pub(super) fn new(command: &'a Command, guard: u32, address: SocketAddr) -> Self {
        Self { command, guard, address, last_seen: "it was not looked at".to_owned(), explained: false }
    }

    /// Returns once the instance is ready; the caller bounds the time.
    pub(super) async fn ready(&mut self) {
        let started = Instant::now();
        while let Err(seen) = self.look().await {
            if !self.explained {
                self.last_seen = seen;
                if started.elapsed() > PATIENCE {
                    self.explain().await;
                    tracing::warn!(service = %self.command.service, seen = %self.last_seen,
                        "instance is not ready yet");
                }
            }
            sleep((started.elapsed() / 8).clamp(FIRST_INTERVAL, LONGEST_INTERVAL)).await;
        }
    }

    /// Why it is not ready, for the report.
    pub(super) async fn give_up(mut self) -> String {
        if !self.explained {
            self.explain().await;
        }
        self.last_seen
    }

    async fn look(&self) -> Result<(), String> {
        let patience = self.command.health.timeout;
        let connected = timeout(patience, TcpStream::connect(self.address)).await;
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(format!("connecting to {} failed: {error}", self.address)),
            Err(_elapsed) => return Err(format!("{} did not answer in {patience:?}", self.address)),
        };
        match &self.command.health.path {
            Some(path) => timeout(patience, get(stream, self.address, path))
                .await
                .unwrap_or_else(|_elapsed| Err(format!("GET {path} was not answered in {patience:?}"))),
            None => Ok(()),
        }
    }

    /// Sees that it was the instance that answered, and not somebody who took its port first.
    ///
    /// Asked after the instance was declared ready: the kernel takes some 10 ms to list all sockets, which a
    /// request that waits for a start from zero would feel, and a stranger on our port is most improbable.
    pub(super) async fn belongs_to_instance(&self) -> Result<(), String> {
        let port = self.address.port();
        let Some(found) = self.own_listener().await else {
            // Not ours: either a stranger's, or nobody's because the instance has just ended.
            let stranger = tokio::task::spawn_blocking(move || proc::who_listens(port)).await.ok().flatten();
            return match stranger {
                Some(who) if self.own_listener().await.is_none() => {
                    Err(format!("{} belongs to another process, {who}", self.address))
                }
                _ => Ok(()),
            };
        };
        if !found.ip().to_canonical().is_loopback() {
            tracing::warn!(service = %self.command.service, listens_on = %found,
                "instance can be reached from other machines; $HOST names the address to listen on");
        }
        Ok(())
    }

    async fn own_listener(&self) -> Option<SocketAddr> {
        let listening = listening(self.guard).await.unwrap_or_default();
        listening.into_iter().find(|found| found.port() == self.address.port())
    }

    /// Finds out what the service does instead of listening on `$PORT`, once.
    async fn explain(&mut self) {
        self.explained = true;
        let seen = &self.last_seen;
        let elsewhere = listening(self.guard).await.unwrap_or_default();
        self.last_seen = match elsewhere.as_slice() {
            [] => format!("{seen}; it listens on no port, and should on $PORT"),
            found if found.iter().any(|one| one.port() == self.address.port() && reaches(one.ip())) => {
                return;
            }
            found => {
                let found: Vec<_> = found.iter().map(ToString::to_string).collect();
                format!("it listens on {}, not on {} as $HOST and $PORT say", found.join(", "), self.address)
            }
        };
    }
}

/// Whether a listener on this address takes connections to 127.0.0.1.
fn reaches(ip: IpAddr) -> bool {
    ip.is_unspecified() || ip.to_canonical() == IpAddr::from([127, 0, 0, 1])
}

async fn listening(guard: u32) -> Option<Vec<SocketAddr>> {
    tokio::task::spawn_blocking(move || proc::listening_below(guard)).await.ok().flatten()
}

/// Probes a ready instance; returns why it counts as sick after `failures` failed probes in a row.
pub(super) async fn until_sick(health: &Health, address: SocketAddr) -> String {
    let mut failed = 0;
    loop {
        sleep(health.every).await;
        match timeout(health.timeout, probe(health, address)).await {
            Ok(Ok(())) => failed = 0,
            Ok(Err(seen)) => {
                failed += 1;
                if failed >= health.failures {
                    return seen;
                }
            }
            Err(_elapsed) => {
                failed += 1;
                if failed >= health.failures {
                    return format!("no answer to a probe in {:?}", health.timeout);
                }
            }
        }
    }
}

async fn probe(health: &Health, address: SocketAddr) -> Result<(), String> {
    let stream = TcpStream::connect(address).await.map_err(|error| format!("connecting failed: {error}"))?;
    match &health.path {
        Some(path) => get(stream, address, path).await,
        None => Ok(()),
    }
}

/// 2xx and 3xx are healthy, as on Cloud Run and Kubernetes.
async fn get(stream: TcpStream, address: SocketAddr, path: &str) -> Result<(), String> {
    let failed = |error: hyper::Error| format!("GET {path} failed: {error}");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let request = hyper::Request::get(path)
        .header(hyper::header::HOST, address.to_string())
        .header(hyper::header::USER_AGENT, "mare-probe")
        .header(hyper::header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("GET {path} is no request: {error}"))?;
    let answer = async { sender.send_request(request).await.map_err(failed) };
    let status = tokio::select! {
        answer = answer => answer?.status(),
        // Ends only with the answer's body, or with an error that the answer reports too.
        () = async { let _ = connection.await; std::future::pending::<()>().await } => unreachable!("never ready"),
    };
    if status.is_success() || status.is_redirection() {
        Ok(())
    } else {
        Err(format!("GET {path} answered {status}"))
    }
}
