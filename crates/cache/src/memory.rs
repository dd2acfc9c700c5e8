//! The memory tier: bounded by bytes, and by an order of eviction that one pass over many answers does not upset.

mod entry;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName};
use prometheus_client::metrics::counter::Counter;
use quick_cache::sync::DefaultLifecycle;
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter};

use crate::key::{Key, KeyBuffer};
use crate::policy::Time;
pub(crate) use entry::Entry;

/// Locks of the map. Each shard has its part of the memory, so more of them make the largest entry smaller.
const SHARDS: usize = 8;

/// What the map has room for at first, in bytes per entry; it grows.
const ENTRY_TYPICAL: u64 = 4096;

/// What the map itself keeps of an entry: key, hash, links, and the allocations' own.
const SLOT_OVERHEAD: u64 = 128;

/// Copies under way, all together, take at most this part of the memory besides: a client that takes its answer slowly
/// holds one for as long.
const UNDER_WAY_PART: u64 = 2;

/// What is kept under a key.
#[derive(Clone)]
pub(crate) enum Slot {
    Entry(Arc<Entry>),
    /// The answers differ by these fields of the request; each is under a key of its own.
    Varies(Arc<[HeaderName]>),
    /// Answers could not be shared lately: until then nobody waits for another's.
    Unshared(Time),
}

/// What a look found.
pub(crate) struct Found {
    pub(crate) slot: Option<Slot>,
    /// The key of the request's variant, if there are several.
    pub(crate) variant: Option<KeyBuffer>,
}

pub(crate) struct Memory {
    slots: quick_cache::sync::Cache<Key, Slot, Weight, DefaultHashBuilder, Evictions>,
    evictions: Counter,
    /// Bytes of copies under way.
    under_way: AtomicU64,
}

/// Room for a copy under way, given back when dropped.
pub(crate) struct Room {
    memory: Arc<Memory>,
    bytes: u64,
}

#[derive(Clone)]
struct Weight;

/// Counts entries that made room for others.
#[derive(Clone)]
struct Evictions(Counter);

impl Memory {
    pub(crate) fn new(bytes: u64) -> Self {
        let evictions = Counter::default();
        let typical = usize::try_from(bytes / ENTRY_TYPICAL).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity(typical)
            .weight_capacity(bytes)
            .build()
            .expect("both capacities are set");
        let slots = quick_cache::sync::Cache::with_options(
            options,
            Weight,
            DefaultHashBuilder::default(),
            Evictions(evictions.clone()),
        );
        Self { slots, evictions, under_way: AtomicU64::new(0) }
    }

    /// What there is for a request, `key` being the one all variants share.
    pub(crate) fn find(&self, key: &KeyBuffer, headers: &HeaderMap) -> Found {
        match self.slots.get(key.as_bytes()) {
            Some(Slot::Varies(fields)) => {
                let variant = key.variant(fields.iter(), headers);
                Found { slot: self.slots.get(variant.as_bytes()), variant: Some(variant) }
            }
            slot @ (Some(Slot::Entry(_) | Slot::Unshared(_)) | None) => Found { slot, variant: None },
        }
    }

    /// Keeps an answer to a request with these headers. `key` is the one all variants share.
    pub(crate) fn put(&self, key: &KeyBuffer, headers: &HeaderMap, entry: &Arc<Entry>) {
        let fields: Arc<[HeaderName]> = entry.vary().cloned().collect();
        let slot = Slot::Entry(Arc::clone(entry));
        if fields.is_empty() {
            return self.slots.insert(key.to_key(), slot);
        }
        let variant = key.variant(fields.iter(), headers);
        // The answer first: who follows the sign must find it.
        self.slots.insert(variant.to_key(), slot);
        if !matches!(self.slots.peek(key.as_bytes()), Some(Slot::Varies(known)) if known == fields) {
            self.slots.insert(key.to_key(), Slot::Varies(fields));
        }
    }

    /// Remembers that what this key (a variant's, if there are any) names is not to be waited for, unless there is
    /// an answer for others.
    pub(crate) fn unshare(&self, key: &Key, until: Time) {
        if !matches!(self.slots.peek(&**key), Some(Slot::Entry(_) | Slot::Varies(_))) {
            self.slots.insert(key.clone(), Slot::Unshared(until));
        }
    }

    /// Forgets a dead entry, unless another one has come in its place.
    pub(crate) fn remove(&self, key: &[u8], dead: &Arc<Entry>) {
        self.slots.remove_if(key, |slot| matches!(slot, Slot::Entry(entry) if Arc::ptr_eq(entry, dead)));
    }

    pub(crate) fn clear(&self) {
        self.slots.clear();
    }

    /// The largest entry there is room for, in bytes.
    pub(crate) fn largest(&self) -> u64 {
        self.slots.shard_capacity()
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.slots.capacity()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.slots.weight()
    }

    pub(crate) fn entries(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn evictions(&self) -> &Counter {
        &self.evictions
    }
}

impl Room {
    pub(crate) fn new(memory: &Arc<Memory>) -> Self {
        Self { memory: Arc::clone(memory), bytes: 0 }
    }

    /// Takes more; false if there is no more.
    pub(crate) fn take(&mut self, bytes: u64) -> bool {
        self.bytes += bytes;
        let before = self.memory.under_way.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= self.memory.capacity() / UNDER_WAY_PART
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.memory.under_way.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Weighter<Key, Slot> for Weight {
    fn weight(&self, key: &Key, slot: &Slot) -> u64 {
        let content = match slot {
            Slot::Entry(entry) => entry.weight(),
            Slot::Varies(fields) => {
                fields.iter().map(|field| field.as_str().len() as u64 + SLOT_OVERHEAD).sum()
            }
            Slot::Unshared(_) => 0,
        };
        key.len() as u64 + SLOT_OVERHEAD + content
    }
}

impl Lifecycle<Key, Slot> for Evictions {
    /// Dropped when the shard is unlocked again.
    type RequestState = <DefaultLifecycle<Key, Slot> as Lifecycle<Key, Slot>>::RequestState;

    fn on_evict(&self, state: &mut Self::RequestState, key: Key, slot: Slot) {
        if matches!(slot, Slot::Entry(_)) {
            self.0.inc();
        }
        DefaultLifecycle::default().on_evict(state, key, slot);
    }
}

#[cfg(test)]
mod tests;
