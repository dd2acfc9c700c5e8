use std::sync::Arc;

use jiff::Timestamp;

use super::{Begun, Engine, Leasing};
use crate::model::{Progress, QueueName, State, Task, TaskName};
use crate::policy::wake::Waiting;
use crate::policy::{attempt, backoff, micros};
use crate::store::sqlite::Failure;
use crate::store::sqlite::backlog::Fresh;
use crate::store::sqlite::disk::NewRow;
use crate::store::sqlite::rows::{self, Stored};
use crate::store::{Error, Lease, Leased, NewTask};

impl Engine {
    /// Each task comes with its spec, encoded.
    pub(in super::super) fn create(
        &mut self,
        tasks: Vec<(NewTask, Vec<u8>)>,
    ) -> Result<Vec<Result<Task, Error>>, Failure> {
        let now = self.clock.now();
        let mut results = Vec::with_capacity(tasks.len());
        for (new, spec) in tasks {
            results.push(match self.create_one(new, &spec, now) {
                Ok(task) => Ok(task),
                Err(Failure::Refused(error)) => Err(error),
                Err(broken @ Failure::Broken(_)) => return Err(broken),
            });
        }
        Ok(results)
    }

    pub(in super::super) fn mark(&mut self, key: &str) -> Result<Option<i64>, Failure> {
        Ok(self.disk.mark(key)?)
    }

    /// See `create`.
    pub(in super::super) fn advance(
        &mut self,
        key: &str,
        to: i64,
        tasks: Vec<(NewTask, Vec<u8>)>,
    ) -> Result<bool, Failure> {
        if self.disk.mark(key)?.is_some_and(|at| at >= to) {
            return Ok(false);
        }
        for (task, _) in &tasks {
            self.kept(&task.queue)?;
        }
        self.disk.raise(key, to)?;
        // Of what may be refused, only a taken name is left.
        self.create(tasks).map(|_created| true)
    }

    fn create_one(&mut self, new: NewTask, spec: &[u8], now: Timestamp) -> Result<Task, Failure> {
        let created = self.created + 1;
        let kept = self.queues.get_mut(&new.queue).ok_or(Error::NoQueue)?;
        let named = new.id.is_some();
        let id: Arc<str> = new.id.unwrap_or_else(|| made_id(created)).into();
        if named && rows::has_ended(&self.disk, kept.id, &id, now)? {
            return Err(Error::TaskExists.into());
        }
        let task = Task {
            name: TaskName { queue: new.queue, id },
            spec: Arc::new(new.spec),
            schedule_time: new.schedule_time.map_or(now, micros).max(now),
            create_time: now,
            progress: Progress::default(),
        };
        if !self.disk.insert_task(&NewRow { created, queue: kept.id, named, task: &task, spec })? {
            return Err(Error::TaskExists.into());
        }
        self.created = created;
        self.has_news = true;
        kept.backlog.insert(created, task.schedule_time, task.spec.priority, &task.spec.fairness_key);
        let kib = u32::try_from(spec.len() / 1024 + 1).unwrap_or(u32::MAX);
        if task.schedule_time <= now
            && let Ok(room) = Arc::clone(&self.fresh).try_acquire_many_owned(kib)
        {
            kept.backlog.keep(created, Fresh { task: task.clone(), named, _room: room });
        }
        Ok(task)
    }

    pub(in super::super) fn delete(&mut self, name: &TaskName) -> Result<(), Failure> {
        let now = self.clock.now();
        let Stored { created, named, task: _ } = self.stored(name, now)?;
        self.remove(name, created, named, now)?;
        self.has_news = true;
        Ok(())
    }

    /// Ends a task that is on disk.
    pub(super) fn remove(
        &mut self,
        name: &TaskName,
        created: u64,
        named: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let until = self.taken_until(now).filter(|_until| named);
        let kept = self.queues.get_mut(&name.queue).ok_or(Error::NoTask)?;
        self.disk.delete_task(created)?;
        if let Some(until) = until {
            self.disk.insert_ended(kept.id, &name.id, until)?;
        }
        let held = kept.take(created);
        self.remember(&name.queue, created, held);
        Ok(())
    }

