//! A gateway's view of one service: its instances, their slots, and the requests that wait for one.
//!
//! ```text
//!   request ──acquire──► slot free ──► Lease ──drop──► slot goes to the longest waiter
//!                │                                            ▲
//!                └─ none free ─► Admission (bounded FIFO) ────┘
//!   Link.endpoints ──► apply      Link.observations ◄── observe, at once when somebody must wait
//! ```
//!
//! A pool decides about slots locally, from its share, without asking anyone per request. The type
//! parameter is whatever the gateway keeps per instance (its idle connections); the pool never looks at it.

mod meter;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mare_scaling::{
    Admission, Availability, Candidate, Endpoints, Failing, InstanceId, InstanceObservation, Observation,
    Ticket, Time, pick,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::clock::Clock;
use meter::Meter;

/// Between two reports of a busy pool. A request that must wait reports at once.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// Least time between two reports, so that a long waiting line does not become a flood of them.
const REPORT_GAP: Duration = Duration::from_millis(2);

/// How long an instance whose connections failed is passed over.
const EJECTION: Duration = Duration::from_secs(2);

/// The two things that flow between a gateway and the controller, for one service.
#[derive(Debug)]
pub struct Link {
    pub service: Arc<str>,
    pub gateway: u32,
    pub observations: mpsc::Sender<Report>,
    pub endpoints: watch::Receiver<Arc<Endpoints>>,
}

/// An [`Observation`] with its sender.
#[derive(Debug)]
pub struct Report {
    pub service: Arc<str>,
    pub gateway: u32,
    pub observation: Observation,
}

/// One instance as the gateway sees it.
#[derive(Debug)]
pub struct Instance<C> {
    pub id: InstanceId,
    pub address: SocketAddr,
    pub connections: C,
}

/// Why a request got no slot. Sending it again later is safe: it reached no instance.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    #[error("too many requests are waiting for an instance")]
    Full,
    #[error("no instance became free in time")]
    Deadline,
    #[error("the service fails to start")]
    Failing { retry_after: Duration },
    #[error("the platform is shutting down")]
    Closed,
}

pub struct Pool<C>(Arc<Shared<C>>);

impl<C> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Shared<C> {
    service: Arc<str>,
    clock: Clock,
    state: Mutex<State<C>>,
    /// Wakes [`Pool::run`] to report now.
    report: Notify,
}

struct State<C> {
    generation: u64,
    slots: Vec<Slot<C>>,
    /// Where the next search starts, so that ties spread.
    start: usize,
    waiting: Admission<oneshot::Sender<Result<Lease<C>, Refused>>>,
    failing: Option<Failing>,
    meter: Meter,
    closed: bool,
}

struct Slot<C> {
    instance: Arc<Instance<C>>,
    candidate: Candidate,
    ejected_until: Time,
    failures: u32,
}

/// Bounds of a pool's waiting line.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub capacity: u32,
    pub deadline: Duration,
}

/// One slot of one instance; dropping it passes the slot on.
pub struct Lease<C> {
    pool: Arc<Shared<C>>,
    instance: Arc<Instance<C>>,
    kind: Kind,
}

/// Whether a lease is work that the service is scaled for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Counted,
    Unnoticed,
}

