//! Queues in numbers, counted from indexes: what is due and waiting up to [`COUNTED_MAX`] each, beyond which the
//! numbers stand still.

use super::pool::{Pool, Repeat, span, timestamp};
use super::queues;
use super::row::{count, get};
use crate::policy::backoff::RETENTION;
use crate::store::{Error, QueueStats};

/// Counting so many entries of an index takes some ten milliseconds.
const COUNTED_MAX: i64 = 100_000;

/// Fairness keys looked at for the oldest task.
const KEYS_MAX: i64 = 1000;

/// `due` has the oldest task of each key first, so a walk from key to key finds the oldest of all.
const STATS: &str = "
    WITH clock AS MATERIALIZED (SELECT mare_tasks.micros($1) AS now)
    SELECT q.id, q.name, q.state, q.purged_at, q.settings, q.forgotten,
        (SELECT count(*) FROM (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = q.id AND t.state = 1 LIMIT $2) x)
            AS due,
        (SELECT count(*) FROM (SELECT FROM mare_tasks.tasks t WHERE t.queue_id = q.id AND t.state = 0 LIMIT $2) x)
            AS waiting,
        (SELECT count(*) FROM (SELECT FROM mare_tasks.tasks t
            WHERE t.queue_id = q.id AND t.state = 0 AND t.schedule_time <= c.now LIMIT $2) x) AS risen,
        (SELECT count(*) FROM mare_tasks.tasks t WHERE t.queue_id = q.id AND t.state = 2) AS leased,
        e.ended, e.ended_due,
        (SELECT count(*) FROM mare_tasks.dead d WHERE d.queue_id = q.id) AS dead,
        (SELECT count(*) FROM mare_tasks.dead d WHERE d.queue_id = q.id AND d.died_at <= c.now - $3) AS old_dead,
        least(o.oldest, e.oldest, (SELECT min(t.schedule_time) FROM mare_tasks.tasks t
            WHERE t.queue_id = q.id AND t.state = 0 AND t.schedule_time <= c.now)) AS oldest
    FROM mare_tasks.queues q CROSS JOIN clock c
    CROSS JOIN LATERAL (
        SELECT count(*) AS ended, count(*) FILTER (WHERE t.schedule_time <= c.now) AS ended_due,
            min(t.schedule_time) FILTER (WHERE t.schedule_time <= c.now) AS oldest
        FROM mare_tasks.tasks t WHERE t.queue_id = q.id AND t.state = 2 AND t.lease_end <= c.now
    ) e
    CROSS JOIN LATERAL (
        WITH RECURSIVE firsts AS (
            (SELECT t.priority, t.fairness_key, t.schedule_time FROM mare_tasks.tasks t
                WHERE t.queue_id = q.id AND t.state = 1
                ORDER BY t.priority DESC, t.fairness_key, t.schedule_time LIMIT 1)
            UNION ALL
            SELECT n.* FROM firsts f CROSS JOIN LATERAL (
                (SELECT t.priority, t.fairness_key, t.schedule_time FROM mare_tasks.tasks t
                    WHERE t.queue_id = q.id AND t.state = 1 AND t.priority = f.priority
                        AND t.fairness_key > f.fairness_key
                    ORDER BY t.fairness_key, t.schedule_time LIMIT 1)
                UNION ALL
                (SELECT t.priority, t.fairness_key, t.schedule_time FROM mare_tasks.tasks t
                    WHERE t.queue_id = q.id AND t.state = 1 AND t.priority < f.priority
                    ORDER BY t.priority DESC, t.fairness_key, t.schedule_time LIMIT 1)
                LIMIT 1) n
        )
        SELECT min(schedule_time) AS oldest FROM (SELECT schedule_time FROM firsts LIMIT $4) x
    ) o
    ORDER BY q.name";

pub(super) async fn stats(pool: &Pool) -> Result<Vec<QueueStats>, Error> {
    let read = || async {
        let rows = sqlx::query(STATS)
            .bind(pool.clock())
            .bind(COUNTED_MAX)
            .bind(span(RETENTION))
            .bind(KEYS_MAX)
            .fetch_all(&pool.pool)
            .await?;
        let stats: Vec<QueueStats> = rows.iter().map(of).collect::<Result<_, _>>()?;
        Ok(stats)
    };
    pool.run(Repeat::Safe, read).await
}

fn of(row: &sqlx::postgres::PgRow) -> Result<QueueStats, Error> {
    let number = |column| count::<u64>(row, column);
    let ended = number("ended")?;
    Ok(QueueStats {
        queue: queues::read(row)?,
        backlog: number("due")? + number("waiting")? + ended,
        due: number("due")? + number("risen")? + number("ended_due")?,
        leased: number("leased")?.saturating_sub(ended),
        dead: number("dead")?.saturating_sub(number("old_dead")?),
        forgotten: number("forgotten")? + number("old_dead")?,
        oldest_due: get::<Option<i64>>(row, "oldest")?.map(timestamp),
    })
}
