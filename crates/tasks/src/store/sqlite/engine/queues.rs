use jiff::Timestamp;

use super::{Engine, Kept};
use crate::model::{Queue, QueueName, QueueSettings, State};
use crate::policy::later;
use crate::policy::pace::Pace;
use crate::store::sqlite::Failure;
use crate::store::sqlite::backlog::Backlog;
use crate::store::sqlite::leases::Leases;
use crate::store::sqlite::rows;
use crate::store::{Error, Page, Put, Slice};

impl Engine {
    pub(in super::super) fn put_queue(
        &mut self,
        settings: QueueSettings,
        put: Put,
    ) -> Result<Queue, Failure> {
        let now = self.clock.now();
        let Some(kept) = self.queues.get_mut(&settings.name) else {
            return self.insert_queue(settings, now);
        };
        let known = &kept.queue.settings;
        match put {
            Put::Create => return Err(Error::QueueExists.into()),
            Put::Upsert if known.declared && !settings.declared => return Err(Error::QueueIsDeclared.into()),
            Put::Upsert => {}
        }
        let limits = known.limits;
        let queue = Queue { settings, ..kept.queue.clone() };
        // Declared queues are put at every start; that writes nothing if nothing changed.
        if queue != kept.queue {
            self.disk.update_queue(kept.id, &queue)?;
            kept.pace.change(&limits, &queue.settings.limits, now);
            kept.queue = queue.clone();
        }
        self.has_news = true;
        Ok(queue)
    }

    fn insert_queue(&mut self, settings: QueueSettings, now: Timestamp) -> Result<Queue, Failure> {
        let is_blocked = self.blocked.get(&settings.name).is_some_and(|until| *until > now);
        if is_blocked && !settings.declared {
            return Err(Error::QueueExistedRecently.into());
        }
        let queue = Queue { settings, state: State::Running, purged_at: None };
        let id = self.disk.insert_queue(&queue)?;
        self.blocked.remove(&queue.settings.name);
        let kept = Kept::new(id, queue.clone(), now);
        self.queues.insert(queue.settings.name.clone(), kept);
        self.has_news = true;
        Ok(queue)
    }

    pub(in super::super) fn queue(&mut self, name: &QueueName) -> Result<Queue, Failure> {
        Ok(self.kept(name)?.queue.clone())
    }

    #[expect(clippy::unnecessary_wraps, reason = "commands can fail")]
    pub(in super::super) fn queues(&mut self, parent: &str, slice: &Slice) -> Result<Page<Queue>, Failure> {
        let after = slice.after.as_deref().unwrap_or("");
        let all = self.queues.values().map(|kept| &kept.queue);
        let rest = all
            .filter(|queue| queue.settings.name.parent() == parent && queue.settings.name.as_str() > after);
        let items = rest.take(slice.size.saturating_add(1)).cloned().collect();
        Ok(rows::page(items, slice.size, |queue: &Queue| queue.settings.name.as_str()))
    }

    pub(in super::super) fn set_state(&mut self, name: &QueueName, state: State) -> Result<Queue, Failure> {
        let now = self.clock.now();
        let kept = self.queues.get_mut(name).ok_or(Error::NoQueue)?;
        if kept.queue.state != state {
            let queue = Queue { state, ..kept.queue.clone() };
            self.disk.update_queue(kept.id, &queue)?;
            if state == State::Running {
                kept.pace.resume(&queue.settings.limits, now);
            }
            kept.queue = queue;
        }
        self.has_news = true;
        Ok(kept.queue.clone())
    }

    pub(in super::super) fn purge(&mut self, name: &QueueName) -> Result<Queue, Failure> {
        let now = self.clock.now();
        let until = self.taken_until(now);
        let kept = self.queues.get_mut(name).ok_or(Error::NoQueue)?;
        let queue = Queue { purged_at: Some(now), ..kept.queue.clone() };
        if let Some(until) = until {
            self.disk.insert_all_ended(kept.id, until)?;
        }
        self.disk.delete_tasks(kept.id)?;
        self.disk.update_queue(kept.id, &queue)?;
        kept.queue = queue.clone();
        kept.backlog.clear();
        let leases = std::mem::take(&mut kept.leases);
        self.remember_removed(name, leases);
        self.has_news = true;
        Ok(queue)
    }

    pub(in super::super) fn delete_queue(&mut self, name: &QueueName) -> Result<(), Failure> {
        let now = self.clock.now();
        let kept = self.kept(name)?;
        if kept.queue.settings.declared {
            return Err(Error::QueueIsDeclared.into());
        }
        let id = kept.id;
        self.disk.delete_queue(id)?;
        self.disk.unblock(now)?;
        self.blocked.retain(|_, until| *until > now);
        let until = later(now, self.windows.queue_name);
        if until > now {
            self.disk.block(name.as_str(), until)?;
            self.blocked.insert(name.clone(), until);
        }
        if let Some(kept) = self.queues.remove(name) {
            self.remember_removed(name, kept.leases);
        }
        Ok(())
    }

    fn remember_removed(&mut self, name: &QueueName, leases: Leases) {
        let removed = leases.into_held();
        self.leasing.extend(
            removed
                .into_iter()
                .map(|(created, held)| super::Leasing::Removed(name.clone(), created, Box::new(held))),
        );
    }
}

impl Kept {
    pub(super) fn new(id: i64, queue: Queue, now: Timestamp) -> Self {
        let pace = Pace::new(&queue.settings.limits, now);
        let (backlog, leases) = (Backlog::default(), Leases::default());
        Self { id, queue, pace, backlog, leases, dead: 0, forgotten: 0 }
    }
}
