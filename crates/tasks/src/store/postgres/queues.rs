//! Queues: their settings and state, and the end of all their tasks.
//!
//! Who changes a queue locks its pace first, as leasing does; then the queue.

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::pool::{Failure, Pool, Repeat, micros, span, timestamp};
use super::row::get;
use super::{pace, page};
use crate::model::{Queue, QueueName, QueueSettings, State};
use crate::policy::pace::Pace;
use crate::store::{Error, Page, Put, Slice, Windows, encoding};

const READ: &str = "
    SELECT q.id, q.name, q.state, q.purged_at, q.settings FROM mare_tasks.queues q WHERE q.name = $1";

/// `0` comes after `/`: what begins with the parent and a slash is between the two.
const LIST: &str = "
    SELECT q.id, q.name, q.state, q.purged_at, q.settings FROM mare_tasks.queues q
    WHERE q.name > $1 AND q.name < $2 AND q.name > $3 ORDER BY q.name LIMIT $4";

/// Ends some tasks of a queue, in the order in which settlements lock them; tells how many.
const END: &str = "
    WITH chosen AS (
        SELECT t.id FROM mare_tasks.tasks t WHERE t.queue_id = $1 AND t.create_time <= $2
        ORDER BY t.id LIMIT $3 FOR UPDATE
    ), gone AS (
        DELETE FROM mare_tasks.tasks t USING chosen c WHERE t.queue_id = $1 AND t.id = c.id
        RETURNING t.queue_id, t.id, t.named
    ), tombs AS (
        INSERT INTO mare_tasks.tombstones (queue_id, id, until)
        SELECT g.queue_id, g.id, $2 + $4 FROM gone g WHERE g.named
        ON CONFLICT (queue_id, id) DO UPDATE SET until = excluded.until
    )
    SELECT count(*) FROM gone";

/// Tasks ended in one transaction.
const END_AT_ONCE: i64 = 5000;

/// The number by which all else refers to the queue.
pub(super) async fn id(connection: &mut PgConnection, name: &QueueName) -> Result<i64, Failure> {
    let id = sqlx::query_scalar("SELECT id FROM mare_tasks.queues WHERE name = $1").bind(name.as_str());
    Ok(id.fetch_optional(connection).await?.ok_or(Error::NoQueue)?)
}

/// Of all queues, in order.
pub(super) async fn names(pool: &Pool) -> Result<Vec<QueueName>, Error> {
    let read = || async {
        let names = sqlx::query_scalar::<_, String>("SELECT name FROM mare_tasks.queues ORDER BY name");
        let name = |text: String| {
            let unreadable = |error| Error::Database(format!("read the name of a queue: {error}"));
            QueueName::parse(&text).map_err(|error| unreadable(error).into())
        };
        names.fetch_all(&pool.pool).await?.into_iter().map(name).collect::<Result<Vec<_>, Failure>>()
    };
    pool.run(Repeat::Safe, read).await
}

pub(super) fn read(row: &PgRow) -> Result<Queue, Error> {
    let state = if get::<i16>(row, "state")? == PAUSED { State::Paused } else { State::Running };
    let purged_at = get::<Option<i64>>(row, "purged_at")?.map(timestamp);
    Ok(Queue { settings: encoding::read_settings(get(row, "settings")?)?, state, purged_at })
}

const RUNNING: i16 = 1;
const PAUSED: i16 = 2;

pub(super) async fn put(pool: &Pool, settings: &QueueSettings, put: Put) -> Result<Queue, Error> {
    let repeat = match put {
        Put::Create => Repeat::Never,
        Put::Upsert | Put::Release => Repeat::Safe,
    };
    let write = || async {
        let mut transaction = pool.pool.begin().await?;
        let locked = pace::lock(&mut transaction, pool.clock(), &settings.name).await?;
        let queue = match locked {
            Some(locked) => change(&mut transaction, locked, settings, put).await?,
            None => create(&mut transaction, pool.clock(), settings).await?,
        };
        transaction.commit().await.map_err(Failure::Commit)?;
        Ok(queue)
    };
    pool.run(repeat, write).await
}

async fn change(
    connection: &mut PgConnection,
    locked: pace::Locked,
    settings: &QueueSettings,
    put: Put,
) -> Result<Queue, Failure> {
    let known = read(&sqlx::query(READ).bind(settings.name.as_str()).fetch_one(&mut *connection).await?)?;
    if put == Put::Create {
        return Err(Error::QueueExists.into());
    }
    if put == Put::Upsert && known.settings.declared && !settings.declared {
        return Err(Error::QueueIsDeclared.into());
    }
    let mut pace = locked.pace;
    pace.change(&known.settings.limits, &settings.limits, locked.now);
    pace::write(connection, locked.queue, &pace).await?;
    sqlx::query("UPDATE mare_tasks.queues SET settings = $2 WHERE id = $1")
        .bind(locked.queue)
        .bind(encoding::write_settings(settings))
        .execute(connection)
        .await?;
    Ok(Queue { settings: settings.clone(), ..known })
}

