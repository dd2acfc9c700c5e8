use std::collections::BTreeMap;
use std::sync::Arc;

use mare_scaling::{Decision, Endpoints, InstanceId, Policy, Time};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{ServiceConfig, command};
use crate::driver::{Command, Driver, Event, Failure, Happened};
use crate::metrics::{ForReason, InState, Metrics, OfInstance, Service};
use crate::policy::{Action, Phase, Spec, State, reason, reconcile};
use crate::pool::Report;
use crate::proc::{Processes, Usage};
use crate::status::{FailureStatus, InstanceStatus, ServiceStatus};

/// What all services share.
pub(super) struct Tools {
    driver: Driver,
    metrics: Metrics,
    pub(super) tasks: JoinSet<()>,
}

impl Tools {
    pub(super) fn new(driver: Driver, metrics: Metrics) -> Self {
        Self { driver, metrics, tasks: JoinSet::new() }
    }
}

/// One service: its state, its running instances, and where its endpoints are announced.
pub(super) struct Managed {
    name: Arc<str>,
    label: Service,
    spec: Spec,
    command: Arc<Command>,
    state: State,
    running: BTreeMap<InstanceId, Running>,
    endpoints: watch::Sender<Arc<Endpoints>>,
    announced: Option<Decision>,
    failures: u64,
    last_failure: Option<FailureStatus>,
}

struct Running {
    stop: CancellationToken,
    since: Time,
    guard: Option<u32>,
    usage: Usage,
}

impl Managed {
    pub(super) fn new(config: &ServiceConfig, gateway: u32) -> (Self, watch::Receiver<Arc<Endpoints>>) {
        let (endpoints, seen) = watch::channel(Arc::default());
        let mut state = State::default();
        state.gateways.insert(gateway, mare_scaling::Observation::default());
        let scale = &config.model.scale;
        let spec = Spec {
            scaling: Policy {
                min: scale.min,
                max: scale.max,
                concurrency: scale.concurrency,
                idle: scale.idle,
                hold: scale.hold,
                starts: scale.starts,
            },
            drain: config.model.timeout,
        };
        let managed = Self {
            name: Arc::clone(&config.name),
            label: Service { service: config.name.to_string() },
            spec,
            command: Arc::new(command(config)),
            state,
            running: BTreeMap::new(),
            endpoints,
            announced: None,
            failures: 0,
            last_failure: None,
        };
        (managed, seen)
    }

    pub(super) fn has_instances(&self) -> bool {
        !self.running.is_empty()
    }

    pub(super) fn observe(&mut self, report: Report, tools: &Tools) {
        let failures: u32 = report.observation.instances.iter().map(|seen| seen.failures).sum();
        tools.metrics.connection_failures.get_or_create(&self.label).inc_by(failures.into());
        self.state.gateways.insert(report.gateway, report.observation);
    }

    pub(super) fn reconcile(&mut self, tools: &mut Tools, now: Time) {
        let actions = reconcile(&self.spec, &mut self.state, now);
        self.announce_decision(tools);
        for action in actions {
            match action {
                Action::Start(id) => self.start(id, tools, now),
                Action::Stop(id) => {
                    if let Some(running) = self.running.get(&id) {
                        running.stop.cancel();
                    }
                }
                Action::Publish => drop(self.endpoints.send_replace(Arc::new(self.state.endpoints.clone()))),
            }
        }
        self.measure(tools);
    }

    fn start(&mut self, id: InstanceId, tools: &mut Tools, now: Time) {
        let stop = CancellationToken::new();
        let running = Running { stop: stop.clone(), since: now, guard: None, usage: Usage::default() };
        self.running.insert(id, running);
        tools.tasks.spawn(tools.driver.clone().run(Arc::clone(&self.command), id, stop));
        // Tasks that ended leave their result behind until somebody takes it.
        while tools.tasks.try_join_next().is_some() {}
    }

    pub(super) fn stop_all(&mut self) {
        for running in self.running.values() {
            running.stop.cancel();
        }
        // From now on an exit is what was asked for.
        for phase in self.state.instances.values_mut() {
            *phase = Phase::Stopping { address: None, sick: false };
        }
    }

    pub(super) fn handle(&mut self, event: Event, tools: &mut Tools, now: Time) {
        let id = event.id;
        match event.what {
            Happened::Spawned(guard) => {
                if let Some(running) = self.running.get_mut(&id) {
                    running.guard = Some(guard);
                }
            }
            Happened::Ready(address) => {
                if !self.state.instance_is_ready(id, address) {
                    return;
                }
                let took = self.running.get(&id).map(|running| now.since(running.since)).unwrap_or_default();
                tools.metrics.starts.get_or_create(&self.label).observe(took.as_secs_f64());
                tracing::info!(service = %self.name, instance = %id, %address,
                    took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "instance is ready");
                self.last_failure = None;
            }
            Happened::Sick(why) => {
                if self.state.instance_is_sick(id) {
                    tracing::warn!(service = %self.name, instance = %id, why, "instance is sick, replacing it");
                    self.count_exit(tools, "sick");
                    if let Some(running) = self.running.get(&id) {
                        running.stop.cancel();
                    }
                }
            }
            Happened::Gone { lived, failure } => {
                let unexpected = self.state.instance_is_gone(id, lived, now);
                self.running.remove(&id);
                self.forget_usage(id, tools);
                match failure {
                    Some(failure) if unexpected => self.note_failure(id, &failure, tools),
                    None if unexpected => {
                        // It was counted when it turned sick.
                        tracing::info!(service = %self.name, instance = %id, "sick instance stopped");
                    }
                    Some(_) | None => {
                        tracing::info!(service = %self.name, instance = %id, "instance stopped");
                        self.count_exit(tools, "stopped");
                    }
                }
            }
        }
    }