impl<C: Default + Send + Sync + 'static> Pool<C> {
    pub fn new(service: Arc<str>, waiting: Waiting, clock: Clock) -> Self {
        let now = clock.now();
        Self(Arc::new(Shared {
            service,
            clock,
            state: Mutex::new(State {
                generation: 0,
                slots: Vec::new(),
                start: 0,
                waiting: Admission::new(waiting.capacity, waiting.deadline),
                failing: None,
                meter: Meter::new(now),
                closed: false,
            }),
            report: Notify::new(),
        }))
    }

    pub fn service(&self) -> &Arc<str> {
        &self.0.service
    }

    /// Requests in flight and waiting, for gauges.
    pub fn occupancy(&self) -> (u32, usize) {
        let state = self.0.state.lock();
        (state.meter.in_flight(), state.waiting.len())
    }

    /// Gives a slot, waiting for one if need be; the wait is bounded by the service's `scale.wait`.
    pub fn acquire(&self) -> impl Future<Output = Result<Lease<C>, Refused>> {
        self.acquire_preferring(None)
    }

    /// The same; if that instance is ready and has a free slot at once, it is one of its.
    pub async fn acquire_preferring(&self, preferred: Option<InstanceId>) -> Result<Lease<C>, Refused> {
        let (ticket, granted) = match self.0.enter(preferred)? {
            Entered::Served(lease) => return Ok(lease),
            Entered::Waits(ticket, granted) => (ticket, granted),
        };
        self.0.report.notify_one();
        // Leaves the line when the client goes away and this future is dropped.
        let _place = Place { pool: &self.0, ticket };
        granted.await.unwrap_or(Err(Refused::Closed))
    }

    /// Gives a slot that nobody needs now, for the platform's own errands: it counts as no activity, so nothing is
    /// started or kept for it.
    pub fn try_acquire_unnoticed(&self) -> Option<Lease<C>> {
        let mut state = self.0.state.lock();
        if state.closed || !state.waiting.is_empty() {
            return None;
        }
        self.0.lease(&mut state, Kind::Unnoticed, None)
    }

    /// Passes over an instance for a while: a connection to it failed.
    pub fn eject(&self, id: InstanceId) {
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        if let Some(slot) = state.slots.iter_mut().find(|slot| slot.instance.id == id) {
            slot.candidate.ejected = true;
            slot.ejected_until = now + EJECTION;
            slot.failures = slot.failures.saturating_add(1);
        }
        drop(state);
        self.0.report.notify_one();
    }

    /// Calls `visit` for every instance, for housekeeping of its connections.
    pub fn for_each_instance(&self, mut visit: impl FnMut(&C)) {
        let instances: Vec<_> =
            self.0.state.lock().slots.iter().map(|slot| Arc::clone(&slot.instance)).collect();
        for instance in &instances {
            visit(&instance.connections);
        }
    }

    /// Nobody gets a slot or waits for one any more; returns how many waited.
    pub fn close(&self) -> usize {
        self.0.close()
    }

    /// Keeps the pool and the controller in step until the controller ends; then nobody waits any more.
    pub async fn run(self, mut link: Link) {
        let mut reported = tokio::time::Instant::now() - REPORT_GAP;
        loop {
            let busy = self.0.state.lock().needs_a_tick();
            let due = async {
                let asked = self.0.report.notified();
                if busy {
                    let _ = tokio::time::timeout(REPORT_EVERY, asked).await;
                } else {
                    asked.await;
                }
                tokio::time::sleep_until(reported + REPORT_GAP).await;
            };
            tokio::select! {
                changed = link.endpoints.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let endpoints = Arc::clone(&link.endpoints.borrow_and_update());
                    self.0.apply(&endpoints);
                }
                () = due => self.0.housekeep(),
            }
            reported = tokio::time::Instant::now();
            let observation = self.0.observe();
            let report = Report { service: Arc::clone(&link.service), gateway: link.gateway, observation };
            if link.observations.send(report).await.is_err() {
                break;
            }
        }
        self.0.close();
    }
}

enum Entered<C> {
    Served(Lease<C>),
    Waits(Ticket, oneshot::Receiver<Result<Lease<C>, Refused>>),
}

