//! Who is there. Every process holds a shared lock as long as it lives; the one that finds nobody else at its start
//! lets queues with a backlog begin slowly, because what they call may be cold. One that joins others changes nothing.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::pace;
use super::pool::{Failure, Pool, Repeat};
use super::queues;
use crate::store::Error;

/// `MareHere` in ASCII.
const LOCK: i64 = 0x4d61_7265_4865_7265;

/// How often the connection is looked at, and made anew if it broke.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Queues that are emptied and have something to do.
const BACKLOGS: &str = "
    SELECT q.name, q.id, q.state, q.purged_at, q.settings FROM mare_tasks.queues q
    WHERE q.state = 1 AND EXISTS (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = q.id)";

/// A connection of its own, for the lock lives as long as the connection.
pub(super) struct Presence(PgConnection);

impl Presence {
    pub(super) async fn enter(pool: &Pool) -> Result<Self, Error> {
        let mut connection = PgConnection::connect_with(&pool.pool.connect_options()).await?;
        let alone =
            sqlx::query("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut connection).await?;
        let is_alone: bool = alone.try_get(0)?;
        if is_alone {
            pool.run(Repeat::Safe, || begin_slowly(pool)).await?;
        }
        share(&mut connection).await?;
        if is_alone {
            sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut connection).await?;
        }
        Ok(Self(connection))
    }

    /// Holds the lock until stopped.
    pub(super) async fn keep(mut self, pool: Pool, stop: CancellationToken) {
        let keep = async {
            loop {
                sleep(LOOK_EVERY).await;
                let is_there = timeout(LOOK_EVERY, self.0.ping()).await.is_ok_and(|answer| answer.is_ok());
                if !is_there
                    && let Ok(mut connection) = PgConnection::connect_with(&pool.pool.connect_options()).await
                    && share(&mut connection).await.is_ok()
                {
                    self.0 = connection;
                }
            }
        };
        stop.run_until_cancelled(keep).await;
    }
}

async fn share(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_lock_shared($1)").bind(LOCK).execute(connection).await?;
    Ok(())
}

async fn begin_slowly(pool: &Pool) -> Result<(), Failure> {
    for row in sqlx::query(BACKLOGS).fetch_all(&pool.pool).await? {
        let queue = queues::read(&row)?;
        let mut transaction = pool.pool.begin().await?;
        let name = &queue.settings.name;
        if let Some(mut locked) = pace::lock(&mut transaction, pool.clock(), name).await? {
            locked.pace.resume(&locked.limits, locked.now);
            pace::write(&mut transaction, locked.queue, &locked.pace).await?;
        }
        transaction.commit().await.map_err(Failure::Commit)?;
    }
    Ok(())
}
