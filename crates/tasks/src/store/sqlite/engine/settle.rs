use jiff::Timestamp;

use super::Engine;
use crate::model::{Outcome, Task, TaskName};
use crate::policy::attempt::{self, Verdict};
use crate::policy::later;
use crate::store::sqlite::Failure;
use crate::store::sqlite::leases::Held;
use crate::store::{End, Error, Settled, Settlement};

impl Engine {
    pub(in super::super) fn settle(&mut self, settlements: Vec<Settlement>) -> Result<Vec<Settled>, Failure> {
        let now = self.clock.now();
        settlements.into_iter().map(|settlement| self.settle_one(settlement, now)).collect()
    }

    fn settle_one(&mut self, settlement: Settlement, now: Timestamp) -> Result<Settled, Failure> {
        let Settlement { name, token, end } = settlement;
        let Some(kept) = self.queues.get_mut(&name.queue) else { return Ok(Settled::Fenced) };
        kept.end_leases(now);
        let Some((created, held)) = kept.leases.of(token) else { return Ok(Settled::Fenced) };
        if held.task.name.id != name.id {
            return Ok(Settled::Fenced);
        }
        let held = held.clone();
        self.has_news = true;
        match end {
            End::Attempted(outcome) => self.settle_attempt(created, held, outcome, now),
            End::NotDelivered { wait } => {
                let task = Task { progress: held.before, schedule_time: later(now, wait), ..held.task };
                self.wait(created, &task)
            }
        }
    }

    fn settle_attempt(
        &mut self,
        created: u64,
        held: Held,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Settled, Failure> {
        let Held { mut task, named, .. } = held;
        let kept = self.kept(&task.name.queue)?;
        kept.pace.observe(&kept.queue.settings.limits, &outcome.answer, now);
        let verdict = attempt::verdict(&task, &kept.queue.settings.retry, &outcome.answer, now);
        match verdict {
            Verdict::Succeeded => {
                self.remove(&task.name, created, named, now)?;
                Ok(Settled::Succeeded)
            }
            Verdict::Again(at) => {
                task.progress = attempt::ended(&task.progress, outcome);
                task.schedule_time = at;
                self.wait(created, &task)
            }
            Verdict::Dead => {
                task.progress = attempt::ended(&task.progress, outcome);
                self.release(&task.name, created)?;
                self.bury(created, named, &task, now)?;
                Ok(Settled::Dead)
            }
        }
    }

    /// Lets a leased task wait, with what changed of it.
    fn wait(&mut self, created: u64, task: &Task) -> Result<Settled, Failure> {
        self.disk.write_progress(created, task.schedule_time, &task.progress)?;
        self.release(&task.name, created)?;
        let kept = self.kept(&task.name.queue)?;
        kept.backlog.insert(created, task.schedule_time, task.spec.priority, &task.spec.fairness_key);
        Ok(Settled::Retrying(task.schedule_time))
    }

    fn release(&mut self, name: &TaskName, created: u64) -> Result<(), Error> {
        let held = self.queues.get_mut(&name.queue).ok_or(Error::NoQueue)?.take(created);
        self.remember(&name.queue, created, held);
        Ok(())
    }
}
