//! From an uploaded file to a preview.

use std::collections::{BTreeMap, HashMap};

use jiff::ToSpan;
use uuid::Uuid;

use super::super::{Event, Subscription, Worker};
use super::CHUNK;
use crate::actions::Error;
use crate::clock;
use crate::db::Tx;
use crate::domain::import::{Import, Plan, Refusal, Row, RowStatus, SourceKey, Statement, Status};
use crate::files;
use crate::statement::matching::{self, Candidate, DAYS_MAX, Verdict};
use crate::statement::{self, Failure, Hints, Profile, Reading, identity};
use crate::store::accounts;
use crate::store::imports::{self, ledger, memory, rows};

/// What an import becomes.
struct Outcome {
    status: Status,
    profile: Option<Profile>,
    statements: Vec<Statement>,
    sources: Vec<SourceKey>,
    rows: Vec<Row>,
    error: Option<Refusal>,
    /// The mapping that was found for the table.
    mapping: Option<statement::Mapping>,
}

impl Outcome {
    fn failed(failure: Failure) -> Self {
        Self { error: Some(failure.into()), ..Self::of(Status::Failed) }
    }

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
    let known = memory::mappings(&mut snapshot, event.tenant).await?;
    drop(snapshot);
    let outcome = match read(worker, event.tenant, &import, known).await? {
        Ok((Reading::Unknown(_), _)) => Outcome::of(Status::NeedsMapping),
        Ok((Reading::Statements { profile, statements }, mapping)) => {
            let mut snapshot = worker.db.snapshot().await?;
            let judged = judge(&mut snapshot, event.tenant, &import, statements).await?;
            Outcome { profile: Some(profile), mapping, ..judged }
        }
        Err(failure) => Outcome::failed(failure),
    };
    write(worker, event, &import, outcome).await
}

/// Reads the file; the mapping that was used comes with it.
async fn read(
    worker: &Worker,
    tenant: Uuid,
    import: &Import,
    known: HashMap<String, statement::Mapping>,
) -> Result<Result<(Reading, Option<statement::Mapping>), Failure>, Error> {
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
    let (filename, given) = (import.filename.clone(), import.plan.mapping.clone());
    // A large file takes a core for a second, and ten times its size in memory.
    let _permit = worker.parses.acquire().await.map_err(|error| Error::Internal(error.into()))?;
    let reading = tokio::task::spawn_blocking(move || {
        let hints = Hints { filename: &filename, mapping: given.as_ref(), known_mappings: Some(&known) };
        let reading = statement::read(&bytes, &hints)?;
        let found = match &reading {
            Reading::Statements { profile: Profile::Mapped, statements } => {
                given.or_else(|| known.get(&statements.first()?.source.number).cloned())
            }
            Reading::Statements { .. } | Reading::Unknown(_) => None,
        };
        Ok((reading, found))
    });
    reading.await.map_err(|error| Error::Internal(error.into()))
}

/// Finds each statement's account and compares its rows with what is there.
async fn judge(
    tx: &mut Tx,
    tenant: Uuid,
    import: &Import,
    read: Vec<statement::Statement>,
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::of(Status::Preview);
    // Two statements of one account may overlap.
    let mut taken: BTreeMap<Uuid, HashMap<String, Uuid>> = BTreeMap::new();
    let count = read.len();
    for (index, mut statement) in read.into_iter().enumerate() {
        let source =
            SourceKey { bank: statement.source.bank.clone(), number: statement.source.number.clone() };
        let account_id = account(tx, tenant, import, index, count, &source, &statement.currency).await?;
        let first = outcome.rows.len();
        let place = |position: usize| i64::try_from(position).expect("at most 50,000 rows");
        for (offset, row) in statement.rows.iter().enumerate() {
            outcome.rows.push(Row {
                index: place(first + offset),
                statement: place(index),
                date: row.date,
                description: row.description.clone(),
                amount_cents: row.amount_cents,
                status: if row.problem.is_some() { RowStatus::Invalid } else { RowStatus::New },
                include: row.problem.is_none(),
                reason: row.problem.clone(),
                transaction_id: None,
                identity: None,
            });
        }
        let rows = &mut outcome.rows[first..];
        if let Some(account) = account_id {
            for (row, name) in rows.iter_mut().zip(identity::of_rows(account, &statement.rows)) {
                row.identity = name;
            }
            compare(tx, tenant, import.id, account, rows, taken.entry(account).or_default()).await?;
            statement.warnings.extend(gap(tx, tenant, account, &statement).await?);
        }
        let of = |status| rows.iter().filter(|row| row.status == status).count();
        outcome.statements.push(Statement {
            index,
            label: statement.source.label,
            account_id,
            currency: statement.currency,
            from: statement.from,
            to: statement.to,
            rows: rows.len(),
            new: of(RowStatus::New),
            duplicate: of(RowStatus::Duplicate),
            invalid: of(RowStatus::Invalid),
            warnings: statement.warnings,
        });
        outcome.sources.push(source);
    }
    Ok(outcome)
}

