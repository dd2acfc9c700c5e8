//! Under which name an answer is kept.
//!
//! A key is a row of frames, each led by its length, so that no two different requests make the same bytes: scheme,
//! authority, path, query, user, forwarded host. The name of a variant (RFC 9111 4.1) has one more frame for each field
//! of `Vary`.
//! The method is always that of GET. The application is not in it: a cache is one application's, and what several share
//! puts the name in front.

mod query;

use http::{HeaderMap, HeaderName};
use mare_manifest::model::guard::Query;
use smallvec::SmallVec;

use crate::policy::Vary;
use crate::service::Asked;

/// Most keys fit here and are looked up without touching the heap.
const INLINE: usize = 256;

/// The name of what is stored.
pub(crate) type Key = Box<[u8]>;

/// A key under construction, or one that is only asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyBuffer(SmallVec<[u8; INLINE]>);

impl KeyBuffer {
    /// The key all variants have in common. `per_user`: the subject is part of it.
    pub(crate) fn of(asked: &Asked<'_>, query: &Query, per_user: bool) -> Self {
        let mut key = Self(SmallVec::new());
        key.frame(asked.scheme.as_str().as_bytes());
        let authority = without_default_port(asked.authority, asked.scheme);
        let start = key.begin_frame(authority.len());
        key.0.extend_from_slice(authority.as_bytes());
        key.0[start..].make_ascii_lowercase();
        let (path, text) = asked.target.split_once('?').unwrap_or((asked.target, ""));
        key.frame(path.as_bytes());
        let start = key.begin_frame(0);
        query::normalise(text, query, &mut key.0);
        key.end_frame(start);
        let subject = asked.subject.filter(|_subject| per_user);
        key.frame(subject.map_or(&[], |subject| &subject.0[..]));
        key.frame(asked.forwarded_host.unwrap_or_default().as_bytes());
        key
    }

    /// The name of the variant that a request with these headers selects.
    pub(crate) fn variant<'a>(
        &self,
        vary: impl IntoIterator<Item = &'a HeaderName>,
        headers: &HeaderMap,
    ) -> Self {
        let mut key = self.clone();
        Vary::key(vary.into_iter(), headers, &mut key.0);
        key
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn to_key(&self) -> Key {
        Key::from(&self.0[..])
    }

    fn frame(&mut self, part: &[u8]) {
        self.begin_frame(part.len());
        self.0.extend_from_slice(part);
    }

    /// Returns where the frame's content begins.
    fn begin_frame(&mut self, length: usize) -> usize {
        // What does not fit 32 bits is larger than any head the gateway takes.
        self.0.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        self.0.len()
    }

    fn end_frame(&mut self, start: usize) {
        let length = u32::try_from(self.0.len() - start).unwrap_or(u32::MAX);
        self.0[start - size_of::<u32>()..start].copy_from_slice(&length.to_le_bytes());
    }
}

/// The authority without a port that says nothing (RFC 9110 4.2.3).
pub(crate) fn without_default_port<'a>(authority: &'a str, scheme: &http::uri::Scheme) -> &'a str {
    let port = if *scheme == http::uri::Scheme::HTTPS { ":443" } else { ":80" };
    let authority = authority.strip_suffix(port).unwrap_or(authority);
    authority.strip_suffix(':').unwrap_or(authority)
}

#[cfg(test)]
mod tests;
