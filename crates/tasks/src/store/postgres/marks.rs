//! Marks, which only rise.

use super::create::{self, Creation};
use super::pool::{Failure, Pool, Repeat};
use super::wake::Wake;
use crate::store::{Error, NewTask};

/// Nothing comes back if the mark is there or beyond. Whoever raises the same mark waits here for the commit.
const RAISE: &str = "
    INSERT INTO mare_tasks.marks AS m (key, at) VALUES ($1, $2)
    ON CONFLICT (key) DO UPDATE SET at = excluded.at WHERE m.at < excluded.at RETURNING at";

pub(super) async fn get(pool: &Pool, key: &str) -> Result<Option<i64>, Error> {
    let query = || async {
        let mark = sqlx::query_scalar("SELECT at FROM mare_tasks.marks WHERE key = $1");
        Ok(mark.bind(key).fetch_optional(&pool.pool).await?)
    };
    pool.run(Repeat::Safe, query).await
}

/// Safe to repeat: once the mark is raised, nothing more happens. Then it says no although it was us, which costs a
/// line in a log.
pub(super) async fn advance(
    pool: &Pool,
    wake: &Wake,
    key: &str,
    to: i64,
    tasks: Vec<NewTask>,
) -> Result<bool, Error> {
    let items: Vec<Creation> = tasks.into_iter().map(Creation::new).collect();
    let write = || async {
        let mut transaction = pool.pool.begin().await?;
        let raised: Option<i64> =
            sqlx::query_scalar(RAISE).bind(key).bind(to).fetch_optional(&mut *transaction).await?;
        if raised.is_none() {
            return Ok(false);
        }
        if !create::queues_exist(&mut transaction, &items).await? {
            return Err(Failure::Refused(Error::NoQueue));
        }
        create::insert_named(&mut transaction, pool, &items).await?;
        transaction.commit().await.map_err(Failure::Commit)?;
        Ok(true)
    };
    let raised = pool.run(Repeat::Safe, write).await?;
    if raised {
        wake.tell();
    }
    Ok(raised)
}
