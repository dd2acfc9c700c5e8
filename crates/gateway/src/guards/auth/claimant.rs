//! Who a request is from, as far as it was proved.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// A verified token or API key.
#[derive(Debug)]
pub(crate) struct Claimant {
    /// SHA-256 of issuer and all verified claims but iat, exp, nbf and jti: who shares cached answers.
    subject: [u8; 32],
    /// SHA-256 of issuer and `sub`: who shares a rate limit.
    user: [u8; 32],
    /// The name of the API key, if it was one.
    api_key: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Claimant {
    pub(crate) fn subject(&self) -> &[u8; 32] {
        &self.subject
    }

    pub(crate) fn user(&self) -> &[u8; 32] {
        &self.user
    }

    pub(crate) fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }

    /// Tells the service. What a client sent under these names must be gone.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
    }
}
