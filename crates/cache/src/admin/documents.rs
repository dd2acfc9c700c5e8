//! What `/api/cache` answers.

use serde::{Deserialize, Serialize};

use crate::metrics::{Outcome, RouteMetrics};
use crate::service::Cache;

/// `GET /api/cache`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CacheDocument {
    pub app: String,
    pub memory: MemoryDocument,
    pub purges: PurgesDocument,
    /// By name.
    pub routes: Vec<RouteDocument>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct MemoryDocument {
    pub bytes: u64,
    pub limit: u64,
    pub entries: usize,
    /// Since the start: entries that made room for others.
    pub evictions: u64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PurgesDocument {
    /// Since the start.
    pub count: u64,
    /// Names with a record.
    pub remembered: usize,
    /// Entries whose fill began before this purge are dead, whatever their names: its record had to be forgotten, or it
    /// was of everything.
    pub floor: u64,
}

/// Requests since the start. Each is counted once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RouteDocument {
    pub route: String,
    pub hits: u64,
    pub stale: u64,
    pub revalidated: u64,
    pub collapsed: u64,
    pub misses: u64,
    pub passed: u64,
    /// The share of those looked up (all but `passed`) that no request of the service was made for; none: absent.
    pub ratio: Option<f64>,
}

/// `POST /api/cache/purge`
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PurgedDocument {
    /// The number of this purge.
    pub purge: u64,
}

impl CacheDocument {
    pub(super) fn of(cache: &Cache) -> Self {
        let shared = &cache.shared;
        let extent = shared.ledger.extent();
        let routes = shared.routes.lock();
        Self {
            app: shared.app.clone(),
            memory: MemoryDocument {
                bytes: shared.memory.bytes(),
                limit: shared.memory.capacity(),
                entries: shared.memory.entries(),
                evictions: shared.memory.evictions().get(),
            },
            purges: PurgesDocument {
                count: extent.purges,
                remembered: extent.remembered,
                floor: extent.floor,
            },
            routes: routes.iter().map(|(name, route)| RouteDocument::of(name, &route.metrics)).collect(),
        }
    }
}

impl RouteDocument {
    fn of(name: &str, metrics: &RouteMetrics) -> Self {
        let (hits, stale) = (metrics.count(Outcome::Hit), metrics.count(Outcome::Stale));
        let (revalidated, collapsed) =
            (metrics.count(Outcome::Revalidated), metrics.count(Outcome::Collapsed));
        let misses = metrics.count(Outcome::Miss);
        let looked_up = hits + stale + revalidated + collapsed + misses;
        Self {
            route: name.to_owned(),
            hits,
            stale,
            revalidated,
            collapsed,
            misses,
            passed: metrics.count(Outcome::Passed),
            ratio: (looked_up > 0).then(|| (hits + stale + collapsed) as f64 / looked_up as f64),
        }
    }
}
