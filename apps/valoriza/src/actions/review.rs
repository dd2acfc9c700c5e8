//! Saying what a transaction was, accepting what was proposed, and taking either back.
//!
//! What people said is all a tenant's knowledge is made of, so a correction teaches by being written, and taking
//! it back un-teaches it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Error;
use crate::categorise::{Descriptor, Evidence, Source};
use crate::db::Tx;
use crate::domain::calendar::Month;
use crate::domain::categorised::{Categorised, Confidence};
use crate::domain::member::{Caller, Role};
use crate::domain::page::Slice;
use crate::domain::review::Draft;
use crate::domain::transaction::{Kind, Transaction};
use crate::domain::violation::Violation;
use crate::store::corrections::Correction;
use crate::store::{categories, corrections, knowledge, outbox, review, transactions};

/// Of the transactions in review, so many of the newest are looked at for the same payee.
const SIMILAR_MAX: usize = 1_000;

/// Transactions of one statement; see `seed::BATCH` for why not more.
const BATCH: usize = 100;

/// What became of a correction.
#[derive(Debug, Serialize, ToSchema)]
pub struct Corrected {
    pub transaction: Transaction,
    /// What will be done with the same payee from now on; null where the description names nobody.
    pub learned: Option<Learned>,
    /// `DELETE /api/corrections/{correction_id}` takes it back.
    pub correction_id: Uuid,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Learned {
    /// The correction's.
    pub id: Uuid,
    /// For people, in Portuguese.
    pub reason: String,
    /// How many other transactions were given the category too.
    pub affected: u64,
}

/// A suggestion that was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    pub transaction_id: Uuid,
    pub correction_id: Uuid,
}

/// Gives a transaction the category a person says it has.
pub async fn categorise(tx: &mut Tx, by: &Caller, id: Uuid, draft: &Draft) -> Result<Corrected, Error> {
    by.require(Role::Member)?;
    let tree = categories::tree(tx, by.tenant).await?;
    let category =
        tree.get(draft.category_id).ok_or_else(|| Error::from(Violation::unknown("category_id")))?;
    let present = transactions::lock(tx, by.tenant, id, by.now).await?.ok_or(Error::NotFound)?;
    check_whole(&present)?;
    let correction = correct(tx, by, &present, category.id).await?;
    let descriptor = Descriptor::read(&present.description, present.amount_cents);
    let learned = if descriptor.payee.is_empty() {
        None
    } else {
        let affected =
            if draft.similar { spread(tx, by, &correction, &descriptor, &category.name).await? } else { 0 };
        let reason =
            format!("De agora em diante, {} será {}", descriptor.payee.to_uppercase(), category.name);
        Some(Learned { id: correction.id, reason, affected })
    };
    let months = corrections::months(tx, by.tenant, correction.id).await?;
    finish(tx, by, &months).await?;
    let transaction = transactions::find(tx, by.tenant, id).await?.ok_or(Error::NotFound)?;
    Ok(Corrected { transaction, learned, correction_id: correction.id })
}

/// Splits have categories of their own, and transfers none.
fn check_whole(transaction: &Transaction) -> Result<(), Violation> {
    if transaction.kind == Kind::Transfer {
        return Err(Violation::new("category_id", "transfer", "transferências não têm categoria"));
    }
    if !transaction.splits.is_empty() {
        let message = "uma transação dividida tem categorias só nas divisões";
        return Err(Violation::new("category_id", "split", message));
    }
    Ok(())
}

async fn correct(
    tx: &mut Tx,
    by: &Caller,
    present: &Transaction,
    category_id: Uuid,
) -> Result<Correction, Error> {
    let correction =
        Correction { id: Uuid::now_v7(), transaction_id: present.id, category_id, created_at: by.now };
    corrections::insert(tx, by, &correction).await?;
    corrections::apply(tx, by.tenant, &correction, &[present.id], &Categorised::by_user(by.now)).await?;
    Ok(correction)
}

/// Gives the correction's category to what waits of the same payee, and says to how many.
async fn spread(
    tx: &mut Tx,
    by: &Caller,
    correction: &Correction,
    descriptor: &Descriptor,
    category: &str,
) -> Result<u64, Error> {
    let waiting = review::list(tx, by.tenant, &Slice { limit: SIMILAR_MAX, after: None }).await?;
    let same = |it: &Transaction| {
        let other = Descriptor::read(&it.description, it.amount_cents);
        it.id != correction.transaction_id
            && other.payee == descriptor.payee
            && other.direction == descriptor.direction
    };
    let ids: Vec<Uuid> =
        waiting.iter().map(|it| &it.transaction).filter(|it| same(it)).map(|it| it.id).collect();
    let evidence =
        Evidence::Memory { payee: descriptor.payee.clone(), category: category.to_owned(), times: 1 };
    let categorised = Categorised {
        source: Source::Memory,
        confidence: Confidence::CERTAIN,
        reason: evidence.reason(),
        decided_at: by.now,
    };
    let mut affected = 0;
    for batch in ids.chunks(BATCH) {
        affected += corrections::apply(tx, by.tenant, correction, batch, &categorised).await?;
    }
    Ok(affected)
}

/// Accepts the suggestions of transactions; those that have none, or none any more, are left out.
pub async fn accept(tx: &mut Tx, by: &Caller, ids: &[Uuid]) -> Result<Vec<Accepted>, Error> {
    by.require(Role::Member)?;
    let mut months = BTreeSet::new();
    let mut accepted = Vec::new();
    // In one order, so that two who accept the same meet at the first and wait.
    let ids: BTreeSet<Uuid> = ids.iter().copied().collect();
    for id in ids {
        let Some(present) = transactions::lock(tx, by.tenant, id, by.now).await? else { continue };
        let Some(suggestion) = present.suggestion.as_ref().filter(|_| check_whole(&present).is_ok()) else {
            continue;
        };
        let correction = correct(tx, by, &present, suggestion.category_id).await?;
        accepted.push(Accepted { transaction_id: id, correction_id: correction.id });
        months.insert(Month::of(present.date));
    }
    if !accepted.is_empty() {
        finish(tx, by, &months.into_iter().collect::<Vec<_>>()).await?;
    }
    Ok(accepted)
}

/// Takes a correction back: the category, what was learned from it, and the others it changed.
pub async fn take_back(tx: &mut Tx, by: &Caller, id: Uuid) -> Result<(), Error> {
    by.require(Role::Member)?;
    let correction = corrections::find(tx, by.tenant, id).await?.ok_or(Error::NotFound)?;
    let months = corrections::months(tx, by.tenant, id).await?;
    if !corrections::take_back(tx, by.tenant, &correction, by.now).await? {
        return Err(Error::NotFound);
    }
    finish(tx, by, &months).await
}

async fn finish(tx: &mut Tx, by: &Caller, months: &[Month]) -> Result<(), Error> {
    outbox::insert(tx, by, "transactions.categorised", &json!({ "months": months })).await?;
    Ok(knowledge::changed(tx, by.tenant).await?)
}
