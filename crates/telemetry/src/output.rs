//! What instances write: printed line by line with service and instance, and kept for `mare logs`.
//!
//! ```text
//!   instance ─line─► Handle::take ─bounded queue─► Service::run ─► standard output
//!                                                     ├─► last lines of each service
//!                                                     └─► followers (`mare logs -f`)
//! ```
//!
//! A full queue (a terminal that does not scroll) drops lines and counts them: instances must not wait.

mod format;
mod history;

use std::io::Write;
use std::sync::Arc;

use http::{Response, StatusCode};
use http_body_util::channel::Channel;
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::Body;
use crate::log::Format;
use history::{History, Wanted};

/// Lines between the instances and the printer; at 100 bytes a line some 800 kB.
const QUEUE: usize = 8192;

/// Lines printed at once. A thread switch for each would cost more than the line.
const BATCH: usize = 256;

/// A follower that lags further than this misses lines and is told so.
const FOLLOW_BUFFER: usize = 1024;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// One line of an instance's output, without its end.
#[derive(Clone, Debug)]
pub struct Line {
    pub service: Arc<str>,
    pub instance: Arc<str>,
    pub stream: Stream,
    pub text: String,
}

/// Takes lines from anywhere, and serves `/api/logs`.
#[derive(Clone, Debug)]
pub struct Handle {
    lines: mpsc::Sender<Line>,
    dropped: Counter,
    history: Arc<Mutex<History>>,
    follow: broadcast::Sender<Arc<Line>>,
}

/// Prints lines until every [`Handle`] is gone.
#[derive(Debug)]
pub struct Service {
    format: Format,
    lines: mpsc::Receiver<Line>,
    history: Arc<Mutex<History>>,
    follow: broadcast::Sender<Arc<Line>>,
}

impl Service {
    /// `services` are the only ones whose lines are kept.
    pub fn new(format: Format, services: &[&str], registry: &mut Registry) -> (Self, Handle) {
        let (sender, lines) = mpsc::channel(QUEUE);
        let (follow, _) = broadcast::channel(FOLLOW_BUFFER);
        let history = Arc::new(Mutex::new(History::new(services)));
        let dropped = Counter::default();
        registry.register(
            "mare_output_dropped",
            "Lines of instances that were not printed because standard output is too slow",
            dropped.clone(),
        );
        let handle = Handle { lines: sender, dropped, history: Arc::clone(&history), follow: follow.clone() };
        (Self { format, lines, history, follow }, handle)
    }

    pub async fn run(self) {
        self.print_to(std::io::stdout()).await;
    }

    async fn print_to(mut self, mut out: impl Write + Send + 'static) {
        let mut lines = Vec::with_capacity(BATCH);
        while self.lines.recv_many(&mut lines, BATCH).await > 0 {
            let batch: Vec<_> = lines.drain(..).map(Arc::new).collect();
            for line in &batch {
                self.history.lock().push(Arc::clone(line));
                // Without followers there is nobody to tell.
                let _ = self.follow.send(Arc::clone(line));
            }
            let format = self.format;
            // Blocks if the terminal does, which the queue is there for.
            let printed = tokio::task::spawn_blocking(move || {
                let text: String = batch.iter().map(|line| format::line(format, line)).collect();
                // Who closed the output does not want to know.
                let _ = out.write_all(text.as_bytes());
                out
            });
            // A runtime that ends takes what it has not begun with it.
            let Ok(returned) = printed.await else { return };
            out = returned;
        }
    }
}

impl Handle {
    pub fn take(&self, line: Line) {
        if self.lines.try_send(line).is_err() {
            self.dropped.inc();
        }
    }

    /// Answers `/api/logs/SERVICE?lines=100&follow=1` with plain lines, `instance` and text.
    ///
    /// Following ends with `shutdown`, which would otherwise wait for the follower.
    pub fn respond(&self, path: &str, query: Option<&str>, shutdown: CancellationToken) -> Response<Body> {
        let service = path.rsplit('/').next().unwrap_or_default();
        let wanted = Wanted::parse(query.unwrap_or_default());
        // Subscribing before looking back: a line in between comes twice rather than never.
        let following = wanted.follow.then(|| self.follow.subscribe());
        let Some(recent) = self.history.lock().recent(service, wanted.lines) else {
            let mut response = Response::new(text(format!("there is no service `{service}`\n")));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        };
        let start: String = recent.iter().map(|line| format::plain(line)).collect();
        match following {
            None => Response::new(text(start)),
            Some(following) => Response::new(follow(start, service.to_owned(), recent, following, shutdown)),
        }
    }
}

fn text(text: String) -> Body {
    Full::from(text).map_err(|never| match never {}).boxed_unsync()
}

/// A body that goes on until the client leaves or mare shuts down.
fn follow(
    start: String,
    service: String,
    recent: Vec<Arc<Line>>,
    mut lines: broadcast::Receiver<Arc<Line>>,
    shutdown: CancellationToken,
) -> Body {
    let (mut sender, body) = Channel::<bytes::Bytes, Box<dyn std::error::Error + Send + Sync>>::new(16);
    let following = tokio::spawn(async move {
        let mut next = start;
        loop {
            if !next.is_empty() && sender.send_data(next.into()).await.is_err() {
                return;
            }
            let Some(received) = shutdown.run_until_cancelled(lines.recv()).await else { return };
            next = match received {
                Ok(line)
                    if *line.service == *service && !recent.iter().any(|seen| Arc::ptr_eq(seen, &line)) =>
                {
                    format::plain(&line)
                }
                Ok(_) => String::new(),
                Err(broadcast::error::RecvError::Lagged(missed)) => format!("({missed} lines were missed)\n"),
                Err(broadcast::error::RecvError::Closed) => return,
            };
        }
    });
    // The task may wait for a line for ever; it ends with the body, when the client leaves.
    let following = AbortOnDropHandle::new(following);
    body.map_frame(move |frame| {
        let _owner = &following;
        frame
    })
    .boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Standard output that counts how often it is written to.
    #[derive(Clone, Default)]
    struct Counting(Arc<Mutex<(usize, String)>>);

    impl Write for Counting {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let mut seen = self.0.lock();
            seen.0 += 1;
            seen.1 += std::str::from_utf8(bytes).expect("text");
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_flood_is_printed_in_order_and_in_few_writes() {
        let (service, handle) = Service::new(Format::Pretty, &["api"], &mut Registry::default());
        for number in 0..QUEUE {
            let (service, instance) = ("api".into(), "api-1".into());
            handle.take(Line { service, instance, stream: Stream::Stdout, text: number.to_string() });
        }
        drop(handle);
        let printed = Counting::default();
        service.print_to(printed.clone()).await;
        let (writes, text) = std::mem::take(&mut *printed.0.lock());
        assert!(text.lines().eq((0..QUEUE).map(|number| format!("api-1 | {number}"))), "{text}");
        assert!(writes <= QUEUE.div_ceil(BATCH), "{writes} writes");
    }

    #[tokio::test]
    async fn a_follower_that_leaves_is_forgotten_though_no_line_comes() {
        let (_service, handle) = Service::new(Format::Pretty, &["api"], &mut Registry::default());
        let answer = handle.respond("/api/logs/api", Some("follow=1"), CancellationToken::new());
        tokio::task::yield_now().await;
        assert_eq!(handle.follow.receiver_count(), 1);
        drop(answer);
        tokio::task::yield_now().await;
        assert_eq!(handle.follow.receiver_count(), 0);
    }
}
