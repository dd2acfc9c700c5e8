//! Leasing: how many may begin is decided here, by `policy::pace`, under the lock of the queue's pace; which ones, by
//! the functions of the schema.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection};

use super::dead::Dead;
use super::error::is_broken;
use super::pace;
use super::pool::{Failure, Pool, Repeat, micros, span, timestamp};
use super::row::{self, count, get};
use crate::model::{QueueName, QueueSettings};
use crate::policy::pace::Pace;
use crate::policy::wake::Waiting;
use crate::policy::{backoff, later};
use crate::store::{Error, LEASE_MARGIN, Lease, LeaseToken, Leased, encoding};

/// Scheduled tasks that become due at one lease: among more than these, time goes before priority.
const RISING_MAX: i32 = 5000;

/// Its commit is seen by all at once, but not waited for until it is on disk, which is a fraction of a second later. A
/// server that crashes in between forgets the lease: its task is leased again, one attempt of it uncounted.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// Leases that ran out and are looked at in one go.
const ENDED_MAX: i64 = 1000;

/// Leases that ran out now, and those that did before and whose tasks nobody has leased since.
const ENDED: &str = "
    FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.state = 2 AND t.lease_end <= $2
    ORDER BY t.lease_end LIMIT $3 FOR UPDATE SKIP LOCKED";
const ABANDONED: &str = "
    FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.state < 2 AND t.lease_token IS NOT NULL
    LIMIT $3 FOR UPDATE SKIP LOCKED";

/// They keep the token: until there is another lease, they may be settled with it.
const FREE: &str = "
    UPDATE mare_tasks.tasks t SET state = CASE WHEN t.schedule_time <= $3 THEN 1 ELSE 0 END, lease_end = NULL
    FROM unnest($2::text[]) u (id) WHERE t.queue_id = $1 AND t.id = u.id";

/// What ended leases leave behind.
const LEFT: &str = "
    SELECT (SELECT min(t.lease_end) FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.state = 2) AS next_end,
        (SELECT count(*) FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.state = 2) AS leased,
        (SELECT min(t.schedule_time) FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.state = 0) AS next_schedule,
        EXISTS (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.state = 1) AS due";

/// What a lease finds of its queue.
struct Entered {
    queue: i64,
    now: Timestamp,
    settings: QueueSettings,
    pace: Pace,
    leased: u32,
    /// Something is due; the queue's pace is locked.
    due: bool,
    /// There are tasks whose lease ended by itself.
    abandoned: bool,
    next_schedule: Option<Timestamp>,
    next_end: Option<Timestamp>,
}

struct Found {
    tasks: Vec<Leased>,
    /// More is due.
    more: bool,
}

/// Leases at most `max` tasks.
pub(super) async fn lease(pool: &Pool, name: &QueueName, max: usize, dead: &Dead) -> Result<Lease, Error> {
    pool.run(Repeat::Never, || lease_once(pool, name, max, dead)).await
}

async fn lease_once(pool: &Pool, name: &QueueName, max: usize, dead: &Dead) -> Result<Lease, Failure> {
    let mut transaction = pool.pool.begin_with(BEGIN).await?;
    let row = sqlx::query("SELECT * FROM mare_tasks.enter($1, $2, $3)")
        .bind(name.as_str())
        .bind(pool.clock())
        .bind(RISING_MAX)
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(Error::NoQueue)?;
    let Some(mut entered) = entered(&row)? else {
        return Ok(Lease::default());
    };
    let has_ended = entered.next_end.is_some_and(|end| end <= entered.now);
    if entered.due && (entered.abandoned || has_ended) {
        end_leases(&mut transaction, &mut entered, dead).await?;
    }
    let wanted = entered.wanted(max);
    let mut found = Found { tasks: Vec::new(), more: entered.due };
    if entered.due && wanted > 0 {
        let rows = sqlx::query("SELECT * FROM mare_tasks.take($1, $2, $3, $4, $5)")
            .bind(entered.queue)
            .bind(i32::try_from(wanted).unwrap_or(i32::MAX))
            .bind(micros(entered.now))
            .bind(span(LEASE_MARGIN))
            .bind(entered.filled())
            .fetch_all(&mut *transaction)
            .await?;
        found = self::found(name, &rows)?;
    }
    if let Err(error) = transaction.commit().await {
        confirm(pool, entered.queue, found.tasks.first(), error).await?;
    }
    let again_at = entered.again_at(&found);
    Ok(Lease { tasks: found.tasks, again_at })
}

