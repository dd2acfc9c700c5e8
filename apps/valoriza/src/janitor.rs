//! Deletes what has expired, a bounded number of rows at a time.

use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::caching::Purger;
use crate::clock;
use crate::db::{Db, Error};
use crate::store::{handled, idempotency, notifications, outbox, refresh_tokens};

/// Often enough that tables stay small, seldom enough that ten instances doing it do not matter.
const PERIOD: Duration = Duration::from_mins(1);

/// Rows of each table in one transaction, so that no writer waits long behind it. With ten rounds a minute
/// this keeps up with 80 expiring rows per second and instance.
const ROWS_MAX: u16 = 500;
const ROUNDS_MAX: usize = 10;

/// The platform keeps a task for at most 31 days, so no event comes again after that.
const HANDLED_FOR: SignedDuration = SignedDuration::from_hours(32 * 24);

/// Nobody looks for what happened half a year ago among the notifications.
const NOTIFICATIONS_FOR: SignedDuration = SignedDuration::from_hours(180 * 24);

/// What happened is looked up for some days when something is odd.
const DISPATCHED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Cleans up now and then until `shutdown`.
pub(crate) async fn run(db: Db, purger: Purger, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(PERIOD);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = clean(&db, &purger).await {
            tracing::warn!(error = %format!("{:#}", anyhow::Error::new(error)), "cleaning up failed");
        }
    }
}

async fn clean(db: &Db, purger: &Purger) -> Result<(), Error> {
    for _ in 0..ROUNDS_MAX {
        let now = clock::now();
        let mut tx = db.write().await?;
        let keys = idempotency::delete_expired(&mut tx, now, ROWS_MAX.into()).await?;
        let tokens = refresh_tokens::delete_expired(&mut tx, now, ROWS_MAX.into()).await?;
        let notifications = notifications::forget(&mut tx, now - NOTIFICATIONS_FOR, ROWS_MAX.into()).await?;
        let events = handled::forget(&mut tx, now - HANDLED_FOR, ROWS_MAX.into()).await?;
        let outbox = outbox::forget_dispatched(&mut tx, now - DISPATCHED_FOR, ROWS_MAX.into()).await?;
        tx.commit().await?;
        // Of what goes here, people see only these.
        purger.purge(&notifications.iter().copied().collect()).await;
        let most = keys.max(tokens).max(events).max(outbox);
        if most < ROWS_MAX.into() && notifications.len() < ROWS_MAX.into() {
            break;
        }
    }
    Ok(())
}
