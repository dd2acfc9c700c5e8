//! From an uploaded file to a preview.

mod choices;
mod judge;
mod suggest;

use std::collections::HashMap;

use uuid::Uuid;

use super::super::{Event, Subscription, Worker};
use super::CHUNK;
use crate::actions::Error;
use crate::clock;
use crate::db::Tx;
use crate::domain::import::{Import, Plan, Refusal, Row, SourceKey, Statement, Status};
use crate::files;
use crate::statement::{self, Failure, Hints, Mapping, Profile, Reading};
use crate::store::imports::{self, memory, rows};

use judge::Judge;

/// What an import becomes.
struct Outcome {
    status: Status,
    profile: Option<Profile>,
    statements: Vec<Statement>,
    sources: Vec<SourceKey>,
    rows: Vec<Row>,
    error: Option<Refusal>,
    /// By which the table was read.
    mapping: Option<Mapping>,
}

impl Outcome {
    fn of(status: Status) -> Self {
        let (statements, sources, rows) = (Vec::new(), Vec::new(), Vec::new());
        Self { status, profile: None, statements, sources, rows, error: None, mapping: None }
    }
}

pub(super) async fn run(worker: &Worker, event: &Event) -> Result<(), Error> {
    let id = event.id_of("import_id")?;
    let mut snapshot = worker.db.snapshot().await?;
    let import = imports::find(&mut snapshot, event.tenant, id).await?;
    let Some(import) = import.filter(|it| it.status == Status::Parsing) else {
        return Ok(());
    };
    let known = Known::of(&mut snapshot, event.tenant, &import).await?;
    drop(snapshot);
    let outcome = match read(worker, event.tenant, &import, known).await? {
        Ok((Reading::Unknown(_), _)) => Outcome::of(Status::NeedsMapping),
        Ok((Reading::Statements { profile, statements }, mapping)) => {
            let mut snapshot = worker.db.snapshot().await?;
            let mut judged = Judge::new(event.tenant, &import).judge(&mut snapshot, statements).await?;
            choices::keep(&rows::chosen(&mut snapshot, import.id).await?, &mut judged.rows);
            let loaded = worker.knowledge.of(&mut snapshot, event.tenant).await?;
            drop(snapshot);
            let judged = suggest::run(worker, loaded, judged).await?;
            Outcome { profile: Some(profile), mapping, ..judged }
        }
        Err(failure) => Outcome { error: Some(failure.into()), ..Outcome::of(Status::Failed) },
    };
    write(worker, event, &import, outcome).await
}

/// What is known about tables before the file is read.
struct Known {
    given: Option<Mapping>,
    by_signature: HashMap<String, Mapping>,
    /// Of the account named at the upload, for tables without a header.
    fallback: Option<Mapping>,
}

impl Known {
    async fn of(tx: &mut Tx, tenant: Uuid, import: &Import) -> Result<Self, Error> {
        let remembered = match import.plan.account_id {
            Some(account) => memory::mapping_of(tx, tenant, account).await?,
            None => None,
        };
        let headerless = remembered.filter(|(signature, _)| signature.is_empty());
        Ok(Self {
            given: import.plan.mapping.clone(),
            by_signature: memory::mappings(tx, tenant).await?,
            fallback: headerless.map(|(_, mapping)| mapping),
        })
    }

    /// The mapping by which a table was read whose header has this signature.
    fn used(self, signature: &str) -> Option<Mapping> {
        self.given.or_else(|| self.by_signature.get(signature).cloned()).or(self.fallback)
    }
}

type Found = Result<(Reading, Option<Mapping>), Failure>;

/// Reads the file.
async fn read(worker: &Worker, tenant: Uuid, import: &Import, known: Known) -> Result<Found, Error> {
    let bytes = match worker.files.get(tenant, import.id).await {
        Ok(bytes) => bytes,
        Err(error @ (files::Error::NotFound | files::Error::TooLarge)) => {
            tracing::error!(import = %import.id, error = %error, "an uploaded file cannot be had");
            return Ok(Err(Failure::lost()));
        }
        Err(error @ (files::Error::Late | files::Error::Store(_))) => {
            return Err(Error::Internal(error.into()));
        }
    };
    let filename = import.filename.clone();
    // A large file takes a core for a second, and ten times its size in memory.
    let _permit = worker.parses.acquire().await.map_err(|error| Error::Internal(error.into()))?;
    let reading = tokio::task::spawn_blocking(move || {
        let hints = Hints {
            filename: &filename,
            mapping: known.given.as_ref(),
            known_mappings: Some(&known.by_signature),
            fallback: known.fallback.as_ref(),
        };
        let reading = statement::read(&bytes, &hints)?;
        let used = match &reading {
            Reading::Statements { profile: Profile::Mapped, statements } => {
                known.used(statements.first().map_or("", |it| &it.source.number))
            }
            Reading::Statements { .. } | Reading::Unknown(_) => None,
        };
        Ok((reading, used))
    });
    reading.await.map_err(|error| Error::Internal(error.into()))
}

/// Writes the rows in bounded steps, then what the import has become.
async fn write(worker: &Worker, event: &Event, import: &Import, outcome: Outcome) -> Result<(), Error> {
    let tenant = event.tenant;
    let chunk = usize::try_from(CHUNK).expect("a few hundred");
    for rows in outcome.rows.chunks(chunk) {
        let mut tx = worker.db.write().await?;
        if !is_still(&mut tx, tenant, import).await? {
            return Ok(());
        }
        rows::put(&mut tx, import.id, rows).await?;
        tx.commit().await?;
    }
    let Some(mut tx) = worker.once(Subscription::Imports, event).await? else { return Ok(()) };
    if !is_still(&mut tx, tenant, import).await? {
        return Ok(());
    }
    let rows_total = i64::try_from(outcome.rows.len()).expect("at most 50,000 rows");
    rows::delete_from(&mut tx, import.id, rows_total).await?;
    let import = Import {
        status: outcome.status,
        profile: outcome.profile,
        statements: outcome.statements,
        rows_total,
        error: outcome.error,
        version: import.version + 1,
        updated_at: clock::now(),
        plan: Plan {
            sources: outcome.sources,
            mapping: outcome.mapping.or_else(|| import.plan.mapping.clone()),
            ..import.plan.clone()
        },
        ..import.clone()
    };
    imports::update(&mut tx, tenant, &import).await?;
    let (id, status, rows) = (import.id, import.status.as_str(), import.rows_total);
    tracing::info!(import = %id, status, rows, "statement read");
    Ok(tx.commit().await?)
}

/// Whether the import still waits for what was read: its user may have changed or forgotten it meanwhile.
async fn is_still(tx: &mut Tx, tenant: Uuid, import: &Import) -> Result<bool, Error> {
    let present = imports::lock_in(tx, tenant, import.id, Status::Parsing).await?;
    Ok(present.is_some_and(|it| it.version == import.version))
}
