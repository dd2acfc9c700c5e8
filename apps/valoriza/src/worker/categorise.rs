//! Gives transactions their category, their vector and what automations say.
//!
//! Everything is read and decided first; then one short transaction claims the events and writes, each row only if
//! it is still what was read. A row that is not makes its event come again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::knowledge::Loaded;
use super::{Event, Subscription, Worker, claim};
use crate::actions::Error;
use crate::categorise::{Choice, Source, vector};
use crate::clock;
use crate::db::Tx;
use crate::domain::automation::{Automation, TAGS_MAX};
use crate::domain::calendar::Month;
use crate::domain::categorised::{Alternative, Categorised, Confidence, Suggestion};
use crate::domain::member::Caller;
use crate::domain::money::reais;
use crate::domain::notification::{Kind, Notification};
use crate::domain::page::{Cursor, DateAndId, Slice};
use crate::domain::transaction::{Kind as TransactionKind, Transaction};
use crate::queries::automations::candidates;
use crate::store::{automations, embeddings, notifications, outbox, transactions};

/// Transactions handled by one event; when there are more, another event goes on.
const CHUNK: usize = 200;

/// What an event asks for.
struct Work<'a> {
    event: &'a Event,
    loaded: Arc<Loaded>,
    asked: Asked,
}

struct Asked {
    transactions: Vec<Transaction>,
    reach: Reach,
    /// The event that goes on where this one stops.
    next: Option<(&'static str, Value)>,
    /// The import they came by.
    import: Option<Uuid>,
    /// The automation that has been applied to all the past with this.
    applied: Option<Automation>,
}

/// Which answers may change a category.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Everybody's: the transaction is new or described anew.
    Engine,
    /// Only the automations'.
    Rules,
}

/// What was found out about one transaction.
struct Finding {
    after: Transaction,
    changed: bool,
    others: Vec<Alternative>,
    vector: Vec<u8>,
    /// Automations it matches, with their places.
    matches: Vec<usize>,
}

/// Whether an event is about one transaction, so that several fit into one database transaction.
pub(super) fn is_brief(event: &Event) -> bool {
    matches!(event.topic.as_str(), "transaction.created" | "transaction.updated")
}

pub(super) async fn handle(worker: &Worker, events: &[Event]) -> Result<(), Error> {
    let now = clock::now();
    let works = read_all(worker, events).await?;
    if works.is_empty() {
        return Ok(());
    }
    let findings = find(worker, &works, now).await?;
    let mut tx = worker.db.write().await?;
    let mut months = BTreeMap::new();
    for (work, findings) in works.iter().zip(findings) {
        if claim(&mut tx, Subscription::Categorise, work.event).await? {
            let found = write(&mut tx, &work.event.caller(now), work, findings).await?;
            let (_, all) = months.entry(work.event.tenant).or_insert_with(|| (work.event, BTreeSet::new()));
            all.extend(found);
        }
    }
    for (event, months) in months.into_values().filter(|(_, months)| !months.is_empty()) {
        let payload = json!({ "months": months });
        outbox::insert(&mut tx, &event.caller(now), "transactions.categorised", &payload).await?;
    }
    tx.commit().await?;
    for work in &works {
        work.asked.transactions.iter().for_each(|it| worker.knowledge.learn(work.event.tenant, it));
    }
    Ok(())
}

/// Reads what the events are about and what their tenants know, all as of one moment.
async fn read_all<'a>(worker: &Worker, events: &'a [Event]) -> Result<Vec<Work<'a>>, Error> {
    let mut snapshot = worker.db.snapshot().await?;
    let mut known: HashMap<Uuid, Arc<Loaded>> = HashMap::new();
    let mut works = Vec::new();
    for event in events {
        let Some(asked) = read(&mut snapshot, event).await? else { continue };
        let loaded = match known.get(&event.tenant) {
            Some(loaded) => Arc::clone(loaded),
            None => worker.knowledge.of(&mut snapshot, event.tenant).await?,
        };
        known.insert(event.tenant, Arc::clone(&loaded));
        works.push(Work { event, loaded, asked });
    }
    Ok(works)
}

