//! What memory has for a request, judged.

use std::sync::Arc;

use http::HeaderMap;

use super::RouteState;
use crate::key::{Key, KeyBuffer};
use crate::memory::{Entry, Slot};
use crate::policy::{Forward, Time, Verdict, Wishes};

pub(super) enum Sight {
    /// To be served.
    Fresh(Arc<Entry>),
    /// To be served, and revalidated in the background.
    Stale(Arc<Entry>),
    /// To be served only after the service said so, or failed.
    Revalidate(Arc<Entry>),
    /// Nothing, and waiting for others will not help.
    Unshared(Forward),
    /// Nothing, and why.
    Nothing(Forward),
}

pub(super) struct Seen {
    pub(super) sight: Sight,
    /// The key of the request's variant, if there are several.
    pub(super) variant: Option<KeyBuffer>,
}

impl Seen {
    /// Where the answer is, or belongs.
    pub(super) fn place(&self, key: &KeyBuffer) -> Key {
        self.variant.as_ref().unwrap_or(key).to_key()
    }
}

impl RouteState {
    pub(super) fn see(&self, key: &KeyBuffer, wishes: &Wishes, headers: &HeaderMap, now: Time) -> Seen {
        let found = self.shared.memory.find(key, headers);
        let nothing = if found.variant.is_some() { Forward::VaryMiss } else { Forward::UriMiss };
        let sight = match found.slot {
            Some(Slot::Entry(entry)) if self.shared.ledger.is_live(&entry) => {
                match entry.stored.judge(wishes, headers, now) {
                    Verdict::Fresh => Sight::Fresh(entry),
                    Verdict::Stale => Sight::Stale(entry),
                    Verdict::Revalidate => Sight::Revalidate(entry),
                    // Somebody else's answer is none for this request either.
                    Verdict::Unusable => Sight::Unshared(Forward::VaryMiss),
                }
            }
            Some(Slot::Entry(dead)) => {
                self.shared.memory.remove(found.variant.as_ref().unwrap_or(key).as_bytes(), &dead);
                Sight::Nothing(nothing)
            }
            Some(Slot::Unshared(until)) if now < until => Sight::Unshared(nothing),
            Some(Slot::Unshared(_) | Slot::Varies(_)) | None => Sight::Nothing(nothing),
        };
        Seen { sight, variant: found.variant }
    }
}
