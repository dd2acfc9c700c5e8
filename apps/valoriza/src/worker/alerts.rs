//! Tells when a budget is almost or wholly spent: each once, however often events come. Takes that back when an
//! import that caused it is undone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Event, Worker};
use crate::actions::Error;
use crate::clock;
use crate::db::Tx;
use crate::domain::budget::Budget;
use crate::domain::calendar::Month;
use crate::domain::notification::{Kind, Notification, budget_alert, reached};
use crate::domain::page::Slice;
use crate::store::{alerts, budgets, categories, notifications, transactions};

/// Budgets of one month that are looked at: as many as there may be categories.
const BUDGETS_MAX: usize = 1_000;

/// Months one event may be about; an event names those of at most some hundred transactions.
const MONTHS_MAX: usize = 200;

/// A budget with what was spent of it.
struct Measured {
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

pub(super) async fn handle(worker: &Worker, event: &Event) -> Result<(), Error> {
    if event.topic == "import.reverted" {
        take_back(worker, event).await?;
    }
    let mut snapshot = worker.db.snapshot().await?;
    let mut due = Vec::new();
    for month in months(&mut snapshot, event).await?.into_iter().take(MONTHS_MAX) {
        due.extend(measure(&mut snapshot, event.tenant, month).await?.into_iter().filter(Measured::is_due));
    }
    drop(snapshot);
    if due.is_empty() {
        return Ok(());
    }
    // The alerts themselves are claimed, so the event need not be.
    let mut tx = worker.db.write().await?;
    let now = clock::now();
    for it in &due {
        tell(&mut tx, event.tenant, it, now).await?;
    }
    Ok(tx.commit().await?)
}

/// The months whose spending the event may have changed.
async fn months(tx: &mut Tx, event: &Event) -> Result<BTreeSet<Month>, Error> {
    let found = match event.topic.as_str() {
        "transaction.created" | "transaction.updated" => {
            let transaction = transactions::find(tx, event.tenant, event.id_of("transaction_id")?).await?;
            transaction.map(|it| Month::of(it.date))
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

/// Takes back alerts that hold no more because what an import had brought is gone: what is told next is then right
/// again, and they can be given again. Whoever else spends less, by an edit, has been told and is not told twice.
async fn take_back(worker: &Worker, event: &Event) -> Result<(), Error> {
    let mut snapshot = worker.db.snapshot().await?;
    let mut wrong = Vec::new();
    for month in months(&mut snapshot, event).await?.into_iter().take(MONTHS_MAX) {
        for it in measure(&mut snapshot, event.tenant, month).await? {
            wrong.extend(it.wrong().map(|percent| (it.budget.id, percent)));
        }
    }
    drop(snapshot);
    if wrong.is_empty() {
        return Ok(());
    }
    let mut tx = worker.db.write().await?;
    for (budget, percent) in wrong {
        alerts::take_back(&mut tx, budget, percent).await?;
    }
    Ok(tx.commit().await?)
}

/// The budgets of a month.
async fn measure(tx: &mut Tx, tenant: Uuid, month: Month) -> Result<Vec<Measured>, Error> {
    let all = budgets::list(tx, tenant, Some(month), &Slice { limit: BUDGETS_MAX, after: None }).await?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let tree = categories::tree(tx, tenant).await?;
    let movements = budgets::movements(tx, tenant, month, month).await?;
    let mut found = Vec::with_capacity(all.len());
    for mut budget in all {
        budget.measure(&movements, &tree);
        let given = alerts::given(tx, budget.id).await?;
        let category = tree.get(budget.category_id).map(|it| it.name.clone()).unwrap_or_default();
        found.push(Measured { budget, category, given });
    }
    Ok(found)
}

/// Tells the highest percentage reached; what was passed on the way there is no news any more.
async fn tell(tx: &mut Tx, tenant: Uuid, due: &Measured, now: Timestamp) -> Result<(), Error> {
    let (id, mut news) = (Uuid::now_v7(), None);
    for percent in reached(&due.budget) {
        news = alerts::claim(tx, due.budget.id, percent, id, now).await?.then_some(percent);
    }
    let Some(percent) = news else { return Ok(()) };
    let (title, text) = budget_alert(&due.budget, &due.category, percent);
    let link = Some(format!("/orcamentos?mes={}", due.budget.month));
    let notification = Notification { id, ..Notification::new(Kind::Budget, title, text, link, now) };
    Ok(notifications::insert(tx, tenant, &notification).await?)
}
