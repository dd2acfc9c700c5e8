//! What nobody needs any more is swept away now and then: tombstones, old dead letters, the rows of deleted queues.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::pool::{Pool, Repeat, span};
use crate::policy::backoff::RETENTION;

const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// When there was more than one sweep takes.
const SWEEP_ON_AFTER: Duration = Duration::from_millis(200);

/// Rows of each kind taken by one sweep.
const ROWS_MAX: i64 = 5000;

/// Keys of a queue whose turns are remembered, as in `policy::order`.
const TURNS_MAX: i64 = 10_000;

/// Sweeps until stopped.
pub(super) async fn sweep(pool: Pool, stop: CancellationToken) {
    let sweep = async {
        loop {
            let once = || async {
                let sweep = sqlx::query_scalar("SELECT mare_tasks.sweep($1, $2, $3, $4)")
                    .bind(pool.clock())
                    .bind(span(RETENTION))
                    .bind(TURNS_MAX)
                    .bind(ROWS_MAX);
                Ok(sweep.fetch_one(&pool.pool).await?)
            };
            let swept: i64 = pool.run(Repeat::Safe, once).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "could not sweep the tables of tasks");
                0
            });
            sleep(if swept >= ROWS_MAX { SWEEP_ON_AFTER } else { SWEEP_EVERY }).await;
        }
    };
    stop.run_until_cancelled(sweep).await;
}
