//! What nobody needs any more is swept away now and then: tombstones, old dead letters, the rows of deleted queues.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::pool::{Pool, Repeat, span};
use crate::policy::backoff::RETENTION;
use crate::store::Error;

const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// When there was more than one sweep takes.
const SWEEP_ON_AFTER: Duration = Duration::from_millis(200);

/// Rows of each kind taken by one sweep.
const ROWS_MAX: i64 = 5000;

/// Keys of a queue whose turns are remembered, as in `policy::order`.
const TURNS_MAX: i64 = 10_000;

/// Rows that ended since the table of tasks was last vacuumed. Every lease has to step over them in the index, and
/// autovacuum comes by once a minute only.
const ENDED_MAX: i64 = 20_000;

const ENDED: &str = "
    SELECT coalesce(pg_stat_get_dead_tuples('mare_tasks.tasks'::regclass), 0)";

/// Leaves the table to whoever vacuums it already, and does not wait for the lock that shrinking it would take.
const VACUUM: &str = "VACUUM (SKIP_LOCKED, TRUNCATE FALSE) mare_tasks.tasks";

/// Sweeps until stopped.
pub(super) async fn keep_clean(pool: Pool, stop: CancellationToken) {
    let clean = async {
        loop {
            let swept = sweep(&pool).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "could not sweep the tables of tasks");
                0
            });
            if let Err(error) = vacuum(&pool).await {
                tracing::warn!(%error, "could not vacuum the table of tasks");
            }
            sleep(if swept >= ROWS_MAX { SWEEP_ON_AFTER } else { SWEEP_EVERY }).await;
        }
    };
    stop.run_until_cancelled(clean).await;
}

/// Tells how many rows it removed.
pub(super) async fn sweep(pool: &Pool) -> Result<i64, Error> {
    let once = || async {
        let sweep = sqlx::query_scalar("SELECT mare_tasks.sweep($1, $2, $3, $4)")
            .bind(pool.clock())
            .bind(span(RETENTION))
            .bind(TURNS_MAX)
            .bind(ROWS_MAX);
        Ok(sweep.fetch_one(&pool.pool).await?)
    };
    pool.run(Repeat::Safe, once).await
}

async fn vacuum(pool: &Pool) -> Result<(), Error> {
    let once = || async {
        let ended: i64 = sqlx::query_scalar(ENDED).fetch_one(&pool.pool).await?;
        if ended > ENDED_MAX {
            sqlx::raw_sql(VACUUM).execute(&pool.pool).await?;
        }
        Ok(())
    };
    pool.run(Repeat::Safe, once).await
}
