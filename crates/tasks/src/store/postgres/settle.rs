//! The ends of attempts. Most succeed, and all of those are one statement; what needs a decision is read first.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::batch::Write;
use super::dead::Dead;
use super::pool::{Failure, Pool, Repeat, micros, span, timestamp};
use super::row::{self, get};
use super::wake::Wake;
use super::{codec, pace};
use crate::model::{Answer, Outcome, Progress, QueueName, Task};
use crate::policy::attempt::{self, Verdict};
use crate::policy::later;
use crate::store::{End, Error, Settled, Settlement, Windows};

/// Ends tasks for good, leaving tombstones of those with names. Tells whether their queue has been slowed down.
const SUCCEED: &str = "
    WITH ended AS (
        DELETE FROM mare_tasks.tasks t USING (
            SELECT (SELECT q.id FROM mare_tasks.queues q WHERE q.name = u.queue) AS queue_id, u.id, u.token, u.place
            FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY u (queue, id, token, place)
            ORDER BY queue_id, u.id) u
        WHERE t.queue_id = u.queue_id AND t.id = u.id AND t.lease_token = u.token
        RETURNING t.queue_id, t.id, t.named, u.place
    ), buried AS (
        INSERT INTO mare_tasks.tombstones (queue_id, id, until)
        SELECT e.queue_id, e.id, mare_tasks.micros($1) + $5 FROM ended e WHERE e.named
        ON CONFLICT (queue_id, id) DO UPDATE SET until = excluded.until
    )
    SELECT e.place, EXISTS (
        SELECT FROM mare_tasks.paces p WHERE p.queue_id = e.queue_id AND p.throttle < 1) AS slowed
    FROM ended e";

/// Reads what a settlement may change, if its token is the latest.
const READ: &str = "
    , u.place, t.queue_id, q.settings, mare_tasks.micros($1) AS now, t.previous_scheduled, t.previous_dispatched,
        t.previous_outcome
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

pub(super) struct Settler {
    pub(super) pool: Pool,
    pub(super) dead: Dead,
    pub(super) wake: Wake,
    pub(super) windows: Windows,
}

#[async_trait]
impl Write for Settler {
    type Item = Settlement;
    type Done = Settled;

    async fn write(&self, items: Vec<Settlement>) -> Result<Vec<Settled>, Error> {
        // Settling again changes nothing: if the answer to the commit is lost, what was done is now fenced.
        let settled = self.pool.run(Repeat::Safe, || self.settle(&items)).await?;
        self.wake.tell();
        self.observe(&items, &settled).await;
        Ok(settled.into_iter().map(|(settled, _slowed)| settled).collect())
    }

    fn bytes(_item: &Settlement) -> usize {
        512
    }
}

impl Settler {
    /// Each with whether its queue has been slowed down, as far as that is known.
    async fn settle(&self, items: &[Settlement]) -> Result<Vec<(Settled, bool)>, Failure> {
        let is_success =
            |item: &Settlement| matches!(&item.end, End::Attempted(it) if it.answer.is_success());
        let rounds = rounds(items);
        if rounds.len() == 1 && items.iter().all(is_success) {
            let mut connection = self.pool.pool.acquire().await?;
            let all: Vec<&Settlement> = items.iter().collect();
            return self.succeed(&mut connection, &all).await.map_err(Failure::Commit);
        }
        let mut transaction = self.pool.pool.begin().await?;
        let mut settled = vec![(Settled::Fenced, false); items.len()];
        for round in rounds {
            let (succeed, others): (Vec<usize>, Vec<usize>) =
                round.into_iter().partition(|&index| is_success(&items[index]));
            let of = |indexes: &[usize]| indexes.iter().map(|&index| &items[index]).collect::<Vec<_>>();
            let ends = self.succeed(&mut transaction, &of(&succeed)).await?;
            let others_ends = self.decide(&mut transaction, &of(&others)).await?;
            for (index, end) in succeed.into_iter().zip(ends).chain(others.into_iter().zip(others_ends)) {
                settled[index] = end;
            }
        }
        transaction.commit().await.map_err(Failure::Commit)?;
        Ok(settled)
    }

    async fn succeed(
        &self,
        connection: &mut PgConnection,
        items: &[&Settlement],
    ) -> Result<Vec<(Settled, bool)>, sqlx::Error> {
        let mut settled = vec![(Settled::Fenced, false); items.len()];
        if items.is_empty() {
            return Ok(settled);
        }
        let ended = names(sqlx::query(SUCCEED).bind(self.pool.clock()), items)
            .bind(span(self.windows.task_name))
            .fetch_all(connection)
            .await?;
        for row in ended {
            settled[index(&row)?] = (Settled::Succeeded, row.try_get("slowed")?);
        }
        Ok(settled)
    }

    /// Ends what did not succeed.
    async fn decide(
        &self,
        connection: &mut PgConnection,
        items: &[&Settlement],
    ) -> Result<Vec<(Settled, bool)>, Failure> {
        let mut settled = vec![(Settled::Fenced, false); items.len()];
        if items.is_empty() {
            return Ok(settled);
        }
        let statement = AssertSqlSafe(format!("SELECT {}{READ}", row::COLUMNS));
        let rows =
            names(sqlx::query(statement).bind(self.pool.clock()), items).fetch_all(&mut *connection).await?;
        let mut changes = Changes::default();
        for row in &rows {
            let index = index(row)?;
            settled[index] = (changes.add(items[index], row)?, false);
        }
        changes.write(connection, &self.dead).await?;
        Ok(settled)
    }

