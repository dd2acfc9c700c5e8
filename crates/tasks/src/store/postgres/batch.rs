//! Callers that come at the same time share one write, and so one wait for the disk.
//!
//! A fixed number of writers take turns at one bounded line of jobs. Whoever is free takes what is waiting, up to a
//! batch, writes it and hands every caller its part of the results. Under little load a job waits for nobody.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use crate::store::Error;

/// Writes at once: who comes while one waits for the disk need not wait for its end, too. More would only make each of
/// them smaller, and a task cost more.
const WRITERS: usize = 2;

/// Items in one write. Beyond some hundreds the wait for the disk no longer matters.
const ITEMS_MAX: usize = 512;

/// Jobs in line; each is a caller.
const JOBS_MAX: usize = 16_384;

/// What may wait in line.
const BYTES_MAX: usize = 64 << 20;

/// What one write takes on; its last job may go beyond.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// What a batch does.
#[async_trait]
pub(super) trait Write: Send + Sync + 'static {
    type Item: Send + 'static;
    type Done: Send + 'static;

    /// Writes all, or fails for all. The results are in the order of `items`.
    async fn write(&self, items: Vec<Self::Item>) -> Result<Vec<Self::Done>, Error>;
    /// How much memory the item takes.
    fn bytes(item: &Self::Item) -> usize;
}

/// The line to the writers. Dropping it, or closing it, lets them finish what is in line and end.
pub(super) struct Batcher<W: Write> {
    shared: Arc<Shared<W>>,
}

struct Shared<W: Write> {
    write: W,
    line: Mutex<Line<W>>,
    /// Something is in line, or it was closed.
    news: Notify,
}

struct Line<W: Write> {
    jobs: VecDeque<Job<W>>,
    bytes: usize,
    closed: bool,
}

struct Job<W: Write> {
    items: Vec<W::Item>,
    bytes: usize,
    reply: oneshot::Sender<Result<Vec<W::Done>, Error>>,
}

impl<W: Write> Batcher<W> {
    /// Starts the writers.
    pub(super) fn start(write: W, tasks: &mut JoinSet<()>) -> Self {
        let line = Line { jobs: VecDeque::new(), bytes: 0, closed: false };
        let shared = Arc::new(Shared { write, line: Mutex::new(line), news: Notify::new() });
        for _ in 0..WRITERS {
            tasks.spawn(serve(Arc::clone(&shared)));
        }
        Self { shared }
    }

    /// Writes the items together with those of others; `Busy` if more is waiting than the bounds allow.
    pub(super) async fn submit(&self, items: Vec<W::Item>) -> Result<Vec<W::Done>, Error> {
        let bytes = items.iter().map(W::bytes).sum();
        let (reply, done) = oneshot::channel();
        self.shared.line.lock().push(Job { items, bytes, reply })?;
        self.shared.news.notify_one();
        done.await.unwrap_or_else(|_lost| Err(Error::Database("the writer ended".to_owned())))
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        self.shared.line.lock().closed = true;
        self.shared.news.notify_waiters();
        // For a writer that looked just before and is not waiting yet.
        self.shared.news.notify_one();
    }
}

impl<W: Write> Drop for Batcher<W> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<W: Write> Line<W> {
    fn push(&mut self, job: Job<W>) -> Result<(), Error> {
        let full = self.jobs.len() >= JOBS_MAX || (self.bytes > 0 && self.bytes + job.bytes > BYTES_MAX);
        if self.closed || full {
            return Err(Error::Busy);
        }
        self.bytes += job.bytes;
        self.jobs.push_back(job);
        Ok(())
    }

    /// The jobs of the next write.
    fn batch(&mut self) -> Vec<Job<W>> {
        let (mut batch, mut items, mut bytes) = (Vec::new(), 0, 0);
        while items < ITEMS_MAX && bytes < BATCH_BYTES_MAX {
            let Some(job) = self.jobs.pop_front() else { break };
            (items, bytes) = (items + job.items.len(), bytes + job.bytes);
            batch.push(job);
        }
        self.bytes -= bytes;
        batch
    }
}

/// A writer's life.
async fn serve<W: Write>(shared: Arc<Shared<W>>) {
    loop {
        let (batch, closed) = {
            let mut line = shared.line.lock();
            (line.batch(), line.closed)
        };
        if !batch.is_empty() {
            write(&shared.write, batch).await;
        } else if closed {
            // The next writer may wait for the same news.
            shared.news.notify_one();
            return;
        } else {
            shared.news.notified().await;
        }
    }
}

/// Writes a batch and hands out the results. A caller that left wants none.
async fn write<W: Write>(write: &W, mut batch: Vec<Job<W>>) {
    let sizes: Vec<usize> = batch.iter().map(|job| job.items.len()).collect();
    let items = batch.iter_mut().flat_map(|job| job.items.drain(..)).collect();
    match write.write(items).await {
        Ok(done) => {
            let mut done = done.into_iter();
            for (job, size) in batch.into_iter().zip(sizes) {
                let _ = job.reply.send(Ok(done.by_ref().take(size).collect()));
            }
        }
        Err(error) => batch.into_iter().for_each(|job| {
            let _ = job.reply.send(Err(error.clone()));
        }),
    }
}
