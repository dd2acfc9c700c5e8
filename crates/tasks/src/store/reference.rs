//! The reference model of the stores' contract: plain maps, every question answered by looking at everything.
//!
//! It is what the contract means, said as shortly as we can; the real stores are compared with it. [`Model`] takes
//! the time as an argument; [`Reference`] makes a store of it, which lasts as long as the process.

mod model;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

pub(crate) use model::Model;

use super::{
    Clock, DeadLetter, Error, Lease, Leased, NewTask, Options, Page, Put, QueueStats, Settled, Settlement,
    Slice, Store,
};
use crate::model::{Queue, QueueName, QueueSettings, State, Task, TaskName};

/// The model as a store.
pub(crate) struct Reference {
    clock: Clock,
    /// Until it is closed.
    model: Mutex<Option<Model>>,
    changes: watch::Sender<u64>,
}

impl Reference {
    pub(crate) fn new(options: &Options) -> Self {
        let clock = options.clock.clone();
        Self { clock, model: Mutex::new(Some(Model::new(options))), changes: watch::Sender::new(0) }
    }

    fn read<T>(&self, read: impl FnOnce(&mut Model, Timestamp) -> Result<T, Error>) -> Result<T, Error> {
        read(self.model.lock().as_mut().ok_or(Error::Busy)?, self.clock.now())
    }

    fn write<T>(&self, write: impl FnOnce(&mut Model, Timestamp) -> Result<T, Error>) -> Result<T, Error> {
        let done = self.read(write);
        self.changes.send_modify(|count| *count += 1);
        done
    }
}

#[async_trait]
impl Store for Reference {
    async fn put_queue(&self, settings: QueueSettings, put: Put) -> Result<Queue, Error> {
        self.write(|model, now| model.put_queue(settings, put, now))
    }

    async fn queue(&self, name: &QueueName) -> Result<Queue, Error> {
        self.read(|model, _now| model.queue(name))
    }

    async fn queues(&self, parent: &str, slice: Slice) -> Result<Page<Queue>, Error> {
        self.read(|model, _now| Ok(model.queues(parent, &slice)))
    }

    async fn set_state(&self, name: &QueueName, state: State) -> Result<Queue, Error> {
        self.write(|model, now| model.set_state(name, state, now))
    }

    async fn purge(&self, name: &QueueName) -> Result<Queue, Error> {
        self.write(|model, now| model.purge(name, now))
    }

    async fn delete_queue(&self, name: &QueueName) -> Result<(), Error> {
        self.write(|model, now| model.delete_queue(name, now))
    }

    async fn create(&self, tasks: Vec<NewTask>) -> Vec<Result<Task, Error>> {
        let count = tasks.len();
        self.write(|model, now| Ok(tasks.into_iter().map(|task| model.create(task, now)).collect()))
            .unwrap_or_else(|closed| vec![Err(closed); count])
    }

    async fn task(&self, name: &TaskName) -> Result<Task, Error> {
        self.read(|model, now| model.task(name, now))
    }

    async fn tasks(&self, queue: &QueueName, slice: Slice) -> Result<Page<Task>, Error> {
        self.read(|model, _now| model.tasks(queue, &slice))
    }

    async fn delete(&self, name: &TaskName) -> Result<(), Error> {
        self.write(|model, now| model.delete(name, now))
    }

    async fn run(&self, name: &TaskName) -> Result<Leased, Error> {
        self.read(|model, now| model.run(name, now))
    }

    async fn lease(&self, queue: &QueueName, max: usize) -> Result<Lease, Error> {
        self.read(|model, now| model.lease(queue, max, now))
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<Settled>, Error> {
        self.write(|model, now| Ok(settlements.into_iter().map(|one| model.settle(one, now)).collect()))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn dead_letters(&self, queue: &QueueName, slice: Slice) -> Result<Page<DeadLetter>, Error> {
        self.read(|model, now| model.dead_letters(queue, &slice, now))
    }

    async fn redrive(&self, queue: &QueueName, ids: Option<Vec<String>>) -> Result<u64, Error> {
        self.write(|model, now| model.redrive(queue, ids, now))
    }

    async fn forget_dead(&self, queue: &QueueName, ids: Option<Vec<String>>) -> Result<u64, Error> {
        self.read(|model, now| model.forget_dead(queue, ids, now))
    }

    async fn stats(&self) -> Result<Vec<QueueStats>, Error> {
        self.read(|model, now| Ok(model.stats(now)))
    }

    async fn close(&self) {
        self.model.lock().take();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::contract::{Fresh, contract_suite};
    use super::*;

    async fn fresh(options: Options) -> Fresh {
        Fresh { store: Arc::new(Reference::new(&options)), keep: Box::new(()) }
    }

    contract_suite!(fresh, 16);
}