impl<C> Shared<C> {
    fn enter(self: &Arc<Self>, preferred: Option<InstanceId>) -> Result<Entered<C>, Refused> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        if state.meter.arrive(now) {
            self.report.notify_one();
        }
        if state.closed {
            return Err(Refused::Closed);
        }
        // Whoever waits came first.
        if state.waiting.is_empty()
            && let Some(lease) = self.take_slot(&mut state, now, preferred)
        {
            return Ok(Entered::Served(lease));
        }
        if let Some(failing) = state.failing {
            return Err(Refused::Failing { retry_after: failing.retry_after });
        }
        let (sender, receiver) = oneshot::channel();
        let ticket = state.waiting.enter(sender, now).map_err(|_full| Refused::Full)?;
        Ok(Entered::Waits(ticket, receiver))
    }

    fn take_slot(
        self: &Arc<Self>,
        state: &mut State<C>,
        now: Time,
        preferred: Option<InstanceId>,
    ) -> Option<Lease<C>> {
        let lease = self.lease(state, Kind::Counted, preferred)?;
        state.meter.begin(now);
        Some(lease)
    }

    fn lease(
        self: &Arc<Self>,
        state: &mut State<C>,
        kind: Kind,
        preferred: Option<InstanceId>,
    ) -> Option<Lease<C>> {
        let State { slots, start, .. } = state;
        let preferred = preferred
            .and_then(|id| slots.iter().position(|slot| slot.instance.id == id))
            .filter(|&index| slots[index].candidate.has_room());
        let index = match preferred {
            Some(index) => index,
            None => pick(slots.len(), *start, |i| slots[i].candidate)?,
        };
        *start = (index + 1) % slots.len();
        slots[index].candidate.outstanding += 1;
        Some(Lease { pool: Arc::clone(self), instance: Arc::clone(&slots[index].instance), kind })
    }

    /// Hands free slots to waiters. A lease is never dropped under the lock, because dropping it locks.
    fn serve_waiting(self: &Arc<Self>) {
        loop {
            let now = self.clock.now();
            let mut state = self.state.lock();
            state.refuse_expired(now);
            if state.waiting.is_empty() {
                return;
            }
            let Some(lease) = self.take_slot(&mut state, now, None) else { return };
            let waiter = state.waiting.serve(now).expect("somebody waits and nobody is past the deadline");
            drop(state);
            // If the waiter left in this moment, its lease comes back, is dropped, and serves the next one.
            drop(waiter.send(Ok(lease)));
        }
    }

    fn release(self: &Arc<Self>, id: InstanceId, kind: Kind) -> bool {
        let now = self.clock.now();
        let mut state = self.state.lock();
        match kind {
            Kind::Counted => state.meter.end(now),
            // An instance may drain, and the meter of a quiet pool reports nothing by itself.
            Kind::Unnoticed => self.report.notify_one(),
        }
        if let Some(slot) = state.slots.iter_mut().find(|slot| slot.instance.id == id) {
            slot.candidate.outstanding = slot.candidate.outstanding.saturating_sub(1);
        }
        !state.waiting.is_empty()
    }

    /// Refuses who waited too long, lets ejected instances back in, serves who can be served.
    fn housekeep(self: &Arc<Self>) {
        let now = self.clock.now();
        {
            let mut state = self.state.lock();
            state.refuse_expired(now);
            for slot in &mut state.slots {
                if slot.candidate.ejected && slot.ejected_until <= now {
                    slot.candidate.ejected = false;
                }
            }
        }
        self.serve_waiting();
    }

    fn observe(&self) -> Observation {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let waiting = u32::try_from(state.waiting.len()).unwrap_or(u32::MAX);
        let instances = state
            .slots
            .iter_mut()
            .map(|slot| InstanceObservation {
                id: slot.instance.id,
                in_flight: slot.candidate.outstanding,
                failures: std::mem::take(&mut slot.failures),
            })
            .collect();
        Observation { generation: state.generation, instances, ..state.meter.report(waiting, now) }
    }

    fn close(&self) -> usize {
        let mut state = self.state.lock();
        state.closed = true;
        let waited = state.waiting.len();
        state.refuse_all(Refused::Closed);
        waited
    }
}

impl<C> State<C> {
    fn refuse_expired(&mut self, now: Time) {
        while let Some(waiter) = self.waiting.expired(now) {
            let _ = waiter.send(Err(Refused::Deadline));
        }
    }

    fn refuse_all(&mut self, why: Refused) {
        while let Some(waiter) = self.waiting.dismiss() {
            let _ = waiter.send(Err(why));
        }
    }

    /// Whether something may change without a request coming in.
    fn needs_a_tick(&self) -> bool {
        self.meter.is_busy()
            || !self.waiting.is_empty()
            || self.slots.iter().any(|slot| slot.candidate.ejected)
    }
}

impl<C: Default> Shared<C> {
    fn apply(self: &Arc<Self>, endpoints: &Endpoints) {
        // Outlives the lock: closing the connections of instances that are gone may take a while.
        let mut old;
        {
            let mut state = self.state.lock();
            old = std::mem::take(&mut state.slots);
            for endpoint in &endpoints.instances {
                let kept = old.iter().position(|slot| slot.instance.id == endpoint.id);
                let mut slot = kept.map_or_else(
                    || Slot {
                        instance: Arc::new(Instance {
                            id: endpoint.id,
                            address: endpoint.address,
                            connections: C::default(),
                        }),
                        candidate: Candidate {
                            availability: Availability::Ready,
                            ejected: false,
                            slots: 0,
                            outstanding: 0,
                        },
                        ejected_until: Time(0),
                        failures: 0,
                    },
                    |index| old.swap_remove(index),
                );
                slot.candidate.availability = endpoint.availability;
                slot.candidate.slots = endpoint.share;
                state.slots.push(slot);
            }
            state.generation = endpoints.generation;
            state.failing = endpoints.failing;
            if let Some(failing) = state.failing
                && state.slots.is_empty()
            {
                state.refuse_all(Refused::Failing { retry_after: failing.retry_after });
            }
        }
        self.serve_waiting();
    }
}

struct Place<'a, C> {
    pool: &'a Shared<C>,
    ticket: Ticket,
}

impl<C> Drop for Place<'_, C> {
    fn drop(&mut self) {
        let left = self.pool.state.lock().waiting.leave(self.ticket);
        drop(left);
    }
}

impl<C> Lease<C> {
    pub fn instance(&self) -> &Arc<Instance<C>> {
        &self.instance
    }
}

impl<C> Drop for Lease<C> {
    fn drop(&mut self) {
        if self.pool.release(self.instance.id, self.kind) {
            self.pool.serve_waiting();
        }
    }
}

#[cfg(test)]
mod tests;
