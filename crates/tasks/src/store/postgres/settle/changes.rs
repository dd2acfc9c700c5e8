//! What becomes of tasks whose attempt did not succeed: decided from what was read, written together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::super::dead::Dead;
use super::super::pool::{micros, timestamp};
use super::super::row::{self, get};
use crate::model::{Outcome, Progress};
use crate::policy::{attempt, backoff, later};
use crate::store::{End, Error, Settled, Settlement, encoding};

/// Reads what a settlement may change, if its token is the latest.
pub(super) const READ: &str = "
    , u.place, t.queue_id, q.settings, mare_tasks.micros($1) AS now
    FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY u (queue, id, token, place)
        JOIN mare_tasks.queues q ON q.name = u.queue
        JOIN mare_tasks.tasks t ON t.queue_id = q.id AND t.id = u.id AND t.lease_token = u.token
    ORDER BY t.queue_id, t.id FOR UPDATE OF t";

const FREE: &str = "
    UPDATE mare_tasks.tasks t SET
        state = CASE WHEN u.schedule <= $1 THEN 1 ELSE 0 END, schedule_time = u.schedule,
        lease_token = NULL, lease_end = NULL,
        answered_count = u.answered, executed_count = u.executed, outcome = u.outcome,
        previous_scheduled = NULL, previous_dispatched = NULL, previous_outcome = NULL
    FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[])
        u (queue_id, id, schedule, answered, executed, outcome)
    WHERE t.queue_id = u.queue_id AND t.id = u.id";

/// As if the latest lease had never been.
const UNDO: &str = "
    UPDATE mare_tasks.tasks t SET
        state = CASE WHEN u.schedule <= $1 THEN 1 ELSE 0 END, schedule_time = u.schedule,
        lease_token = NULL, lease_end = NULL, dispatched_count = t.dispatched_count - 1,
        first_attempt = CASE WHEN t.previous_dispatched IS NULL THEN NULL ELSE t.first_attempt END,
        scheduled = t.previous_scheduled, dispatched = t.previous_dispatched, outcome = t.previous_outcome,
        previous_scheduled = NULL, previous_dispatched = NULL, previous_outcome = NULL
    FROM unnest($2::bigint[], $3::text[], $4::bigint[]) u (queue_id, id, schedule)
    WHERE t.queue_id = u.queue_id AND t.id = u.id";

/// What is to be written.
#[derive(Default)]
pub(super) struct Changes {
    /// The latest time by which something was decided.
    now: Timestamp,
    ended: Vec<Ended>,
    undone: Vec<Undone>,
    /// By queue.
    dead: BTreeMap<i64, Vec<String>>,
}

struct Ended {
    queue: i64,
    id: String,
    schedule_time: Timestamp,
    progress: Progress,
    outcome: Outcome,
}

struct Undone {
    queue: i64,
    id: String,
    schedule_time: Timestamp,
}

impl Changes {
    /// Decides about a task, given what [`READ`] read of it.
    pub(super) fn add(&mut self, item: &Settlement, row: &PgRow) -> Result<Settled, Error> {
        let (queue, id): (i64, String) = (get(row, "queue_id")?, get(row, "id")?);
        let now = timestamp(get(row, "now")?);
        self.now = self.now.max(now);
        let outcome = match &item.end {
            End::NotDelivered { wait } => {
                let schedule_time = later(now, *wait);
                self.undone.push(Undone { queue, id, schedule_time });
                return Ok(Settled::Retrying(schedule_time));
            }
            End::Attempted(outcome) => outcome.clone(),
        };
        let settings = encoding::read_settings(get(row, "settings")?)?;
        let retry = row::retry(row)?.unwrap_or(settings.retry);
        let progress = attempt::ended(&row::progress(row)?, outcome.clone());
        let (settled, schedule_time) = if backoff::is_exhausted(&retry, &progress, now) {
            self.dead.entry(queue).or_default().push(id.clone());
            (Settled::Dead, timestamp(get(row, "schedule_time")?))
        } else {
            let at = backoff::retry_at(&retry, &progress, &outcome.answer, now);
            (Settled::Retrying(at), at)
        };
        self.ended.push(Ended { queue, id, schedule_time, progress, outcome });
        Ok(settled)
    }

    pub(super) async fn write(&self, connection: &mut PgConnection, dead: &Dead) -> Result<(), sqlx::Error> {
        let (ended, undone) = (&self.ended, &self.undone);
        if !ended.is_empty() {
            sqlx::query(FREE)
                .bind(micros(self.now))
                .bind(ended.iter().map(|it| it.queue).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| it.id.as_str()).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| micros(it.schedule_time)).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| i64::from(it.progress.answered)).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| i64::from(it.progress.executed)).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| encoding::write_outcome(&it.outcome)).collect::<Vec<_>>())
                .execute(&mut *connection)
                .await?;
        }
        if !undone.is_empty() {
            sqlx::query(UNDO)
                .bind(micros(self.now))
                .bind(undone.iter().map(|it| it.queue).collect::<Vec<_>>())
                .bind(undone.iter().map(|it| it.id.as_str()).collect::<Vec<_>>())
                .bind(undone.iter().map(|it| micros(it.schedule_time)).collect::<Vec<_>>())
                .execute(&mut *connection)
                .await?;
        }
        for (queue, ids) in &self.dead {
            dead.bury(connection, *queue, ids, self.now).await?;
        }
        Ok(())
    }
}
