use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use jiff::Timestamp;

use super::ledger::Ledger;
use crate::model::{Answer, HttpRequest, Outcome, QueueName, QueueSettings, RateLimits, Retry, Spec, State};
use crate::policy::later;
use crate::store::clock::Manual;
use crate::store::{End, Leased, NewTask, Put, Settlement, Store};

/// Steps after which a run that has not come to its end never will.
const STEPS_MAX: usize = 100_000;

/// How a run goes, all of it from the seed.
pub(super) struct Plan {
    random: Rng,
    settings: QueueSettings,
    tasks: usize,
}

impl Plan {
    pub(super) fn random(seed: u64, tasks: usize) -> Self {
        let mut random = Rng::with_seed(seed);
        let limits = RateLimits {
            per_second: 0.5 + 20.0 * random.f64(),
            burst: random.u32(1..20),
            concurrent: random.u32(1..20),
        };
        let retry = Retry {
            attempts: Some(random.u32(1..6)),
            duration: None,
            min: Duration::from_millis(random.u64(0..5_000)),
            max: Duration::from_millis(random.u64(5_000..60_000)),
            doublings: random.u32(0..4),
        };
        let name = QueueName::below("projects/p/locations/l", "q").expect("a name");
        Self { random, settings: QueueSettings { name, limits, retry, target: None, declared: false }, tasks }
    }
}

/// What happens at its time.
enum Event {
    Create(String),
    End(Box<Leased>, End),
    SetState(State),
}

/// The queue's surroundings.
pub(super) struct World {
    store: Arc<dyn Store>,
    clock: Manual,
    plan: Plan,
    ledger: Ledger,
    /// What is to come, in order.
    events: BTreeMap<(Timestamp, u64), Event>,
    planned: u64,
    /// When the dispatcher asks for tasks.
    ask_at: Option<Timestamp>,
}

impl World {
    pub(super) async fn new(store: Arc<dyn Store>, clock: Manual, plan: Plan) -> Self {
        store.put_queue(plan.settings.clone(), Put::Create).await.expect("a new queue");
        let ledger = Ledger::new(plan.settings.clone());
        Self { store, clock, plan, ledger, events: BTreeMap::new(), planned: 0, ask_at: None }
    }

    pub(super) async fn run(mut self) {
        self.plan_it();
        for step in 0.. {
            assert!(step < STEPS_MAX, "no end: {:?}", self.ledger);
            let next = self.events.first_key_value().map(|((at, _), _)| *at);
            match (self.ask_at, next) {
                (None, None) => break,
                (Some(at), next) if next.is_none_or(|next| at < next) => {
                    self.clock.set(at);
                    self.ask().await;
                }
                (_, Some(at)) => {
                    self.clock.set(at);
                    self.happen_next().await;
                }
                (Some(_), None) => unreachable!("the first arm took it"),
            }
            let stats = self.store.stats().await.expect("the store works").remove(0);
            assert_eq!((stats.backlog + stats.leased, stats.dead), self.ledger.counts());
        }
        assert!(self.ledger.has_ended(), "nobody asks any more: {:?}", self.ledger);
        self.store.close().await;
    }

    /// Tasks come in bursts over some minutes; the queue is paused now and then.
    fn plan_it(&mut self) {
        let start = self.clock.now();
        let random = &mut self.plan.random;
        let mut planned = Vec::new();
        let mut at = start;
        for number in 0..self.plan.tasks {
            if random.u8(..8) == 0 {
                at = later(at, Duration::from_millis(random.u64(..20_000)));
            }
            planned.push((at, Event::Create(format!("t{number}"))));
        }
        for _ in 0..random.u8(..3) {
            let pause = later(start, Duration::from_secs(random.u64(..300)));
            planned.push((pause, Event::SetState(State::Paused)));
            planned.push((
                later(pause, Duration::from_secs(random.u64(1..60))),
                Event::SetState(State::Running),
            ));
        }
        // Pauses may overlap: in the end it runs.
        planned.push((later(start, Duration::from_secs(400)), Event::SetState(State::Running)));
        for (at, event) in planned {
            self.plan_event(at, event);
        }
    }

    fn plan_event(&mut self, at: Timestamp, event: Event) {
        self.planned += 1;
        self.events.insert((at, self.planned), event);
    }

    async fn happen_next(&mut self) {
        let now = self.clock.now();
        let Some((_, event)) = self.events.pop_first() else { return };
        match event {
            Event::Create(id) => self.create(id).await,
            Event::End(leased, end) => {
                let settlement =
                    Settlement { name: leased.task.name.clone(), token: leased.token, end: end.clone() };
                let settled = self.store.settle(vec![settlement]).await.expect("the store works")[0];
                self.ledger.settled(&leased, &end, settled, now);
            }
            Event::SetState(state) => {
                self.store.set_state(&self.plan.settings.name, state).await.expect("the queue is there");
            }
        }
        // As `changes` would have it.
        self.ask_at = Some(now);
    }

    async fn create(&mut self, id: String) {
        let random = &mut self.plan.random;
        let delay = if random.bool() { 0 } else { random.u64(..10_000) };
        let request = HttpRequest {
            method: http::Method::POST,
            url: "http://worker.mare.internal/".to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            token: None,
        };
        let spec = Spec {
            request,
            dispatch_deadline: Duration::from_secs(15),
            retry: None,
            priority: random.i16(0..2),
            fairness_key: random.u8(..4).to_string(),
        };
        let due = later(self.clock.now(), Duration::from_millis(delay));
        let queue = self.plan.settings.name.clone();
        let new = NewTask { queue, id: Some(id.clone()), spec: spec.clone(), schedule_time: Some(due) };
        self.store.create(vec![new]).await.remove(0).expect("a new name");
        self.ledger.created(&id, &spec, due, self.clock.now());
    }

    async fn ask(&mut self) {
        let now = self.clock.now();
        let queue = self.store.queue(&self.plan.settings.name).await.expect("the queue is there");
        let max = self.plan.random.usize(1..10);
        let lease = self.store.lease(&self.plan.settings.name, max).await.expect("the queue is there");
        self.ask_at = lease.again_at;
        if queue.state == State::Paused {
            assert_eq!((lease.tasks.len(), lease.again_at), (0, None));
            return;
        }
        self.ledger.asked(now);
        for leased in lease.tasks {
            self.ledger.leased(&leased, now);
            self.attempt(leased);
        }
    }

    /// What becomes of an attempt; some are never heard of again, some too late.
    fn attempt(&mut self, leased: Leased) {
        let random = &mut self.plan.random;
        let wait = Duration::from_millis(random.u64(..8_000));
        let status = |status| Answer::Status { status, retry_after: None };
        let (takes, answer) = match random.u8(..20) {
            0 => return,
            1 => (Duration::from_secs(random.u64(15..90)), status(200)),
            2 => (Duration::from_secs(15), Answer::Deadline),
            3 => (Duration::ZERO, Answer::Broken("no connection".to_owned())),
            4 => (wait, Answer::Status { status: 429, retry_after: Some(wait) }),
            5 => (wait, status(503)),
            6..=8 => (wait, status(500)),
            9 => {
                let at = later(self.clock.now(), Duration::from_millis(5));
                return self.plan_event(at, Event::End(Box::new(leased), End::NotDelivered { wait }));
            }
            _ => (wait, status(200)),
        };
        let at = later(self.clock.now(), takes);
        self.plan_event(at, Event::End(Box::new(leased), End::Attempted(Outcome { at, answer })));
    }
}
