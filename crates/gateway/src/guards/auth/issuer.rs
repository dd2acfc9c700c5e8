//! The key set of an issuer: fetched when a token needs it, and kept.
//!
//! ```text
//!   check ─ask─► Asking ─wake─► Fetcher::run ─► Source ─► publish: keys, generation; round + 1
//!                  ▲                                            │
//!   settle ◄───────┴──────────── rounds ◄───────────────────────┘
//! ```
//!
//! One fetch at a time, for all who wait. It is asked for by tokens whose key is not known, and, as long as tokens are
//! checked at all, every [`REFRESH_EVERY`], so that a key that was taken back is not believed for longer. A fetch that
//! fails takes no keys away.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::fetch::{FetchError, Source, Start};
use super::kept::Kept;
use super::keys::{Key, SetError, read_set};
use super::refused::Reason;
use crate::metrics::AuthMetrics;

/// While tokens are checked.
const REFRESH_EVERY: Duration = Duration::from_mins(5);

/// Between two fetches for keys that are not known: a client can name any.
const UNKNOWN_EVERY: Duration = Duration::from_secs(30);

/// As long as there are no keys at all, or the service slept and nothing was sent.
const FIRST_EVERY: Duration = Duration::from_secs(1);

/// Requests that wait for a fetch; each holds a connection.
const WAITING_MAX: usize = 1000;

/// Longer than a fetch takes, unless a service must start for it.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What is known of an issuer.
pub(super) struct Issuer {
    keys: RwLock<Arc<Vec<Key>>>,
    /// Changes with the keys, after them.
    generation: AtomicU64,
    /// Whether tokens were checked since the last fetch.
    used: AtomicBool,
    in_use: Notify,
    asking: Mutex<Asking>,
    wake: Notify,
    /// Fetches that ended.
    rounds: watch::Sender<u64>,
    waiting: Arc<Semaphore>,
}

struct Asking {
    is_under_way: bool,
    not_before: Instant,
    /// Whether the last fetch failed, so that a key we do not know may be a good one.
    is_away: bool,
}

/// A request's place among those who wait for a fetch.
pub(super) struct Wait {
    issuer: Arc<Issuer>,
    round: u64,
    _place: OwnedSemaphorePermit,
}

impl Issuer {
    fn new(keys: Vec<Key>) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            generation: AtomicU64::new(0),
            used: AtomicBool::new(false),
            in_use: Notify::new(),
            asking: Mutex::new(Asking { is_under_way: false, not_before: Instant::now(), is_away: false }),
            wake: Notify::new(),
            rounds: watch::Sender::new(0),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
        }
    }

    pub(super) fn keys(&self) -> Arc<Vec<Key>> {
        Arc::clone(&self.keys.read())
    }

    /// Changes when the keys do. Read before them: then what is remembered under it is never of older ones.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Says that tokens are checked. Writes to what all workers read once per fetch only.
    pub(super) fn note_use(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
            self.in_use.notify_one();
        }
    }

    /// Asks for a fetch because a token's key is not known, or says why there is none.
    pub(super) fn ask(self: &Arc<Self>) -> Result<Wait, Reason> {
        let mut asking = self.asking.lock();
        if !asking.is_under_way && Instant::now() < asking.not_before {
            return Err(asking.unknown());
        }
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_full| Reason::Crowded)?;
        if !asking.is_under_way {
            asking.is_under_way = true;
            self.wake.notify_one();
        }
        // Rounds end under this lock.
        Ok(Wait { issuer: Arc::clone(self), round: *self.rounds.borrow(), _place: place })
    }

    /// Fetches that ended.
    #[cfg(test)]
    pub(super) fn rounds(&self) -> u64 {
        *self.rounds.borrow()
    }

    /// Why a token is refused whose key is still not known.
    pub(super) fn unknown(&self) -> Reason {
        self.asking.lock().unknown()
    }
}

impl Asking {
    fn unknown(&self) -> Reason {
        if self.is_away { Reason::KeysAway } else { Reason::UnknownKey }
    }
}

impl Wait {
    /// Until the fetch has ended, whichever way.
    pub(super) async fn end(self) -> Result<(), Reason> {
        let mut rounds = self.issuer.rounds.subscribe();
        match timeout(WAIT_MAX, rounds.wait_for(|round| *round > self.round)).await {
            Ok(Ok(_round)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Reason::KeysAway),
        }
    }
}

