//! Leasing: how many may begin is decided here, by `policy::pace`, under the lock of the queue's pace; which ones, by
//! the functions of the schema.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::PgRow;

use super::pool::{Failure, Pool, Repeat, micros, timestamp};
use super::row::{self, count, get};
use super::{codec, pace};
use crate::model::{QueueName, RateLimits};
use crate::policy::pace::Pace;
use crate::policy::wake::Waiting;
use crate::store::{Error, Lease, LeaseToken, Leased};

/// Scheduled tasks that become due at one lease: among more than these, time goes before priority.
const RISING_MAX: i32 = 5000;

/// What a lease finds of its queue.
struct Entered {
    queue: i64,
    now: Timestamp,
    limits: RateLimits,
    pace: Pace,
    leased: u32,
    /// Something is due, and the queue's pace is locked.
    locked: bool,
    next_schedule: Option<Timestamp>,
    next_end: Option<Timestamp>,
}

pub(super) async fn lease(pool: &Pool, name: &QueueName, max: usize, margin: Duration) -> Result<Lease, Error> {
    pool.run(Repeat::Never, || lease_once(pool, name, max, margin)).await
}

async fn lease_once(pool: &Pool, name: &QueueName, max: usize, margin: Duration) -> Result<Lease, Failure> {
    let mut transaction = pool.pool.begin().await?;
    let entered = sqlx::query("SELECT * FROM mare_tasks.enter($1, $2, $3)")
        .bind(name.as_str())
        .bind(pool.clock())
        .bind(RISING_MAX)
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(Error::NoQueue)?;
    let Some(entered) = self::entered(name, &entered)? else {
        transaction.commit().await.map_err(Failure::Commit)?;
        return Ok(Lease::default());
    };
    let wanted = entered.wanted(max);
    let mut found = Found { tasks: Vec::new(), more: entered.locked };
    if entered.locked && wanted > 0 {
        let rows = sqlx::query("SELECT * FROM mare_tasks.take($1, $2, $3, $4, $5)")
            .bind(entered.queue)
            .bind(i32::try_from(wanted).unwrap_or(i32::MAX))
            .bind(micros(entered.now))
            .bind(super::pool::span(margin))
            .bind(entered.filled())
            .fetch_all(&mut *transaction)
            .await?;
        found = self::found(name, &rows)?;
    }
    transaction.commit().await.map_err(Failure::Commit)?;
    let again_at = entered.again_at(&found);
    Ok(Lease { tasks: found.tasks, again_at })
}

/// `None`: the queue is paused.
fn entered(name: &QueueName, row: &PgRow) -> Result<Option<Entered>, Error> {
    let Some(now) = get::<Option<i64>>(row, "now")? else {
        return Ok(None);
    };
    let settings = codec::settings(get(row, "settings")?, name.clone(), false)?;
    let time = |column| Ok::<_, Error>(get::<Option<i64>>(row, column)?.map(timestamp));
    Ok(Some(Entered {
        queue: get(row, "queue_id")?,
        now: timestamp(now),
        limits: settings.limits,
        pace: pace::read(row)?,
        leased: count(row, "leased")?,
        locked: get(row, "locked")?,
        next_schedule: time("next_schedule")?,
        next_end: time("next_end")?,
    }))
}

struct Found {
    tasks: Vec<Leased>,
    more: bool,
}

fn found(name: &QueueName, rows: &[PgRow]) -> Result<Found, Error> {
    let mut found = Found { tasks: Vec::with_capacity(rows.len()), more: false };
    for row in rows {
        let token: i64 = get(row, "lease_token")?;
        if get::<Option<&str>>(row, "id")?.is_none() {
            found.more = token == 1;
        } else {
            found.tasks.push(leased(name, row)?);
        }
    }
    Ok(found)
}

/// A row that was just leased.
pub(super) fn leased(name: &QueueName, row: &PgRow) -> Result<Leased, Error> {
    let token = LeaseToken(count(row, "lease_token")?);
    Ok(Leased { task: row::task(name, row)?, previous: row::outcome(row, "previous_outcome")?, token })
}

impl Entered {
    fn wanted(&self, max: usize) -> u32 {
        let places = self.limits.concurrent.saturating_sub(self.leased);
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        max.min(places).min(self.pace.available(&self.limits, self.now))
    }

    /// What the bucket holds now, if there is one.
    fn filled(&self) -> Option<f64> {
        self.limits.per_second.is_finite().then(|| self.after(1).bucket.level() + 1.0)
    }

    fn after(&self, taken: u32) -> Pace {
        let mut pace = self.pace;
        pace.take(&self.limits, self.now, taken);
        pace
    }

    fn again_at(&self, found: &Found) -> Option<Timestamp> {
        let taken = u32::try_from(found.tasks.len()).unwrap_or(u32::MAX);
        let first_end = found.tasks.iter();
        let _ = first_end;
        let waiting = Waiting {
            due: if found.more { Some(self.now) } else { self.next_schedule },
            lease_ends: self.next_end,
            has_place: self.leased.saturating_add(taken) < self.limits.concurrent,
            token: self.after(taken).next_at(&self.limits, self.now),
        };
        waiting.again_at(self.now)
    }
}
