//! The ends of attempts. Most succeed, and all of those are one statement; what needs a decision is read first.

mod changes;

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use self::changes::Changes;
use super::batch::Write;
use super::dead::Dead;
use super::pool::{Failure, Pool, Repeat, span};
use super::wake::Wake;
use super::{pace, row};
use crate::model::{Answer, Outcome, QueueName};
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
        let statement = AssertSqlSafe(format!("SELECT {}{}", row::PROGRESS, changes::READ));
        let rows = names(sqlx::query(statement).bind(self.pool.clock()), items).fetch_all(&mut *connection);
        let mut changes = Changes::default();
        for row in &rows.await? {
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
