//! What to do with the instances of one service: a pure function from what is known to actions.

mod backoff;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use mare_scaling::{
    Availability, Decision, Endpoint, Endpoints, Failing, InstanceId, Load, Observation, Plan, Policy,
    Reason, Supply, Time, decide,
};

pub use backoff::Backoff;

/// What the manifest wants for one service.
#[derive(Clone, Debug)]
pub struct Spec {
    pub scaling: Policy,
    /// How long a draining instance may take to finish its requests.
    pub drain: Duration,
}

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    Starting,
    Ready(SocketAddr),
    /// Out of rotation. Stops when every gateway confirmed `generation` and nothing is in flight, or at `until`.
    Draining {
        address: SocketAddr,
        generation: u64,
        until: Time,
    },
    /// Was told to stop; still there until its process has gone.
    Stopping {
        address: Option<SocketAddr>,
        sick: bool,
    },
}

/// All that is known about one service. Events change it, [`reconcile`] reacts.
#[derive(Debug, Default)]
pub struct State {
    pub instances: BTreeMap<InstanceId, Phase>,
    /// The latest report of every gateway, there from the moment a gateway is known.
    pub gateways: BTreeMap<u32, Observation>,
    pub backoff: Backoff,
    pub endpoints: Endpoints,
    pub decision: Option<Decision>,
    /// What `endpoints.failing` was made from.
    announced: Backoff,
    scaling: mare_scaling::State,
    next_id: u64,
}

