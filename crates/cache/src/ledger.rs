//! The purges of this gateway, as lookups see them.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use crate::memory::Entry;
use crate::tags::{Number, Purges, RECORDS_MAX, Tag};

pub(crate) struct Ledger {
    epoch: u64,
    /// The number of the last purge. Written while `purges` is locked, after the purge is recorded there.
    last: AtomicU64,
    purges: RwLock<Purges>,
}

/// What the ledger holds, for those who operate it.
pub(crate) struct Extent {
    pub(crate) purges: u64,
    pub(crate) remembered: usize,
    pub(crate) floor: u64,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { epoch: 0, last: AtomicU64::new(0), purges: RwLock::new(Purges::new(RECORDS_MAX)) }
    }

    /// What a fill that begins now takes.
    pub(crate) fn number(&self) -> Number {
        Number { epoch: self.epoch, sequence: self.last.load(Ordering::Acquire) }
    }

    pub(crate) fn purge(&self, tags: &[Tag]) -> u64 {
        self.record(|purges| purges.purge(tags))
    }

    pub(crate) fn purge_all(&self) -> u64 {
        self.record(Purges::purge_all)
    }

    /// If no purge has ended an entry. Takes a lock only if there was a purge since this was last asked of the entry.
    pub(crate) fn is_live(&self, entry: &Entry) -> bool {
        let number = entry.number();
        if number.epoch != self.epoch {
            return false;
        }
        if entry.checked.load(Ordering::Relaxed) >= self.last.load(Ordering::Acquire) {
            return true;
        }
        let purges = self.purges.read();
        let is_live = purges.is_live(number.sequence, entry.tags());
        if is_live {
            entry.checked.fetch_max(purges.last(), Ordering::Relaxed);
        }
        is_live
    }

    pub(crate) fn extent(&self) -> Extent {
        let purges = self.purges.read();
        Extent { purges: purges.last(), remembered: purges.len(), floor: purges.floor() }
    }

    fn record(&self, purge: impl FnOnce(&mut Purges) -> u64) -> u64 {
        let mut purges = self.purges.write();
        let number = purge(&mut purges);
        self.last.store(number, Ordering::Release);
        number
    }
}