/// The account a statement is of: chosen, else remembered, else named at the upload of a file with one
/// statement. One of another currency is none.
async fn account(
    tx: &mut Tx,
    tenant: Uuid,
    import: &Import,
    index: usize,
    count: usize,
    source: &SourceKey,
    currency: &str,
) -> Result<Option<Uuid>, Error> {
    let Plan { account_id: named, chosen, .. } = &import.plan;
    let id = match chosen.get(&index) {
        Some(chosen) => *chosen,
        None if count == 1 && named.is_some() => *named,
        None => memory::account_of(tx, tenant, source).await?,
    };
    let Some(id) = id else { return Ok(None) };
    let account = accounts::find(tx, tenant, id).await?;
    Ok(account.filter(|it| it.currency.as_str() == currency).map(|it| it.id))
}

/// Marks the rows that are there already, by name or by likeness.
async fn compare(
    tx: &mut Tx,
    tenant: Uuid,
    import: Uuid,
    account: Uuid,
    rows: &mut [Row],
    taken: &mut HashMap<String, Uuid>,
) -> Result<(), Error> {
    let mut valid: Vec<&mut Row> = rows.iter_mut().filter(|row| row.identity.is_some()).collect();
    let names: Vec<&str> = valid.iter().filter_map(|row| row.identity.as_deref()).collect();
    let imported = ledger::imported(tx, tenant, &names).await?;
    let days = || valid.iter().filter_map(|row| row.date);
    let (Some(first), Some(last)) = (days().min(), days().max()) else { return Ok(()) };
    let span = DAYS_MAX.days();
    let known =
        ledger::known(tx, tenant, account, first.saturating_sub(span), last.saturating_add(span)).await?;
    let candidates: Vec<Candidate<'_>> = valid
        .iter()
        .filter_map(|row| {
            let (date, amount_cents) = (row.date?, row.amount_cents?);
            Some(Candidate { date, amount_cents, identity: row.identity.as_deref()? })
        })
        .collect();
    let verdicts = matching::judge(&candidates, &known, &imported);
    for (row, verdict) in valid.iter_mut().zip(verdicts) {
        let identity = row.identity.clone().unwrap_or_default();
        let repeated = taken.insert(identity.clone(), import).is_some();
        let (reason, transaction_id, is_named) = match verdict {
            Verdict::New if repeated => ("repetido neste arquivo", None, true),
            Verdict::New => continue,
            Verdict::Repeated => ("repetido neste arquivo", None, true),
            Verdict::Imported(id) => ("já importado", Some(id), true),
            Verdict::Resembles(id) => ("parece uma transação já lançada", Some(id), false),
        };
        row.status = RowStatus::Duplicate;
        row.include = false;
        row.reason = Some(reason.to_owned());
        row.transaction_id = transaction_id;
        // Its own name is taken: if its user wants it all the same, it needs another.
        if is_named {
            row.identity = Some(identity::again(&identity, import, row.index));
        }
    }
    Ok(())
}

/// Tells when the statement does not begin where the account's transactions end.
async fn gap(
    tx: &mut Tx,
    tenant: Uuid,
    account: Uuid,
    statement: &statement::Statement,
) -> Result<Option<String>, Error> {
    let first = statement.rows.iter().filter_map(|row| row.date).min();
    let (Some(opening), Some(day)) = (statement.opening_cents, first) else { return Ok(None) };
    let before = ledger::balance_before(tx, tenant, account, day).await?;
    let balance = match before {
        Some(balance) => balance,
        None => accounts::find(tx, tenant, account).await?.map_or(0, |it| it.opening_balance_cents),
    };
    if balance == opening {
        return Ok(None);
    }
    let (ours, theirs) = (statement::reais(balance), statement::reais(opening));
    let day = day.strftime("%d/%m/%Y");
    Ok(Some(match before {
        Some(_) => format!(
            "Antes de {day} a conta tem {ours} e o extrato começa com {theirs}: pode faltar um período."
        ),
        None => format!("O extrato começa com {theirs} e o saldo inicial da conta é {ours}: ajuste-o."),
    }))
}

/// Writes the rows in bounded steps, then what the import has become.
async fn write(worker: &Worker, event: &Event, import: &Import, outcome: Outcome) -> Result<(), Error> {
    let (tenant, id) = (event.tenant, import.id);
    let chunk = usize::try_from(CHUNK).expect("a few hundred");
    for rows in outcome.rows.chunks(chunk) {
        let mut tx = worker.db.write().await?;
        if !is_still(&mut tx, tenant, import).await? {
            return Ok(());
        }
        rows::put(&mut tx, id, rows).await?;
        tx.commit().await?;
    }
    let Some(mut tx) = worker.once(Subscription::Imports, event).await? else { return Ok(()) };
    if !is_still(&mut tx, tenant, import).await? {
        return Ok(());
    }
    let import = Import {
        status: outcome.status,
        profile: outcome.profile,
        statements: outcome.statements,
        rows_total: i64::try_from(outcome.rows.len()).expect("at most 50,000 rows"),
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
    tracing::info!(import = %id, status = import.status.as_str(), rows = import.rows_total, "statement read");
    Ok(tx.commit().await?)
}

/// Whether the import still waits for what was read: its user may have changed or forgotten it meanwhile.
async fn is_still(tx: &mut Tx, tenant: Uuid, import: &Import) -> Result<bool, Error> {
    let present = imports::lock_in(tx, tenant, import.id, Status::Parsing).await?;
    Ok(present.is_some_and(|it| it.version == import.version))
}