    fn note_failure(&mut self, id: InstanceId, failure: &Failure, tools: &Tools) {
        self.failures += 1;
        self.count_exit(tools, "failed");
        let message = match std::error::Error::source(failure) {
            Some(source) => format!("{failure}: {source}"),
            None => failure.to_string(),
        };
        tracing::error!(service = %self.name, instance = %id, failures = self.state.backoff.failures(),
            last_lines = ?failure.tail(), "instance failed: {message}");
        self.last_failure = Some(FailureStatus { message, output: failure.tail().to_vec() });
    }

    fn count_exit(&self, tools: &Tools, reason: &'static str) {
        tools.metrics.exits.get_or_create(&ForReason { service: self.name.to_string(), reason }).inc();
    }

    fn announce_decision(&mut self, tools: &Tools) {
        let decision = self.state.decision;
        let desired = |decision: Option<Decision>| decision.map(|decision| decision.desired);
        if let Some(Decision { desired: count, reason }) = decision
            && desired(self.announced) != Some(count)
        {
            let label = ForReason { service: self.name.to_string(), reason: reason.as_str() };
            if self.announced.is_some() || count > 0 {
                tools.metrics.decisions.get_or_create(&label).inc();
                tracing::info!(service = %self.name, desired = count,
                    before = desired(self.announced).unwrap_or(0), reason = reason.as_str(), "scaling");
            }
            tools.metrics.desired.get_or_create(&self.label).set(i64::from(count));
            self.announced = decision;
        }
    }

    fn measure(&self, tools: &Tools) {
        let load = |pick: fn(&mare_scaling::Observation) -> u32| {
            i64::from(self.state.gateways.values().map(pick).sum::<u32>())
        };
        tools.metrics.in_flight.get_or_create(&self.label).set(load(|seen| seen.in_flight));
        tools.metrics.waiting.get_or_create(&self.label).set(load(|seen| seen.waiting));
        for state in ["starting", "ready", "draining", "stopping"] {
            let count = self.state.instances.values().filter(|phase| phase.name() == state).count();
            let label = InState { service: self.name.to_string(), state };
            tools.metrics.instances.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    pub(super) fn sample(&mut self, processes: &Processes, tools: &Tools) {
        for (id, running) in &mut self.running {
            let Some(guard) = running.guard else { continue };
            running.usage = processes.usage_below(guard);
            let label = of_instance(&self.name, *id);
            tools.metrics.cpu.get_or_create(&label).set(running.usage.cpu_seconds);
            let memory = i64::try_from(running.usage.memory_bytes).unwrap_or(i64::MAX);
            tools.metrics.memory.get_or_create(&label).set(memory);
        }
    }

    fn forget_usage(&self, id: InstanceId, tools: &Tools) {
        let label = of_instance(&self.name, id);
        tools.metrics.cpu.remove(&label);
        tools.metrics.memory.remove(&label);
    }

    pub(super) fn status(&self, now: Time) -> ServiceStatus {
        let scaling = &self.spec.scaling;
        let waiting = self.state.gateways.values().map(|seen| seen.waiting).sum();
        let instances = self.state.instances.iter().filter_map(|(id, phase)| {
            let running = self.running.get(id)?;
            Some(InstanceStatus {
                id: format!("{}-{id}", self.name),
                state: phase.name().to_owned(),
                address: phase.address().map(|address| address.to_string()),
                pid: running.guard,
                in_flight: self.state.in_flight(*id),
                age_seconds: now.since(running.since).as_secs_f64(),
                cpu_seconds: running.usage.cpu_seconds,
                memory_bytes: running.usage.memory_bytes,
            })
        });
        ServiceStatus {
            name: self.name.to_string(),
            desired: self.state.decision.map_or(0, |decision| decision.desired),
            reason: reason(&self.state).as_str().to_owned(),
            min: scaling.min,
            max: scaling.max,
            concurrency: scaling.concurrency,
            in_flight: self.state.gateways.values().map(|seen| seen.in_flight).sum(),
            waiting,
            instances: instances.collect(),
            failures: self.failures,
            last_failure: self.last_failure.clone(),
        }
    }
}

fn of_instance(name: &str, id: InstanceId) -> OfInstance {
    OfInstance { service: name.to_owned(), instance: format!("{name}-{id}") }
}
