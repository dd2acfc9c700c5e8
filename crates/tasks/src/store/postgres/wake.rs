//! News travels in three ways: to this process at once; to the others by NOTIFY, at most once in 50 ms and never in
//! the transaction that made it, because a NOTIFY holds a lock on the whole server while it commits; and, as the
//! truth behind both, by asking the database twice a second whether something waits.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::pool::{Pool, Repeat};

const CHANNEL: &str = "mare_tasks";

const NOTIFY_AT_MOST_EVERY: Duration = Duration::from_millis(50);

/// How much later what was missed is found.
const POLL_EVERY: Duration = Duration::from_millis(500);

/// After the connection that listens broke.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Whether something is due that nobody has leased.
const ANYTHING: &str = "
    WITH clock AS MATERIALIZED (SELECT mare_tasks.micros($1) AS now)
    SELECT EXISTS (SELECT FROM mare_tasks.queues q, clock c WHERE q.state = 1 AND (
        EXISTS (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = q.id AND t.state = 1)
        OR EXISTS (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = q.id AND t.state = 0 AND t.schedule_time <= c.now)
        OR EXISTS (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = q.id AND t.state = 2 AND t.lease_end <= c.now)))";

/// Spreads the news.
#[derive(Clone)]
pub(super) struct Wake {
    changes: watch::Sender<u64>,
    untold: Arc<Notify>,
    /// Tells our notifications from those of others.
    process: Arc<str>,
}

impl Wake {
    pub(super) fn new() -> Self {
        let process = Arc::from(Uuid::now_v7().simple().to_string());
        Self { changes: watch::Sender::new(0), untold: Arc::new(Notify::new()), process }
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Something may have become leasable.
    pub(super) fn tell(&self) {
        self.tick();
        self.untold.notify_one();
    }

    fn tick(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Tells the other processes, until stopped.
    pub(super) async fn notify(self, pool: Pool, stop: CancellationToken) {
        let tell = async {
            loop {
                self.untold.notified().await;
                let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(&*self.process);
                if let Err(error) = notify.execute(&pool.pool).await {
                    // They will find out by themselves.
                    tracing::debug!(%error, "could not notify other processes of tasks");
                }
                sleep(NOTIFY_AT_MOST_EVERY).await;
            }
        };
        stop.run_until_cancelled(tell).await;
    }

    /// Hears of the other processes, until stopped.
    pub(super) async fn listen(self, pool: Pool, stop: CancellationToken) {
        let listen = async {
            loop {
                if let Err(error) = self.hear(&pool).await {
                    tracing::debug!(%error, "connection that listens for tasks broke; trying again");
                }
                // What was said meanwhile was missed.
                self.tick();
                sleep(LISTEN_AGAIN_AFTER).await;
            }
        };
        stop.run_until_cancelled(listen).await;
    }

    async fn hear(&self, pool: &Pool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(&pool.pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        self.tick();
        while let Some(news) = listener.try_recv().await? {
            if news.payload() != &*self.process {
                self.tick();
            }
        }
        Ok(())
    }

    /// Asks the database, until stopped.
    pub(super) async fn poll(self, pool: Pool, stop: CancellationToken) {
        let mut every = interval(POLL_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ask_on = async {
            loop {
                every.tick().await;
                let ask = || async {
                    Ok(sqlx::query_scalar(ANYTHING).bind(pool.clock()).fetch_one(&pool.pool).await?)
                };
                match pool.run(Repeat::Safe, ask).await {
                    Ok(true) => self.tick(),
                    Ok(false) => {}
                    Err(error) => tracing::warn!(%error, "could not ask the database for tasks"),
                }
            }
        };
        stop.run_until_cancelled(ask_on).await;
    }
}