impl Phase {
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Ready(_) => "ready",
            Phase::Draining { .. } => "draining",
            Phase::Stopping { .. } => "stopping",
        }
    }

    pub fn address(&self) -> Option<SocketAddr> {
        match *self {
            Phase::Starting => None,
            Phase::Ready(address) | Phase::Draining { address, .. } => Some(address),
            Phase::Stopping { address, .. } => address,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    Start(InstanceId),
    /// SIGTERM, grace, SIGKILL.
    Stop(InstanceId),
    /// Send [`State::endpoints`] to the gateways.
    Publish,
}

impl State {
    pub fn load(&self) -> Load {
        Load::sum(self.gateways.values())
    }

    /// Requests in flight at one instance, over all gateways.
    pub fn in_flight(&self, id: InstanceId) -> u32 {
        let all = self.gateways.values().flat_map(|gateway| &gateway.instances);
        all.filter(|seen| seen.id == id).map(|seen| seen.in_flight).sum()
    }

    /// A liveness probe failed for good: no new requests, and out as soon as it lets go.
    pub fn instance_is_sick(&mut self, id: InstanceId) -> bool {
        let Some(phase) = self.instances.get_mut(&id) else { return false };
        let (Phase::Ready(address) | Phase::Draining { address, .. }) = *phase else { return false };
        *phase = Phase::Stopping { address: Some(address), sick: true };
        true
    }

    /// False if it was told to stop meanwhile.
    pub fn instance_is_ready(&mut self, id: InstanceId, address: SocketAddr) -> bool {
        let Some(phase @ Phase::Starting) = self.instances.get_mut(&id) else { return false };
        *phase = Phase::Ready(address);
        self.backoff.became_ready();
        true
    }

    /// The process is gone; true if nobody had asked for that.
    pub fn instance_is_gone(&mut self, id: InstanceId, lived: Duration, now: Time) -> bool {
        match self.instances.remove(&id) {
            Some(Phase::Starting) => self.backoff.never_started(lived, now),
            Some(Phase::Ready(_) | Phase::Draining { .. } | Phase::Stopping { sick: true, .. }) => {
                self.backoff.crashed(lived, now);
            }
            Some(Phase::Stopping { address, sick: false }) => {
                if address.is_some() {
                    self.backoff = Backoff::default();
                }
                return false;
            }
            None => return false,
        }
        true
    }

    fn count(&self, wanted: impl Fn(&Phase) -> bool) -> u32 {
        u32::try_from(self.instances.values().filter(|phase| wanted(phase)).count()).unwrap_or(u32::MAX)
    }

    fn supply(&self) -> Supply {
        Supply {
            ready: self.count(|phase| matches!(phase, Phase::Ready(_))),
            starting: self.count(|phase| matches!(phase, Phase::Starting)),
        }
    }
}

/// Compares what is with what should be. Running it again without new events does nothing.
///
/// Terminates: every action moves an instance one step further in Starting, Ready, Draining, Stopping; the only
/// way back is Draining to Ready, and only while more instances are desired than exist.
pub fn reconcile(spec: &Spec, state: &mut State, now: Time) -> Vec<Action> {
    let load = state.load();
    let decision = decide(&spec.scaling, &mut state.scaling, &load, now);
    state.decision = Some(decision);
    let mut actions = Vec::new();
    recall(state, decision.desired);
    match Plan::new(&spec.scaling, decision.desired, state.supply()) {
        Plan::Start(count) => grow(state, count, now, &mut actions),
        Plan::Stop(count) => shrink(spec, state, count, now, &mut actions),
        Plan::Keep => {}
    }
    publish(spec, state, now, &mut actions);
    stop_drained(state, now, &mut actions);
    actions
}

/// Calls draining instances back, which costs nothing and so is not bounded by the number of starts.
fn recall(state: &mut State, desired: u32) {
    let supply = state.supply();
    let missing = desired.saturating_sub(supply.ready + supply.starting) as usize;
    let draining = state.instances.values_mut().filter_map(|phase| match *phase {
        Phase::Draining { address, .. } => Some((phase, address)),
        Phase::Starting | Phase::Ready(_) | Phase::Stopping { .. } => None,
    });
    for (phase, address) in draining.take(missing) {
        *phase = Phase::Ready(address);
    }
}

fn grow(state: &mut State, count: u32, now: Time, actions: &mut Vec<Action>) {
    if !state.backoff.allows_start(now) {
        return;
    }
    for _ in 0..count.min(state.backoff.starts_max().saturating_sub(state.supply().starting)) {
        let id = InstanceId(state.next_id + 1);
        state.next_id += 1;
        state.instances.insert(id, Phase::Starting);
        actions.push(Action::Start(id));
    }
}

/// Those still starting go first, then those with the least in flight, the youngest of equals.
fn shrink(spec: &Spec, state: &mut State, count: u32, now: Time, actions: &mut Vec<Action>) {
    let mut victims: Vec<(bool, u32, InstanceId)> = state
        .instances
        .iter()
        .filter_map(|(id, phase)| match phase {
            Phase::Starting => Some((false, 0, *id)),
            Phase::Ready(_) => Some((true, state.in_flight(*id), *id)),
            Phase::Draining { .. } | Phase::Stopping { .. } => None,
        })
        .collect();
    victims.sort_by_key(|(ready, in_flight, id)| (*ready, *in_flight, std::cmp::Reverse(*id)));
    for (_, _, id) in victims.into_iter().take(count as usize) {
        let Some(phase) = state.instances.get_mut(&id) else { continue };
        match *phase {
            Phase::Ready(address) => {
                // The generation that `publish` is about to make.
                let generation = state.endpoints.generation + 1;
                *phase = Phase::Draining { address, generation, until: now + spec.drain };
            }
            Phase::Starting | Phase::Draining { .. } | Phase::Stopping { .. } => {
                *phase = Phase::Stopping { address: None, sick: false };
                actions.push(Action::Stop(id));
            }
        }
    }
}

fn publish(spec: &Spec, state: &mut State, now: Time, actions: &mut Vec<Action>) {
    let endpoint = |(id, phase): (&InstanceId, &Phase)| {
        let (address, availability) = match *phase {
            Phase::Starting | Phase::Stopping { address: None, .. } => return None,
            Phase::Ready(address) => (address, Availability::Ready),
            Phase::Draining { address, .. } | Phase::Stopping { address: Some(address), sick: false } => {
                (address, Availability::Draining)
            }
            Phase::Stopping { address: Some(address), sick: true } => (address, Availability::Unhealthy),
        };
        // With one gateway its share is the whole instance; several gateways get theirs here.
        Some(Endpoint { id: *id, address, availability, share: spec.scaling.concurrency })
    };
    let instances: Vec<_> = state.instances.iter().filter_map(endpoint).collect();
    let nobody_serves = !instances.iter().any(|one| one.availability == Availability::Ready);
    let failing = state.backoff.retry_after(now).filter(|_| nobody_serves);
    let was_failing = state.endpoints.failing.is_some();
    let is_news = failing.is_some() && state.announced != state.backoff;
    if instances != state.endpoints.instances || failing.is_some() != was_failing || is_news {
        state.announced = state.backoff;
        let generation = state.endpoints.generation + 1;
        let failing = failing.map(|retry_after| Failing { retry_after });
        state.endpoints = Endpoints { generation, instances, failing };
        actions.push(Action::Publish);
    }
}

fn stop_drained(state: &mut State, now: Time, actions: &mut Vec<Action>) {
    let confirmed = state.gateways.values().map(|seen| seen.generation).min().unwrap_or(u64::MAX);
    let drained: Vec<_> = state
        .instances
        .iter()
        .filter_map(|(id, phase)| match *phase {
            Phase::Draining { address, generation, until } => {
                let done = confirmed >= generation && state.in_flight(*id) == 0;
                (done || now >= until).then_some((*id, address))
            }
            Phase::Starting | Phase::Ready(_) | Phase::Stopping { .. } => None,
        })
        .collect();
    for (id, address) in drained {
        state.instances.insert(id, Phase::Stopping { address: Some(address), sick: false });
        actions.push(Action::Stop(id));
    }
}

/// The reason of the latest decision, for people.
pub fn reason(state: &State) -> Reason {
    state.decision.map_or(Reason::Idle, |decision| decision.reason)
}

#[cfg(test)]
mod tests;
