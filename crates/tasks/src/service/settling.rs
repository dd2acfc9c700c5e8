//! Writes down how attempts ended, as many at a time as are ready.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep};

use super::attempt::since;
use super::places::Place;
use crate::metrics::OfQueue;
use crate::store::{Settlement, Store};

/// Settlements written together.
const BATCH_MAX: usize = 512;

/// Between two tries to write a batch, from and to.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// Then a batch is given up: its leases end by themselves, and the tasks run again.
const GIVE_UP: Duration = Duration::from_mins(1);

/// The end of an attempt that is to be written down.
pub(super) struct Done {
    pub(super) settlement: Settlement,
    pub(super) metrics: Arc<OfQueue>,
    pub(super) first_due: Timestamp,
    /// Free when it is written.
    pub(super) _place: Place,
}

/// Runs until nobody can send any more.
pub(super) async fn run(done: Arc<Mutex<mpsc::Receiver<Done>>>, store: Arc<dyn Store>, failures: Counter) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while done.lock().await.recv_many(&mut batch, BATCH_MAX).await > 0 {
        settle(&*store, &batch, &failures).await;
        batch.clear();
    }
}

async fn settle(store: &dyn Store, batch: &[Done], failures: &Counter) {
    let settlements: Vec<Settlement> = batch.iter().map(|done| done.settlement.clone()).collect();
    let (started, mut wait) = (Instant::now(), RETRY.0);
    loop {
        match store.settle(settlements.clone()).await {
            Ok(settled) => {
                for (done, settled) in batch.iter().zip(&settled) {
                    done.metrics.settled(settled, since(done.first_due));
                }
                return;
            }
            Err(error) if started.elapsed() < GIVE_UP => {
                failures.inc();
                tracing::warn!(%error, tasks = batch.len(), "cannot settle tasks, trying again");
            }
            Err(error) => {
                failures.inc();
                tracing::error!(%error, tasks = batch.len(), "tasks are not settled and will run again");
                return;
            }
        }
        sleep(wait).await;
        wait = (wait * 2).min(RETRY.1);
    }
}
