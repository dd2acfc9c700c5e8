//! A file as it is served: its variants, each with the header fields made once.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use super::coding::{Accepted, Coding};
use super::conditions::Validators;
use super::naming;

/// Two file states with the same stamp are taken for the same content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified_s: i64,
    modified_ns: i64,
    pub(super) len: u64,
    /// Tells a file from one that was renamed over it with its date kept.
    inode: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            modified_s: metadata.mtime(),
            modified_ns: metadata.mtime_nsec(),
            len: metadata.len(),
            inode: metadata.ino(),
        }
    }

    /// Whether the date is old enough that a further change must alter it; dates may be as coarse as `grain`.
    pub(super) fn is_settled(&self, now: SystemTime, grain: Duration) -> bool {
        let seconds = u64::try_from(self.modified_s).unwrap_or(0);
        let modified = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let age = modified.and_then(|modified| now.duration_since(modified).ok());
        age.is_none_or(|age| age > grain)
    }

    /// Strong, and equal on every machine that has a copy of the file with its date.
    fn etag(&self, coding: Coding) -> String {
        let suffix = coding.suffix().replace('.', "-");
        format!("\"{:x}.{:x}-{:x}{suffix}\"", self.modified_s, self.modified_ns, self.len)
    }

    /// In whole seconds. None where HTTP has no such date, or must not say it: a date in the future
    /// (RFC 9110 section 8.8.2.1).
    fn last_modified(&self, now: SystemTime) -> Option<SystemTime> {
        let seconds = u64::try_from(self.modified_s).ok()?;
        let modified = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        (modified <= now).then_some(modified)
    }
}

/// Where a variant's bytes are.
#[derive(Debug)]
pub(super) enum Content {
    Memory(Bytes),
    /// Too large to keep: read again for each request.
    Disk,
}

/// One stored form of a file.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) coding: Coding,
    /// Its own name below the root, with the coding's suffix.
    pub(super) relative: String,
    pub(super) stamp: Stamp,
    pub(super) content: Content,
    /// The header of a 200.
    pub(super) headers: HeaderMap,
    etag: String,
    modified: Option<SystemTime>,
}

impl Variant {
    pub(super) fn validators(&self) -> Validators<'_> {
        Validators { etag: &self.etag, modified: self.modified }
    }
}

/// What the disk had for one coding.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) coding: Coding,
    pub(super) stamp: Stamp,
    pub(super) content: Content,
}

/// A file with its precompressed siblings.
#[derive(Debug)]
pub(super) struct Asset {
    /// In the order of [`Coding::ALL`], so identity is last. Never empty.
    variants: Vec<Variant>,
}

impl Asset {
    /// `stored` is in the order of [`Coding::ALL`] and ends with identity.
    pub(super) fn new(relative: &str, stored: Vec<Stored>, now: SystemTime) -> io::Result<Self> {
        let mut shared = HeaderMap::with_capacity(9);
        shared.insert(CONTENT_TYPE, value(naming::content_type(relative))?);
        shared.insert(CACHE_CONTROL, HeaderValue::from_static(naming::cache_control(relative)));
        shared.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        shared.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if stored.len() > 1 {
            shared.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        let variants = stored.into_iter().map(|stored| variant(relative, stored, shared.clone(), now));
        Ok(Self { variants: variants.collect::<io::Result<_>>()? })
    }

    /// The variant the client wants most; where it accepts none, the file as it is (RFC 9110 section 12.5.3
    /// allows that in place of a 406, which helps nobody).
    pub(super) fn select(&self, headers: &HeaderMap) -> &Variant {
        let as_it_is = self.variants.last().expect("an asset has the identity variant");
        if self.variants.len() == 1 {
            return as_it_is;
        }
        let accepted = Accepted::from_headers(headers);
        let weighed = self.variants.iter().rev().filter_map(|variant| {
            let weight = accepted.weight(variant.coding)?;
            Some((weight, variant))
        });
        // Of equals max_by_key takes the last, and the best coding is last after rev.
        weighed.max_by_key(|(weight, _)| *weight).map_or(as_it_is, |(_, variant)| variant)
    }

    pub(super) fn variants(&self) -> &[Variant] {
        &self.variants
    }

    pub(super) fn is_settled(&self, now: SystemTime, grain: Duration) -> bool {
        self.variants.iter().all(|variant| variant.stamp.is_settled(now, grain))
    }
}

fn variant(relative: &str, stored: Stored, mut headers: HeaderMap, now: SystemTime) -> io::Result<Variant> {
    let Stored { coding, stamp, content } = stored;
    let etag = stamp.etag(coding);
    let modified = stamp.last_modified(now);
    headers.insert(ETAG, value(etag.clone())?);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(stamp.len));
    if let Some(modified) = modified {
        headers.insert(LAST_MODIFIED, value(httpdate::fmt_http_date(modified))?);
    }
    if coding != Coding::Identity {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    }
    let relative = format!("{relative}{}", coding.suffix());
    Ok(Variant { coding, relative, stamp, content, headers, etag, modified })
}

fn value(text: String) -> io::Result<HeaderValue> {
    HeaderValue::try_from(text).map_err(io::Error::other)
}
