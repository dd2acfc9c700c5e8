//! A stored response: everything that is to be known of it, read once.

use http::{HeaderMap, StatusCode};
use mare_manifest::model::guard::Caching;

use super::{Refusal, Time, Vary, Wishes};

/// A request and the head of the answer it got.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub wishes: &'a Wishes,
    /// As the client sent it, its conditions included.
    pub request: &'a HeaderMap,
    pub status: StatusCode,
    pub response: &'a HeaderMap,
    /// When the request was sent upstream, and when its answer's head was there.
    pub sent: Time,
    pub received: Time,
}

/// A stored response without its body, which the caller keeps beside it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub(crate) status: StatusCode,
    /// As clients get them; with `Age` and `Cache-Status` in place, so that an answer overwrites and never grows.
    pub(crate) headers: HeaderMap,
    pub(crate) vary: Vary,
    pub(crate) tags: Box<[Box<str>]>,
}

impl Stored {
    /// Judges whether a response may be kept, and reads what it says. The body must arrive whole besides.
    pub fn read(_exchange: &Exchange<'_>, _route: &Caching) -> Result<Self, Refusal> {
        Err(Refusal::Silent)
    }

    pub fn vary(&self) -> &Vary {
        &self.vary
    }

    /// From `Cache-Tag`, each once.
    pub fn tags(&self) -> &[Box<str>] {
        &self.tags
    }

    /// Bytes in memory without the body, roughly.
    pub fn weight(&self) -> usize {
        self.headers.len()
    }
}
