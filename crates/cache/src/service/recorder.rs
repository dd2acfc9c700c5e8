//! Keeps a copy of a body on its way to the client.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::fill::{Fill, content_length};
use crate::flights::Lead;
use crate::memory::Room;
use crate::policy::{Refusal, Stored};

/// A fill whose answer is on its way. Dropped unfinished, it stores nothing, and one who waits asks instead.
pub struct Recorder {
    /// `None`: the body is too large, or there is no room for it.
    recording: Option<Box<Recording>>,
}

struct Recording {
    fill: Fill,
    stored: Stored,
    body: BytesMut,
    body_max: u64,
    room: Room,
}

impl Recorder {
    pub(super) fn new(fill: Fill, stored: Stored, headers: &HeaderMap) -> Self {
        let body_max = fill.body_max();
        let expected = content_length(headers).filter(|&length| length <= body_max).unwrap_or(0);
        if let Some(lead) = &fill.lead {
            lead.answers();
        }
        let room = Room::new(&fill.question.route.shared.memory);
        let body = BytesMut::with_capacity(usize::try_from(expected).unwrap_or(0));
        Self { recording: Some(Box::new(Recording { fill, stored, body, body_max, room })) }
    }

    /// A part of the body, as the client gets it.
    pub fn push(&mut self, data: &Bytes) {
        let Some(recording) = &mut self.recording else { return };
        let length = data.len() as u64;
        if recording.body.len() as u64 + length <= recording.body_max && recording.room.take(length) {
            recording.body.extend_from_slice(data);
        } else if let Some(recording) = self.recording.take() {
            recording.fill.refused(Refusal::Size);
        }
    }

    /// Whether others wait for it.
    pub fn is_awaited(&self) -> bool {
        let lead = self.recording.as_ref().and_then(|recording| recording.fill.lead.as_ref());
        lead.is_some_and(Lead::is_waited_for)
    }

    /// The body has come to its proper end.
    pub fn finish(self) {
        let Some(recording) = self.recording else { return };
        let Recording { fill, stored, body, .. } = *recording;
        let entry = fill.entry(stored, body.freeze());
        fill.keep(entry);
    }
}
