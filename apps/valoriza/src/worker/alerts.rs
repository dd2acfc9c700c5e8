//! Tells when a budget is almost or wholly spent: each once, however often events come.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Event, Worker};
use crate::actions::Error;
use crate::categorise::Source;
use crate::clock;
use crate::db::Tx;
use crate::domain::budget::Budget;
use crate::domain::calendar::Month;
use crate::domain::notification::{ALERTS, Kind, Notification, budget_alert, reached};
use crate::domain::page::Slice;
use crate::domain::transaction::Transaction;
use crate::store::alerts::Given;
use crate::store::{alerts, budgets, categories, notifications, transactions};

/// Budgets of one month that are looked at: as many as there may be categories.
const BUDGETS_MAX: usize = 1_000;

/// Months one event may be about; an event names those of at most some hundred transactions.
const MONTHS_MAX: usize = 200;

/// A budget that has reached a percentage it has not told of.
struct Due {
    tenant: Uuid,
    budget: Budget,
    category: String,
}

pub(super) async fn handle(worker: &Worker, events: &[Event]) -> Result<(), Error> {
    let mut snapshot = worker.db.snapshot().await?;
    let mut touched = BTreeSet::new();
    for event in events {
        let months = months(&mut snapshot, event).await?;
        touched.extend(months.into_iter().take(MONTHS_MAX).map(|month| (event.tenant, month)));
    }
    let mut due = Vec::new();
    for (tenant, month) in touched {
        due.extend(look(&mut snapshot, tenant, month).await?);
    }
    drop(snapshot);
    if due.is_empty() {
        return Ok(());
    }
    // The alerts themselves are claimed, so the events need not be.
    let mut tx = worker.db.write().await?;
    let now = clock::now();
    for it in &due {
        tell(&mut tx, it, now).await?;
    }
    Ok(tx.commit().await?)
}

/// The months whose spending the event may have changed.
async fn months(tx: &mut Tx, event: &Event) -> Result<BTreeSet<Month>, Error> {
    let found = match event.topic.as_str() {
        topic @ ("transaction.created" | "transaction.updated") => {
            let transaction = transactions::find(tx, event.tenant, event.id_of("transaction_id")?).await?;
            let looked_at = transaction.filter(|it| topic == "transaction.updated" || is_spent(it));
            looked_at.map(|it| Month::of(it.date))
        }
        "budget.created" | "budget.updated" => {
            budgets::find(tx, event.tenant, event.id_of("budget_id")?).await?.map(|it| it.month)
        }
        "transactions.categorised" => {
            let months = event.payload["months"].as_array().into_iter().flatten();
            return Ok(months.filter_map(|it| it.as_str()?.parse().ok()).collect());
        }
        _ => None,
    };
    Ok(found.into_iter().collect())
}

/// Whether a new transaction has a category from whoever recorded it. One that has not changes no budget until the
/// worker finds it one, of which `transactions.categorised` tells.
fn is_spent(transaction: &Transaction) -> bool {
    let chosen = transaction.categorised.as_ref().is_some_and(|it| it.source == Source::User);
    chosen || !transaction.splits.is_empty()
}

async fn look(tx: &mut Tx, tenant: Uuid, month: Month) -> Result<Vec<Due>, Error> {
    let all = budgets::list(tx, tenant, Some(month), &Slice { limit: BUDGETS_MAX, after: None }).await?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let given = alerts::given(tx, tenant, month).await?;
    let has_told = |budget: Uuid, percent: i64| given.contains(&Given { budget, percent });
    // Nothing comes after the last.
    if all.iter().all(|budget| ALERTS.last().is_none_or(|last| has_told(budget.id, *last))) {
        return Ok(Vec::new());
    }
    let tree = categories::tree(tx, tenant).await?;
    let movements = budgets::movements(tx, tenant, month, month).await?;
    let mut due = Vec::new();
    for mut budget in all {
        budget.measure(&movements, &tree);
        if reached(&budget).any(|percent| !has_told(budget.id, percent)) {
            let category = tree.get(budget.category_id).map(|it| it.name.clone()).unwrap_or_default();
            due.push(Due { tenant, budget, category });
        }
    }
    Ok(due)
}

/// Tells the highest percentage reached; what was passed on the way there is no news any more.
async fn tell(tx: &mut Tx, due: &Due, now: Timestamp) -> Result<(), Error> {
    let mut news = None;
    for percent in reached(&due.budget) {
        news = alerts::claim(tx, due.budget.id, percent, now).await?.then_some(percent);
    }
    let Some(percent) = news else { return Ok(()) };
    let (title, text) = budget_alert(&due.budget, &due.category, percent);
    let link = Some(format!("/orcamentos?mes={}", due.budget.month));
    let notification = Notification::new(Kind::Budget, title, text, link, now);
    Ok(notifications::insert(tx, due.tenant, &notification).await?)
}
