//! The controller: reads observations and events, reconciles, starts and stops instances.
//!
//! ```text
//!   Pool ──Report──►┐                         ┌──Endpoints──► Pool   (per gateway and service)
//!   Driver ─Event──►├─ Controller ─reconcile──┤
//!   tick, 200 ms ──►┘                         └──start, stop──► Driver
//! ```
//!
//! One task owns the state of all services, so nothing here is locked.

mod managed;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mare_manifest::model;
use prometheus_client::registry::Registry;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::driver::{Command, Driver, Event, Sink};
use crate::metrics::Metrics;
use crate::pool::{Link, Report};
use crate::proc;
use crate::status::Status;
use managed::{Managed, Tools};

/// Timeouts (idle, hold, drain, backoff) are noticed this late at worst.
const TICK: Duration = Duration::from_millis(200);

/// Between two looks at CPU and memory; a scan of /proc costs a few milliseconds.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);

/// Reports and events in transit. Senders wait when it is full; they are few and the controller is quick.
const QUEUE: usize = 1024;

/// What the controller runs.
#[derive(Debug)]
pub struct Config {
    /// The program and arguments that run the guard: `mare __guard`.
    pub guard: (PathBuf, Vec<String>),
    pub sink: Sink,
    pub clock: Clock,
    pub services: Vec<ServiceConfig>,
}

#[derive(Clone, Debug)]
pub struct ServiceConfig {
    pub name: Arc<str>,
    pub model: model::Service,
    pub folder: PathBuf,
    /// What the service finds in its environment besides `PORT`, `HOST`, `MARE_SERVICE` and `MARE_INSTANCE`.
    pub environment: Vec<(String, model::Text)>,
}

pub struct Controller {
    services: BTreeMap<Arc<str>, Managed>,
    tools: Tools,
    reports: mpsc::Receiver<Report>,
    events: mpsc::Receiver<Event>,
    status: watch::Sender<Arc<Status>>,
    clock: Clock,
}

/// The other end of a [`Controller`].
#[derive(Debug)]
pub struct Handle {
    pub status: watch::Receiver<Arc<Status>>,
    links: Vec<Link>,
}

impl Handle {
    /// The links for this process's gateway, one per service; there is one gateway, so they go once.
    pub fn take_links(&mut self) -> Vec<Link> {
        std::mem::take(&mut self.links)
    }
}

impl Controller {
    pub fn new(config: Config, registry: &mut Registry) -> (Self, Handle) {
        const GATEWAY: u32 = 0;
        let (report_sender, reports) = mpsc::channel(QUEUE);
        let (event_sender, events) = mpsc::channel(QUEUE);
        let (status, status_seen) = watch::channel(Arc::default());
        let driver = Driver::new(config.guard, config.sink, event_sender);
        let tools = Tools::new(driver, Metrics::register(registry));
        let (mut services, mut links) = (BTreeMap::new(), Vec::new());
        for service in config.services {
            let name = Arc::clone(&service.name);
            let (managed, endpoints) = Managed::new(&service, GATEWAY);
            links.push(Link {
                service: Arc::clone(&name),
                gateway: GATEWAY,
                observations: report_sender.clone(),
                endpoints,
            });
            services.insert(name, managed);
        }
        let controller = Self { services, tools, reports, events, status, clock: config.clock };
        // Whoever looks before the controller runs sees services without instances, not none.
        controller.publish_status();
        (controller, Handle { status: status_seen, links })
    }

    /// Runs until `shutdown`, then stops every instance and returns when all are gone.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sample = interval(SAMPLE_EVERY);
        sample.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(event) = self.events.recv() => self.handle(event),
                Some(report) = self.reports.recv() => self.observe(report),
                _ = tick.tick() => self.reconcile_all(),
                _ = sample.tick() => self.sample().await,
            }
            self.publish_status();
        }
        self.stop().await;
    }

    fn handle(&mut self, event: Event) {
        let now = self.clock.now();
        let Some(service) = self.services.get_mut(&event.service) else { return };
        service.handle(event, &mut self.tools, now);
        service.reconcile(&mut self.tools, now);
    }

    fn observe(&mut self, report: Report) {
        let now = self.clock.now();
        let Some(service) = self.services.get_mut(&report.service) else { return };
        service.observe(report, &self.tools);
        service.reconcile(&mut self.tools, now);
    }

    fn reconcile_all(&mut self) {
        let now = self.clock.now();
        for service in self.services.values_mut() {
            service.reconcile(&mut self.tools, now);
        }
    }

    fn publish_status(&self) {
        let now = self.clock.now();
        let services = self.services.values().map(|service| service.status(now)).collect();
        self.status.send_replace(Arc::new(Status { services }));
    }

    async fn sample(&mut self) {
        if self.services.values().all(|service| !service.has_instances()) {
            return;
        }
        let Ok(processes) = tokio::task::spawn_blocking(proc::Processes::read).await else { return };
        for service in self.services.values_mut() {
            service.sample(&processes, &self.tools);
        }
    }

    async fn stop(mut self) {
        for service in self.services.values_mut() {
            service.stop_all();
        }
        // Events must still be taken, or a full channel would hold the instances' tasks.
        while self.services.values().any(Managed::has_instances) {
            let Some(event) = self.events.recv().await else { break };
            let now = self.clock.now();
            if let Some(service) = self.services.get_mut(&event.service) {
                service.handle(event, &mut self.tools, now);
            }
        }
        self.publish_status();
        while self.tools.tasks.join_next().await.is_some() {}
    }
}

/// The command of one service, for the driver.
fn command(service: &ServiceConfig) -> Command {
    Command {
        service: Arc::clone(&service.name),
        words: service.model.run.clone(),
        environment: service.environment.clone(),
        folder: service.folder.clone(),
        health: service.model.health.clone(),
        grace: service.model.grace,
    }
}

#[cfg(test)]
mod tests {
    use mare_scaling::{InstanceId, InstanceObservation, Observation};

    use super::*;

    #[tokio::test]
    async fn failed_connections_to_instances_are_counted() {
        let text = "[services.api]\nrun = 'api'";
        let manifest = mare_manifest::load(text, "mare.toml".as_ref(), "/".into(), &|_| None).expect("valid");
        let service = ServiceConfig {
            name: "api".into(),
            model: manifest.services["api"].clone(),
            folder: "/".into(),
            environment: Vec::new(),
        };
        let config = Config {
            guard: ("false".into(), Vec::new()),
            sink: Sink::new(|_| {}),
            clock: Clock::start(),
            services: vec![service],
        };
        let mut registry = Registry::default();
        let (mut controller, _handle) = Controller::new(config, &mut registry);
        for failures in [1, 0, 2] {
            let instances = vec![InstanceObservation { id: InstanceId(1), in_flight: 0, failures }];
            let observation = Observation { instances, ..Observation::default() };
            controller.observe(Report { service: "api".into(), gateway: 0, observation });
        }
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &registry).expect("encodes");
        assert!(page.contains("mare_instance_connection_failures_total{service=\"api\"} 3\n"), "{page}");
    }
}
