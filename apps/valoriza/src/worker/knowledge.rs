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

/// Tenants kept at once. A tenant with all facts it may have takes some 10 MB.
const TENANTS_MAX: usize = 32;

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
        if kept.len() > TENANTS_MAX
            && let Some(oldest) = kept.iter().min_by_key(|(_, it)| it.used_at).map(|(id, _)| *id)
        {
            kept.remove(&oldest);
        }
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
