//! Who asks: tokens (RFC 7519) and API keys, verified.
//!
//! ```text
//!   check ─► credential ─► memory of this worker ─hit─► require ─► Known
//!                              │ miss
//!                              ▼
//!                           token, keys: verified ─► remembered ─► require ─► Known
//!                              │ key not known
//!                              ▼
//!                           Pending::settle ─► issuer fetches, once for all who wait ─► verified …
//! ```
//!
//! - `credential`, `token`, `claimant` (pure): what a request shows, what a token must be, who it is then.
//! - `keys`: what verifies a signature.
//! - `issuer`, `fetch`, `kept`: where keys come from.

mod claimant;
mod credential;
mod fetch;
mod issuer;
mod kept;
mod keys;
mod memory;
mod refused;
mod token;

use std::path::PathBuf;
use std::sync::Arc;

use http::header::HeaderMap;
use mare_fleet::Pool;
use mare_manifest::model::Manifest;
use mare_manifest::model::guard::{self, Algorithm, Credentials, Guards, Jwks, Require};
use prometheus_client::registry::Registry;
use sha2::{Digest as _, Sha256};

use crate::access::is_equal;
use crate::metrics::AuthMetrics;
use crate::problem::Refusal;
use crate::upstream::Idles;
pub(crate) use claimant::Claimant;
use credential::Credential;
use fetch::{Place, Source};
use issuer::{Fetcher, Issuer, Name, Wait, now_s};
pub use keys::KeyError;
use keys::{Key, Nameless, Signed, signed_by};
use memory::Memory;
use refused::Reason;
use token::{Claims, Expected};

/// Judges credentials. A cheap clone; all workers share it, what they remember is apart.
#[derive(Clone)]
pub(crate) struct Authority(Arc<Shared>);

struct Shared {
    /// Keys of the manifest.
    keys: Vec<Key>,
    /// Keys of elsewhere, and the algorithms they may be of.
    issuer: Option<Arc<Issuer>>,
    algorithms: Vec<Algorithm>,
    expected: Expected,
    api_keys: Vec<[u8; 32]>,
    seats: Vec<Seat>,
    metrics: AuthMetrics,
}

/// What belongs to one worker.
struct Seat {
    memory: Memory,
    /// In the order of [`Shared::api_keys`]: copies of its own, because whoever counts references writes.
    of_keys: Vec<Arc<Claimant>>,
}

/// What a request's credentials are worth.
pub(crate) enum Checked {
    /// The route asks for none.
    Anyone,
    Known(Arc<Claimant>),
    /// The key that signed the token must be fetched first.
    Unsure(Pending),
    Refused(Refusal),
}

/// A request that waits for keys.
pub(crate) struct Pending {
    authority: Authority,
    worker: usize,
    token: Box<[u8]>,
    auth: Credentials,
    require: Require,
    wait: Wait,
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

/// Why there can be no [`Authority`].
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("key {number} of [[auth.keys]]: {error}")]
    Key { number: usize, error: KeyError },
    #[error("`jwks` in [auth] is not an http or https URL")]
    Url,
    #[error("`jwks` in [auth] names no service and path")]
    Service,
}

/// Why a token is not taken, so far.
enum Doubt {
    Refused(Reason),
    KeyUnknown,
}

