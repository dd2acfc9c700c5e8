//! Files kept in memory, so that a hit touches neither the disk nor the blocking pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use quick_cache::sync::{Cache as Store, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::time::Instant;

use super::asset::{Asset, Content};

/// All contents of one folder's cache together, in bytes.
const MEMORY_MAX: u64 = 32 * 1024 * 1024;
/// Fixed, because a shard's share (4 MiB) must exceed one asset with all its variants on any number of cores.
const SHARDS: usize = 8;
/// For sizing the tables: files of a web application average some 30 KiB.
const ENTRIES_EXPECTED: usize = 1024;
/// What an entry costs beside its contents: header maps, names, bookkeeping; an estimate on the high side.
const ENTRY_OVERHEAD: u64 = 2048;

/// How long an entry is believed without a look at the disk, as nginx's `open_file_cache_valid`, but short enough
/// that nobody waits for a change.
pub(super) const FRESH: Duration = Duration::from_secs(1);
/// While one request looks at the disk, others are answered from an entry up to this age.
const USABLE: Duration = Duration::from_secs(2);
/// The coarsest date a file system keeps (FAT). A file younger than that could change again without its date
/// changing, and would then stay in memory unnoticed: it is not kept yet.
const DATE_GRAIN: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) asset: Asset,
    /// When the disk was last known to agree, in ms since the cache began.
    checked_ms: AtomicU64,
    /// When somebody last set out to look.
    claimed_ms: AtomicU64,
}

pub(super) enum Lookup {
    Fresh(Arc<Entry>),
    /// To be compared with the disk by the caller.
    Stale(Arc<Entry>),
    Absent,
}

#[derive(Clone, Debug)]
struct ByContent;

impl Weighter<Box<str>, Arc<Entry>> for ByContent {
    fn weight(&self, key: &Box<str>, entry: &Arc<Entry>) -> u64 {
        let contents = entry.asset.variants().iter().map(|variant| match &variant.content {
            Content::Memory(content) => content.len() as u64,
            Content::Disk => 0,
        });
        ENTRY_OVERHEAD + key.len() as u64 + contents.sum::<u64>()
    }
}

/// Keys are decoded request paths that named a file, so what a client can put in is what the folder holds.
#[derive(Debug)]
pub(super) struct Cache {
    store: Store<Box<str>, Arc<Entry>, ByContent>,
    began: Instant,
}

impl Cache {
    pub(super) fn new() -> Self {
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity(ENTRIES_EXPECTED)
            .weight_capacity(MEMORY_MAX)
            .build()
            .expect("both capacities are set");
        let store = Store::with_options(
            options,
            ByContent,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        Self { store, began: Instant::now() }
    }

    pub(super) fn now_ms(&self) -> u64 {
        millis(self.began.elapsed())
    }

    pub(super) fn look_up(&self, path: &str) -> Lookup {
        let Some(entry) = self.store.get(path) else { return Lookup::Absent };
        let now = self.now_ms();
        let age = now.saturating_sub(entry.checked_ms.load(Ordering::Acquire));
        if age < millis(FRESH) {
            return Lookup::Fresh(entry);
        }
        let claimed = entry.claimed_ms.load(Ordering::Acquire);
        let claimed_by_another = now.saturating_sub(claimed) < millis(FRESH)
            || entry.claimed_ms.compare_exchange(claimed, now, Ordering::AcqRel, Ordering::Acquire).is_err();
        if claimed_by_another && age < millis(USABLE) { Lookup::Fresh(entry) } else { Lookup::Stale(entry) }
    }

    /// Notes that the disk agreed with `entry` at `at_ms`.
    pub(super) fn confirm(entry: &Entry, at_ms: u64) {
        entry.checked_ms.fetch_max(at_ms, Ordering::AcqRel);
    }

    /// Keeps what was read from the disk at `at_ms`, unless it may still change unnoticed.
    pub(super) fn keep(&self, path: &str, asset: Asset, at_ms: u64) -> Arc<Entry> {
        let settled = asset.is_settled(SystemTime::now(), DATE_GRAIN);
        let entry =
            Arc::new(Entry { asset, checked_ms: AtomicU64::new(at_ms), claimed_ms: AtomicU64::new(at_ms) });
        if settled {
            self.store.insert(path.into(), Arc::clone(&entry));
        } else {
            self.forget(path);
        }
        entry
    }

    pub(super) fn forget(&self, path: &str) {
        self.store.remove(path);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
