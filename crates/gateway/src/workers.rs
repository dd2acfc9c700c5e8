//! The threads that serve connections: one single-threaded runtime each.
//!
//! A connection stays on its thread from accept to close, and so do the upstream connections it uses, like in
//! nginx: no task moves between cores, and no thread is woken to steal one. Measured against one shared
//! multi-threaded runtime in docs/decisions/002.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// More threads than this are not of use to a gateway, and each keeps upstream connections of its own.
pub(crate) const WORKERS_MAX: usize = 32;

/// The place behind those of the workers: of requests that this process makes on a runtime of its own.
pub(crate) const CALLERS: usize = WORKERS_MAX;

/// One of the threads.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    /// Below [`WORKERS_MAX`].
    pub(crate) index: usize,
    pub(crate) handle: Handle,
}

/// Runs until dropped; what is still being served then is cut.
#[derive(Debug)]
pub(crate) struct Workers {
    all: Vec<Worker>,
    next: AtomicUsize,
    stop: CancellationToken,
}

impl Workers {
    /// One thread per core.
    pub(crate) fn start() -> std::io::Result<Arc<Self>> {
        let count = thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
        let stop = CancellationToken::new();
        let start = |index: usize| {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let handle = runtime.handle().clone();
            let stopped = stop.clone();
            thread::Builder::new()
                .name(format!("gateway-{index}"))
                .spawn(move || runtime.block_on(stopped.cancelled()))?;
            Ok(Worker { index, handle })
        };
        let all = (0..count).map(start).collect::<std::io::Result<_>>()?;
        Ok(Arc::new(Self { all, next: AtomicUsize::new(0), stop }))
    }

    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// The threads in turn, so that each gets as many connections.
    pub(crate) fn next(&self) -> &Worker {
        &self.all[self.next.fetch_add(1, Ordering::Relaxed) % self.all.len()]
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
