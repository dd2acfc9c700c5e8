//! The time stores go by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::policy;

/// Where a store takes the time from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's; for a store that several processes share, the database's.
    #[default]
    System,
    /// It passes only when told to.
    Manual(Manual),
}

impl Clock {
    /// This machine's time, or the one that was set, in whole microseconds.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => policy::micros(Timestamp::now()),
            Self::Manual(manual) => manual.now(),
        }
    }
}

/// A clock for tests and simulations. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Manual {
    micros: Arc<AtomicI64>,
}

impl Manual {
    pub fn at(start: Timestamp) -> Self {
        Self { micros: Arc::new(AtomicI64::new(start.as_microsecond())) }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.micros.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    pub fn set(&self, to: Timestamp) {
        self.micros.store(to.as_microsecond(), Ordering::SeqCst);
    }

    pub fn advance(&self, by: Duration) {
        self.set(policy::later(self.now(), by));
    }
}