/// Finds out what became of a commit that broke off: tasks leased to nobody would wait until their leases end, which
/// can be many minutes. If it comes through after we asked, that is what happens.
async fn confirm(pool: &Pool, queue: i64, first: Option<&Leased>, error: sqlx::Error) -> Result<(), Failure> {
    const IS_OURS: &str = "
        SELECT EXISTS (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.id = $2 AND t.lease_token = $3)";
    let Some(Leased { task, token, .. }) = first.filter(|_first| is_broken(&error)) else {
        return Err(Failure::Commit(error));
    };
    let ask = || async {
        let is_ours =
            sqlx::query_scalar(IS_OURS).bind(queue).bind(&*task.name.id).bind(token.0.cast_signed());
        Ok(is_ours.fetch_one(&pool.pool).await?)
    };
    if pool.run(Repeat::Safe, ask).await? { Ok(()) } else { Err(Failure::Before(error)) }
}

/// Frees the tasks whose leases ran out; those that used up their attempts become dead letters.
async fn end_leases(
    connection: &mut PgConnection,
    entered: &mut Entered,
    dead: &Dead,
) -> Result<(), Failure> {
    let (mut freed, mut exhausted) = (Vec::new(), Vec::new());
    for row in read(connection, ENDED, entered).await? {
        let (id, is_exhausted) = judge(entered, &row)?;
        if is_exhausted { &mut exhausted } else { &mut freed }.push(id);
    }
    for row in read(connection, ABANDONED, entered).await? {
        let (id, is_exhausted) = judge(entered, &row)?;
        exhausted.extend(is_exhausted.then_some(id));
    }
    let free = sqlx::query(FREE).bind(entered.queue).bind(&freed).bind(micros(entered.now));
    free.execute(&mut *connection).await?;
    dead.bury(connection, entered.queue, &exhausted, entered.now).await?;
    let left = sqlx::query(LEFT).bind(entered.queue).fetch_one(connection).await?;
    entered.next_end = get::<Option<i64>>(&left, "next_end")?.map(timestamp);
    entered.next_schedule = get::<Option<i64>>(&left, "next_schedule")?.map(timestamp);
    entered.leased = count(&left, "leased")?;
    entered.due = get(&left, "due")?;
    Ok(())
}

async fn read(
    connection: &mut PgConnection,
    which: &str,
    entered: &Entered,
) -> Result<Vec<PgRow>, sqlx::Error> {
    sqlx::query(AssertSqlSafe(format!("SELECT {} {which}", row::PROGRESS)))
        .bind(entered.queue)
        .bind(micros(entered.now))
        .bind(ENDED_MAX)
        .fetch_all(connection)
        .await
}

/// The task's id, and whether it has used up its attempts.
fn judge(entered: &Entered, row: &PgRow) -> Result<(String, bool), Error> {
    let retry = row::retry(row)?.unwrap_or(entered.settings.retry);
    Ok((get(row, "id")?, backoff::is_exhausted(&retry, &row::progress(row)?, entered.now)))
}

/// `None`: the queue is paused.
fn entered(row: &PgRow) -> Result<Option<Entered>, Error> {
    let Some(now) = get::<Option<i64>>(row, "now")? else {
        return Ok(None);
    };
    let time = |column| Ok::<_, Error>(get::<Option<i64>>(row, column)?.map(timestamp));
    Ok(Some(Entered {
        queue: get(row, "queue_id")?,
        now: timestamp(now),
        settings: encoding::read_settings(get(row, "settings")?)?,
        pace: pace::read(row)?,
        leased: count(row, "leased")?,
        due: get(row, "locked")?,
        abandoned: get(row, "abandoned")?,
        next_schedule: time("next_schedule")?,
        next_end: time("next_end")?,
    }))
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
        let places = self.settings.limits.concurrent.saturating_sub(self.leased);
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        max.min(places).min(self.pace.available(&self.settings.limits, self.now))
    }

    /// What the bucket holds now, if there is one.
    fn filled(&self) -> Option<f64> {
        let limits = &self.settings.limits;
        let mut pace = self.pace;
        pace.change(limits, limits, self.now);
        limits.per_second.is_finite().then(|| pace.bucket.level())
    }

    fn again_at(&self, found: &Found) -> Option<Timestamp> {
        let limits = &self.settings.limits;
        let taken = u32::try_from(found.tasks.len()).unwrap_or(u32::MAX);
        let mut pace = self.pace;
        pace.take(limits, self.now, taken);
        let end = |leased: &Leased| {
            later(self.now, leased.task.spec.dispatch_deadline.saturating_add(LEASE_MARGIN))
        };
        let waiting = Waiting {
            due: if found.more { Some(self.now) } else { self.next_schedule },
            lease_ends: found.tasks.iter().map(end).chain(self.next_end).min(),
            has_place: self.leased.saturating_add(taken) < limits.concurrent,
            token: pace.next_at(limits, self.now),
        };
        waiting.again_at(self.now)
    }
}
