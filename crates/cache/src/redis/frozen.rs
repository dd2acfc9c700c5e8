//! What is stored in Redis: a version, what it is, and in case of an answer all of it, compressed (LZ4).
//!
//! Gateways of two versions may share a Redis: what one does not know is nothing to it.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderName;

use crate::frames::{Reader, Writer};
use crate::memory::Entry;
use crate::policy::Stored;
use crate::tags::{Number, Tag};

/// Raised whenever what is written changes.
const VERSION: u8 = 1;

const ANSWER: u8 = 0;
const SIGN: u8 = 1;

/// The largest answer shared, head and body, before compression. What takes longer on the wire than a service takes to
/// answer is no gain.
pub(crate) const ANSWER_MAX: usize = 1 << 20;

/// What stands under a key.
pub(crate) enum Frozen {
    Answer(Arc<Entry>),
    /// The answers differ by these fields of the request; each is under a key of its own.
    Varies(Vec<HeaderName>),
}

/// `None`: it is too large, or was never numbered.
pub(crate) fn answer(entry: &Entry) -> Option<Vec<u8>> {
    let number = entry.recorded?;
    if entry.body.len() > ANSWER_MAX {
        return None;
    }
    let mut writer = Writer::default();
    writer.number(number.epoch);
    writer.number(number.sequence);
    writer.flag(entry.is_shared);
    writer.flag(entry.is_tagged);
    writer.count(entry.tags().len());
    for tag in entry.tags() {
        writer.frame(tag.as_bytes());
    }
    entry.stored.write(&mut writer);
    writer.frame(&entry.body);
    let plain = writer.finish();
    if plain.len() > ANSWER_MAX {
        return None;
    }
    let mut bytes = vec![VERSION, ANSWER];
    bytes.extend(lz4_flex::block::compress_prepend_size(&plain));
    Some(bytes)
}

pub(crate) fn sign<'a>(fields: impl ExactSizeIterator<Item = &'a HeaderName>) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.byte(VERSION);
    writer.byte(SIGN);
    writer.count(fields.len());
    for field in fields {
        writer.frame(field.as_str().as_bytes());
    }
    writer.finish()
}

/// `None`: these bytes are of another version, or were spoilt. `local` is the number of the entry in this gateway.
pub(crate) fn thaw(bytes: &[u8], local: Number) -> Option<Frozen> {
    let mut reader = Reader::new(bytes);
    if reader.byte()? != VERSION {
        return None;
    }
    match reader.byte()? {
        ANSWER => thaw_answer(reader.rest(), local).map(|entry| Frozen::Answer(Arc::new(entry))),
        SIGN => {
            let fields = reader.list(|reader| HeaderName::from_bytes(reader.frame()?).ok())?;
            reader.end()?;
            Some(Frozen::Varies(fields))
        }
        _ => None,
    }
}

fn thaw_answer(bytes: &[u8], local: Number) -> Option<Entry> {
    let (length, packed) = lz4_flex::block::uncompressed_size(bytes).ok()?;
    // Said by whoever wrote it; room is made for it before anything is unpacked.
    if length > ANSWER_MAX {
        return None;
    }
    let plain = Bytes::from(lz4_flex::block::decompress(packed, length).ok()?);
    let mut reader = Reader::new(&plain);
    let recorded = Number { epoch: reader.number()?, sequence: reader.number()? };
    let (is_shared, is_tagged) = (reader.flag()?, reader.flag()?);
    let tags = reader.list(|reader| Tag::from_bytes(reader.frame()?))?;
    let stored = Stored::read_from(&mut reader)?;
    let body = plain.slice_ref(reader.frame()?);
    reader.end()?;
    let entry = Entry::new(stored, body, local, tags.into(), is_shared);
    Some(entry.recorded(Some(recorded), is_tagged))
}

#[cfg(test)]
mod tests;
