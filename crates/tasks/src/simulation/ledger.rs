use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Answer, QueueSettings, Retry, Spec};
use crate::policy::{later, since};
use crate::store::{End, LEASE_MARGIN, LeaseToken, Leased, Settled};

/// What should be true of every task, kept by other means than the stores do, and checked at every step.
#[derive(Debug)]
pub(super) struct Ledger {
    settings: QueueSettings,
    tasks: HashMap<String, Fate>,
    /// When attempts began, in order.
    begun: Vec<Timestamp>,
    /// By priority and key: which beginning was its latest, from 1 on, and when.
    served: HashMap<(i16, String), (usize, Timestamp)>,
}

#[derive(Debug)]
struct Fate {
    priority: i16,
    key: String,
    deadline: Duration,
    attempts: u32,
    due: Timestamp,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Since then it could have been leased, but for its due time.
    Waiting(Timestamp),
    /// By this lease, which ends by itself then.
    Leased(LeaseToken, Timestamp),
    Succeeded,
    Dead,
}

impl Fate {
    /// Since when it could be leased, if it can be now.
    fn leasable_since(&self, now: Timestamp) -> Option<Timestamp> {
        let free = match self.state {
            State::Waiting(since) => since,
            State::Leased(_, ends) => ends,
            State::Succeeded | State::Dead => return None,
        };
        Some(free.max(self.due)).filter(|since| *since <= now)
    }

    fn is_under_way(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Leased(_, ends) if ends > now)
    }
}

/// The waits before each retry as the reference tells them: doubling, then growing by the last doubled one.
fn interval(retry: &Retry, n: u32) -> Duration {
    let mut waits = vec![retry.min];
    for _ in 1..retry.doublings {
        waits.push(*waits.last().expect("there is one") * 2);
    }
    let step = retry.min * 2u32.pow(retry.doublings);
    let linear = (1..=n).map(|times| step * times);
    let waits = waits.into_iter().take(retry.doublings as usize).chain(linear);
    waits.take(n as usize).last().expect("n is at least 1").min(retry.max)
}

impl Ledger {
    pub(super) fn new(settings: QueueSettings) -> Self {
        Self { settings, tasks: HashMap::new(), begun: Vec::new(), served: HashMap::new() }
    }

    pub(super) fn created(&mut self, id: &str, spec: &Spec, due: Timestamp, now: Timestamp) {
        let fate = Fate {
            priority: spec.priority,
            key: spec.fairness_key.clone(),
            deadline: spec.dispatch_deadline,
            attempts: 0,
            due,
            state: State::Waiting(now),
        };
        assert!(self.tasks.insert(id.to_owned(), fate).is_none(), "{id} was created twice");
    }

    /// The store is asked for tasks: those whose last lease ended die now.
    pub(super) fn asked(&mut self, now: Timestamp) {
        let most = self.settings.retry.attempts.expect("the plans have one");
        for fate in self.tasks.values_mut() {
            if matches!(fate.state, State::Leased(_, ends) if ends <= now) && fate.attempts >= most {
                fate.state = State::Dead;
            }
        }
    }

    pub(super) fn leased(&mut self, leased: &Leased, now: Timestamp) {
        let id = &*leased.task.name.id;
        let fate = &self.tasks[id];
        let (priority, key) = (fate.priority, fate.key.clone());
        assert!(fate.leasable_since(now).is_some(), "{id} was leased at {now}: {fate:?}");
        assert_eq!(leased.task.schedule_time, fate.due, "{id}");
        assert_eq!(leased.task.progress.dispatched, fate.attempts + 1, "{id}");
        self.check_order(priority, &key, now);

        let fate = self.tasks.get_mut(id).expect("it was created");
        fate.attempts += 1;
        fate.state = State::Leased(leased.token, later(now, fate.deadline + LEASE_MARGIN));
        self.begun.push(now);
        self.served.insert((priority, key), (self.begun.len(), now));
        let under_way = self.tasks.values().filter(|fate| fate.is_under_way(now)).count();
        assert!(under_way <= self.settings.limits.concurrent as usize, "{under_way} are under way");
        self.check_rate(now);
    }

    /// Nobody of higher priority waits; and nobody of another key who waits since before this key's last turn has had
    /// none in between.
    fn check_order(&self, priority: i16, key: &str, now: Timestamp) {
        let last_turn = self.served.get(&(priority, key.to_owned())).copied();
        for (id, fate) in &self.tasks {
            let Some(waiting_since) = fate.leasable_since(now) else { continue };
            assert!(fate.priority <= priority, "{id} waits with priority {}", fate.priority);
            let Some((turn, at)) = last_turn else { continue };
            if fate.priority == priority && fate.key != key && waiting_since < at {
                let other = self.served.get(&(priority, fate.key.clone())).map_or(0, |(turn, _)| *turn);
                assert!(other > turn, "key {key:?} has two turns while {id} of {:?} waits", fate.key);
            }
        }
    }

    /// Over any time until now, no more began than the bucket held and what flowed in.
    fn check_rate(&self, now: Timestamp) {
        let limits = self.settings.limits;
        for (index, from) in self.begun.iter().enumerate() {
            let count = (self.begun.len() - index) as f64;
            let most = f64::from(limits.burst) + limits.per_second * since(now, *from).as_secs_f64();
            assert!(count <= most + 1e-3, "{count} began since {from}, until {now}");
        }
    }

    pub(super) fn settled(&mut self, leased: &Leased, end: &End, settled: Settled, now: Timestamp) {
        let id = &*leased.task.name.id;
        let retry = self.settings.retry;
        let fate = self.tasks.get_mut(id).expect("it was created");
        if !matches!(fate.state, State::Leased(token, _) if token == leased.token) {
            assert_eq!(settled, Settled::Fenced, "{id} is {:?}", fate.state);
            return;
        }
        let expected = match end {
            End::NotDelivered { wait } => {
                fate.attempts -= 1;
                Settled::Retrying(later(now, *wait))
            }
            End::Attempted(outcome) if outcome.answer.is_success() => Settled::Succeeded,
            End::Attempted(_) if fate.attempts >= retry.attempts.expect("the plans have one") => {
                Settled::Dead
            }
            End::Attempted(outcome) => {
                let asked = match outcome.answer {
                    Answer::Status { retry_after, .. } => retry_after.unwrap_or(Duration::ZERO),
                    Answer::Deadline | Answer::Broken(_) => Duration::ZERO,
                };
                Settled::Retrying(later(now, interval(&retry, fate.attempts).max(asked)))
            }
        };
        assert_eq!(settled, expected, "{id}");
        fate.state = match settled {
            Settled::Succeeded => State::Succeeded,
            Settled::Dead => State::Dead,
            Settled::Retrying(at) => {
                fate.due = at;
                State::Waiting(now)
            }
            Settled::Fenced => unreachable!("not expected"),
        };
    }

    pub(super) fn has_ended(&self) -> bool {
        self.tasks.values().all(|fate| matches!(fate.state, State::Succeeded | State::Dead))
    }

    /// How many there must be of: tasks not ended, dead letters.
    pub(super) fn counts(&self) -> (u64, u64) {
        let count =
            |state: fn(&State) -> bool| self.tasks.values().filter(|fate| state(&fate.state)).count() as u64;
        (
            count(|state| matches!(state, State::Waiting(_) | State::Leased(..))),
            count(|state| matches!(state, State::Dead)),
        )
    }
}
