//! What is said to a cache in front of us, and why it may believe it.
//!
//! An answer that shows rows of a tenant carries the tenant's tag. Whatever changed rows of a tenant ends, before
//! anybody is told, all that carries it: an answer does by `Cache-Purge`, code that answers nobody by a [`Purger`].
//! So who knows of a write reads it. Without a platform these headers mean nothing to anybody.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use serde_json::json;
use uuid::Uuid;

const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");
const CACHE_PURGE: HeaderName = HeaderName::from_static("cache-purge");

/// For the platform (RFC 9213): kept for the user it was made for. Purges are exact; the time bounds what one that
/// got lost costs, and what a month that ends changes in an answer about "this month".
const BY_PLATFORM: HeaderValue = HeaderValue::from_static("private, max-age=60");

/// For browsers: asked about at every use. They do not hear of purges.
const BY_BROWSERS: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Tenants that one answer names: 22 KiB of the 64 KiB which the platform takes as a head.
const TENANTS_MAX: usize = 500;

/// A name with a space in it is none, and a purge that cannot be read is one of everything.
const EVERYTHING: HeaderValue = HeaderValue::from_static("all tenants");

/// Names in one call.
const NAMES_MAX: usize = 1_000;

/// For one try. The platform is beside us, and somebody may be waiting.
const TIMEOUT: Duration = Duration::from_secs(2);
const TRIES: usize = 2;

fn tag(tenant: Uuid) -> String {
    format!("tenant-{tenant}")
}

/// Lets an answer that shows rows of `tenant` be kept, unless it says itself what is to become of it.
pub fn keep(headers: &mut HeaderMap, tenant: Uuid) {
    if headers.contains_key(header::CACHE_CONTROL) {
        return;
    }
    headers.insert(header::CACHE_CONTROL, BY_BROWSERS);
    headers.insert(header::CDN_CACHE_CONTROL, BY_PLATFORM);
    headers.insert(CACHE_TAG, HeaderValue::from_str(&tag(tenant)).expect("letters, digits and hyphens"));
}

/// Ends what is kept of `tenants`, whose rows may have changed.
pub fn purge(headers: &mut HeaderMap, tenants: &BTreeSet<Uuid>) {
    if tenants.is_empty() {
        return;
    }
    let names = || {
        let names: Vec<String> = tenants.iter().copied().map(tag).collect();
        HeaderValue::from_str(&names.join(", ")).expect("letters, digits, hyphens, commas and spaces")
    };
    headers.insert(CACHE_PURGE, if tenants.len() > TENANTS_MAX { EVERYTHING } else { names() });
}

/// Forbids everybody to keep an answer.
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Tells the platform, if there is one, what code changed that answers nobody.
#[derive(Clone, Default)]
pub struct Purger(Option<Platform>);

#[derive(Clone)]
struct Platform {
    url: String,
    token: String,
    client: reqwest::Client,
}

impl Purger {
    /// `admin` is where the platform's own API is.
    pub fn new(admin: &str, token: &str) -> anyhow::Result<Self> {
        // Somebody else may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build();
        let client = client.context("prepare calls to the platform")?;
        let url = format!("{}/api/cache/purge", admin.trim_end_matches('/'));
        Ok(Self(Some(Platform { url, token: token.to_owned(), client })))
    }

    /// Ends what is kept of `tenants`. If the platform cannot be told, what it keeps is old for at most a minute.
    pub async fn purge(&self, tenants: &BTreeSet<Uuid>) {
        let Self(Some(platform)) = self else { return };
        let tags: Vec<String> = tenants.iter().copied().map(tag).collect();
        for tags in tags.chunks(NAMES_MAX) {
            platform.purge(tags).await;
        }
    }
}

impl Platform {
    async fn purge(&self, tags: &[String]) {
        for attempt in 1..=TRIES {
            let call = self.client.post(&self.url).bearer_auth(&self.token).json(&json!({ "tags": tags }));
            match call.send().await.and_then(reqwest::Response::error_for_status) {
                Ok(_done) => return,
                Err(error) => {
                    let error = format!("{:#}", anyhow::Error::new(error));
                    tracing::warn!(error, attempt, tags = tags.len(), "the platform's cache was not purged");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purge_names_its_tenants_or_everybody() {
        let check = |count: u128, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            purge(&mut headers, &(0..count).map(Uuid::from_u128).collect());
            assert_eq!(headers.get(CACHE_PURGE).map(|it| it.to_str().unwrap_or_default()), expected);
        };
        check(0, None);
        let two = "tenant-00000000-0000-0000-0000-000000000000, tenant-00000000-0000-0000-0000-000000000001";
        check(2, Some(two));
        check(501, Some("all tenants"));
    }

    #[test]
    fn an_answer_that_says_how_it_is_kept_is_left_alone() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let before = headers.clone();
        keep(&mut headers, Uuid::nil());
        assert_eq!(headers, before);
    }
}
