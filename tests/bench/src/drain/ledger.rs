//! What valoriza's database says became of the events.

use std::str::FromStr;

use anyhow::{Result, ensure};
use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{PgPool, SqlitePool};

pub(super) enum Ledger {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// What the events led to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Effects {
    /// Events that were handled once.
    pub(super) handled: u64,
    /// Transactions that have a category and a reason, and those that wait for a person to decide.
    pub(super) categorised: u64,
    pub(super) in_review: u64,
    /// Budgets that are almost or wholly spent, and the notifications of it.
    alerted: u64,
    notified: u64,
    /// Notifications that say the same to the same.
    repeated: u64,
    /// Transactions nothing was found out about.
    lost: u64,
}

impl Effects {
    /// Each event had its effect, and none twice.
    pub(super) fn check(&self, events: u64) -> Result<()> {
        ensure!(self.lost == 0 && self.handled == events, "lost: {self:?} of {events}");
        ensure!(self.categorised + self.in_review == events, "{self:?} of {events}");
        ensure!(self.repeated == 0 && self.notified >= self.alerted, "repeated: {self:?}");
        Ok(())
    }
}

/// In milliseconds since 1970.
pub(super) struct Times {
    pub(super) relayed_first: i64,
    pub(super) relayed_last: i64,
    pub(super) handled_first: i64,
    pub(super) categorised_last: i64,
}

impl Ledger {
    pub(super) async fn open(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            return Ok(Self::Sqlite(SqlitePool::connect_with(SqliteConnectOptions::from_str(url)?).await?));
        }
        Ok(Self::Postgres(PgPool::connect(url).await?))
    }

    /// Events nobody relayed yet.
    pub(super) async fn waiting(&self) -> Result<u64> {
        self.count("SELECT COUNT(*) FROM outbox WHERE dispatched_at IS NULL").await
    }

    /// Transactions the worker is asked to look at.
    pub(super) async fn asked(&self) -> Result<u64> {
        self.count("SELECT COUNT(*) FROM outbox WHERE topic = 'transaction.created'").await
    }

    /// Events handled for categories.
    pub(super) async fn categorised(&self) -> Result<u64> {
        self.count("SELECT COUNT(*) FROM handled_events WHERE subscription = 'categorise'").await
    }

    pub(super) async fn effects(&self) -> Result<Effects> {
        // Those that were asked about are the normal ones no person has decided.
        const OPEN: &str = "FROM transactions t WHERE kind = 'normal' AND NOT is_split
            AND COALESCE(category_source, '') <> 'user'";
        const ALERTS: &str = "FROM notifications WHERE kind = 'budget'";
        Ok(Effects {
            handled: self.categorised().await?,
            categorised: self.count(&format!("SELECT COUNT(*) {OPEN} AND category_id IS NOT NULL")).await?,
            in_review: self.count(&format!("SELECT COUNT(*) {OPEN} AND category_id IS NULL")).await?,
            alerted: self.count("SELECT COUNT(DISTINCT budget_id) FROM alerts_sent").await?,
            notified: self.count(&format!("SELECT COUNT(*) {ALERTS}")).await?,
            repeated: self
                .count(&format!(
                    "SELECT COUNT(*) FROM (SELECT 1 {ALERTS} GROUP BY tenant_id, link, title HAVING COUNT(*) > 1) AS r"
                ))
                .await?,
            lost: self
                .count(&format!(
                    "SELECT COUNT(*) {OPEN} AND NOT EXISTS (SELECT 1 FROM embeddings e
                     WHERE e.tenant_id = t.tenant_id AND e.transaction_id = t.id)"
                ))
                .await?,
        })
    }

    pub(super) async fn times(&self) -> Result<Times> {
        const CREATED: &str = "FROM outbox WHERE topic = 'transaction.created'";
        const HANDLED: &str = "FROM handled_events WHERE subscription = 'categorise'";
        Ok(Times {
            relayed_first: self.number(&format!("SELECT MIN(dispatched_at) {CREATED}")).await?,
            relayed_last: self.number(&format!("SELECT MAX(dispatched_at) {CREATED}")).await?,
            handled_first: self.number(&format!("SELECT MIN(handled_at) {HANDLED}")).await?,
            categorised_last: self.number(&format!("SELECT MAX(handled_at) {HANDLED}")).await?,
        })
    }

    async fn count(&self, text: &str) -> Result<u64> {
        Ok(u64::try_from(self.number(text).await?)?)
    }

    async fn number(&self, text: &str) -> Result<i64> {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        Ok(match self {
            Self::Sqlite(pool) => sqlx::query_scalar(text).fetch_one(pool).await?,
            Self::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await?,
        })
    }
}
