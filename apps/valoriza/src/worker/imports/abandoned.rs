//! Forgets imports nobody came back to, with their files.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::super::Worker;
use crate::actions::Error;
use crate::store::imports;

/// Long enough to come back to a preview after a week away; a bank statement is not kept without need.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Imports of one run. The next takes the rest; each is a file and a transaction of its own, some minutes at most.
const IMPORTS_MAX: i64 = 1_000;

/// Those it forgot one of are in `changed` even if it fails. Doing it again, or twice at once, forgets nothing else.
pub(in super::super) async fn forget(
    worker: &Worker,
    now: Timestamp,
    changed: &mut BTreeSet<Uuid>,
) -> Result<(), Error> {
    let before = now - KEPT_FOR;
    let abandoned = imports::abandoned(&mut worker.db.snapshot().await?, before, IMPORTS_MAX).await?;
    for it in abandoned {
        // First the file: what is broken off here is found again, while a file without an import would stay for
        // ever. Who comes back in this very moment is told that the file is lost.
        worker.files.delete(it.tenant, it.id).await.map_err(|error| Error::Internal(error.into()))?;
        let mut tx = worker.db.write().await?;
        if imports::delete_abandoned(&mut tx, &it, before).await? {
            changed.insert(it.tenant);
        }
        tx.commit().await?;
    }
    Ok(())
}
