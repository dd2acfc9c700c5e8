use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Progress, Queue, QueueName, QueueSettings, State, Task, TaskName};
use crate::policy::attempt::{self, Verdict};
use crate::policy::order::{Place, Rank, Turns};
use crate::policy::pace::Pace;
use crate::policy::wake::Waiting;
use crate::policy::{backoff, later, micros};
use crate::store::{
    DeadLetter, End, Error, LEASE_MARGIN, Lease, LeaseToken, Leased, NewTask, Options, Page, Put, QueueStats,
    Settled, Settlement, Slice, Windows,
};

/// All queues and their tasks.
pub(crate) struct Model {
    windows: Windows,
    dead_max: usize,
    queues: BTreeMap<QueueName, Kept>,
    /// Names of deleted queues, and until when they are blocked.
    blocked: HashMap<QueueName, Timestamp>,
    /// Tasks created so far.
    created: u64,
    /// Leases made so far.
    leased: u64,
}

/// One queue and what belongs to it, by the ids of tasks.
struct Kept {
    queue: Queue,
    pace: Pace,
    turns: Turns,
    tasks: BTreeMap<Arc<str>, Known>,
    /// Ids that named tasks had, and until when they are taken.
    ended: BTreeMap<Arc<str>, Timestamp>,
    dead: BTreeMap<Arc<str>, Dead>,
    forgotten: u64,
}

struct Known {
    task: Task,
    created: u64,
    named: bool,
    /// The latest lease, if it was not settled.
    lease: Option<Held>,
}

struct Held {
    token: LeaseToken,
    ends: Timestamp,
    /// The task's progress when the lease was made.
    before: Progress,
}

struct Dead {
    letter: DeadLetter,
    created: u64,
    named: bool,
}

impl Known {
    fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.ends > now)
    }

    fn lease(&mut self, token: LeaseToken, now: Timestamp) -> Leased {
        let begun = attempt::begun(&self.task, now);
        let before = std::mem::replace(&mut self.task.progress, begun);
        let previous = attempt::previous(&before);
        let ends = later(now, self.task.spec.dispatch_deadline.saturating_add(LEASE_MARGIN));
        self.lease = Some(Held { token, ends, before });
        Leased { task: self.task.clone(), previous, token }
    }
}

impl Model {
    pub(crate) fn new(options: &Options) -> Self {
        let Options { clock: _, windows, dead_max } = *options;
        Self { windows, dead_max, queues: BTreeMap::new(), blocked: HashMap::new(), created: 0, leased: 0 }
    }

    fn kept(&mut self, name: &QueueName) -> Result<&mut Kept, Error> {
        self.queues.get_mut(name).ok_or(Error::NoQueue)
    }

    pub(crate) fn put_queue(
        &mut self,
        settings: QueueSettings,
        put: Put,
        now: Timestamp,
    ) -> Result<Queue, Error> {
        let name = settings.name.clone();
        if let Some(kept) = self.queues.get_mut(&name) {
            let known = &mut kept.queue.settings;
            match put {
                Put::Create => return Err(Error::QueueExists),
                Put::Upsert if known.declared && !settings.declared => return Err(Error::QueueIsDeclared),
                Put::Upsert => kept.pace.change(&known.limits, &settings.limits, now),
            }
            *known = settings;
            return Ok(kept.queue.clone());
        }
        if !settings.declared && self.blocked.get(&name).is_some_and(|until| *until > now) {
            return Err(Error::QueueExistedRecently);
        }
        let pace = Pace::new(&settings.limits, now);
        let queue = Queue { settings, state: State::Running, purged_at: None };
        let kept = Kept {
            queue: queue.clone(),
            pace,
            turns: Turns::default(),
            tasks: BTreeMap::new(),
            ended: BTreeMap::new(),
            dead: BTreeMap::new(),
            forgotten: 0,
        };
        self.queues.insert(name, kept);
        Ok(queue)
    }

    pub(crate) fn queue(&mut self, name: &QueueName) -> Result<Queue, Error> {
        Ok(self.kept(name)?.queue.clone())
    }

    pub(crate) fn queues(&self, parent: &str, slice: &Slice) -> Page<Queue> {
        let after = slice.after.as_deref().unwrap_or("");
        let of_parent = self.queues.values().map(|kept| &kept.queue);
        let rest = of_parent
            .filter(|queue| queue.settings.name.parent() == parent && queue.settings.name.as_str() > after);
        page(rest.cloned(), slice.size, |queue| queue.settings.name.to_string())
    }

