//! Issuers for tests: keys of each kind, and tokens signed with them, by the library or by hand.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{self as jwt, EncodingKey, encode};
use mare_manifest::model::Text;
use mare_manifest::model::guard::{self, Algorithm};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{Document, EncodePublicKey as _, LineEnding};
use rsa::rand_core::OsRng;
use serde_json::{Value, json};

/// Takes a second to make, so all tests share it.
static RSA: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| RsaPrivateKey::new(&mut OsRng, 2048).expect("makes a key"));

pub(super) const SECRET: &str = "a secret that is long enough, at last";

/// RFC 8410 7: an Ed25519 key in PKCS #8, up to its seed; and a public one, up to its point.
const ED_PRIVATE: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const ED_PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// RFC 5915, 5480: a key of P-256 in PKCS #8, up to its number; and a public one, up to its point.
const EC_PRIVATE: [u8; 35] = [
    0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 3, 1, 7, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20,
];
const EC_PUBLIC: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3,
    1, 7, 3, 0x42, 0,
];

/// Who signs.
pub(super) struct Signer {
    pub(super) id: Option<String>,
    pub(super) algorithm: jwt::Algorithm,
    key: EncodingKey,
}

impl Signer {
    pub(super) fn rsa(id: &str) -> Self {
        let der = RSA.to_pkcs1_der().expect("DER");
        let key = EncodingKey::from_rsa_der(der.as_bytes());
        Self { id: Some(id.to_owned()), algorithm: jwt::Algorithm::RS256, key }
    }

    /// Another `seed` is another key.
    pub(super) fn ec(id: &str, seed: u8) -> Self {
        let key = EncodingKey::from_ec_der(&[EC_PRIVATE.as_slice(), &[seed; 32]].concat());
        Self { id: Some(id.to_owned()), algorithm: jwt::Algorithm::ES256, key }
    }

    pub(super) fn ed(id: &str, seed: u8) -> Self {
        let key = EncodingKey::from_ed_der(&[ED_PRIVATE.as_slice(), &[seed; 32]].concat());
        Self { id: Some(id.to_owned()), algorithm: jwt::Algorithm::EdDSA, key }
    }

    pub(super) fn secret(id: &str, secret: &[u8]) -> Self {
        let key = EncodingKey::from_secret(secret);
        Self { id: Some(id.to_owned()), algorithm: jwt::Algorithm::HS256, key }
    }

    pub(super) fn nameless(self) -> Self {
        Self { id: None, ..self }
    }

    pub(super) fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).expect("a key");
        jwk.common.key_id.clone_from(&self.id);
        serde_json::to_value(jwk).expect("JSON")
    }

    /// Public, as it would stand in the manifest.
    pub(super) fn pem(&self) -> String {
        let part =
            |name: &str| URL_SAFE_NO_PAD.decode(self.jwk()[name].as_str().expect("there")).expect("base64");
        let der = match self.algorithm {
            jwt::Algorithm::RS256 => {
                return RSA.to_public_key().to_public_key_pem(LineEnding::LF).expect("PEM");
            }
            jwt::Algorithm::ES256 => [EC_PUBLIC.as_slice(), &[4], &part("x"), &part("y")].concat(),
            jwt::Algorithm::EdDSA => [ED_PUBLIC.as_slice(), &part("x")].concat(),
            _ => panic!("a secret has no public key"),
        };
        let document = Document::try_from(der).expect("DER");
        document.to_pem("PUBLIC KEY", LineEnding::LF).expect("PEM")
    }

    pub(super) fn of_manifest(&self) -> guard::Key {
        let (algorithm, material) = match self.algorithm {
            jwt::Algorithm::RS256 => (Algorithm::Rs256, self.pem()),
            jwt::Algorithm::ES256 => (Algorithm::Es256, self.pem()),
            jwt::Algorithm::EdDSA => (Algorithm::EdDsa, self.pem()),
            _ => (Algorithm::Hs256, SECRET.to_owned()),
        };
        guard::Key { id: self.id.clone(), algorithm, material: Text::plain(material) }
    }

    /// As the library makes it.
    pub(super) fn token(&self, claims: &Value) -> String {
        let header = jwt::Header { kid: self.id.clone(), ..jwt::Header::new(self.algorithm) };
        encode(&header, claims, &self.key).expect("signs")
    }

    /// With any header and any claims, signed for what they are.
    pub(super) fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = jwt::crypto::sign(signed.as_bytes(), &self.key, self.algorithm).expect("signs");
        format!("{signed}.{signature}")
    }
}

pub(super) fn set(signers: &[&Signer]) -> String {
    json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() }).to_string()
}