impl From<Reason> for Doubt {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl Authority {
    /// The future fetches keys, and ends only by being dropped. It runs on any runtime.
    pub(crate) fn new(
        config: &Config<'_>,
        registry: &mut Registry,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), AuthError> {
        let metrics = AuthMetrics::register(registry);
        let auth = config.manifest.auth.as_ref();
        let fetcher = match auth.and_then(|auth| auth.jwks.as_ref()) {
            Some(jwks) => {
                let (source, name) = source(jwks, config.pool)?;
                Some(Fetcher::new(source, name, config.file.clone(), metrics.clone()))
            }
            None => None,
        };
        let claimants = || {
            let all = config.manifest.api_keys.iter();
            all.map(|(name, key)| Arc::new(Claimant::of_key(name, key))).collect()
        };
        let shared = Shared {
            keys: keys_of(auth)?,
            issuer: fetcher.as_ref().map(Fetcher::issuer),
            algorithms: auth.map(|auth| auth.algorithms.clone()).unwrap_or_default(),
            expected: Expected {
                issuer: auth.and_then(|auth| auth.issuer.as_ref()).map(|text| text.reveal().to_owned()),
                audience: auth.map(|auth| auth.audience.clone()).unwrap_or_default(),
                leeway_s: auth.map(|auth| auth.leeway).unwrap_or_default().as_secs_f64(),
            },
            api_keys: config.manifest.api_keys.values().map(|key| key.hash).collect(),
            seats: (0..config.workers)
                .map(|_worker| Seat { memory: Memory::default(), of_keys: claimants() })
                .collect(),
            metrics,
        };
        let background = async {
            match fetcher {
                Some(fetcher) => fetcher.run().await,
                None => std::future::pending().await,
            }
        };
        Ok((Self(Arc::new(shared)), background))
    }

    /// Judges a request that `worker` serves. A token seen before costs neither memory nor a lock that another worker
    /// takes; one seen for the first time costs the check of its signature.
    pub(crate) fn check(&self, worker: usize, headers: &HeaderMap, guards: &Guards) -> Checked {
        if guards.auth == Credentials::None {
            return Checked::Anyone;
        }
        let known = match credential::read(headers, guards.auth) {
            Ok(Credential::Key(key)) => self.0.of_key(worker, key),
            Ok(Credential::Token(token)) => match self.0.of_token(worker, token) {
                Err(Doubt::KeyUnknown) => return self.ask(worker, token, guards),
                Err(Doubt::Refused(reason)) => Err(reason),
                Ok(claimant) => Ok(claimant),
            },
            Err(reason) => Err(reason),
        };
        let enough = known.and_then(|known| known.fulfils(&guards.require).map(|()| known));
        match enough {
            Ok(known) => Checked::Known(known),
            Err(reason) => Checked::Refused(self.0.refuse(reason, guards.auth, &guards.require)),
        }
    }

    fn ask(&self, worker: usize, token: &[u8], guards: &Guards) -> Checked {
        let issuer = self.0.issuer.as_ref();
        match issuer.ok_or(Reason::UnknownKey).and_then(Issuer::ask) {
            Ok(wait) => Checked::Unsure(Pending {
                authority: self.clone(),
                worker,
                token: token.into(),
                auth: guards.auth,
                require: guards.require.clone(),
                wait,
            }),
            Err(reason) => Checked::Refused(self.0.refuse(reason, guards.auth, &guards.require)),
        }
    }
}

impl Pending {
    /// Waits, for a bounded time, until keys were fetched, and judges again.
    pub(crate) async fn settle(self) -> Result<Arc<Claimant>, Refusal> {
        let Self { authority, worker, token, auth, require, wait } = self;
        let shared = &authority.0;
        let outcome = match wait.end().await {
            Ok(()) => match shared.of_token(worker, &token) {
                Ok(known) => known.fulfils(&require).map(|()| known),
                Err(Doubt::Refused(reason)) => Err(reason),
                Err(Doubt::KeyUnknown) => {
                    Err(shared.issuer.as_ref().map_or(Reason::UnknownKey, |issuer| issuer.unknown()))
                }
            },
            Err(reason) => Err(reason),
        };
        outcome.map_err(|reason| shared.refuse(reason, auth, &require))
    }
}

impl Shared {
    fn of_token(&self, worker: usize, token: &[u8]) -> Result<Arc<Claimant>, Doubt> {
        let generation = self.issuer.as_ref().map_or(0, |issuer| {
            issuer.note_use();
            issuer.generation()
        });
        let now_s = now_s();
        let memory = &self.seats[worker].memory;
        if let Some(known) = memory.recall(token, generation, now_s) {
            return Ok(known);
        }
        let (claimant, until_s) = self.verify(token, now_s)?;
        let claimant = Arc::new(claimant);
        memory.remember(token, Arc::clone(&claimant), until_s, generation);
        Ok(claimant)
    }