    pub(in super::super) fn run(&mut self, name: &TaskName) -> Result<Leased, Failure> {
        let now = self.clock.now();
        let stored = self.stored(name, now)?;
        let kept = self.kept(&name.queue)?;
        kept.end_leases(now);
        let held = kept.take(stored.created);
        self.remember(&name.queue, stored.created, held);
        self.begin(&name.queue, stored, now)
    }

    pub(in super::super) fn lease(&mut self, queue: &QueueName, max: usize) -> Result<Lease, Failure> {
        let now = self.clock.now();
        let kept = self.kept(queue)?;
        kept.end_leases(now);
        if kept.queue.state == State::Paused {
            return Ok(Lease::default());
        }
        self.bury_lost(queue, now)?;
        let kept = self.kept(queue)?;
        let limits = kept.queue.settings.limits;
        let places = (limits.concurrent as usize).saturating_sub(kept.leases.under_way());
        let tokens = kept.pace.available(&limits, now) as usize;
        let mut tasks = Vec::new();
        while tasks.len() < max.min(places).min(tokens) {
            let kept = self.kept(queue)?;
            let Some((created, fresh)) = kept.backlog.pop(now) else { break };
            kept.pace.take(&limits, now, 1);
            if let Some(ended) = kept.leases.remove(created) {
                self.remember(queue, created, Some(ended));
            }
            let stored = match fresh {
                Some(Fresh { task, named, _room }) => Stored { created, named, task },
                None => rows::by_creation(&self.disk, queue, created)?
                    .ok_or(rusqlite::Error::QueryReturnedNoRows)?,
            };
            tasks.push(self.begin(queue, stored, now)?);
        }
        let kept = self.kept(queue)?;
        let waiting = Waiting {
            due: kept.backlog.first_due(),
            lease_ends: kept.leases.first_end(),
            has_place: kept.leases.under_way() < limits.concurrent as usize,
            token: kept.pace.next_at(&limits, now),
        };
        Ok(Lease { tasks, again_at: waiting.again_at(now) })
    }

    /// Begins an attempt of a task that is neither waiting nor leased.
    fn begin(&mut self, queue: &QueueName, stored: Stored, now: Timestamp) -> Result<Leased, Failure> {
        let Stored { created, named, task } = stored;
        let progress = attempt::begun(&task, now);
        self.disk.write_progress(created, task.schedule_time, &progress)?;
        self.leasing.push(Leasing::Made(queue.clone(), created));
        let token = self.next_token();
        Ok(self.kept(queue)?.hold(created, named, task, Begun { progress, token, now }))
    }

    /// Makes dead letters of those who lost their last attempt with their lease.
    fn bury_lost(&mut self, queue: &QueueName, now: Timestamp) -> Result<(), Failure> {
        let kept = self.kept(queue)?;
        let queue_retry = &kept.queue.settings.retry;
        let exhausted = kept.leases.ended().filter(|(_, held)| {
            let retry = held.task.spec.retry.as_ref().unwrap_or(queue_retry);
            backoff::is_exhausted(retry, &held.task.progress, now)
        });
        let lost: Vec<_> =
            exhausted.map(|(created, held)| (created, held.named, held.task.clone())).collect();
        for (created, named, task) in lost {
            let held = self.kept(queue)?.take(created);
            self.remember(queue, created, held);
            self.bury(created, named, &task, now)?;
        }
        Ok(())
    }

    fn stored(&mut self, name: &TaskName, now: Timestamp) -> Result<Stored, Failure> {
        let id = self.queues.get(&name.queue).ok_or(Error::NoTask)?.id;
        match rows::by_id(&self.disk, id, name)? {
            Some(stored) => Ok(stored),
            None if rows::has_ended(&self.disk, id, &name.id, now)? => Err(Error::TaskEnded.into()),
            None => Err(Error::NoTask.into()),
        }
    }

    /// A lease was removed in this batch.
    pub(super) fn remember(&mut self, queue: &QueueName, created: u64, held: Option<super::Held>) {
        if let Some(held) = held {
            self.leasing.push(Leasing::Removed(queue.clone(), created, Box::new(held)));
        }
    }
}

/// Grows with the order of creation, so that the index of names grows at its end; random, so that no client names
/// a task so before we do.
fn made_id(created: u64) -> String {
    format!("{created:016x}{:08x}", fastrand::u32(..))
}
