//! What instances write: passed on line by line, the last lines kept for reports.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A longer line is passed on in pieces.
const LINE_MAX: usize = 16 * 1024;

/// Lines shown when an instance fails: enough for a stack trace's top, little enough to read.
const TAIL_LINES: usize = 20;

/// All writers are dead when output is finished, so the rest of a pipe is read in no time.
const FINISH_WAIT: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// One line of an instance's output, without its end.
#[derive(Clone, Debug)]
pub struct Line {
    pub service: Arc<str>,
    /// `api-3`
    pub instance: Arc<str>,
    pub stream: Stream,
    pub text: String,
}

/// Where lines go. Called from the reading task: it must not block.
#[derive(Clone)]
pub struct Sink(Arc<dyn Fn(Line) + Send + Sync>);

impl Sink {
    pub fn new(take: impl Fn(Line) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}

/// Reads both streams of one instance until they end.
#[derive(Debug)]
pub(super) struct Output {
    readers: JoinSet<()>,
    tail: Arc<Mutex<VecDeque<String>>>,
}

impl Output {
    pub(super) fn read(child: &mut Child, service: &Arc<str>, instance: &Arc<str>, sink: &Sink) -> Self {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let mut readers = JoinSet::new();
        let pass_on = |stream| {
            let (service, instance) = (Arc::clone(service), Arc::clone(instance));
            let (tail, sink) = (Arc::clone(&tail), sink.clone());
            move |text: String| {
                let mut tail = tail.lock();
                if tail.len() == TAIL_LINES {
                    tail.pop_front();
                }
                tail.push_back(text.clone());
                drop(tail);
                (sink.0)(Line {
                    service: Arc::clone(&service),
                    instance: Arc::clone(&instance),
                    stream,
                    text,
                });
            }
        };
        if let Some(stdout) = child.stdout.take() {
            readers.spawn(read_lines(stdout, pass_on(Stream::Stdout)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.spawn(read_lines(stderr, pass_on(Stream::Stderr)));
        }
        Self { readers, tail }
    }

    /// Waits for what is still in the pipes and returns the last lines.
    pub(super) async fn finish(&mut self) -> Vec<String> {
        let ended = async { while self.readers.join_next().await.is_some() {} };
        if timeout(FINISH_WAIT, ended).await.is_err() {
            self.readers.abort_all();
        }
        self.tail.lock().drain(..).collect()
    }
}

async fn read_lines(stream: impl AsyncRead + Unpin, mut pass_on: impl FnMut(String)) {
    let mut reader = BufReader::with_capacity(LINE_MAX, stream);
    let mut line = Vec::new();
    while let Ok(chunk) = reader.fill_buf().await {
        if chunk.is_empty() {
            break;
        }
        let (used, complete) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (chunk.len(), false),
        };
        line.extend_from_slice(&chunk[..used]);
        reader.consume(used);
        if complete || line.len() >= LINE_MAX {
            pass_on(to_text(&line));
            line.clear();
        }
    }
    if !line.is_empty() {
        pass_on(to_text(&line));
    }
}

fn to_text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(input: &[u8], expected: &[&str]) {
        let mut lines = Vec::new();
        read_lines(input, |line| lines.push(line)).await;
        assert_eq!(lines, expected);
    }

    #[tokio::test]
    async fn output_is_split_at_line_ends() {
        check(b"", &[]).await;
        check(b"one\ntwo\r\n\nthree", &["one", "two", "", "three"]).await;
        check(b"caf\xe9\n", &["caf\u{fffd}"]).await;
    }

    #[tokio::test]
    async fn a_line_without_end_cannot_grow_for_ever() {
        let endless = vec![b'x'; 3 * LINE_MAX];
        let mut lengths = Vec::new();
        read_lines(endless.as_slice(), |line| lengths.push(line.len())).await;
        assert_eq!(lengths, [LINE_MAX; 3]);
    }
}