    pub(crate) fn set_state(
        &mut self,
        name: &QueueName,
        state: State,
        now: Timestamp,
    ) -> Result<Queue, Error> {
        let Kept { queue, pace, .. } = self.kept(name)?;
        if (queue.state, state) == (State::Paused, State::Running) {
            pace.resume(&queue.settings.limits, now);
        }
        queue.state = state;
        Ok(queue.clone())
    }

    pub(crate) fn purge(&mut self, name: &QueueName, now: Timestamp) -> Result<Queue, Error> {
        let until = later(now, self.windows.task_name);
        let kept = self.kept(name)?;
        for (id, known) in std::mem::take(&mut kept.tasks) {
            kept.end(id, known.named, until);
        }
        kept.queue.purged_at = Some(now);
        Ok(kept.queue.clone())
    }

    pub(crate) fn delete_queue(&mut self, name: &QueueName, now: Timestamp) -> Result<(), Error> {
        if self.kept(name)?.queue.settings.declared {
            return Err(Error::QueueIsDeclared);
        }
        self.queues.remove(name);
        self.blocked.insert(name.clone(), later(now, self.windows.queue_name));
        Ok(())
    }

    pub(crate) fn create(&mut self, new: NewTask, now: Timestamp) -> Result<Task, Error> {
        let created = self.created + 1;
        let kept = self.kept(&new.queue)?;
        let named = new.id.is_some();
        let id: Arc<str> = new.id.unwrap_or_else(|| format!("made-{created:08}")).into();
        let was_taken = kept.ended.get(&id).is_some_and(|until| *until > now);
        if kept.tasks.contains_key(&id) || (named && was_taken) {
            return Err(Error::TaskExists);
        }
        let task = Task {
            name: TaskName { queue: new.queue, id: Arc::clone(&id) },
            spec: Arc::new(new.spec),
            schedule_time: new.schedule_time.map_or(now, micros).max(now),
            create_time: now,
            progress: Progress::default(),
        };
        kept.tasks.insert(id, Known { task: task.clone(), created, named, lease: None });
        self.created = created;
        Ok(task)
    }

    fn known(&mut self, name: &TaskName, now: Timestamp) -> Result<&mut Known, Error> {
        let kept = self.queues.get_mut(&name.queue).ok_or(Error::NoTask)?;
        let ended = kept.ended.get(&name.id).is_some_and(|until| *until > now);
        let absent = if ended { Error::TaskEnded } else { Error::NoTask };
        kept.tasks.get_mut(&name.id).ok_or(absent)
    }

    pub(crate) fn task(&mut self, name: &TaskName, now: Timestamp) -> Result<Task, Error> {
        Ok(self.known(name, now)?.task.clone())
    }

    pub(crate) fn tasks(&mut self, queue: &QueueName, slice: &Slice) -> Result<Page<Task>, Error> {
        let kept = self.kept(queue)?;
        let rest = after(&kept.tasks, slice).map(|known| known.task.clone());
        Ok(page(rest, slice.size, |task| task.name.id.to_string()))
    }

    pub(crate) fn delete(&mut self, name: &TaskName, now: Timestamp) -> Result<(), Error> {
        let named = self.known(name, now)?.named;
        let until = later(now, self.windows.task_name);
        let kept = self.kept(&name.queue)?;
        kept.tasks.remove(&name.id);
        kept.end(Arc::clone(&name.id), named, until);
        Ok(())
    }

    fn token(&mut self) -> LeaseToken {
        self.leased += 1;
        LeaseToken(self.leased)
    }

    pub(crate) fn run(&mut self, name: &TaskName, now: Timestamp) -> Result<Leased, Error> {
        let token = self.token();
        Ok(self.known(name, now)?.lease(token, now))
    }

    pub(crate) fn lease(&mut self, queue: &QueueName, max: usize, now: Timestamp) -> Result<Lease, Error> {
        if self.kept(queue)?.queue.state == State::Paused {
            return Ok(Lease::default());
        }
        self.bury_those_whose_last_lease_ended(queue, now);
        let mut tasks = Vec::new();
        while tasks.len() < max {
            let token = self.token();
            let Some(leased) = self.kept(queue)?.lease_next(token, now) else { break };
            tasks.push(leased);
        }
        Ok(Lease { tasks, again_at: self.kept(queue)?.again_at(now) })
    }

