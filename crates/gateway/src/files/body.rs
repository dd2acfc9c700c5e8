//! The body of a file's answer.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use super::asset::Stamp;

/// What one read takes from the disk and one slow client holds in memory: large enough that the hop to the
/// blocking pool (tens of microseconds) is small beside it.
pub(super) const CHUNK_LEN: u64 = 128 * 1024;

/// A small file in one piece, or a larger one read in chunks on the blocking pool as the client takes them.
///
/// If the file changes while it is read the body fails, so that the connection is cut: the client sees that it did
/// not get everything, and never a mixture.
#[derive(Debug)]
pub struct Body(Source);

#[derive(Debug)]
enum Source {
    /// Empty once it was taken.
    Memory(Bytes),
    Disk(Reading),
}

impl Body {
    pub(super) fn empty() -> Self {
        Self(Source::Memory(Bytes::new()))
    }

    pub(super) fn memory(content: Bytes) -> Self {
        Self(Source::Memory(content))
    }

    pub(super) fn disk(reading: Reading) -> Self {
        Self(Source::Disk(reading))
    }
}

/// A part of an open file that is still to be sent.
#[derive(Debug)]
pub(super) struct Reading {
    file: Arc<File>,
    stamp: Stamp,
    /// Not yet handed out; starts with `ready` or with what `pending` reads.
    left: u64,
    ready: Option<Bytes>,
    pending: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Reading {
    /// Blocks: reads the first chunk, so that most answers need the blocking pool once.
    pub(super) fn start(mut file: File, stamp: Stamp, part: Range<u64>) -> io::Result<Self> {
        let left = part.end - part.start;
        file.seek(SeekFrom::Start(part.start))?;
        let ready = read_chunk(&file, stamp, left)?;
        Ok(Self { file: Arc::new(file), stamp, left, ready: Some(ready), pending: None })
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if let Some(chunk) = self.ready.take() {
            self.left -= chunk.len() as u64;
            return Poll::Ready(Some(Ok(chunk)));
        }
        let pending = self.pending.get_or_insert_with(|| {
            let (file, stamp, left) = (Arc::clone(&self.file), self.stamp, self.left);
            spawn_blocking(move || read_chunk(&file, stamp, left))
        });
        let outcome = ready!(Pin::new(pending).poll(cx)).map_err(io::Error::other).and_then(|chunk| chunk);
        self.pending = None;
        match &outcome {
            Ok(chunk) => self.left -= chunk.len() as u64,
            Err(_) => self.left = 0,
        }
        Poll::Ready(Some(outcome))
    }
}

/// The next chunk, never shorter than asked for; an error if the file is no longer the one that was announced.
fn read_chunk(mut file: &File, stamp: Stamp, left: u64) -> io::Result<Bytes> {
    let length = left.min(CHUNK_LEN);
    let mut chunk = Vec::with_capacity(usize::try_from(length).map_err(io::Error::other)?);
    file.by_ref().take(length).read_to_end(&mut chunk)?;
    if (chunk.len() as u64) < length || Stamp::of(&file.metadata()?) != stamp {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file changed while it was sent"));
    }
    Ok(Bytes::from(chunk))
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut self.get_mut().0 {
            Source::Memory(content) if content.is_empty() => Poll::Ready(None),
            Source::Memory(content) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(content))))),
            Source::Disk(reading) => reading.poll_chunk(cx).map_ok(Frame::data),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}

impl Body {
    fn left(&self) -> u64 {
        match &self.0 {
            Source::Memory(content) => content.len() as u64,
            Source::Disk(reading) => reading.left,
        }
    }
}
