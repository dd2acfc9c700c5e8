//! Who a request is from, as far as it was proved: what caches and limits know them by, and what the service is told.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use mare_manifest::model::guard::{ApiKey, Require};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::refused::Reason;
use super::token::Claims;

const X_MARE_SUBJECT: HeaderName = HeaderName::from_static("x-mare-subject");
const X_MARE_ISSUER: HeaderName = HeaderName::from_static("x-mare-issuer");
const X_MARE_SCOPE: HeaderName = HeaderName::from_static("x-mare-scope");
const X_MARE_ROLES: HeaderName = HeaderName::from_static("x-mare-roles");
const X_MARE_CLAIMS: HeaderName = HeaderName::from_static("x-mare-claims");
const X_MARE_API_KEY: HeaderName = HeaderName::from_static("x-mare-api-key");

/// What `OpenID` Connect Core 1.0 section 2 allows a subject; an issuer is a URL.
const NAME_MAX: usize = 255;

/// Of each of the other headers: together with the token itself they stay below the 16 KiB of head that common
/// servers take (Node.js).
const HEADER_MAX: usize = 4 * 1024;

/// Claims that differ from one token of the same user to the next.
const OF_ONE_TOKEN: [&str; 4] = ["iat", "exp", "nbf", "jti"];

/// From here on a double skips whole numbers, so two of them could read the same.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A verified token or API key.
#[derive(Debug)]
pub(crate) struct Claimant {
    subject: [u8; 32],
    user: [u8; 32],
    api_key: Option<String>,
    scopes: Vec<String>,
    roles: Vec<String>,
    claims: Claims,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Claimant {
    /// Of a token that was verified. `encoded` is the token's own claims, in base64url.
    pub(super) fn of_token(claims: Claims, encoded: &str) -> Result<Self, Reason> {
        let mut digest = Sha256::new_with_prefix(b"mare token\0");
        for (name, value) in claims.0.iter().filter(|(name, _)| !OF_ONE_TOKEN.contains(&name.as_str())) {
            feed_text(&mut digest, name);
            feed(&mut digest, value)?;
        }
        let subject = digest.finalize().into();
        let user = match name(&claims, "sub")? {
            Some(name) => {
                let mut digest = Sha256::new_with_prefix(b"mare user\0");
                feed_text(&mut digest, claims.text("iss").unwrap_or_default());
                feed_text(&mut digest, name);
                digest.finalize().into()
            }
            None => subject,
        };
        let (scopes, roles) = (scopes(&claims), roles(&claims));
        let mut headers = Headers::default();
        headers.add(X_MARE_SUBJECT, name(&claims, "sub")?);
        headers.add(X_MARE_ISSUER, name(&claims, "iss")?);
        headers.add_grants(&scopes, &roles);
        headers.add(X_MARE_CLAIMS, Some(encoded));
        Ok(Self { subject, user, api_key: None, scopes, roles, claims, headers: headers.0 })
    }

    pub(super) fn of_key(name: &str, key: &ApiKey) -> Self {
        let mut digest = Sha256::new_with_prefix(b"mare key\0");
        feed_text(&mut digest, name);
        let subject = digest.finalize().into();
        let mut headers = Headers::default();
        headers.add(X_MARE_API_KEY, Some(name));
        headers.add_grants(&key.scopes, &key.roles);
        Self {
            subject,
            user: subject,
            api_key: Some(name.to_owned()),
            scopes: key.scopes.clone(),
            roles: key.roles.clone(),
            claims: Claims::default(),
            headers: headers.0,
        }
    }

    /// SHA-256 of all that was proved but `iat`, `exp`, `nbf` and `jti`: who may share cached answers.
    #[cfg_attr(not(test), expect(dead_code, reason = "the cache will ask"))]
    pub(crate) fn subject(&self) -> &[u8; 32] {
        &self.subject
    }

    /// SHA-256 of issuer and `sub`, or of the API key's name: who shares a rate limit.
    pub(crate) fn user(&self) -> &[u8; 32] {
        &self.user
    }

    /// The name of the API key, if it was one.
    pub(crate) fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }

    /// Tells the service. What a client sent under these names must be gone, see `headers::strip_reserved`.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// Whether this is enough for a route.
    pub(super) fn fulfils(&self, require: &Require) -> Result<(), Reason> {
        if !require.scopes.iter().all(|scope| self.scopes.contains(scope)) {
            return Err(Reason::Scope);
        }
        if !require.roles.is_empty() && !require.roles.iter().any(|role| self.roles.contains(role)) {
            return Err(Reason::Role);
        }
        let says = |(name, text): (&String, &String)| self.claims.text(name) == Some(text);
        if require.claims.iter().all(says) { Ok(()) } else { Err(Reason::Claim) }
    }

    /// Bytes it takes in memory, roughly.
    pub(super) fn weight(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(_, value)| value.len()).sum();
        // Claims as parsed take a few times their text.
        size_of::<Self>() + 4 * headers
    }
}

/// The claims that name somebody: text that fits into a header, or the token says nothing we can pass on.
fn name<'a>(claims: &'a Claims, claim: &str) -> Result<Option<&'a str>, Reason> {
    match claims.0.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= NAME_MAX && is_visible(text) => Ok(Some(text)),
        Some(_) => Err(Reason::Claims),
    }
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// `scope` (RFC 8693 4.2), or `scp` as others call it; words in one text or a list.
fn scopes(claims: &Claims) -> Vec<String> {
    match claims.0.get("scope").or_else(|| claims.0.get("scp")) {
        Some(Value::String(words)) => words.split_ascii_whitespace().map(str::to_owned).collect(),
        other => texts(other),
    }
}

/// `roles` or `role`: a list, or one.
fn roles(claims: &Claims) -> Vec<String> {
    texts(claims.0.get("roles").or_else(|| claims.0.get("role")))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Feeds a value so that no two different ones feed the same bytes, whatever order its names came in.
fn feed(digest: &mut Sha256, value: &Value) -> Result<(), Reason> {
    match value {
        Value::Null => digest.update(b"n"),
        Value::Bool(true) => digest.update(b"t"),
        Value::Bool(false) => digest.update(b"f"),
        Value::Number(number) => {
            if number.is_f64() && number.as_f64().is_none_or(|number| number.abs() >= EXACT_MAX) {
                return Err(Reason::Claims);
            }
            digest.update(b"d");
            feed_text(digest, &number.to_string());
        }
        Value::String(text) => {
            digest.update(b"s");
            feed_text(digest, text);
        }
        Value::Array(values) => {
            digest.update(b"a");
            digest.update((values.len() as u64).to_be_bytes());
            values.iter().try_for_each(|value| feed(digest, value))?;
        }
        Value::Object(map) => {
            digest.update(b"o");
            digest.update((map.len() as u64).to_be_bytes());
            let mut names: Vec<_> = map.iter().collect();
            names.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in names {
                feed_text(digest, name);
                feed(digest, value)?;
            }
        }
    }
    Ok(())
}

fn feed_text(digest: &mut Sha256, text: &str) {
    digest.update((text.len() as u64).to_be_bytes());
    digest.update(text);
}

/// The headers of a service. What does not fit is left out, which takes rights away and gives none.
#[derive(Default)]
struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    fn add(&mut self, name: HeaderName, text: Option<&str>) {
        let fits = |text: &&str| !text.is_empty() && text.len() <= HEADER_MAX;
        if let Some(value) = text.filter(fits).and_then(|text| HeaderValue::from_str(text).ok()) {
            self.0.push((name, value));
        }
    }

    /// Scopes are words, roles may have spaces; what could be read as two is left out.
    fn add_grants(&mut self, scopes: &[String], roles: &[String]) {
        let list = |all: &[String], separator: char| {
            let whole: Vec<&str> = all
                .iter()
                .map(String::as_str)
                .filter(|one| is_visible(one) && !one.contains([separator, ',']))
                .collect();
            whole.join(&separator.to_string())
        };
        self.add(X_MARE_SCOPE, Some(&list(scopes, ' ')));
        self.add(X_MARE_ROLES, Some(&list(roles, ',')));
    }
}

#[cfg(test)]
mod tests;