    fn bury_those_whose_last_lease_ended(&mut self, queue: &QueueName, now: Timestamp) {
        let Some(kept) = self.queues.get_mut(queue) else { return };
        let queue_retry = kept.queue.settings.retry;
        let is_lost = |known: &Known| {
            let retry = known.task.spec.retry.as_ref().unwrap_or(&queue_retry);
            known.lease.is_some()
                && !known.is_leased(now)
                && backoff::is_exhausted(retry, &known.task.progress, now)
        };
        let mut lost: Vec<&Known> = kept.tasks.values().filter(|known| is_lost(known)).collect();
        lost.sort_by_key(|known| known.created);
        let lost: Vec<Arc<str>> = lost.into_iter().map(|known| Arc::clone(&known.task.name.id)).collect();
        for id in lost {
            kept.bury(&id, now, later(now, self.windows.task_name), self.dead_max);
        }
    }

    pub(crate) fn settle(&mut self, settlement: Settlement, now: Timestamp) -> Settled {
        let Settlement { name, token, end } = settlement;
        let (window, dead_max) = (later(now, self.windows.task_name), self.dead_max);
        let Some(kept) = self.queues.get_mut(&name.queue) else { return Settled::Fenced };
        let Some(known) = kept.tasks.get_mut(&name.id) else { return Settled::Fenced };
        let Some(lease) = known.lease.take_if(|lease| lease.token == token) else { return Settled::Fenced };
        let outcome = match end {
            End::NotDelivered { wait } => {
                known.task.progress = lease.before;
                known.task.schedule_time = later(now, wait);
                return Settled::Retrying(known.task.schedule_time);
            }
            End::Attempted(outcome) => outcome,
        };
        let answer = outcome.answer.clone();
        kept.pace.observe(&kept.queue.settings.limits, &answer, now);
        known.task.progress = attempt::ended(&known.task.progress, outcome);
        match attempt::verdict(&known.task, &kept.queue.settings.retry, &answer, now) {
            Verdict::Again(at) => {
                known.task.schedule_time = at;
                Settled::Retrying(at)
            }
            Verdict::Dead => {
                kept.bury(&name.id, now, window, dead_max);
                Settled::Dead
            }
            Verdict::Succeeded => {
                let named = known.named;
                kept.tasks.remove(&name.id);
                kept.end(name.id, named, window);
                Settled::Succeeded
            }
        }
    }

    pub(crate) fn dead_letters(
        &mut self,
        queue: &QueueName,
        slice: &Slice,
        now: Timestamp,
    ) -> Result<Page<DeadLetter>, Error> {
        let kept = self.kept(queue)?;
        kept.forget_old(now);
        let rest = after(&kept.dead, slice).map(|dead| dead.letter.clone());
        Ok(page(rest, slice.size, |letter| letter.task.name.id.to_string()))
    }

    pub(crate) fn redrive(
        &mut self,
        queue: &QueueName,
        ids: Option<Vec<String>>,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let kept = self.kept(queue)?;
        kept.forget_old(now);
        let mut count = 0;
        for id in kept.dead_ids(ids) {
            if kept.tasks.contains_key(&id) {
                continue;
            }
            let Some(Dead { letter, created, named }) = kept.dead.remove(&id) else { continue };
            let task = Task { schedule_time: now, progress: Progress::default(), ..letter.task };
            kept.ended.remove(&id);
            kept.tasks.insert(id, Known { task, created, named, lease: None });
            count += 1;
        }
        Ok(count)
    }

    pub(crate) fn forget_dead(
        &mut self,
        queue: &QueueName,
        ids: Option<Vec<String>>,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let kept = self.kept(queue)?;
        kept.forget_old(now);
        let before = kept.dead.len();
        for id in kept.dead_ids(ids) {
            kept.dead.remove(&id);
        }
        Ok((before - kept.dead.len()) as u64)
    }

    pub(crate) fn stats(&mut self, now: Timestamp) -> Vec<QueueStats> {
        self.queues.values_mut().map(|kept| kept.stats(now)).collect()
    }
}

