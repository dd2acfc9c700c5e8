//! From a confirmed preview to transactions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::super::{Event, Subscription, Worker};
use super::CHUNK;
use crate::actions::Error;
use crate::clock;
use crate::db::Tx;
use crate::domain::account::Account;
use crate::domain::import::{Import, Row, Status};
use crate::domain::transaction::{Kind, Transaction};
use crate::store::imports::{self, ledger, rows};
use crate::store::{accounts, outbox};

pub(super) async fn run(worker: &Worker, event: &Event) -> Result<(), Error> {
    let id = event.id_of("import_id")?;
    loop {
        let mut tx = worker.db.write().await?;
        let Some(import) = imports::lock_in(&mut tx, event.tenant, id, Status::Committing).await? else {
            return Ok(());
        };
        if import.plan.position >= import.rows_total {
            break;
        }
        step(&mut tx, event.tenant, import).await?;
        tx.commit().await?;
    }
    finish(worker, event, id).await
}

/// Imports the next rows, and counts them.
async fn step(tx: &mut Tx, tenant: Uuid, mut import: Import) -> Result<(), Error> {
    let now = clock::now();
    let from = import.plan.position;
    let rows = rows::from(tx, import.id, from, CHUNK).await?;
    let to = rows.last().map_or(import.rows_total, |row| row.index + 1);
    let statements: BTreeSet<i64> = rows.iter().map(|row| row.statement).collect();
    let mut targets: BTreeMap<i64, Account> = BTreeMap::new();
    for statement in statements {
        let account = match import.account_of(statement) {
            Some(id) => accounts::find(tx, tenant, id).await?,
            None => None,
        };
        match account {
            Some(account) => drop(targets.insert(statement, account)),
            // Deleted since it was confirmed.
            None => ledger::refuse(tx, import.id, statement, from..to).await?,
        }
    }
    let made = rows.into_iter().filter(|row| row.include);
    let made = made.filter_map(|row| new(now, targets.get(&row.statement)?, row));
    let made: Vec<ledger::New> = made.collect();
    let mut moves: BTreeMap<Uuid, i64> = BTreeMap::new();
    for it in ledger::insert(tx, tenant, import.id, &made).await? {
        import.rows_done += 1;
        *moves.entry(it.account_id).or_default() += it.amount_cents;
    }
    // In order of id, as everybody who moves balances does.
    for (account, cents) in moves {
        accounts::adjust(tx, tenant, account, cents).await?;
    }
    ledger::settle(tx, tenant, import.id, from..to).await?;
    import.plan.position = to;
    Ok(imports::update(tx, tenant, &import).await?)
}

fn new(now: Timestamp, account: &Account, row: Row) -> Option<ledger::New> {
    let transaction = Transaction {
        id: Uuid::now_v7(),
        account_id: account.id,
        date: row.date?,
        description: row.description,
        notes: None,
        amount_cents: row.amount_cents?,
        currency: account.currency,
        category_id: None,
        kind: Kind::Normal,
        transfer_id: None,
        transfer_account_id: None,
        splits: Vec::new(),
        tags: Vec::new(),
        categorised: None,
        suggestion: None,
        import_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    Some(ledger::New { transaction, identity: row.identity? })
}

/// All rows are in: says so once.
async fn finish(worker: &Worker, event: &Event, id: Uuid) -> Result<(), Error> {
    let Some(mut tx) = worker.once(Subscription::Imports, event).await? else { return Ok(()) };
    let Some(import) = imports::lock_in(&mut tx, event.tenant, id, Status::Committing).await? else {
        return Ok(());
    };
    let now = clock::now();
    let import = Import { status: Status::Done, version: import.version + 1, updated_at: now, ..import };
    imports::update(&mut tx, event.tenant, &import).await?;
    outbox::insert(&mut tx, &event.caller(now), "import.committed", &json!({ "import_id": id })).await?;
    tracing::info!(import = %id, rows = import.rows_done, "statement imported");
    Ok(tx.commit().await?)
}
