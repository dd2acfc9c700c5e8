//! From transactions back to nothing.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::super::{Event, Subscription, Worker};
use super::CHUNK;
use crate::actions::Error;
use crate::clock;
use crate::db::Tx;
use crate::domain::import::{Import, Status};
use crate::store::accounts;
use crate::store::imports::{self, ledger};

pub(super) async fn run(worker: &Worker, event: &Event) -> Result<(), Error> {
    let id = event.id_of("import_id")?;
    loop {
        let mut tx = worker.db.write().await?;
        let Some(import) = imports::lock_in(&mut tx, event.tenant, id, Status::Undoing).await? else {
            return Ok(());
        };
        if import.rows_done == 0 {
            break;
        }
        step(&mut tx, event.tenant, import).await?;
        tx.commit().await?;
    }
    finish(worker, event, id).await
}

/// Takes the last transactions back, and counts down. What was edited since stays.
async fn step(tx: &mut Tx, tenant: Uuid, mut import: Import) -> Result<(), Error> {
    let made = ledger::made_before(tx, tenant, import.id, import.rows_done, CHUNK).await?;
    let whole = made.len() == usize::try_from(CHUNK).expect("a few hundred");
    import.rows_done = if whole { made.last().map_or(0, |it| it.position) } else { 0 };
    let is_untouched =
        |it: &ledger::Taken| it.is_as_made && import.account_of(it.statement) == Some(it.account_id);
    let gone: Vec<ledger::Taken> = made.into_iter().filter(is_untouched).collect();
    let mut moves: BTreeMap<Uuid, i64> = BTreeMap::new();
    for it in &gone {
        *moves.entry(it.account_id).or_default() -= it.amount_cents;
    }
    let ids: Vec<Uuid> = gone.iter().map(|it| it.id).collect();
    ledger::delete(tx, tenant, import.id, &ids).await?;
    for (account, cents) in moves {
        accounts::adjust(tx, tenant, account, cents).await?;
    }
    Ok(imports::update(tx, tenant, &import).await?)
}

async fn finish(worker: &Worker, event: &Event, id: Uuid) -> Result<(), Error> {
    let Some(mut tx) = worker.once(Subscription::Imports, event).await? else { return Ok(()) };
    let Some(import) = imports::lock_in(&mut tx, event.tenant, id, Status::Undoing).await? else {
        return Ok(());
    };
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
