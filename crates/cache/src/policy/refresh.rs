//! Revalidation: what is asked, and what a 304 changes (RFC 9111 4.3).

use http::HeaderMap;
use mare_manifest::model::guard::Caching;

use super::{Exchange, Refusal, Stored};

/// A stored response that a 304 confirmed.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// To answer this request with, with the old body.
    pub stored: Stored,
    /// Whether it may be kept for others: the 304 may say `no-store`.
    pub kept: Result<(), Refusal>,
}

/// The 304 is about another representation than the stored one: that one is dropped, and the origin is to be asked
/// again without conditions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mismatch;

impl Stored {
    /// Makes a request ask whether this is still current: the client's conditions out, the stored validators in.
    pub fn condition(&self, headers: &mut HeaderMap) {
        super::unconditional(headers);
    }

    /// Updates it by a 304 (3.2, 4.3.4). `exchange.response` is the 304's head.
    pub fn refresh(&self, _exchange: &Exchange<'_>, _route: &Caching) -> Result<Refreshed, Mismatch> {
        Err(Mismatch)
    }

    /// What the answer to a HEAD says about it (4.3.5): updated, or `Err` if it is no longer current.
    pub fn freshen(&self, _exchange: &Exchange<'_>, _route: &Caching) -> Result<Refreshed, Mismatch> {
        Err(Mismatch)
    }
}
