//! Who asks: tokens (RFC 7519) and API keys, verified.
//!
//! ```text
//!   check ─► credential ─► memory of this worker ─hit─► require ─► Known
//!                              │ miss
//!                              ▼
//!                           verify with the known keys ──► remembered ─► require ─► Known
//!                              │ key not known
//!                              ▼
//!                           Pending::settle ─► the background future fetches the key set, once for all ─► verify
//! ```

mod claimant;

use std::path::PathBuf;
use std::sync::Arc;

use http::header::HeaderMap;
use mare_fleet::Pool;
use mare_manifest::model::Manifest;
use mare_manifest::model::guard::{Credentials, Guards};
use prometheus_client::registry::Registry;

use crate::problem::{Code, Refusal};
use crate::upstream::Idles;

pub(crate) use claimant::Claimant;

/// Judges credentials. A cheap clone; all workers share it, what they remember is apart.
#[derive(Clone)]
pub(crate) struct Authority {}

/// What a request's credentials are worth.
pub(crate) enum Checked {
    /// The route asks for none.
    Anyone,
    Known(Arc<Claimant>),
    /// The key that signed the token must be fetched first.
    Unsure(Pending),
    Refused(Refusal),
}

/// A request that waits for the keys.
pub(crate) struct Pending {}

impl Pending {
    /// Waits, for a bounded time, until the keys are fetched, and judges again.
    pub(crate) async fn settle(self) -> Result<Arc<Claimant>, Refusal> {
        Err(Refusal::new(Code::KeysUnavailable, "not yet"))
    }
}

/// What an [`Authority`] is made of.
pub(crate) struct Config<'a> {
    pub(crate) manifest: &'a Manifest,
    /// Where fetched keys are kept.
    pub(crate) file: PathBuf,
    /// The instances of each service; the one that issues the tokens may be among them.
    pub(crate) pool: &'a dyn Fn(&str) -> Option<Pool<Idles>>,
    pub(crate) workers: usize,
}

impl Authority {
    /// The future fetches keys, and ends when dropped only. It runs on any runtime.
    pub(crate) fn new(
        _config: &Config<'_>,
        _registry: &mut Registry,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        (Self {}, std::future::pending())
    }

    /// Judges a request of `worker`. Takes neither a lock that another worker holds nor memory, if the token was seen
    /// before; a token seen for the first time costs the check of its signature.
    pub(crate) fn check(&self, _worker: usize, _headers: &HeaderMap, guards: &Guards) -> Checked {
        match guards.auth {
            Credentials::None => Checked::Anyone,
            Credentials::Jwt | Credentials::ApiKey | Credentials::Any => {
                Checked::Refused(Refusal::new(Code::Unauthenticated, "send a token"))
            }
        }
    }
}
