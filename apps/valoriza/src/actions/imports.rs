//! Uploading, explaining, confirming, taking back and forgetting imports. The worker does the rest: every one of
//! these leaves it an event.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Conflict, Error, check_version};
use crate::db::Tx;
use crate::domain::import::{Change, Import, Plan, Status};
use crate::domain::member::{Caller, Role};
use crate::domain::money::is_balance;
use crate::domain::violation::Violation;
use crate::statement::Profile;
use crate::store::imports::rows::{Sum, Wanted};
use crate::store::imports::{self, memory, rows};
use crate::store::{accounts, outbox};

/// Imports of a tenant that wait for somebody; each keeps a file.
const OPEN_MAX: i64 = 100;

/// A file that was stored under its id.
#[derive(Debug)]
pub struct Upload {
    pub id: Uuid,
    pub filename: String,
    pub account_id: Option<Uuid>,
}

/// Refuses what [`create`] would refuse, before a file is stored for it.
pub async fn check_upload(tx: &mut Tx, by: &Caller, account_id: Option<Uuid>) -> Result<(), Error> {
    by.require(Role::Member)?;
    if let Some(account) = account_id
        && accounts::find(tx, by.tenant, account).await?.is_none()
    {
        return Err(Violation::unknown("account_id").into());
    }
    if imports::open(tx, by.tenant).await? >= OPEN_MAX {
        return Err(Error::Conflict(Conflict::LimitReached));
    }
    Ok(())
}

/// Records an upload; the worker reads its file.
pub async fn create(tx: &mut Tx, by: &Caller, upload: Upload) -> Result<Import, Error> {
    check_upload(tx, by, upload.account_id).await?;
    let import = Import {
        id: upload.id,
        filename: upload.filename,
        status: Status::Parsing,
        format: None,
        profile: None,
        statements: Vec::new(),
        rows_total: 0,
        rows_included: 0,
        rows_done: 0,
        error: None,
        warnings: Vec::new(),
        created_at: by.now,
        updated_at: by.now,
        version: 1,
        plan: Plan { account_id: upload.account_id, ..Plan::default() },
    };
    imports::insert(tx, by.tenant, &import).await?;
    outbox::insert(tx, by, "import.uploaded", &event(&import)).await?;
    Ok(import)
}

/// Changes what an import will do. Another account or another mapping makes the worker read the file again.
pub async fn update(
    tx: &mut Tx,
    by: &Caller,
    id: Uuid,
    change: Change,
    if_match: Option<i64>,
) -> Result<Import, Error> {
    by.require(Role::Member)?;
    let mut import = imports::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(if_match, import.version)?;
    if !matches!(import.status, Status::Preview | Status::NeedsMapping) {
        return Err(Error::Conflict(Conflict::ImportState));
    }
    choose_rows(tx, id, &change).await?;
    let chosen: BTreeMap<_, _> = change.statements.iter().map(|it| (it.index, it.account_id)).collect();
    check_accounts(tx, by, &import, &change).await?;
    let moved = chosen.iter().any(|(index, account)| {
        import.statements.get(*index).is_none_or(|statement| statement.account_id != *account)
    });
    import.plan.chosen.extend(chosen);
    if change.mapping.is_none() && (!moved || import.status == Status::NeedsMapping) {
        imports::update(tx, by.tenant, &import).await?;
        return Ok(import);
    }
    if let Some(mapping) = change.mapping {
        // A bank's own table needs no explanation; asking for one says that we mistook it.
        import.plan.mapping = Some(mapping);
    }
    let import = Import {
        status: Status::Parsing,
        profile: None,
        format: None,
        statements: Vec::new(),
        rows_total: 0,
        ..import
    };
    imports::update(tx, by.tenant, &import).await?;
    outbox::insert(tx, by, "import.uploaded", &event(&import)).await?;
    Ok(import)
}

async fn choose_rows(tx: &mut Tx, import: Uuid, change: &Change) -> Result<(), Error> {
    let lists = [("exclude", &change.exclude, Wanted::Out), ("include", &change.include, Wanted::In)];
    for (field, positions, wanted) in lists {
        let mut distinct = positions.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if rows::want(tx, import, &distinct, wanted).await? != distinct.len() as u64 {
            let message = "nomeia uma linha que não existe ou não pode ser importada";
            return Err(Violation::new(field, "unknown_row", message).into());
        }
    }
    Ok(())
}

