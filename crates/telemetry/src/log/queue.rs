//! Log lines on their way to standard error, which may block: nobody who logs waits for that.
//!
//! tracing-appender does the same, but at the end it complains on the very stream that is stuck.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines between who logs and standard error; at 250 bytes a line some 2 MB. More are dropped and counted.
const LINES_MAX: usize = 8192;

/// How long the end waits for what is still queued.
const FLUSH_WAIT: Duration = Duration::from_secs(1);

enum Message {
    Line(Vec<u8>),
    /// Everything before is written: say so.
    Flush(SyncSender<()>),
}

/// Takes one line with each `write`, as tracing-subscriber gives them.
#[derive(Clone)]
pub(super) struct Queue {
    messages: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

/// Writes what is still queued when dropped, if that takes less than a second.
#[must_use = "what is logged last would be lost"]
pub struct Flush(SyncSender<Message>);

/// Starts the thread that writes to standard error for the rest of the process's life.
pub(super) fn start() -> (Queue, Flush) {
    let (messages, received) = sync_channel(LINES_MAX);
    let dropped = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&dropped);
    std::thread::spawn(move || write_all(&received, &counted));
    (Queue { messages: messages.clone(), dropped }, Flush(messages))
}

fn write_all(messages: &Receiver<Message>, dropped: &AtomicU64) {
    while let Ok(message) = messages.recv() {
        match message {
            // There is nowhere else to say that standard error is closed.
            Message::Line(line) => drop(io::stderr().write_all(&line)),
            Message::Flush(done) => drop(done.try_send(())),
        }
        let lines = dropped.swap(0, Ordering::Relaxed);
        if lines > 0 {
            tracing::warn!(lines, "log lines were dropped because standard error is too slow");
        }
    }
}

impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.messages.try_send(Message::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let (done, written) = sync_channel(1);
        // A full queue means that nobody reads.
        if self.0.try_send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_WAIT);
        }
    }
}