    /// Lets the queues know how they were answered. What is settled is settled: that a queue is not slowed down, or
    /// not sped up, is no reason to say otherwise.
    async fn observe(&self, items: &[Settlement], settled: &[(Settled, bool)]) {
        let mut answers: BTreeMap<&QueueName, Vec<&Answer>> = BTreeMap::new();
        let mut concerned = HashSet::new();
        for (item, (settled, slowed)) in items.iter().zip(settled) {
            let End::Attempted(Outcome { answer, .. }) = &item.end else { continue };
            if *settled == Settled::Fenced {
                continue;
            }
            answers.entry(&item.name.queue).or_default().push(answer);
            if *slowed || matches!(answer, Answer::Status { status: 429 | 503, .. }) {
                concerned.insert(&item.name.queue);
            }
        }
        answers.retain(|queue, _| concerned.contains(queue));
        if !answers.is_empty()
            && let Err(error) = pace::observe(&self.pool, &answers).await
        {
            tracing::warn!(%error, "could not note how targets answered");
        }
    }
}

/// Settlements by their indexes, in rounds in which no task occurs twice.
fn rounds(items: &[Settlement]) -> Vec<Vec<usize>> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut seen = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        let round = seen.entry(&item.name).and_modify(|round| *round += 1).or_insert(0);
        if rounds.len() <= *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(index);
    }
    rounds
}

/// What is written of settlements that were decided.
#[derive(Default)]
struct Changes {
    now: Timestamp,
    ended: Vec<Ended>,
    undone: Vec<(i64, String, i64)>,
    dead: BTreeMap<i64, Vec<String>>,
}

struct Ended {
    queue: i64,
    id: String,
    schedule_time: Timestamp,
    progress: Progress,
    outcome: Outcome,
}

impl Changes {
    fn add(&mut self, item: &Settlement, row: &PgRow) -> Result<Settled, Error> {
        let (queue, now): (i64, i64) = (get(row, "queue_id")?, get(row, "now")?);
        let now = timestamp(now);
        self.now = self.now.max(now);
        let outcome = match &item.end {
            End::NotDelivered { wait } => {
                let at = later(now, *wait);
                self.undone.push((queue, item.name.id.to_string(), micros(at)));
                return Ok(Settled::Retrying(at));
            }
            End::Attempted(outcome) => outcome.clone(),
        };
        let task = row::task(&item.name.queue, row)?;
        let progress = attempt::ended(&task.progress, outcome.clone());
        let task = Task { progress, ..task };
        let settings = codec::settings(get(row, "settings")?, item.name.queue.clone(), false)?;
        let verdict = attempt::verdict(&task, &settings.retry, &outcome.answer, now);
        let (settled, schedule_time) = match verdict {
            Verdict::Again(at) => (Settled::Retrying(at), at),
            Verdict::Dead => {
                self.dead.entry(queue).or_default().push(item.name.id.to_string());
                (Settled::Dead, task.schedule_time)
            }
            Verdict::Succeeded => {
                return Err(Error::Database("a success was taken for a failure".to_owned()));
            }
        };
        let id = item.name.id.to_string();
        self.ended.push(Ended { queue, id, schedule_time, progress: task.progress, outcome });
        Ok(settled)
    }

    async fn write(&self, connection: &mut PgConnection, dead: &Dead) -> Result<(), sqlx::Error> {
        if !self.ended.is_empty() {
            let ended = &self.ended;
            sqlx::query(FREE)
                .bind(micros(self.now))
                .bind(ended.iter().map(|it| it.queue).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| it.id.as_str()).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| micros(it.schedule_time)).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| i64::from(it.progress.answered)).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| i64::from(it.progress.executed)).collect::<Vec<_>>())
                .bind(ended.iter().map(|it| codec::outcome_bytes(&it.outcome)).collect::<Vec<_>>())
                .execute(&mut *connection)
                .await?;
        }
        if !self.undone.is_empty() {
            sqlx::query(UNDO)
                .bind(micros(self.now))
                .bind(self.undone.iter().map(|it| it.0).collect::<Vec<_>>())
                .bind(self.undone.iter().map(|it| it.1.as_str()).collect::<Vec<_>>())
                .bind(self.undone.iter().map(|it| it.2).collect::<Vec<_>>())
                .execute(&mut *connection)
                .await?;
        }
        for (queue, ids) in &self.dead {
            dead.bury(connection, *queue, ids, self.now).await?;
        }
        Ok(())
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// Binds whose leases are to end.
fn names<'q>(query: Query<'q>, items: &[&Settlement]) -> Query<'q> {
    let token = |item: &&Settlement| i64::try_from(item.token.0).unwrap_or(-1);
    query
        .bind(items.iter().map(|item| item.name.queue.to_string()).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.name.id.to_string()).collect::<Vec<_>>())
        .bind(items.iter().map(token).collect::<Vec<_>>())
}

/// Which item the row is about; places begin with 1.
fn index(row: &PgRow) -> Result<usize, sqlx::Error> {
    let place: i64 = row.try_get("place")?;
    Ok(usize::try_from(place - 1).unwrap_or(usize::MAX))
}