impl Kept {
    fn end(&mut self, id: Arc<str>, named: bool, until: Timestamp) {
        if named {
            self.ended.insert(id, until);
        }
    }

    fn leased(&self, now: Timestamp) -> usize {
        self.tasks.values().filter(|known| known.is_leased(now)).count()
    }

    fn has_place(&self, now: Timestamp) -> bool {
        self.leased(now) < self.queue.settings.limits.concurrent as usize
    }

    fn lease_next(&mut self, token: LeaseToken, now: Timestamp) -> Option<Leased> {
        let limits = self.queue.settings.limits;
        if !self.has_place(now) || self.pace.available(&limits, now) == 0 {
            return None;
        }
        let turns = &self.turns;
        let due =
            self.tasks.values_mut().filter(|known| !known.is_leased(now) && known.task.schedule_time <= now);
        let next = due.min_by_key(|known| {
            let spec = &known.task.spec;
            let place = Place { schedule_time: known.task.schedule_time, created: known.created };
            let turn = turns.of(spec.priority, &Arc::from(spec.fairness_key.as_str()));
            Rank { priority: Reverse(spec.priority), turn, place }
        })?;
        self.pace.take(&limits, now, 1);
        self.turns.serve(next.task.spec.priority, &Arc::from(next.task.spec.fairness_key.as_str()));
        Some(next.lease(token, now))
    }

    fn again_at(&self, now: Timestamp) -> Option<Timestamp> {
        let leased = self.tasks.values().filter(|known| known.is_leased(now));
        let free = self.tasks.values().filter(|known| !known.is_leased(now));
        let waiting = Waiting {
            due: free.map(|known| known.task.schedule_time).min(),
            lease_ends: leased.filter_map(|known| Some(known.lease.as_ref()?.ends)).min(),
            has_place: self.has_place(now),
            token: self.pace.next_at(&self.queue.settings.limits, now),
        };
        waiting.again_at(now)
    }

    fn bury(&mut self, id: &Arc<str>, now: Timestamp, taken_until: Timestamp, dead_max: usize) {
        let Some(Known { task, created, named, lease: _ }) = self.tasks.remove(id) else { return };
        self.end(Arc::clone(id), named, taken_until);
        self.dead.insert(Arc::clone(id), Dead { letter: DeadLetter { task, died_at: now }, created, named });
        while self.dead.len() > dead_max {
            let oldest = self.dead.iter().min_by_key(|(_, dead)| (dead.letter.died_at, dead.created));
            let Some((id, _)) = oldest else { break };
            let id = Arc::clone(id);
            self.dead.remove(&id);
            self.forgotten += 1;
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        let before = self.dead.len();
        self.dead.retain(|_, dead| later(dead.letter.died_at, backoff::RETENTION) > now);
        self.forgotten += (before - self.dead.len()) as u64;
    }

    fn dead_ids(&self, ids: Option<Vec<String>>) -> Vec<Arc<str>> {
        match ids {
            Some(ids) => ids.into_iter().map(Arc::from).collect(),
            None => self.dead.keys().cloned().collect(),
        }
    }

    fn stats(&mut self, now: Timestamp) -> QueueStats {
        self.forget_old(now);
        let leased = self.leased(now);
        let due: Vec<Timestamp> = self
            .tasks
            .values()
            .filter(|known| !known.is_leased(now) && known.task.schedule_time <= now)
            .map(|known| known.task.schedule_time)
            .collect();
        QueueStats {
            queue: self.queue.clone(),
            backlog: (self.tasks.len() - leased) as u64,
            due: due.len() as u64,
            leased: leased as u64,
            dead: self.dead.len() as u64,
            forgotten: self.forgotten,
            oldest_due: due.into_iter().min(),
        }
    }
}

fn after<'a, T>(of: &'a BTreeMap<Arc<str>, T>, slice: &Slice) -> impl Iterator<Item = &'a T> {
    let from = slice.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    of.range::<str, _>((from, Bound::Unbounded)).map(|(_, item)| item)
}

fn page<T>(rest: impl Iterator<Item = T>, size: usize, name: impl Fn(&T) -> String) -> Page<T> {
    let mut items: Vec<T> = rest.take(size + 1).collect();
    let is_all = items.len() <= size;
    items.truncate(size);
    let next = if is_all { None } else { items.last().map(name) };
    Page { items, next }
}
