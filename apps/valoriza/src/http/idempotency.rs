//! `Idempotency-Key`: a POST repeated is answered as the first time and done once.
//!
//! The key is claimed and the answer kept in the transaction of the write, so that either all three are
//! there or none is. A request that failed kept nothing and may be repeated.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::{Answer, App, body};
use crate::actions::Error;
use crate::db::{self, Tx};
use crate::domain::form::Form;
use crate::domain::member::Caller;
use crate::store::idempotency::{self, Kept};

/// How long an answer is kept.
const KEPT_HOURS: i64 = 24;
const KEY_CHARS_MAX: usize = 255;

/// A POST: what it says, and the key under which it is done once.
pub(super) struct Post {
    pub form: Form,
    pub key: Key,
}

impl FromRequest<App> for Post {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let key = read_key(request.headers())?;
        let path = request.uri().path().to_owned();
        let (form, bytes) = body::read(request, app).await?;
        Ok(Self { form, key: Key { key, digest: digest(&["POST", &path], &bytes) } })
    }
}

/// A registration, whose body holds a password and so is not hashed whole.
pub(super) struct Registering {
    pub form: Form,
    pub key: Key,
}

impl FromRequest<App> for Registering {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let key = read_key(request.headers())?;
        let (form, _) = body::read(request, app).await?;
        let said = form.without("password");
        Ok(Self { form, key: Key { key, digest: digest(&["POST", "register"], said.as_bytes()) } })
    }
}

fn read_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > KEY_CHARS_MAX || !key.bytes().all(|b| b.is_ascii_graphic()) {
        let detail = "Idempotency-Key deve ter de 1 a 255 caracteres ASCII visíveis.";
        return Err(Problem::bad_header("bad_idempotency_key", detail));
    }
    Ok(Some(key.to_owned()))
}

/// Hashes parts so that where one ends and the next begins counts.
fn digest(parts: &[&str], body: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(body);
    hash.finalize().to_vec()
}

/// The key of a request, if it has one.
pub(super) struct Key {
    key: Option<String>,
    /// Of method, path and body.
    digest: Vec<u8>,
}

/// A key claimed by a transaction that is to write the answer under it.
pub(super) struct Claimed {
    /// Scope and key.
    name: Option<(String, String)>,
}

pub(super) enum Claim {
    /// Do it.
    New(Claimed),
    /// It was done.
    Done(Kept),
}

impl Key {
    /// Claims the key for a signed-in caller.
    pub(super) async fn claim(&self, tx: &mut Tx, by: &Caller) -> Result<Claim, Problem> {
        let tenant = by.tenant.to_string();
        self.claim_as(tx, by.user.to_string(), &tenant, by.now).await
    }

    /// Claims the key for someone who is nobody yet.
    pub(super) async fn claim_anonymously(&self, tx: &mut Tx, now: Timestamp) -> Result<Claim, Problem> {
        self.claim_as(tx, "anonymous".to_owned(), "", now).await
    }

    async fn claim_as(
        &self,
        tx: &mut Tx,
        scope: String,
        tenant: &str,
        now: Timestamp,
    ) -> Result<Claim, Problem> {
        let Some(key) = self.key.clone() else {
            return Ok(Claim::New(Claimed { name: None }));
        };
        let fingerprint = digest(&[tenant], &self.digest);
        idempotency::forget_expired(tx, &scope, &key, now).await?;
        let expires_at = now + KEPT_HOURS.hours();
        let claimed = idempotency::claim(tx, &scope, &key, &fingerprint, expires_at).await;
        match claimed {
            // Only another holder of this very key keeps us waiting here.
            Err(db::Error::Busy(_)) if matches!(tx, Tx::Postgres(_)) => return Err(Problem::in_progress()),
            Err(error) => return Err(error.into()),
            Ok(true) => return Ok(Claim::New(Claimed { name: Some((scope, key)) })),
            Ok(false) => {}
        }
        match idempotency::find(tx, &scope, &key).await? {
            Some(kept) if kept.fingerprint == fingerprint => Ok(Claim::Done(kept)),
            Some(_) => Err(Problem::key_reused()),
            // Kept a moment ago and cleaned up since: as if still going on, so the client asks again.
            None => Err(Problem::in_progress()),
        }
    }
}

impl Claimed {
    /// Keeps `body` under the key and commits; after this the write, its event and its answer are durable.
    pub(super) async fn commit(self, mut tx: Tx, status: StatusCode, body: &str) -> Result<(), Problem> {
        if let Some((scope, key)) = self.name {
            idempotency::keep(&mut tx, &scope, &key, status.as_u16().into(), body).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Commits and answers 201 with `thing`.
    pub(super) async fn created(self, tx: Tx, thing: &impl Serialize) -> Answer {
        self.answered(tx, StatusCode::CREATED, thing).await
    }

    /// Commits and answers `status` with `thing`.
    pub(super) async fn answered(self, tx: Tx, status: StatusCode, thing: &impl Serialize) -> Answer {
        let body = serde_json::to_string(thing).map_err(|error| Error::Internal(error.into()))?;
        self.commit(tx, status, &body).await?;
        Ok(json(status, body))
    }
}

/// Answers as the first time.
pub(super) fn replay(kept: Kept) -> Response {
    let status = u16::try_from(kept.status).ok().and_then(|it| StatusCode::from_u16(it).ok());
    let mut response = json(status.unwrap_or(StatusCode::CREATED), kept.body);
    mark_replayed(&mut response);
    response
}

pub(super) fn mark_replayed(response: &mut Response) {
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
