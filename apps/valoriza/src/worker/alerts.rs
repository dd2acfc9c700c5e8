//! Tells when a budget is almost or wholly spent: each once, however often events come. Takes that back when an
//! import that caused it is undone.

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
use crate::store::{alerts, budgets, categories, notifications, transactions};

/// Budgets of one month that are looked at: as many as there may be categories.
const BUDGETS_MAX: usize = 1_000;

/// Months one event may be about; an event names those of at most some hundred transactions.
const MONTHS_MAX: usize = 200;

/// A budget with what was spent of it.
struct Measured {
    tenant: Uuid,
    budget: Budget,
    category: String,
    /// The percentages it has told of.
    given: Vec<i64>,
}

impl Measured {
    fn is_due(&self) -> bool {
        reached(&self.budget).any(|percent| !self.given.contains(&percent))
    }

    /// The percentages it has told of and does not reach any more.
    fn wrong(&self) -> impl Iterator<Item = i64> {
        let right: Vec<i64> = reached(&self.budget).collect();
        self.given.iter().copied().filter(move |percent| !right.contains(percent))
    }
}

pub(super) async fn handle(worker: &Worker, events: &[Event]) -> Result<(), Error> {
    let reverted: Vec<Event> = events.iter().filter(|it| it.topic == "import.reverted").cloned().collect();
    take_back(worker, &reverted).await?;
    // Nothing comes after the last.
    let may_tell = |given: &[i64]| ALERTS.last().is_some_and(|last| !given.contains(last));
    let mut due = measure_all(worker, events, may_tell).await?;
    due.retain(Measured::is_due);
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
        "transactions.categorised" | "import.reverted" => {
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

/// Takes back alerts that hold no more because what an import had brought is gone: what is told next is then right
/// again, and they can be given again. Whoever else spends less, by an edit, has been told and is not told twice.
async fn take_back(worker: &Worker, events: &[Event]) -> Result<(), Error> {
    let told = measure_all(worker, events, |given| !given.is_empty()).await?;
    let wrong: Vec<_> =
        told.iter().flat_map(|it| it.wrong().map(|percent| (it.budget.id, percent))).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let mut tx = worker.db.write().await?;
    for (budget, percent) in wrong {
        alerts::take_back(&mut tx, budget, percent).await?;
    }
    Ok(tx.commit().await?)
}

/// Budgets of the months the events touch, all as of one moment; of these only those `asked` for by what they told.
async fn measure_all(
    worker: &Worker,
    events: &[Event],
    asked: fn(&[i64]) -> bool,
) -> Result<Vec<Measured>, Error> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut snapshot = worker.db.snapshot().await?;
    let mut touched = BTreeSet::new();
    for event in events {
        let months = months(&mut snapshot, event).await?;
        touched.extend(months.into_iter().take(MONTHS_MAX).map(|month| (event.tenant, month)));
    }
    let mut found = Vec::new();
    for (tenant, month) in touched {
        found.extend(measure(&mut snapshot, tenant, month, asked).await?);
    }
    Ok(found)
}

async fn measure(
    tx: &mut Tx,
    tenant: Uuid,
    month: Month,
    asked: fn(&[i64]) -> bool,
) -> Result<Vec<Measured>, Error> {
    let all = budgets::list(tx, tenant, Some(month), &Slice { limit: BUDGETS_MAX, after: None }).await?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let told = alerts::given(tx, tenant, month).await?;
    let given = |id: Uuid| told.iter().filter(|it| it.budget == id).map(|it| it.percent).collect::<Vec<_>>();
    let found = all.into_iter().map(|it| (given(it.id), it)).filter(|(given, _)| asked(given));
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let tree = categories::tree(tx, tenant).await?;
    let movements = budgets::movements(tx, tenant, month, month).await?;
    let measured = found.into_iter().map(|(given, mut budget)| {
        budget.measure(&movements, &tree);
        let category = tree.get(budget.category_id).map(|it| it.name.clone()).unwrap_or_default();
        Measured { tenant, budget, category, given }
    });
    Ok(measured.collect())
}

/// Tells the highest percentage reached; what was passed on the way there is no news any more.
async fn tell(tx: &mut Tx, due: &Measured, now: Timestamp) -> Result<(), Error> {
    let (id, mut news) = (Uuid::now_v7(), None);
    for percent in reached(&due.budget) {
        news = alerts::claim(tx, due.budget.id, percent, id, now).await?.then_some(percent);
    }
    let Some(percent) = news else { return Ok(()) };
    let (title, text) = budget_alert(&due.budget, &due.category, percent);
    let link = Some(format!("/orcamentos?mes={}", due.budget.month));
    let notification = Notification { id, ..Notification::new(Kind::Budget, title, text, link, now) };
    Ok(notifications::insert(tx, due.tenant, &notification).await?)
}
