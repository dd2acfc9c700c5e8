//! What tenants are categorised by, kept in memory while it is in force.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::actions::Error;
use crate::categorise::{Categories, Engine, FACTS_MAX, Fact, Known, Rule, Source, Tenant, Threshold};
use crate::db::Tx;
use crate::domain::automation::Automation;
use crate::domain::transaction::Transaction;
use crate::store::{automations, categories, knowledge, users};

/// Facts kept at once, of all tenants together: as many as 32 tenants may have. Each takes some 2 KB. A bound on tenants
/// would be too low for many small ones: events take turns among tenants, so that with one more than are kept each is
/// read anew for each event.
const FACTS_KEPT_MAX: usize = 32 * FACTS_MAX;

/// What a tenant takes besides, in facts: its categories, rules and people.
const BESIDES: usize = 50;

/// How long a tenant is kept though its version stays. Categories people give while they record a transaction raise
/// no version, so that a hundred of them do not load the tenant a hundred times; other processes than the one that
/// handles it know them after this.
const KEPT_FOR: Duration = Duration::from_mins(1);

/// Answers a threshold is calibrated by, of either kind; see [`knowledge::outcomes`].
const OUTCOMES_MAX: i64 = 1_000;

/// What is needed to handle one tenant's transactions.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub tenant: Tenant,
    /// Enabled, in their order.
    pub automations: Vec<Automation>,
}

/// The engine, and the tenants it was asked about last.
#[derive(Debug)]
pub struct Knowledge {
    pub engine: Arc<Engine>,
    kept: Mutex<HashMap<Uuid, Kept>>,
}

#[derive(Debug)]
struct Kept {
    version: i64,
    loaded_at: Instant,
    used_at: Instant,
    loaded: Arc<Loaded>,
}

impl Knowledge {
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine, kept: Mutex::default() }
    }

    /// What is known of a tenant, read anew if it changed since it was kept.
    pub async fn of(self: &Arc<Self>, tx: &mut Tx, tenant: Uuid) -> Result<Arc<Loaded>, Error> {
        // Read first: what changes while the rest is read raises it, and is read the next time.
        let version = knowledge::version(tx, tenant).await?;
        if let Some(loaded) = self.find(tenant, version) {
            return Ok(loaded);
        }
        let (known, automations, facts) = read(tx, tenant).await?;
        let knowledge = Arc::clone(self);
        // Some thousand facts take a while to be made ready.
        let made = tokio::task::spawn_blocking(move || {
            let facts = facts.iter().filter_map(fact).collect();
            knowledge.engine.tenant(Known { facts, ..known })
        });
        let ready = made.await.map_err(|error| Error::Internal(error.into()))?;
        let loaded = Arc::new(Loaded { tenant: ready, automations });
        self.keep(tenant, version, Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Takes in what a person said while they recorded a transaction, if the tenant is kept; else it will be read.
    pub fn learn(&self, tenant: Uuid, transaction: &Transaction) {
        let Some(fact) = fact(transaction) else { return };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(it) = kept.get_mut(&tenant)
            && !it.loaded.tenant.facts().iter().any(|known| known.id == fact.id)
        {
            self.engine.learn(&mut Arc::make_mut(&mut it.loaded).tenant, fact);
        }
    }

    fn find(&self, tenant: Uuid, version: i64) -> Option<Arc<Loaded>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let it = kept.get_mut(&tenant)?;
        let in_force = it.version == version && it.loaded_at.elapsed() < KEPT_FOR;
        it.used_at = Instant::now();
        in_force.then(|| Arc::clone(&it.loaded))
    }

    fn keep(&self, tenant: Uuid, version: i64, loaded: Arc<Loaded>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        kept.insert(tenant, Kept { version, loaded_at: now, used_at: now, loaded });
        let weight = |it: &Kept| it.loaded.tenant.facts().len() + BESIDES;
        forget_oldest(&mut kept, FACTS_KEPT_MAX, weight, |it| it.used_at);
    }
}

/// Drops what was not used for longest until the rest weighs at most `most`; the last one used stays.
fn forget_oldest<T>(
    kept: &mut HashMap<Uuid, T>,
    most: usize,
    weight: impl Fn(&T) -> usize,
    used_at: impl Fn(&T) -> Instant,
) {
    let mut sum: usize = kept.values().map(&weight).sum();
    while sum > most && kept.len() > 1 {
        let oldest = kept.iter().min_by_key(|(_, it)| used_at(it)).map(|(id, _)| *id);
        sum -= oldest.and_then(|id| kept.remove(&id)).map_or(0, |it| weight(&it));
    }
}

/// What a transaction teaches: that a person gave it its category.
fn fact(transaction: &Transaction) -> Option<Fact> {
    let categorised = transaction.categorised.as_ref().filter(|it| it.source == Source::User)?;
    Some(Fact::of(transaction.id, &transaction.input(), transaction.category_id?, categorised.decided_at))
}

type Read = (Known, Vec<Automation>, Vec<Transaction>);

async fn read(tx: &mut Tx, tenant: Uuid) -> Result<Read, Error> {
    let tree = categories::tree(tx, tenant).await?;
    let automations: Vec<Automation> =
        automations::all(tx, tenant).await?.into_iter().filter(|it| it.enabled).collect();
    let rules = automations.iter().filter_map(|it| {
        let category_id = it.then.category_id?;
        Some(Rule { id: it.id, name: it.name.clone(), when: it.when.matcher(), category_id })
    });
    let outcomes = knowledge::outcomes(tx, tenant, OUTCOMES_MAX).await?;
    let known = Known {
        categories: Categories::new(tree.nodes()),
        rules: rules.collect(),
        facts: Vec::new(),
        people: users::names(tx, tenant).await?,
        threshold: Threshold::calibrate(&outcomes),
    };
    let facts = knowledge::chosen(tx, tenant, i64::try_from(FACTS_MAX).expect("some thousand")).await?;
    Ok((known, automations, facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_tenants_are_kept_and_few_large_ones() {
        let check = |weights: &[usize], expected: &[usize]| {
            let begin = Instant::now();
            let times = (0..).map(|second| begin + Duration::from_secs(second));
            let kept = weights.iter().copied().zip(times).map(|it| (Uuid::now_v7(), it));
            let mut kept: HashMap<Uuid, (usize, Instant)> = kept.collect();
            forget_oldest(&mut kept, 10, |it| it.0, |it| it.1);
            let mut left: Vec<_> = kept.into_values().collect();
            left.sort_by_key(|it| it.1);
            assert_eq!(left.iter().map(|it| it.0).collect::<Vec<_>>(), expected, "{weights:?}");
        };
        check(&[1; 10], &[1; 10]);
        check(&[3, 1, 1, 6], &[1, 1, 6]);
        check(&[5, 5, 5], &[5, 5]);
        check(&[1, 11], &[11]);
    }
}
