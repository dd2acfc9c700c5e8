//! `/api/cache`: what the cache holds and does, and purges by hand. What `mare cache` asks.
//!
//! ```text
//!   GET  /api/cache          see [`CacheDocument`]
//!   POST /api/cache/purge    {"tags": [...], "urls": [...]} or {"all": true}: see [`PurgedDocument`]
//! ```
//!
//! The answer to a purge comes when it is recorded: who asks afterwards gets nothing that it ended.

mod documents;

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use serde::Deserialize;
use tokio::time::timeout;

use crate::purge::Purge;
use crate::service::Cache;
pub use documents::{CacheDocument, MemoryDocument, PurgedDocument, PurgesDocument, RouteDocument};

/// The names of one purge take less.
const BODY_MAX: usize = 1024 * 1024;

/// Names in one purge. Each is a record that pushes an older one out.
const NAMES_MAX: usize = 1000;

/// Everything an operator asks is done, or given up, within this.
const PATIENCE: Duration = Duration::from_secs(30);

struct Refusal(StatusCode, String);

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    tags: Vec<String>,
    urls: Vec<String>,
    all: bool,
}

impl Cache {
    /// Answers whatever comes below `/api/cache`.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: http_body::Body<Data: Send> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let answer = timeout(PATIENCE, self.serve(request)).await.unwrap_or_else(|_elapsed| {
            Err(Refusal(StatusCode::GATEWAY_TIMEOUT, format!("this took longer than {PATIENCE:?}")))
        });
        let (status, kind, body) = match answer {
            Ok(body) => (StatusCode::OK, "application/json", body),
            Err(Refusal(status, detail)) => {
                let title = status.canonical_reason().unwrap_or_default();
                let problem =
                    serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail });
                (status, "application/problem+json", problem)
            }
        };
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }

    async fn serve<B>(&self, request: Request<B>) -> Result<serde_json::Value, Refusal>
    where
        B: http_body::Body<Data: Send> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        match (&parts.method, parts.uri.path().trim_end_matches('/')) {
            (&Method::GET | &Method::HEAD, "/api/cache") => Ok(json(&CacheDocument::of(self))),
            (&Method::POST, "/api/cache/purge") => {
                let purged = self.purge(read(body).await?.purge()?).await;
                Ok(json(&PurgedDocument { purge: purged.number }))
            }
            (_, "/api/cache" | "/api/cache/purge") => {
                let detail = "GET /api/cache looks, POST /api/cache/purge purges";
                Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, detail.to_owned()))
            }
            _ => {
                let detail = "there is /api/cache and /api/cache/purge";
                Err(Refusal(StatusCode::NOT_FOUND, detail.to_owned()))
            }
        }
    }
}

impl Wanted {
    fn purge(&self) -> Result<Purge, Refusal> {
        let bad = |detail: String| Refusal(StatusCode::BAD_REQUEST, detail);
        let count = self.tags.len() + self.urls.len();
        match (self.all, count) {
            (true, 0) => return Ok(Purge::All),
            (true, _) => return Err(bad("either all, or what the tags and urls name".to_owned())),
            (false, 0) => return Err(bad("name tags or urls, or say all".to_owned())),
            (false, 1..=NAMES_MAX) => {}
            (false, _) => return Err(bad(format!("at most {NAMES_MAX} names at once"))),
        }
        let mut tags = Purge::named(self.tags.iter().map(String::as_str));
        for url in &self.urls {
            let address = Purge::address(url);
            let detail = || bad(format!("`{url}` is neither http://HOST/PATH nor /PATH"));
            tags = tags.and(address.ok_or_else(detail)?);
        }
        Ok(tags)
    }
}

async fn read<B>(body: B) -> Result<Wanted, Refusal>
where
    B: http_body::Body<Data: Send> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let body = Limited::new(body, BODY_MAX).collect().await.map_err(|error| {
        let is_large = error.is::<LengthLimitError>();
        let status = if is_large { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
        Refusal(status, format!("the body: {error}"))
    })?;
    serde_json::from_slice(&body.to_bytes())
        .map_err(|error| Refusal(StatusCode::BAD_REQUEST, format!("the body: {error}")))
}

fn json(document: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(document).expect("documents are made of text and numbers")
}

#[cfg(test)]
mod tests;