    fn verify(&self, token: &[u8], now_s: f64) -> Result<(Claimant, f64), Doubt> {
        let (header, token) = token::parse(token)?;
        let issuer = self.issuer.as_ref().filter(|_| self.algorithms.contains(&header.algorithm));
        let own = signed_by(&self.keys, Nameless::Nameless, &header, &token);
        let signed = match (own, issuer) {
            (Signed::Yes, _) | (_, None) => own,
            (_, Some(issuer)) => signed_by(&issuer.keys(), Nameless::All, &header, &token),
        };
        match (signed, own) {
            (Signed::Yes, _) => {
                // Only now is anything believed of what it says.
                let claims = Claims::read(&token)?;
                let until_s = self.expected.judge(&claims, now_s)?;
                Ok((Claimant::of_token(claims, token.claims)?, until_s))
            }
            (Signed::No, _) | (Signed::ByUnknown, Signed::No) => Err(Reason::Signature.into()),
            (Signed::ByUnknown, _) if issuer.is_some() => Err(Doubt::KeyUnknown),
            (Signed::ByUnknown, _) => {
                let is_ours = self.keys.iter().any(|key| key.is_of(header.algorithm));
                Err(if is_ours { Reason::UnknownKey } else { Reason::Algorithm }.into())
            }
        }
    }

    /// Looks at all keys, however early one fits, and at hashes only: how long it takes says nothing of a key.
    fn of_key(&self, worker: usize, key: &[u8]) -> Result<Arc<Claimant>, Reason> {
        let digest = Sha256::digest(key);
        let mut found = None;
        for (index, hash) in self.api_keys.iter().enumerate() {
            if is_equal(hash, &digest) {
                found = Some(index);
            }
        }
        found.map(|index| Arc::clone(&self.seats[worker].of_keys[index])).ok_or(Reason::ApiKey)
    }

    /// Says why, and nothing of the credential.
    fn refuse(&self, reason: Reason, auth: Credentials, require: &Require) -> Refusal {
        self.metrics.refused(reason.as_str());
        reason.refuse(auth, require)
    }
}

/// Whether the keys of a manifest are keys: what its reader, which knows no cryptography, leaves open.
pub fn check_keys(manifest: &Manifest) -> Result<(), AuthError> {
    keys_of(manifest.auth.as_ref()).map(|_keys| ())
}

fn keys_of(auth: Option<&guard::Auth>) -> Result<Vec<Key>, AuthError> {
    let all = auth.map(|auth| auth.keys.as_slice()).unwrap_or_default();
    let read =
        |(index, key)| Key::of_manifest(key).map_err(|error| AuthError::Key { number: index + 1, error });
    all.iter().enumerate().map(read).collect()
}

fn source(jwks: &Jwks, pool: &dyn Fn(&str) -> Option<Pool<Idles>>) -> Result<(Source, Name), AuthError> {
    match jwks {
        Jwks::Url(url) => {
            let place = Place::of(url.reveal()).ok_or(AuthError::Url)?;
            Ok((Source::Url(place), Name { whole: url.reveal().to_owned(), shown: url.to_string() }))
        }
        Jwks::Service { service, path } => {
            let pool = pool(service).ok_or(AuthError::Service)?;
            let path_and_query = path.parse().map_err(|_invalid| AuthError::Service)?;
            let name = format!("service {service} {path}");
            Ok((Source::Service { pool, path: path_and_query }, Name { whole: name.clone(), shown: name }))
        }
    }
}

#[cfg(test)]
mod signer;
#[cfg(test)]
mod tests;
