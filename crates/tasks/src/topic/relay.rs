//! The relay: rows of an application's outbox become messages of a topic.
//!
//! ```text
//!   outbox row (committed) ──read──► topics.publish ──durable──► mark the row ──► next rows
//!                                        ▲ again with the same id after a crash: not delivered twice
//! ```
//!
//! A row is read only after its transaction committed, and marked only after its message is on disk, so nothing
//! is published that did not happen and nothing that happened is lost. Message ids are the rows' ids.
//!
//! The table needs a unique `id`, a `payload`, and `dispatched_at` that is null until the relay sets it. Every
//! other column becomes an attribute of the message.

mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use mare_manifest::model::Text;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Message, Topics};

/// Rows published together: large enough for one commit to carry many, small enough to be done in a moment.
const ROWS_MAX: usize = 500;

/// How soon after its commit a row is seen.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// After a failure: the database is away, or has no such table yet.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest a database may take over one step.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a topic's messages come from.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub topic: String,
    pub table: String,
    pub database: Database,
}

#[derive(Clone, Debug)]
pub enum Database {
    /// The file, which may not be there yet.
    Sqlite(PathBuf),
    Postgres(Text),
}

/// A row of the outbox, as a message and by the id that marks it.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    id: String,
    payload: Bytes,
    attributes: BTreeMap<String, String>,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the table is not there yet")]
    NoTable,
    #[error("the outbox lacks the column {0}")]
    NoColumn(&'static str),
    #[error("the database of the outbox failed")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the database of the outbox failed")]
    Postgres(#[from] sqlx::Error),
    #[error("the database of the outbox took longer than {PATIENCE:?}")]
    Slow,
    #[error("publishing failed")]
    Publish(#[from] crate::store::Error),
    #[error("a thread of the relay ended")]
    Thread(#[from] tokio::task::JoinError),
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfTopic {
    topic: String,
}

/// Relays one outbox.
pub struct Service {
    outbox: Outbox,
    topics: Topics,
    relayed: Counter,
    failed: Counter,
}

/// The relays' metrics, for all topics.
#[derive(Default)]
pub struct Metrics {
    relayed: Family<OfTopic, Counter>,
    failed: Family<OfTopic, Counter>,
}

impl Metrics {
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let relayed = "Rows of an outbox that became messages";
        registry.register("mare_topic_relayed", relayed, metrics.relayed.clone());
        let failed = "Times a relay could not read, publish or mark; it tries again";
        registry.register("mare_topic_relay_failures", failed, metrics.failed.clone());
        metrics
    }
}

/// The outbox of one database, open.
enum Open {
    Sqlite(sqlite::Source),
    Postgres(postgres::Source),
}

impl Service {
    pub fn new(outbox: Outbox, topics: Topics, metrics: &Metrics) -> Self {
        let of = OfTopic { topic: outbox.topic.clone() };
        let (relayed, failed) =
            (metrics.relayed.get_or_create(&of).clone(), metrics.failed.get_or_create(&of).clone());
        Self { outbox, topics, relayed, failed }
    }

    /// Runs until `shutdown`. What is committed while nothing relays is relayed at the next start.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut open = None;
        let mut healthy = true;
        loop {
            let wait = match self.step(&mut open).await {
                Ok(rows) => {
                    if !std::mem::replace(&mut healthy, true) {
                        tracing::info!(topic = self.outbox.topic, "the relay goes on");
                    }
                    if rows == ROWS_MAX { Duration::ZERO } else { LOOK_EVERY }
                }
                Err(error) => {
                    open = None;
                    self.failed.inc();
                    if std::mem::replace(&mut healthy, false) {
                        let quiet = matches!(error, RelayError::NoTable);
                        let error = chain(&error);
                        if quiet {
                            tracing::debug!(topic = self.outbox.topic, error, "the relay waits");
                        } else {
                            tracing::warn!(topic = self.outbox.topic, error, "the relay waits");
                        }
                    }
                    PAUSE
                }
            };
            if shutdown.run_until_cancelled(sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    /// Relays the next rows and says how many there were.
    async fn step(&self, open: &mut Option<Open>) -> Result<usize, RelayError> {
        let source = match open {
            Some(source) => source,
            None => open.insert(within(Open::open(&self.outbox)).await?),
        };
        let rows = within(source.pending()).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let message = |row: &Row| Message {
            id: row.id.clone(),
            data: row.payload.clone(),
            attributes: row.attributes.clone(),
        };
        let messages: Vec<Message> = rows.iter().map(message).collect();
        self.topics.publish(&self.outbox.topic, &messages, Timestamp::now()).await?;
        let count = rows.len();
        within(source.mark(rows)).await?;
        self.relayed.inc_by(count as u64);
        Ok(count)
    }
}

async fn within<T>(step: impl Future<Output = Result<T, RelayError>>) -> Result<T, RelayError> {
    timeout(PATIENCE, step).await.map_err(|_elapsed| RelayError::Slow)?
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl Open {
    async fn open(outbox: &Outbox) -> Result<Self, RelayError> {
        match &outbox.database {
            Database::Sqlite(file) => sqlite::Source::open(file, &outbox.table).await.map(Self::Sqlite),
            Database::Postgres(url) => postgres::Source::open(url, &outbox.table).await.map(Self::Postgres),
        }
    }

    /// The oldest rows that are not marked, at most [`ROWS_MAX`].
    async fn pending(&mut self) -> Result<Vec<Row>, RelayError> {
        match self {
            Self::Sqlite(source) => source.pending().await,
            Self::Postgres(source) => source.pending().await,
        }
    }

    async fn mark(&mut self, rows: Vec<Row>) -> Result<(), RelayError> {
        match self {
            Self::Sqlite(source) => source.mark(rows).await,
            Self::Postgres(source) => source.mark(rows).await,
        }
    }
}

/// Takes the columns apart: `id` and `payload` are the message, `dispatched_at` is ours, the rest are attributes.
fn row(columns: impl Iterator<Item = (String, Option<String>)>) -> Result<Row, RelayError> {
    let mut attributes: BTreeMap<String, String> =
        columns.filter_map(|(name, value)| Some((name, value?))).collect();
    attributes.remove("dispatched_at");
    let mut take = |name| attributes.remove(name).ok_or(RelayError::NoColumn(name));
    let (id, payload) = (take("id")?, take("payload")?);
    Ok(Row { id, payload: Bytes::from(payload), attributes })
}

#[cfg(test)]
mod tests;
