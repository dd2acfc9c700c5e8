//! Who a task is from: identity tokens a worker can verify, and where it finds the key.
//!
//! RS256, because that is what Google's own tokens are signed with, and the only algorithm every verifying library
//! takes without being told. The key is made when it is first needed, which takes a second, and kept in the data
//! directory; each process that shares a store has its own, under its own issuer.

mod key;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Header, encode};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::model::Token;
use key::Key;
pub use key::KeyError;

/// How long a token is valid, as Google's.
const LIFETIME: Duration = Duration::from_hours(1);

/// One is made anew at this age: the other is still valid when the longest attempt (30 min) ends.
const RENEW_AT: Duration = Duration::from_mins(29);

/// Tokens kept, each for another account and audience. Signing one takes a millisecond or two.
const TOKENS_MAX: usize = 1000;

/// Where `OpenID` Connect Discovery 1.0 wants its document.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";
pub const JWKS: &str = "/.well-known/jwks.json";

/// Signs for one issuer.
#[derive(Debug)]
pub struct Identity {
    issuer: String,
    file: PathBuf,
    key: OnceCell<Key>,
    tokens: Mutex<HashMap<(String, String), Made>>,
}

#[derive(Debug)]
struct Made {
    authorization: HeaderValue,
    renew_at: Timestamp,
}

/// As in Google's tokens.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    azp: &'a str,
    email: &'a str,
    email_verified: bool,
    iat: i64,
    exp: i64,
}

impl Identity {
    /// `issuer` is the URL [`Identity::respond`] is mounted at, without a final slash; `file` holds the key, or will.
    pub fn new(issuer: String, file: PathBuf) -> Self {
        Self { issuer, file, key: OnceCell::new(), tokens: Mutex::default() }
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The `Authorization` of a request to `url`, if its task is to have one.
    pub(crate) async fn authorization(
        &self,
        token: Option<&Token>,
        url: &str,
    ) -> Result<Option<HeaderValue>, KeyError> {
        match token {
            // We have no access token of Google's to give.
            None | Some(Token::OAuth { .. }) => Ok(None),
            Some(Token::Oidc { email, audience }) => {
                self.bearer(email, audience.as_deref().unwrap_or(url), Timestamp::now()).await.map(Some)
            }
        }
    }

    async fn bearer(&self, email: &str, audience: &str, now: Timestamp) -> Result<HeaderValue, KeyError> {
        let of = (email.to_owned(), audience.to_owned());
        if let Some(made) = self.tokens.lock().get(&of).filter(|made| now < made.renew_at) {
            return Ok(made.authorization.clone());
        }
        let key = self.key().await?;
        let expires = now.as_second() + LIFETIME.as_secs().cast_signed();
        let claims = Claims {
            iss: &self.issuer,
            aud: audience,
            sub: email,
            azp: email,
            email,
            email_verified: true,
            iat: now.as_second(),
            exp: expires,
        };
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::RS256) };
        let token = encode(&header, &claims, &key.signing)?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}")).expect("base64 and points");
        authorization.set_sensitive(true);
        let renew_at = now.checked_add(RENEW_AT).unwrap_or(now);
        let mut tokens = self.tokens.lock();
        if tokens.len() >= TOKENS_MAX {
            tokens.retain(|_, made| now < made.renew_at);
        }
        if tokens.len() < TOKENS_MAX {
            tokens.insert(of, Made { authorization: authorization.clone(), renew_at });
        }
        Ok(authorization)
    }

    async fn key(&self) -> Result<&Key, KeyError> {
        self.key
            .get_or_try_init(|| async {
                let file = self.file.clone();
                tokio::task::spawn_blocking(move || Key::read_or_make(&file))
                    .await
                    .map_err(|_panic| KeyError::Lost)?
            })
            .await
    }

    /// Answers GET of [`DISCOVERY`] and [`JWKS`]. Both are public by nature.
    pub async fn respond(&self, path: &str) -> Response<Bytes> {
        match path {
            DISCOVERY => document(&json!({
                "issuer": self.issuer,
                "jwks_uri": format!("{}{JWKS}", self.issuer),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "claims_supported": ["iss", "aud", "sub", "azp", "email", "email_verified", "iat", "exp"],
            })),
            JWKS => match self.key().await {
                Ok(key) => document(&json!({ "keys": [key.public] })),
                Err(error) => {
                    tracing::error!(%error, "the key of identity tokens cannot be used");
                    status(StatusCode::INTERNAL_SERVER_ERROR)
                }
            },
            _ => status(StatusCode::NOT_FOUND),
        }
    }
}

fn document(json: &serde_json::Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json.to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
    use serde_json::Value;

    use super::*;

    const ISSUER: &str = "http://127.0.0.1:8081";

    /// As a worker would: discovery, key by id, signature, issuer, audience.
    async fn verify(identity: &Identity, authorization: &HeaderValue, audience: &str) -> Value {
        let discovery: Value =
            serde_json::from_slice(identity.respond(DISCOVERY).await.body()).expect("JSON");
        assert_eq!(
            (&discovery["issuer"], &discovery["jwks_uri"]),
            (&ISSUER.into(), &format!("{ISSUER}{JWKS}").into())
        );
        let keys: JwkSet = serde_json::from_slice(identity.respond(JWKS).await.body()).expect("JSON");
        let token = authorization.to_str().expect("ASCII").strip_prefix("Bearer ").expect("a bearer's");
        let id = decode_header(token).expect("a header").kid.expect("an id");
        let key = DecodingKey::from_jwk(keys.find(&id).expect("this key")).expect("RSA");
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[audience]);
        decode::<Value>(token, &key, &validation).expect("valid").claims
    }

    #[tokio::test]
    async fn a_token_is_verified_by_what_is_published_also_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("key.pem");
        let start = || Identity::new(ISSUER.to_owned(), file.clone());
        let (identity, url) = (start(), "http://worker.mare.internal/a");
        let token = Token::Oidc { email: "a@example.com".to_owned(), audience: None };
        let bearer = identity.authorization(Some(&token), url).await.expect("signs").expect("a token");
        let claims = verify(&identity, &bearer, url).await;
        assert_eq!((&claims["sub"], &claims["email"]), (&"a@example.com".into(), &"a@example.com".into()));
        assert_eq!(claims["exp"].as_i64().expect("a time") - claims["iat"].as_i64().expect("a time"), 3600);
        verify(&start(), &bearer, url).await;
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&file).expect("it is there").permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);

        // The rest here, because a key takes its time.
        let named = Token::Oidc { email: "a@example.com".to_owned(), audience: Some("mine".to_owned()) };
        let other = identity.authorization(Some(&named), url).await.expect("signs").expect("a token");
        verify(&identity, &other, "mine").await;
        let again = identity.authorization(Some(&token), url).await.expect("signs").expect("a token");
        assert_eq!(again, bearer, "kept");
        let later = Timestamp::now() + RENEW_AT;
        assert_ne!(identity.bearer("a@example.com", url, later).await.expect("signs"), bearer, "made anew");
        let oauth = Token::OAuth { email: "a@example.com".to_owned(), scope: None };
        assert_eq!(identity.authorization(Some(&oauth), url).await.expect("nothing to sign"), None);
    }

    #[tokio::test]
    async fn a_key_that_cannot_be_read_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("key.pem");
        std::fs::write(&file, "half a k").expect("writes");
        let identity = Identity::new(ISSUER.to_owned(), file.clone());
        assert_eq!(identity.respond(JWKS).await.status(), 500);
        assert_eq!(std::fs::read(&file).expect("still there"), b"half a k");
    }
}
