//! Access tokens: JWT signed with Ed25519, verified by anyone from the JWKS.

use std::sync::Arc;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::actions::{Error, Unauthenticated};
use crate::db::Db;
use crate::domain::member::Role;
use crate::store::signing_key::{self, SigningKey};

/// Short, because a role taken away is noticed only by the next token.
pub const ACCESS_SECONDS: i64 = 900;

const NAME: &str = "valoriza";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: Uuid,
    pub tenant: Uuid,
    pub role: Role,
    pub iat: i64,
    pub exp: i64,
    pub jti: Uuid,
}

/// The key all instances sign with, and what verifies its signatures.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    jwks: Value,
}

impl Keys {
    /// Reads the key from the database, where the first instance ever left it.
    pub async fn load(db: &Db, now: Timestamp) -> anyhow::Result<Self> {
        let seed = super::random()?;
        let kid = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(public(&seed)?)[..12]);
        let mut tx = db.write().await?;
        let candidate = SigningKey { kid, seed: seed.to_vec() };
        let key = signing_key::settle(&mut tx, &candidate, now).await?;
        tx.commit().await?;
        let seed = key.seed.as_slice().try_into().context("read the signing key: it has another length")?;
        let x = BASE64_URL_SAFE_NO_PAD.encode(public(&seed)?);
        let jwks = json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": x,
        }] });
        Ok(Self(Arc::new(Inner {
            encoding: EncodingKey::from_ed_der(&pkcs8(&seed)),
            decoding: DecodingKey::from_ed_components(&x)?,
            kid: key.kid,
            jwks,
        })))
    }

    pub fn jwks(&self) -> &Value {
        &self.0.jwks
    }

    pub fn sign(&self, user: Uuid, tenant: Uuid, role: Role, now: Timestamp) -> Result<String, Error> {
        let iat = now.as_second();
        let claims = Claims {
            iss: NAME.to_owned(),
            aud: NAME.to_owned(),
            sub: user,
            tenant,
            role,
            iat,
            exp: iat + ACCESS_SECONDS,
            jti: Uuid::now_v7(),
        };
        let header = Header { kid: Some(self.0.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &self.0.encoding)
            .map_err(|error| Error::Internal(error.into()))
    }

    /// Reads a token signed by us, for us, that has not expired.
    pub fn verify(&self, token: &str) -> Result<Claims, Error> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[NAME]);
        validation.set_audience(&[NAME]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0; // of fifteen minutes, what clocks of two machines differ by is nothing
        jsonwebtoken::decode::<Claims>(token, &self.0.decoding, &validation)
            .map(|token| token.claims)
            // Which check failed would only help someone who is guessing.
            .map_err(|_why: jsonwebtoken::errors::Error| Error::Unauthenticated(Unauthenticated::BadToken))
    }
}

/// RFC 8410, section 7: the DER of a private key around an Ed25519 seed.
fn pkcs8(seed: &[u8; 32]) -> Vec<u8> {
    const HEAD: [u8; 16] =
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    [HEAD.as_slice(), seed].concat()
}

fn public(seed: &[u8; 32]) -> anyhow::Result<Vec<u8>> {
    let jwk = Jwk::from_encoding_key(&EncodingKey::from_ed_der(&pkcs8(seed)), Algorithm::EdDSA)?;
    let value = serde_json::to_value(jwk)?;
    let x = value["x"].as_str().context("derive the public key: the JWK has no x")?;
    Ok(BASE64_URL_SAFE_NO_PAD.decode(x)?)
}
