//! An answer on its way to a client, of which the cache keeps a copy.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt as _;
use mare_cache::Recorder;

use crate::aftermath::Aftermath;
use crate::body::{Body, BoxError};

/// Dropped before its end it is read to it, because others may wait for the copy.
pub(crate) struct Recorded {
    /// `None` together with `recorder`, once dropped.
    body: Option<Body>,
    /// Gone when all is recorded, or nothing will be.
    recorder: Option<Recorder>,
    aftermath: Aftermath,
}

impl Recorded {
    pub(crate) fn new(body: Body, recorder: Recorder, aftermath: Aftermath) -> Self {
        let mut own = Self { body: Some(body), recorder: Some(recorder), aftermath };
        own.finish_at_the_end();
        own
    }

    pub(crate) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(recorder), Some(data)) = (&mut self.recorder, frame.data_ref()) {
                    recorder.push(data);
                }
                self.finish_at_the_end();
            }
            Poll::Ready(Some(Err(_))) => self.recorder = None,
            Poll::Ready(None) => self.finish(),
            Poll::Pending => {}
        }
        polled
    }

    /// Who takes the last frame may not ask for another.
    fn finish_at_the_end(&mut self) {
        if self.is_end_stream() {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if let Some(recorder) = self.recorder.take() {
            recorder.finish();
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        // Given up, one of those who wait takes over.
        if let (Some(recorder), Some(body)) = (self.recorder.take(), self.body.take())
            && recorder.is_awaited()
        {
            let _ = self.aftermath.go_on(read(body, recorder));
        }
    }
}

/// Reads an answer for the copy alone. The upstream's time limit bounds it.
async fn read(mut body: Body, mut recorder: Recorder) {
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return };
        if let Some(data) = frame.data_ref() {
            recorder.push(data);
        }
    }
    recorder.finish();
}
