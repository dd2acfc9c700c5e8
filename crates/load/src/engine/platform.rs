//! Asks a running mare, once a second, how its services are doing.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use http::Request;
use http::header::{AUTHORIZATION, HOST};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::run::{PlatformSample, ServiceSample};

const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(2);

/// Status of a thousand instances, with room.
const DOCUMENT_MAX: usize = 16 * 1024 * 1024;

/// How to ask.
#[derive(Clone, Debug)]
pub struct Admin {
    pub address: SocketAddr,
    pub token: Option<String>,
}

/// The part of `/api/status` that is kept. Unknown keys are ignored: it may be of a newer mare.
#[derive(Debug, Deserialize)]
struct Status {
    services: Vec<Service>,
}

#[derive(Debug, Deserialize)]
struct Service {
    name: String,
    max: u32,
    in_flight: u32,
    waiting: u32,
    #[serde(default)]
    backlog: u64,
    instances: Vec<Instance>,
}

#[derive(Debug, Deserialize)]
struct Instance {
    id: String,
    state: String,
    cpu_seconds: f64,
    memory_bytes: u64,
}

/// The platform itself looks at CPU times every few seconds; one that stays the same for longer is at rest.
const HELD_MAX: f64 = 10.0;

/// Remembers the CPU time of each instance, to tell what was used since.
#[derive(Debug, Default)]
struct Meter {
    instances: HashMap<String, Used>,
    at: Option<f64>,
}

/// The CPU time of one instance when it last changed, and the cores in use that this change means.
#[derive(Clone, Copy, Debug)]
struct Used {
    cpu_seconds: f64,
    at: f64,
    cores: f64,
}

/// Asks the platform, in a task of its own: it may be slow to answer.
pub(super) struct Watch {
    pub(super) samples: mpsc::Receiver<PlatformSample>,
    task: Option<(JoinHandle<()>, oneshot::Sender<()>)>,
}

impl Watch {
    pub(super) fn start(admin: Option<Admin>, start: Instant) -> Self {
        let (sender, samples) = mpsc::channel(16);
        let (stop, stopped) = oneshot::channel();
        let task = admin.map(|admin| (tokio::spawn(sample(admin, start, sender, stopped)), stop));
        Self { samples, task }
    }

    pub(super) async fn stop(self) {
        drop(self.samples);
        if let Some((task, stop)) = self.task {
            drop(stop);
            // It only ends early if it panicked, and then said so.
            let _ = task.await;
        }
    }
}

/// Sends a sample each second until nobody listens. Times at which nothing answers are left out.
async fn sample(
    admin: Admin,
    start: Instant,
    samples: mpsc::Sender<PlatformSample>,
    stop: oneshot::Receiver<()>,
) {
    let watch = async {
        let mut meter = Meter::default();
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            let Ok(Some(status)) = timeout(PATIENCE, ask(&admin)).await else { continue };
            let sample = meter.read(start.elapsed().as_secs_f64(), status);
            if samples.send(sample).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = watch => {}
        // Also when the other end was dropped.
        _ = stop => {}
    }
}

async fn ask(admin: &Admin) -> Option<Status> {
    let stream = TcpStream::connect(admin.address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let mut request = Request::get("/api/status").header(HOST, admin.address.to_string());
    if let Some(token) = &admin.token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Empty::<bytes::Bytes>::new()).ok()?;
    let answer = async {
        let response = sender.send_request(request).await.ok()?;
        let is_right = response.status().is_success();
        let body = Limited::new(response.into_body(), DOCUMENT_MAX).collect().await.ok()?.to_bytes();
        if is_right { serde_json::from_slice(&body).ok() } else { None }
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        status = &mut answer => status,
        // The connection may end before its last answer was taken.
        _ = connection => answer.await,
    }
}

impl Meter {
    fn read(&mut self, at: f64, status: Status) -> PlatformSample {
        let mut instances = HashMap::new();
        let mut services = BTreeMap::new();
        for service in status.services {
            let mut sample = ServiceSample {
                max: service.max,
                in_flight: service.in_flight,
                waiting: service.waiting,
                backlog: service.backlog,
                ..ServiceSample::default()
            };
            for instance in service.instances {
                sample.ready += u32::from(instance.state == "ready");
                sample.starting += u32::from(instance.state == "starting");
                sample.memory_bytes += instance.memory_bytes;
                // What a new instance used, it used since the look before.
                let new = Used { cpu_seconds: 0.0, at: self.at.unwrap_or(at), cores: 0.0 };
                let before = self.instances.get(&instance.id).copied().unwrap_or(new);
                let used = before.until(at, instance.cpu_seconds);
                sample.cpu += used.cores;
                instances.insert(instance.id, used);
            }
            services.insert(service.name, sample);
        }
        self.instances = instances;
        self.at = Some(at);
        PlatformSample { at, services }
    }
}

impl Used {
    fn until(self, at: f64, cpu_seconds: f64) -> Self {
        let used = cpu_seconds - self.cpu_seconds;
        let passed = at - self.at;
        if used > 0.0 {
            Self { cpu_seconds, at, cores: if passed > 0.0 { used / passed } else { 0.0 } }
        } else if passed > HELD_MAX {
            Self { cores: 0.0, ..self }
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_what_was_used_between_two_looks() {
        let status = |instances: &str| {
            let text = format!(
                r#"{{"app":"shop","services":[{{"name":"api","desired":2,"max":9,"in_flight":3,"waiting":1,
                   "instances":[{instances}]}}]}}"#
            );
            serde_json::from_str::<Status>(&text).unwrap()
        };
        let first = r#"{"id":"api-1","state":"ready","cpu_seconds":7.0,"memory_bytes":100}"#;
        let later = r#"{"id":"api-1","state":"ready","cpu_seconds":8.0,"memory_bytes":100},
            {"id":"api-2","state":"starting","cpu_seconds":0.5,"memory_bytes":10}"#;
        let mut meter = Meter::default();
        assert!(meter.read(1.0, status(first)).services["api"].cpu.abs() < 1e-9);
        let sample = &meter.read(3.0, status(later)).services["api"];
        assert!((sample.cpu - 0.75).abs() < 1e-9, "{}", sample.cpu);
        assert_eq!((sample.ready, sample.starting, sample.memory_bytes, sample.max), (1, 1, 110, 9));
        // The platform has not looked again.
        let sample = &meter.read(4.0, status(later)).services["api"];
        assert!((sample.cpu - 0.75).abs() < 1e-9, "{}", sample.cpu);
        let sample = &meter.read(14.0, status(later)).services["api"];
        assert!(sample.cpu.abs() < 1e-9, "{}", sample.cpu);
    }
}