/// Statements must be the file's, accounts the tenant's, and of the statement's currency.
async fn check_accounts(tx: &mut Tx, by: &Caller, import: &Import, change: &Change) -> Result<(), Error> {
    let mut violations = Vec::new();
    for (position, choice) in change.statements.iter().enumerate() {
        let statement = import.statements.get(choice.index);
        // A table not yet explained has one statement, of which nothing is known but that.
        if statement.is_none() && !(import.statements.is_empty() && choice.index == 0) {
            let message = "o arquivo não tem este extrato";
            violations.push(Violation::new(
                format!("statements.{position}.index"),
                "unknown_statement",
                message,
            ));
        }
        let Some(account) = choice.account_id else { continue };
        let field = format!("statements.{position}.account_id");
        match accounts::find(tx, by.tenant, account).await? {
            None => violations.push(Violation::unknown(field)),
            Some(account) if statement.is_some_and(|it| it.currency != account.currency.as_str()) => {
                violations.push(Violation::new(
                    field,
                    "currencies_differ",
                    "a conta tem outra moeda que o extrato",
                ));
            }
            Some(_) => {}
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(violations.into()) }
}

/// Lets the worker make transactions of the included rows; does nothing if it was asked before.
pub async fn commit(tx: &mut Tx, by: &Caller, id: Uuid) -> Result<Import, Error> {
    by.require(Role::Member)?;
    let import = imports::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    match import.status {
        Status::Preview => {}
        Status::Committing | Status::Done => return Ok(import),
        Status::Parsing | Status::NeedsMapping | Status::Failed | Status::Undoing | Status::Undone => {
            return Err(Error::Conflict(Conflict::ImportState));
        }
    }
    let sums = rows::sums(tx, import.id).await?;
    check_targets(tx, by, &import, &sums).await?;
    remember(tx, by, &import).await?;
    let rows_included = sums.iter().map(|it| it.rows).sum();
    let import = Import { status: Status::Committing, rows_included, ..import };
    imports::update(tx, by.tenant, &import).await?;
    outbox::insert(tx, by, "import.confirmed", &event(&import)).await?;
    Ok(import)
}

/// Every statement with something to import has an account that can take it.
async fn check_targets(tx: &mut Tx, by: &Caller, import: &Import, sums: &[Sum]) -> Result<(), Error> {
    let mut violations = Vec::new();
    let mut balances: BTreeMap<Uuid, i64> = BTreeMap::new();
    for sum in sums {
        let field = format!("statements.{}.account_id", sum.statement);
        let account = match import.account_of(sum.statement) {
            Some(id) => accounts::find(tx, by.tenant, id).await?,
            None => None,
        };
        let Some(account) = account else {
            violations.push(Violation::new(field, "required", "escolha a conta deste extrato"));
            continue;
        };
        let balance = balances.entry(account.id).or_insert(account.balance_cents);
        *balance = balance.saturating_add(sum.cents);
        if !is_balance(*balance) {
            let message = "deixaria o saldo da conta fora dos limites";
            violations.push(Violation::new(field, "balance_out_of_range", message));
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(violations.into()) }
}

/// So that the next file finds its account by itself, and the next table of this shape its columns.
async fn remember(tx: &mut Tx, by: &Caller, import: &Import) -> Result<(), Error> {
    for (statement, source) in import.statements.iter().zip(&import.plan.sources) {
        let Some(account) = statement.account_id else { continue };
        if !(source.bank.is_empty() && source.number.is_empty()) {
            memory::remember_account(tx, by.tenant, source, account).await?;
        }
        if let (Some(Profile::Mapped), Some(mapping)) = (import.profile, &import.plan.mapping) {
            memory::remember_mapping(tx, by.tenant, account, &source.number, mapping).await?;
        }
    }
    Ok(())
}

/// Lets the worker take back what the import made; does nothing if it was asked before.
pub async fn undo(tx: &mut Tx, by: &Caller, id: Uuid) -> Result<Import, Error> {
    by.require(Role::Member)?;
    let import = imports::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    match import.status {
        Status::Done => {}
        Status::Undoing | Status::Undone => return Ok(import),
        Status::Parsing | Status::NeedsMapping | Status::Preview | Status::Committing | Status::Failed => {
            return Err(Error::Conflict(Conflict::ImportState));
        }
    }
    let import = Import { status: Status::Undoing, ..import };
    imports::update(tx, by.tenant, &import).await?;
    outbox::insert(tx, by, "import.undone", &event(&import)).await?;
    Ok(import)
}

/// Forgets an import of which nothing is among the transactions.
pub async fn forget(tx: &mut Tx, by: &Caller, id: Uuid, if_match: Option<i64>) -> Result<(), Error> {
    by.require(Role::Member)?;
    let import = imports::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_version(if_match, import.version)?;
    if !import.status.may_be_forgotten() {
        return Err(Error::Conflict(Conflict::ImportState));
    }
    imports::delete(tx, by.tenant, id).await?;
    Ok(())
}

fn event(import: &Import) -> Value {
    json!({ "import_id": import.id })
}
