//! Keys that verify: from a JSON Web Key Set (RFC 7517) or from the manifest.
//!
//! Each is bound to one algorithm when it is read, by its type, so that no token can have it used for another (RFC
//! 8725 3.1): a public RSA key is never the secret of an HMAC.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::{rust_crypto, verify};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{self as jwt, DecodingKey};
use mare_manifest::model::guard::{self, Algorithm};
use rsa::pkcs8::{Document, ObjectIdentifier, SubjectPublicKeyInfoRef};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPublicKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::token::{Header, Unverified};

/// Keys taken of a set; issuers publish two or three.
pub(super) const KEYS_MAX: usize = 100;

/// Keys tried for one token. More than one fits if it names none, or if a set has the same name twice.
const TRIED_MAX: usize = 4;

/// RFC 7518 3.2: as long as the hash. 3.3: 2048 bits.
const SECRET_MIN: usize = 32;
const RSA_BITS_MIN: usize = 2048;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Why a key of `[[auth.keys]]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("it is not a public key in PEM (`-----BEGIN PUBLIC KEY-----`)")]
    Pem(#[source] rsa::pkcs8::spki::Error),
    #[error("it is a key of another type than its algorithm takes")]
    Type,
    #[error("a secret of HS256 must have at least {SECRET_MIN} bytes")]
    Short,
    #[error("an RSA key must have {RSA_BITS_MIN} to {} bits", RsaPublicKey::MAX_SIZE)]
    Size,
    #[error("it is not a valid key")]
    Invalid,
}

#[derive(Clone)]
pub(super) struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
    /// Of all that makes it the key it is.
    fingerprint: [u8; 32],
}

/// Nothing of a secret in logs.
impl std::fmt::Debug for Key {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (self.fingerprint, self.algorithm, &self.id) == (other.fingerprint, other.algorithm, &other.id)
    }
}

impl Key {
    /// A key of the manifest.
    pub(super) fn of_manifest(key: &guard::Key) -> Result<Self, KeyError> {
        let text = key.material.reveal();
        let (decoding, raw) = match key.algorithm {
            Algorithm::Hs256 if text.len() < SECRET_MIN => return Err(KeyError::Short),
            Algorithm::Hs256 => (DecodingKey::from_secret(text.as_bytes()), text.as_bytes().to_vec()),
            Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Rs256 => of_pem(text, key.algorithm)?,
        };
        Self::checked(key.id.clone(), key.algorithm, decoding, &raw)
    }

    /// A key of a set, if it is one to verify signatures with, of an algorithm we know. A symmetric one never is: a
    /// set is public.
    fn of_jwk(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        if common.public_key_use.as_ref().is_some_and(|it| *it != PublicKeyUse::Signature) {
            return None;
        }
        if common.key_operations.as_ref().is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
            return None;
        }
        let (algorithm, (decoding, raw)) = match &jwk.algorithm {
            AlgorithmParameters::RSA(key) => {
                (Algorithm::Rs256, rsa(&decode(&key.n)?, &decode(&key.e)?).ok()?)
            }
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                let (x, y) = (decode(&key.x)?, decode(&key.y)?);
                // RFC 7518 6.2.1.2: as long as the field, zeros in front included.
                if (x.len(), y.len()) != (32, 32) {
                    return None;
                }
                (Algorithm::Es256, ec([&[4], x.as_slice(), &y].concat()))
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDsa, ed(decode(&key.x)?).ok()?)
            }
            _ => return None,
        };
        if common.key_algorithm.is_some_and(|named| named.to_string() != name(algorithm)) {
            return None;
        }
        Self::checked(common.key_id.clone(), algorithm, decoding, &raw).ok()
    }

    fn checked(
        id: Option<String>,
        algorithm: Algorithm,
        decoding: DecodingKey,
        raw: &[u8],
    ) -> Result<Self, KeyError> {
        // Says whether the point is on the curve.
        (rust_crypto::DEFAULT_PROVIDER.verifier_factory)(&of_library(algorithm), &decoding)
            .map_err(|_invalid| KeyError::Invalid)?;
        Ok(Self { id, algorithm, decoding, fingerprint: Sha256::digest(raw).into() })
    }

    pub(super) fn is_of(&self, algorithm: Algorithm) -> bool {
        self.algorithm == algorithm
    }

    fn has_signed(&self, token: &Unverified<'_>) -> bool {
        verify(token.signature, token.signed.as_bytes(), &self.decoding, of_library(self.algorithm))
            .unwrap_or(false)
    }
}

/// Whether a token was signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Signed {
    Yes,
    No,
    /// No key here fits, but there may be others.
    ByUnknown,
}

/// Which keys may verify a token that names none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Nameless {
    /// Those without a name.
    Nameless,
    /// All.
    All,
}

/// Whether one of `keys` signed a token.
pub(super) fn signed_by(keys: &[Key], nameless: Nameless, header: &Header, token: &Unverified<'_>) -> Signed {
    let fits = |key: &&Key| {
        let is_named = match (&header.kid, nameless) {
            (None, Nameless::All) => true,
            (kid, _) => *kid == key.id,
        };
        is_named && key.is_of(header.algorithm)
    };
    let mut tried = keys.iter().filter(fits).take(TRIED_MAX).peekable();
    if tried.peek().is_none() {
        return Signed::ByUnknown;
    }
    match tried.any(|key| key.has_signed(token)) {
        true => Signed::Yes,
        // Without a name it may be by a key that came later.
        false if header.kid.is_none() => Signed::ByUnknown,
        false => Signed::No,
    }
}

/// Why a document is no key set.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum SetError {
    #[error("the answer is not a JSON Web Key Set")]
    Json,
    /// Then something is wrong over there: an issuer without keys issues nothing.
    #[error("no key of the set is one we can use")]
    Empty,
}

/// The usable keys of a JSON Web Key Set; others are passed over (RFC 7517 5).
pub(super) fn read_set(document: &[u8]) -> Result<Vec<Key>, SetError> {
    let document: Value = serde_json::from_slice(document).map_err(|_error| SetError::Json)?;
    let all = document.get("keys").and_then(Value::as_array).ok_or(SetError::Json)?;
    let read = |key: &Value| Key::of_jwk(&serde_json::from_value(key.clone()).ok()?);
    let keys: Vec<Key> = all.iter().filter_map(read).take(KEYS_MAX).collect();
    if keys.is_empty() { Err(SetError::Empty) } else { Ok(keys) }
}

fn of_pem(pem: &str, algorithm: Algorithm) -> Result<(DecodingKey, Vec<u8>), KeyError> {
    let (label, document) = Document::from_pem(pem.trim()).map_err(|error| KeyError::Pem(error.into()))?;
    if label != "PUBLIC KEY" {
        return Err(KeyError::Type);
    }
    let key = SubjectPublicKeyInfoRef::try_from(document.as_bytes()).map_err(KeyError::Pem)?;
    let raw = key.subject_public_key.as_bytes().ok_or(KeyError::Invalid)?;
    let curve = || key.algorithm.parameters_oid().ok();
    match (algorithm, key.algorithm.oid) {
        (Algorithm::EdDsa, ED25519) => ed(raw.to_vec()),
        (Algorithm::Es256, EC) if curve() == Some(P256) => Ok(ec(raw.to_vec())),
        (Algorithm::Rs256, RSA) => {
            let key = RsaPublicKey::try_from(key).map_err(KeyError::Pem)?;
            rsa(&key.n().to_bytes_be(), &key.e().to_bytes_be())
        }
        _ => Err(KeyError::Type),
    }
}

fn rsa(n: &[u8], e: &[u8]) -> Result<(DecodingKey, Vec<u8>), KeyError> {
    let (modulus, exponent) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
    if modulus.bits() < RSA_BITS_MIN || RsaPublicKey::new(modulus, exponent).is_err() {
        return Err(KeyError::Size);
    }
    let key = DecodingKey::from_rsa_raw_components(n, e);
    Ok((key, [n, b".", e].concat()))
}

fn ec(point: Vec<u8>) -> (DecodingKey, Vec<u8>) {
    (DecodingKey::from_ec_der(&point), point)
}

/// The library takes the first 32 bytes of whatever it is given, and panics when there are fewer.
fn ed(point: Vec<u8>) -> Result<(DecodingKey, Vec<u8>), KeyError> {
    if point.len() != 32 {
        return Err(KeyError::Invalid);
    }
    Ok((DecodingKey::from_ed_der(&point), point))
}

fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EdDsa => "EdDSA",
        Algorithm::Es256 => "ES256",
        Algorithm::Rs256 => "RS256",
        Algorithm::Hs256 => "HS256",
    }
}

fn of_library(algorithm: Algorithm) -> jwt::Algorithm {
    match algorithm {
        Algorithm::EdDsa => jwt::Algorithm::EdDSA,
        Algorithm::Es256 => jwt::Algorithm::ES256,
        Algorithm::Rs256 => jwt::Algorithm::RS256,
        Algorithm::Hs256 => jwt::Algorithm::HS256,
    }
}

#[cfg(test)]
mod tests;
