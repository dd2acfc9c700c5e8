use jiff::Timestamp;

use super::{BURY_EVERY, Engine};
use crate::model::{QueueName, Task};
use crate::policy::later;
use crate::store::Error;
use crate::store::sqlite::Failure;

impl Engine {
    /// Makes a task that is neither waiting nor leased a dead letter, with what changed of it.
    pub(super) fn bury(
        &mut self,
        created: u64,
        named: bool,
        task: &Task,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let until = self.taken_until(now).filter(|_until| named);
        let kept = self.queues.get_mut(&task.name.queue).ok_or(Error::NoQueue)?;
        let replaced = self.disk.bury(created, kept.id, task, now)?;
        if let Some(until) = until {
            self.disk.insert_ended(kept.id, &task.name.id, until)?;
        }
        kept.dead += usize::from(!replaced);
        let too_many = kept.dead.saturating_sub(self.dead_max);
        if too_many > 0 {
            let gone = self.disk.forget_oldest_dead(kept.id, too_many)?;
            kept.dead -= gone;
            kept.forgotten += gone as u64;
            self.disk.count_forgotten(kept.id, kept.forgotten)?;
        }
        Ok(())
    }

    pub(super) fn forget_old_dead(&mut self, now: Timestamp) -> Result<(), Failure> {
        if now < later(self.dead_looked_at, BURY_EVERY) {
            return Ok(());
        }
        for kept in self.queues.values_mut().filter(|kept| kept.dead > 0) {
            let gone = self.disk.forget_old_dead(kept.id, now)?;
            if gone > 0 {
                kept.dead -= gone;
                kept.forgotten += gone as u64;
                self.disk.count_forgotten(kept.id, kept.forgotten)?;
            }
        }
        self.dead_looked_at = now;
        Ok(())
    }

    pub(in super::super) fn redrive(
        &mut self,
        queue: &QueueName,
        ids: Option<Vec<String>>,
    ) -> Result<u64, Failure> {
        let now = self.clock.now();
        self.forget_old_dead(now)?;
        let kept = self.queues.get_mut(queue).ok_or(Error::NoQueue)?;
        let ids = match ids {
            Some(ids) => ids,
            None => self.disk.dead_ids(kept.id)?,
        };
        let mut count = 0;
        for id in ids {
            let Some(task) = self.disk.redrive(kept.id, &id, now)? else { continue };
            kept.dead -= 1;
            kept.backlog.insert(task.created, now, task.priority, &task.fairness_key);
            count += 1;
        }
        self.has_news |= count > 0;
        Ok(count)
    }

    pub(in super::super) fn forget_dead(
        &mut self,
        queue: &QueueName,
        ids: Option<Vec<String>>,
    ) -> Result<u64, Failure> {
        self.forget_old_dead(self.clock.now())?;
        let kept = self.queues.get_mut(queue).ok_or(Error::NoQueue)?;
        let mut count = 0;
        match ids {
            None => count = self.disk.forget_all_dead(kept.id)?,
            Some(ids) => {
                for id in ids {
                    count += usize::from(self.disk.forget_dead(kept.id, &id)?);
                }
            }
        }
        kept.dead -= count;
        Ok(count as u64)
    }
}
