//! What goes on although its client has left: an unsafe request that was sent, because only its answer says what it
//! changed, and a fill of the cache, because others may wait for it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Who leaves in the middle holds a slot of a service, and those are bounded; this bounds it where there are no slots.
const GOING_ON_MAX: usize = 10_000;

/// The work of those who left. A clone is the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aftermath {
    tasks: TaskTracker,
    cut: CancellationToken,
}

impl Aftermath {
    /// Goes on with `work` on this thread's runtime, up to [`Aftermath::cut`]. False, and nothing of it happens, if too
    /// much goes on already.
    pub(crate) fn go_on(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        // Nobody is left to run it when the gateway's threads end.
        let Ok(runtime) = Handle::try_current() else { return false };
        if self.tasks.len() >= GOING_ON_MAX {
            return false;
        }
        let cut = self.cut.clone();
        self.tasks.spawn_on(
            async move {
                tokio::select! {
                    () = work => {}
                    () = cut.cancelled() => {}
                }
            },
            &runtime,
        );
        true
    }

    /// Returns when nothing goes on any more.
    pub(crate) async fn end(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(crate) async fn cut(&self) {
        self.cut.cancel();
        self.end().await;
    }
}

/// Whether anything of a request may have reached its upstream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent(Arc<Fate>);

#[derive(Debug, Default)]
struct Fate {
    is_sent: AtomicBool,
    is_lost: AtomicBool,
}

impl Sent {
    pub(crate) fn noted() -> Self {
        let sent = Self::default();
        sent.note();
        sent
    }

    pub(crate) fn note(&self) {
        self.0.is_sent.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_so(&self) -> bool {
        self.0.is_sent.load(Ordering::Relaxed)
    }

    /// An attempt broke off: it may have been executed, and what it changed nobody said.
    pub(crate) fn lose(&self) {
        self.0.is_lost.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.0.is_lost.load(Ordering::Relaxed)
    }
}

/// A request's future that, once something of it was sent, is driven to its end even if it is dropped.
pub(crate) struct Driven<F: Future<Output: Send> + Send + 'static> {
    /// Gone when it has ended.
    request: Option<Pin<Box<F>>>,
    sent: Sent,
    aftermath: Aftermath,
}

impl<F: Future<Output: Send> + Send + 'static> Driven<F> {
    pub(crate) fn new(request: F, sent: Sent, aftermath: Aftermath) -> Self {
        Self { request: Some(Box::pin(request)), sent, aftermath }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Driven<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let request = self.request.as_mut().expect("nobody polls a future that has ended");
        let polled = request.as_mut().poll(context);
        if polled.is_ready() {
            self.request = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Driven<F> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take()
            && self.sent.is_so()
            && !self.aftermath.go_on(async { drop(request.await) })
        {
            tracing::warn!("too many requests go on without their clients: one was given up");
        }
    }
}