/// Reads what the event is about; nothing if it asks for nothing.
async fn read(tx: &mut Tx, event: &Event) -> Result<Option<Asked>, Error> {
    match event.topic.as_str() {
        "transaction.created" => read_one(tx, event).await,
        "transaction.updated" if event.payload["described_anew"] == true => read_one(tx, event).await,
        "import.committed" => read_import(tx, event).await,
        "automation.applied" => read_past(tx, event).await,
        _ => Ok(None),
    }
}

async fn read_one(tx: &mut Tx, event: &Event) -> Result<Option<Asked>, Error> {
    let found = transactions::find(tx, event.tenant, event.id_of("transaction_id")?).await?;
    let transactions: Vec<_> = found.into_iter().filter(is_normal).collect();
    if transactions.is_empty() {
        return Ok(None);
    }
    Ok(Some(Asked { transactions, reach: Reach::Engine, next: None, import: None, applied: None }))
}

fn is_normal(transaction: &Transaction) -> bool {
    transaction.kind == TransactionKind::Normal
}

async fn read_import(tx: &mut Tx, event: &Event) -> Result<Option<Asked>, Error> {
    let import = event.id_of("import_id")?;
    let after = event.payload["after"].as_str().and_then(|it| it.parse().ok());
    let slice = Slice { limit: CHUNK, after };
    let mut transactions = transactions::of_import(tx, event.tenant, import, &slice).await?;
    let more = transactions.len() > CHUNK;
    transactions.truncate(CHUNK);
    let last = transactions.last().filter(|_| more).map(|it| it.id);
    let next = last.map(|last| ("import.committed", json!({ "import_id": import, "after": last })));
    transactions.retain(is_normal);
    Ok(Some(Asked { transactions, reach: Reach::Engine, next, import: Some(import), applied: None }))
}

/// Transactions an automation matches, a chunk of candidates at a time.
async fn read_past(tx: &mut Tx, event: &Event) -> Result<Option<Asked>, Error> {
    let id = event.id_of("automation_id")?;
    let automation = automations::find(tx, event.tenant, id).await?.filter(|it| it.enabled);
    let Some(automation) = automation else { return Ok(None) };
    let after = event.payload["after"].as_str().and_then(DateAndId::decode);
    let slice = Slice { limit: CHUNK, after };
    let mut transactions =
        transactions::list(tx, event.tenant, &candidates(&automation.when), &slice).await?;
    let more = transactions.len() > CHUNK;
    transactions.truncate(CHUNK);
    let last = transactions.last().filter(|_| more).map(|it| it.place().encode());
    let next = last.map(|last| ("automation.applied", json!({ "automation_id": id, "after": last })));
    transactions.retain(|it| automation.when.matches(it));
    let applied = next.is_none().then_some(automation);
    Ok(Some(Asked { transactions, reach: Reach::Rules, next, import: None, applied }))
}

