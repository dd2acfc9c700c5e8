//! What must have become of it, in valoriza's own database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr as _;
use std::sync::atomic::Ordering;

use sqlx::postgres::PgRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{FromRow, PgPool, SqlitePool};

use super::client::{Mission, STATEMENT_ROWS};

pub(super) enum Ledger {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Ledger {
    pub(super) async fn open(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url).expect("a URL");
            return Self::Sqlite(SqlitePool::connect_with(options).await.expect("the file is there"));
        }
        Self::Postgres(PgPool::connect(url).await.expect("the server is there"))
    }

    /// Events nobody relayed.
    pub(super) async fn pending(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM outbox WHERE dispatched_at IS NULL").await
    }

    /// Everything acknowledged is there once, and had its effects once.
    pub(super) async fn check(&self, mission: &Mission) {
        self.check_transactions(mission).await;
        self.check_statements(mission).await;
        self.check_notifications().await;
        self.check_budgets().await;
        self.check_reports(mission).await;
        let moved = "SELECT CAST(SUM(balance_cents - opening_balance_cents) AS BIGINT) FROM accounts";
        let sum = "SELECT CAST(SUM(amount_cents) AS BIGINT) FROM transactions";
        assert_eq!(self.number(moved).await, self.number(sum).await, "the balance moved once for each");
    }

    /// Recorded ones are there once; those with a mark have the category of their automation.
    async fn check_transactions(&self, mission: &Mission) {
        let rows: Vec<(String, String)> = self
            .rows(
                "SELECT t.description, COALESCE(c.name, '') FROM transactions t
                 LEFT JOIN categories c ON c.id = t.category_id WHERE t.import_id IS NULL",
            )
            .await;
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        for (description, category) in &rows {
            *found.entry(description).or_default() += 1;
            let mark = description.split(' ').next().unwrap_or_default().to_lowercase();
            assert!(!mark.starts_with("lote") || mark == *category, "{description} is {category:?}");
        }
        let acknowledged = mission.transactions.lock().expect("no panic").clone();
        let distinct: BTreeSet<&str> = acknowledged.iter().map(String::as_str).collect();
        assert_eq!(distinct.len(), acknowledged.len(), "each was acknowledged once");
        assert_eq!(
            found.keys().copied().collect::<BTreeSet<_>>(),
            distinct,
            "what is there was acknowledged"
        );
        assert!(found.values().all(|count| *count == 1), "twice: {found:?}");
        // What was looked at has a vector, whether or not a category was found for it.
        let unseen = "SELECT COUNT(*) FROM transactions t WHERE NOT EXISTS
            (SELECT 1 FROM embeddings e WHERE e.tenant_id = t.tenant_id AND e.transaction_id = t.id)";
        assert_eq!(self.number(unseen).await, 0, "neither categorised nor in review");
    }

    async fn check_statements(&self, mission: &Mission) {
        let statements = mission.statements.load(Ordering::Relaxed);
        let rows = i64::try_from(statements * STATEMENT_ROWS).expect("few");
        let imported = "FROM transactions WHERE import_id IS NOT NULL";
        assert_eq!(self.number(&format!("SELECT COUNT(*) {imported}")).await, rows);
        assert_eq!(self.number(&format!("SELECT COUNT(DISTINCT description) {imported}")).await, rows);
    }

    /// Each match of an automation was told once, and nothing else.
    async fn check_notifications(&self) {
        let told: Vec<(String, String)> =
            self.rows("SELECT title, text FROM notifications WHERE kind = 'automation'").await;
        let mut told: Vec<String> = told
            .iter()
            .map(|(title, text)| format!("{title} {}", text.split(": ").next().unwrap_or_default()))
            .collect();
        told.sort();
        let matched: Vec<(String, String)> = self
            .rows(
                "SELECT a.name, t.description FROM automation_matches m JOIN automations a ON a.id = m.automation_id
                 JOIN transactions t ON t.id = m.transaction_id",
            )
            .await;
        let mut matched: Vec<String> = matched.iter().map(|(name, text)| format!("{name} {text}")).collect();
        matched.sort();
        assert_eq!(told, matched);
        let marked = "SELECT COUNT(*) FROM transactions WHERE description LIKE 'LOTE%'";
        assert_eq!(self.number(marked).await, i64::try_from(matched.len()).expect("few"));
    }

    /// Each budget told the last mark it passed once, and none twice.
    async fn check_budgets(&self) {
        let budgets: Vec<(String, i64, i64)> = self
            .rows(
                "SELECT c.name, b.amount_cents, CAST(COALESCE((SELECT -SUM(t.amount_cents) FROM transactions t
                    WHERE t.category_id = b.category_id AND substr(t.date, 1, 7) = b.month), 0) AS BIGINT)
                 FROM budgets b JOIN categories c ON c.id = b.category_id",
            )
            .await;
        let titles: Vec<(String,)> = self.rows("SELECT title FROM notifications WHERE kind = 'budget'").await;
        let mut told: HashMap<&str, usize> = HashMap::new();
        for (title,) in &titles {
            *told.entry(title).or_default() += 1;
        }
        for (name, amount, spent) in budgets {
            let almost = told.remove(&*format!("80% do orçamento de {name}")).unwrap_or(0);
            let wholly = told.remove(&*format!("Orçamento de {name} estourado")).unwrap_or(0);
            assert_eq!(wholly, usize::from(spent >= amount), "{name}: {spent} of {amount}");
            // A jump over both tells the last only.
            let least = usize::from(spent * 10 >= amount * 8 && wholly == 0);
            assert!((least..=1).contains(&almost), "{name}: {spent} of {amount}, told {almost} times");
        }
        assert!(told.is_empty(), "{told:?}");
    }

    async fn check_reports(&self, mission: &Mission) {
        let asked = i64::try_from(mission.reports.load(Ordering::Relaxed)).expect("few");
        let count = async |what: &str| self.number(&format!("SELECT COUNT(*) FROM {what}")).await;
        assert_eq!(count("reports").await, asked);
        assert_eq!(count("reports WHERE status = 'ready'").await, asked);
        assert_eq!(count("report_files").await, 2 * asked);
        assert_eq!(count("notifications WHERE kind = 'report'").await, asked);
    }

    async fn number(&self, text: &str) -> i64 {
        self.rows::<(i64,)>(text).await[0].0
    }

    async fn rows<T>(&self, text: &str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        let rows = match self {
            Self::Sqlite(pool) => sqlx::query_as(text).fetch_all(pool).await,
            Self::Postgres(pool) => sqlx::query_as(text).fetch_all(pool).await,
        };
        rows.expect("valoriza's tables")
    }
}