/// Fetches, until dropped.
pub(super) struct Fetcher {
    issuer: Arc<Issuer>,
    source: Source,
    name: Name,
    file: PathBuf,
    metrics: AuthMetrics,
    refresh_at: Instant,
}

/// How a source is called.
pub(super) struct Name {
    /// Tells it from others; may hold a secret.
    pub(super) whole: String,
    /// As it stands in the manifest, for logs.
    pub(super) shown: String,
}

/// Why a fetch brought nothing.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Fetcher {
    /// Reads what was kept.
    pub(super) fn new(source: Source, name: Name, file: PathBuf, metrics: AuthMetrics) -> Self {
        let mut keys = Vec::new();
        let mut refresh_at = Instant::now();
        match Kept::read(&file, &name.whole) {
            Ok(Some((document, fetched))) => {
                keys = read_set(&document).unwrap_or_default();
                metrics.fetched_at(fetched);
                let age = SystemTime::now().duration_since(fetched).unwrap_or_default();
                refresh_at += REFRESH_EVERY.saturating_sub(age);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, file = %file.display(), "the kept keys cannot be read"),
        }
        Self { issuer: Arc::new(Issuer::new(keys)), source, name, file, metrics, refresh_at }
    }

    pub(super) fn issuer(&self) -> Arc<Issuer> {
        Arc::clone(&self.issuer)
    }

    pub(super) async fn run(mut self) {
        loop {
            let refresh = async {
                sleep_until(self.refresh_at).await;
                while !self.issuer.used.load(Ordering::Relaxed) {
                    self.issuer.in_use.notified().await;
                }
            };
            tokio::select! {
                () = self.issuer.wake.notified() => {}
                () = refresh => self.issuer.asking.lock().is_under_way = true,
            }
            // If both came at once, the fetch for the one was the other's, too.
            if self.issuer.asking.lock().is_under_way {
                self.fetch().await;
            }
        }
    }

    async fn fetch(&mut self) {
        self.issuer.used.store(false, Ordering::Relaxed);
        let is_first = self.issuer.keys.read().is_empty();
        let start = if is_first { Start::IfNeeded } else { Start::Never };
        let outcome = match self.source.get(start).await {
            Ok(document) => read_set(&document).map(|keys| (document, keys)).map_err(Failure::from),
            Err(error) => Err(error.into()),
        };
        let (result, pause, is_away) = match &outcome {
            Ok(_) => ("ok", UNKNOWN_EVERY, false),
            // Whoever has a new token got it just now, and then the service is awake: this one is not new.
            Err(Failure::Fetch(FetchError::Asleep)) => ("asleep", FIRST_EVERY, false),
            Err(_) if is_first => ("failed", FIRST_EVERY, true),
            Err(_) => ("failed", UNKNOWN_EVERY, true),
        };
        self.metrics.fetch(result);
        match outcome {
            Ok((document, keys)) => self.publish(&document, keys).await,
            Err(Failure::Fetch(FetchError::Asleep)) => {}
            Err(error) if self.issuer.asking.lock().is_away => {
                tracing::debug!(%error, issuer = self.name.shown, "the keys of tokens still cannot be fetched");
            }
            Err(error) => {
                tracing::warn!(%error, issuer = self.name.shown, "the keys of tokens cannot be fetched");
            }
        }
        let now = Instant::now();
        self.refresh_at = now + REFRESH_EVERY;
        let mut asking = self.issuer.asking.lock();
        *asking = Asking { is_under_way: false, not_before: now + pause, is_away };
        self.issuer.rounds.send_modify(|round| *round += 1);
    }

    /// The keys first: a disk that fails keeps nobody out.
    async fn publish(&self, document: &[u8], keys: Vec<Key>) {
        let is_new = **self.issuer.keys.read() != keys;
        if is_new {
            tracing::info!(keys = keys.len(), issuer = self.name.shown, "the keys of tokens changed");
            *self.issuer.keys.write() = Arc::new(keys);
            self.issuer.generation.fetch_add(1, Ordering::Release);
        }
        let now = SystemTime::now();
        self.metrics.fetched_at(now);
        let Some(kept) = Kept::new(&self.name.whole, now, document) else { return };
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || kept.write(&file)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, file = %self.file.display(), "the keys of tokens cannot be kept");
        }
    }
}

/// Seconds since the epoch.
pub(super) fn now_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