/// Decides, away from the threads that wait for the database.
async fn find(worker: &Worker, works: &[Work<'_>], now: Timestamp) -> Result<Vec<Vec<Finding>>, Error> {
    let knowledge = Arc::clone(&worker.knowledge);
    let asked =
        works.iter().map(|it| (Arc::clone(&it.loaded), it.asked.transactions.clone(), it.asked.reach));
    let asked: Vec<_> = asked.collect();
    let found = tokio::task::spawn_blocking(move || {
        let decide = |it: &Transaction, loaded: &Loaded, reach: Reach| {
            let decision = knowledge.engine.decide(&it.input(), &loaded.tenant);
            let matching = loaded.automations.iter().enumerate().filter(|(_, other)| other.when.matches(it));
            let matches: Vec<usize> = matching.map(|(place, _)| place).collect();
            let mut after = it.clone();
            for tag in matches.iter().flat_map(|place| &loaded.automations[*place].then.tags) {
                if after.tags.len() < TAGS_MAX && !after.tags.contains(tag) {
                    after.tags.push(tag.clone());
                }
            }
            settle(&mut after, decision.choice.as_ref(), decision.suggestion(), reach, now);
            let others = decision.alternatives.iter().skip(1).map(|it| Alternative {
                category_id: it.category_id,
                confidence: Confidence::of(it.confidence.into()),
            });
            let others = others.collect();
            Finding {
                changed: after != *it,
                after,
                others,
                vector: vector::to_bytes(&decision.vector),
                matches,
            }
        };
        let of_one = |(loaded, transactions, reach): &(Arc<Loaded>, Vec<Transaction>, Reach)| {
            transactions.iter().map(|it| decide(it, loaded, *reach)).collect()
        };
        asked.iter().map(of_one).collect()
    });
    found.await.map_err(|error| Error::Internal(error.into()))
}

/// Writes an answer over a transaction. What a person chose stays; splits have categories of their own.
fn settle(
    transaction: &mut Transaction,
    choice: Option<&Choice>,
    suggestion: Option<&Choice>,
    reach: Reach,
    now: Timestamp,
) {
    let source = transaction.categorised.as_ref().map(|it| it.source);
    if source == Some(Source::User) || !transaction.splits.is_empty() {
        return;
    }
    match choice {
        Some(choice) if reach == Reach::Engine || choice.source == Source::Rule => {
            transaction.suggestion = None;
            // The same answer again is no news.
            if (transaction.category_id, source) != (Some(choice.category_id), Some(choice.source)) {
                transaction.category_id = Some(choice.category_id);
                transaction.categorised = Some(Categorised::by(choice, now));
            }
        }
        None if reach == Reach::Engine => {
            transaction.category_id = None;
            transaction.categorised = None;
            transaction.suggestion = suggestion.map(Suggestion::of);
        }
        Some(_) | None => {}
    }
}

/// Writes what was found out and says whose months' sums it changed.
async fn write(
    tx: &mut Tx,
    by: &Caller,
    Work { loaded, asked, .. }: &Work<'_>,
    findings: Vec<Finding>,
) -> Result<BTreeSet<Month>, Error> {
    let mut months = BTreeSet::new();
    let mut met: BTreeMap<usize, Vec<&Transaction>> = BTreeMap::new();
    for (finding, before) in findings.iter().zip(&asked.transactions) {
        if finding.changed
            && !transactions::mark(tx, by.tenant, &finding.after, &finding.others, by.now).await?
        {
            return Err(Error::Stale);
        }
        if finding.after.category_id != before.category_id {
            months.insert(Month::of(before.date));
        }
        for place in &finding.matches {
            if automations::meet(tx, by.tenant, loaded.automations[*place].id, before.id).await? {
                met.entry(*place).or_default().push(before);
            }
        }
    }
    let vectors: Vec<(Uuid, Vec<u8>)> = findings.iter().map(|it| (it.after.id, it.vector.clone())).collect();
    for batch in vectors.chunks(CHUNK / 2) {
        embeddings::put(tx, by.tenant, batch.to_vec(), by.now).await?;
    }
    if asked.reach == Reach::Engine {
        for (place, transactions) in met {
            tell(tx, by, asked.import, &loaded.automations[place], &transactions).await?;
        }
    }
    if let Some(automation) = &asked.applied {
        let matched = automations::find(tx, by.tenant, automation.id).await?.map_or(0, |it| it.matched);
        let text = format!("Aplicada ao passado; ao todo, {matched} transações.");
        notify(tx, by, None, automation.name.clone(), text).await?;
    }
    if let Some((topic, payload)) = &asked.next {
        outbox::insert(tx, by, topic, payload).await?;
    }
    Ok(months)
}

/// Tells of what an automation met for the first time, if it is to.
async fn tell(
    tx: &mut Tx,
    by: &Caller,
    import: Option<Uuid>,
    automation: &Automation,
    met: &[&Transaction],
) -> Result<(), Error> {
    if !automation.then.notify {
        return Ok(());
    }
    let text = match met {
        [one] => {
            let day = one.date.strftime("%d/%m/%Y");
            format!("{}: {} em {day}", one.description, reais(one.amount_cents))
        }
        several => format!("{} transações", several.len()),
    };
    notify(tx, by, import, automation.name.clone(), text).await
}

async fn notify(
    tx: &mut Tx,
    by: &Caller,
    import_id: Option<Uuid>,
    title: String,
    text: String,
) -> Result<(), Error> {
    let link = Some("/automacoes".to_owned());
    let notification = Notification::new(Kind::Automation, title, text, link, by.now);
    let notification = Notification { import_id, ..notification };
    Ok(notifications::insert(tx, by.tenant, &notification).await?)
}