async fn create(
    connection: &mut PgConnection,
    clock: Option<i64>,
    settings: &QueueSettings,
) -> Result<Queue, Failure> {
    const BLOCKED: &str = "
        SELECT mare_tasks.micros($2) AS now, EXISTS (
            SELECT FROM mare_tasks.deleted_queues d WHERE d.name = $1 AND d.until > mare_tasks.micros($2)) AS blocked";
    // Nothing is there to conflict with unless somebody else is creating it.
    const INSERT: &str = "
        INSERT INTO mare_tasks.queues (name, state, settings) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING RETURNING id";
    let name = settings.name.as_str();
    let row = sqlx::query(BLOCKED).bind(name).bind(clock).fetch_one(&mut *connection).await?;
    if !settings.declared && row.try_get("blocked")? {
        return Err(Error::QueueExistedRecently.into());
    }
    let id: Option<i64> = sqlx::query_scalar(INSERT)
        .bind(name)
        .bind(RUNNING)
        .bind(encoding::write_settings(settings))
        .fetch_optional(&mut *connection)
        .await?;
    let id = id.ok_or(Failure::Lost)?;
    let pace = Pace::new(&settings.limits, timestamp(row.try_get("now")?));
    pace::write(connection, id, &pace).await?;
    Ok(Queue { settings: settings.clone(), state: State::Running, purged_at: None })
}

pub(super) async fn get_one(pool: &Pool, name: &QueueName) -> Result<Queue, Error> {
    let query = || async {
        let row = sqlx::query(READ).bind(name.as_str()).fetch_optional(&pool.pool).await?;
        Ok(read(&row.ok_or(Error::NoQueue)?)?)
    };
    pool.run(Repeat::Safe, query).await
}

pub(super) async fn list(pool: &Pool, parent: &str, slice: &Slice) -> Result<Page<Queue>, Error> {
    let query = || async {
        let rows = sqlx::query(LIST)
            .bind(format!("{parent}/queues/"))
            .bind(format!("{parent}/queues0"))
            .bind(slice.after.as_deref().unwrap_or(""))
            .bind(page::limit(slice))
            .fetch_all(&pool.pool)
            .await?;
        let queues: Vec<Queue> = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(page::of(queues, slice, |queue| queue.settings.name.to_string()))
    };
    pool.run(Repeat::Safe, query).await
}

pub(super) async fn set_state(pool: &Pool, name: &QueueName, state: State) -> Result<Queue, Error> {
    let number = match state {
        State::Running => RUNNING,
        State::Paused => PAUSED,
    };
    let write = || async {
        let mut transaction = pool.pool.begin().await?;
        let locked = pace::lock(&mut transaction, pool.clock(), name).await?.ok_or(Error::NoQueue)?;
        let known = read(&sqlx::query(READ).bind(name.as_str()).fetch_one(&mut *transaction).await?)?;
        if (known.state, state) == (State::Paused, State::Running) {
            let mut pace = locked.pace;
            pace.resume(&known.settings.limits, locked.now);
            pace::write(&mut transaction, locked.queue, &pace).await?;
        }
        sqlx::query("UPDATE mare_tasks.queues SET state = $2 WHERE id = $1")
            .bind(locked.queue)
            .bind(number)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await.map_err(Failure::Commit)?;
        Ok(Queue { state, ..known })
    };
    pool.run(Repeat::Safe, write).await
}

pub(super) async fn purge(pool: &Pool, name: &QueueName, window: Duration) -> Result<Queue, Error> {
    let mark = || async {
        let row = sqlx::query(
            "UPDATE mare_tasks.queues q SET purged_at = mare_tasks.micros($2) WHERE q.name = $1
             RETURNING q.id, q.name, q.state, q.purged_at, q.settings",
        );
        let row = row.bind(name.as_str()).bind(pool.clock()).fetch_optional(&pool.pool).await?;
        let row = row.ok_or(Error::NoQueue)?;
        Ok((get::<i64>(&row, "id")?, get::<i64>(&row, "purged_at")?, read(&row)?))
    };
    let (id, until, queue) = pool.run(Repeat::Safe, mark).await?;
    end_tasks(pool, id, until, window).await?;
    Ok(queue)
}

/// Ends the tasks created until then, batch by batch. It comes to an end: there are ever fewer of them.
async fn end_tasks(pool: &Pool, queue: i64, until: i64, window: Duration) -> Result<(), Error> {
    let end = || async {
        let end = sqlx::query_scalar(END).bind(queue).bind(until).bind(END_AT_ONCE).bind(span(window));
        Ok(end.fetch_one(&pool.pool).await?)
    };
    while pool.run::<i64, _>(Repeat::Safe, end).await? == END_AT_ONCE {}
    Ok(())
}

/// Deletes the queue. Its tasks are gone at once, for they are found by the queue's number only; their rows, and
/// those of its dead letters, are swept.
pub(super) async fn delete(pool: &Pool, name: &QueueName, windows: Windows) -> Result<(), Error> {
    let delete = || async {
        let mut transaction = pool.pool.begin().await?;
        let locked = pace::lock(&mut transaction, pool.clock(), name).await?.ok_or(Error::NoQueue)?;
        let known = read(&sqlx::query(READ).bind(name.as_str()).fetch_one(&mut *transaction).await?)?;
        if known.settings.declared {
            return Err(Error::QueueIsDeclared.into());
        }
        sqlx::query("DELETE FROM mare_tasks.queues WHERE id = $1")
            .bind(locked.queue)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM mare_tasks.paces WHERE queue_id = $1")
            .bind(locked.queue)
            .execute(&mut *transaction)
            .await?;
        let block = "INSERT INTO mare_tasks.deleted_queues (name, until) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET until = excluded.until";
        let until = micros(locked.now).saturating_add(span(windows.queue_name));
        sqlx::query(block).bind(name.as_str()).bind(until).execute(&mut *transaction).await?;
        transaction.commit().await.map_err(Failure::Commit)
    };
    pool.run(Repeat::Never, delete).await
}
