//! One stored answer.

use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use http::HeaderName;

use crate::policy::Stored;
use crate::tags::{Number, Tag};

pub(crate) struct Entry {
    pub(crate) stored: Stored,
    pub(crate) body: Bytes,
    /// Of the fill.
    number: Number,
    /// Those of `stored`, and those every entry has.
    tags: Box<[Tag]>,
    /// If one fill serves all who wait. Not so of what must be revalidated for everybody who asks.
    pub(crate) is_shared: bool,
    /// Of the fill, as all gateways count. `None`: Redis was away, or there is none.
    pub(crate) recorded: Option<Number>,
    /// It has names of its own to be purged by, or is somebody's. Only these are worth an exchange with Redis each time
    /// they are served.
    pub(crate) is_tagged: bool,
    /// The last purge this is known to have outlived.
    pub(crate) checked: AtomicU64,
}

impl Entry {
    pub(crate) fn new(
        stored: Stored,
        body: Bytes,
        number: Number,
        tags: Box<[Tag]>,
        is_shared: bool,
    ) -> Self {
        let checked = AtomicU64::new(number.sequence);
        Self { stored, body, number, tags, is_shared, recorded: None, is_tagged: false, checked }
    }

    #[must_use]
    pub(crate) fn recorded(self, recorded: Option<Number>, is_tagged: bool) -> Self {
        Self { recorded, is_tagged, ..self }
    }

    /// The number to ask Redis about before this is served.
    pub(crate) fn to_confirm(&self) -> Option<Number> {
        self.recorded.filter(|_recorded| self.is_tagged)
    }

    pub(crate) fn number(&self) -> Number {
        self.number
    }

    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tags
    }

    pub(crate) fn vary(&self) -> impl ExactSizeIterator<Item = &HeaderName> {
        self.stored.vary().names()
    }

    /// Bytes in memory.
    pub(crate) fn weight(&self) -> u64 {
        (size_of::<Self>() + size_of_val(&*self.tags) + self.stored.weight() + self.body.len()) as u64
    }
}
