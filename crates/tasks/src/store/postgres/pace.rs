//! `policy::pace::Pace` as a row that all processes share.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::pool::{Failure, Pool, Repeat, micros, timestamp};
use super::row::get;
use crate::model::{Answer, QueueName, RateLimits};
use crate::policy::bucket::Bucket;
use crate::policy::pace::Pace;
use crate::store::{Error, encoding};

pub(super) fn read(row: &PgRow) -> Result<Pace, Error> {
    let time = |column| Ok::<_, Error>(get::<Option<i64>>(row, column)?.map(timestamp));
    Ok(Pace {
        bucket: Bucket::with_level(get(row, "level")?),
        at: timestamp(get(row, "at")?),
        ramp: time("ramp")?,
        throttle: get(row, "throttle")?,
        halved: time("halved")?,
    })
}

/// Writes it, as new or over what was there.
pub(super) async fn write(connection: &mut PgConnection, queue: i64, pace: &Pace) -> Result<(), sqlx::Error> {
    const WRITE: &str = "
        INSERT INTO mare_tasks.paces (queue_id, level, at, ramp, throttle, halved) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (queue_id) DO UPDATE SET level = excluded.level, at = excluded.at, ramp = excluded.ramp,
            throttle = excluded.throttle, halved = excluded.halved";
    sqlx::query(WRITE)
        .bind(queue)
        .bind(pace.bucket.level())
        .bind(micros(pace.at))
        .bind(pace.ramp.map(micros))
        .bind(pace.throttle)
        .bind(pace.halved.map(micros))
        .execute(connection)
        .await?;
    Ok(())
}

/// A queue's pace, locked.
pub(super) struct Locked {
    pub(super) queue: i64,
    pub(super) limits: RateLimits,
    pub(super) pace: Pace,
    /// Read after it was locked.
    pub(super) now: Timestamp,
}

/// Locks the pace of a queue; `None`: there is no such queue.
pub(super) async fn lock(
    connection: &mut PgConnection,
    clock: Option<i64>,
    name: &QueueName,
) -> Result<Option<Locked>, Failure> {
    const LOCK: &str = "
        SELECT q.id, q.settings, p.*, mare_tasks.micros($2) AS now FROM (
            SELECT p.* FROM mare_tasks.paces p
            WHERE p.queue_id = (SELECT q.id FROM mare_tasks.queues q WHERE q.name = $1) FOR NO KEY UPDATE OFFSET 0
        ) p JOIN mare_tasks.queues q ON q.id = p.queue_id";
    let row = sqlx::query(LOCK).bind(name.as_str()).bind(clock).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let settings = encoding::read_settings(get(&row, "settings")?).map_err(Error::from)?;
    let now = timestamp(get(&row, "now")?);
    Ok(Some(Locked { queue: get(&row, "id")?, limits: settings.limits, pace: read(&row)?, now }))
}

/// Lets queues know what targets answered, each in the order of the answers.
pub(super) async fn observe(pool: &Pool, answers: &BTreeMap<&QueueName, Vec<&Answer>>) -> Result<(), Error> {
    let observe = || async {
        // Locked in the order of their names, so that nobody waits in a circle.
        let mut transaction = pool.pool.begin().await?;
        for (name, answers) in answers {
            let Some(Locked { queue, limits, mut pace, now }) =
                lock(&mut transaction, pool.clock(), name).await?
            else {
                continue;
            };
            let before = pace;
            for answer in answers {
                pace.observe(&limits, answer, now);
            }
            if pace != before {
                write(&mut transaction, queue, &pace).await?;
            }
        }
        transaction.commit().await.map_err(Failure::Commit)
    };
    // If the answer to its commit is lost, a queue is slowed down, or restored, once too little.
    pool.run(Repeat::Never, observe).await
}
