//! From transactions back to nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;
use uuid::Uuid;

use super::super::{Event, Subscription, Worker};
use super::CHUNK;
use crate::actions::Error;
use crate::clock;
use crate::db::Tx;
use crate::domain::calendar::Month;
use crate::domain::import::{Import, Row, Status};
use crate::domain::member::Caller;
use crate::store::imports::ledger::Present;
use crate::store::imports::{self, ledger, rows};
use crate::store::{accounts, notifications, outbox};

pub(super) async fn run(worker: &Worker, event: &Event) -> Result<(), Error> {
    let id = event.id_of("import_id")?;
    loop {
        let mut tx = worker.db.write().await?;
        let Some(import) = imports::lock_in(&mut tx, event.tenant, id, Status::Undoing).await? else {
            return Ok(());
        };
        if import.plan.position == 0 {
            break;
        }
        step(&mut tx, &event.caller(clock::now()), import).await?;
        tx.commit().await?;
    }
    finish(worker, event, id).await
}

/// Takes the last transactions back, and counts down. What was edited since stays.
async fn step(tx: &mut Tx, by: &Caller, mut import: Import) -> Result<(), Error> {
    let tenant = by.tenant;
    let rows = rows::made_before(tx, import.id, import.plan.position, CHUNK).await?;
    let is_last = rows.len() < usize::try_from(CHUNK).expect("a few hundred");
    import.plan.position = if is_last { 0 } else { rows.last().map_or(0, |row| row.index) };
    let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.transaction_id).collect();
    let present = ledger::present(tx, tenant, import.id, &ids).await?;
    let present: HashMap<Uuid, Present> = present.into_iter().map(|it| (it.id, it)).collect();
    let (mut gone, mut forgotten) = (Vec::new(), Vec::new());
    let mut moves: BTreeMap<Uuid, i64> = BTreeMap::new();
    let mut months = BTreeSet::new();
    for (row, id) in rows.iter().zip(&ids) {
        match present.get(id) {
            Some(it) if !is_as_made(&import, row, it) => continue,
            Some(it) => {
                gone.push(it.id);
                months.insert(Month::of(it.date));
                *moves.entry(it.account_id).or_default() -= it.amount_cents;
            }
            // Its user deleted it.
            None => {}
        }
        forgotten.push(row.index);
    }
    ledger::delete(tx, tenant, &gone).await?;
    rows::forget_transactions(tx, import.id, &forgotten).await?;
    // In order of id, as everybody who moves balances does.
    for (account, cents) in moves {
        accounts::adjust(tx, tenant, account, cents).await?;
    }
    import.rows_done -= i64::try_from(forgotten.len()).expect("a few hundred");
    imports::update(tx, tenant, &import).await?;
    Ok(outbox::insert(tx, by, "import.reverted", &json!({ "import_id": import.id, "months": months }))
        .await?)
}

/// Whether a transaction is what its row made it. Its category does not count: giving one is not editing the
/// statement.
fn is_as_made(import: &Import, row: &Row, now: &Present) -> bool {
    let same = Some(now.date) == row.date
        && Some(now.amount_cents) == row.amount_cents
        && Some(now.account_id) == import.account_of(row.statement);
    same && now.description == row.description && !now.is_enriched
}

async fn finish(worker: &Worker, event: &Event, id: Uuid) -> Result<(), Error> {
    let Some(mut tx) = worker.once(Subscription::Imports, event).await? else { return Ok(()) };
    let Some(import) = imports::lock_in(&mut tx, event.tenant, id, Status::Undoing).await? else {
        return Ok(());
    };
    notifications::delete_of_import(&mut tx, event.tenant, id).await?;
    let mut warnings = import.warnings.clone();
    match ledger::count(&mut tx, event.tenant, id).await? {
        0 => {}
        1 => warnings.push("1 transação foi editada depois de importada e ficou.".to_owned()),
        kept => warnings.push(format!("{kept} transações foram editadas depois de importadas e ficaram.")),
    }
    let now = clock::now();
    let import =
        Import { status: Status::Undone, warnings, version: import.version + 1, updated_at: now, ..import };
    imports::update(&mut tx, event.tenant, &import).await?;
    tracing::info!(import = %id, "import undone");
    Ok(tx.commit().await?)
}
