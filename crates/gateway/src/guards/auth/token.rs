//! A token in its compact form (RFC 7515 7.1), read strictly, and what its claims must say (RFC 7519 4.1, RFC 8725).
//!
//! Pure: the signature is checked in between, by who has the keys.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mare_manifest::model::guard::Algorithm;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::refused::Reason;

/// Names of keys are hashes, UUIDs, dates.
const KID_MAX: usize = 256;

/// A token whose signature was not checked yet: nothing of its claims is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unverified<'a> {
    /// What the signature is of.
    pub(super) signed: &'a str,
    pub(super) claims: &'a str,
    pub(super) signature: &'a str,
}

/// What chooses the key.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

/// The parameters that mean something here; those with our keys in them (`jwk`, `jku`, `x5u`, `x5c`) are never looked
/// at. The same name twice is an error (RFC 7515 4).
#[derive(serde::Deserialize)]
struct Parameters {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// A nested token (RFC 7519 5.2).
    #[serde(default)]
    cty: Present,
    /// We understand no extension, so any that is critical is too much (RFC 7515 4.1.11).
    #[serde(default)]
    crit: Present,
    /// RFC 7797; `crit` should name it, so it is refused without, too.
    #[serde(default)]
    b64: Present,
    /// JWE (RFC 7516).
    #[serde(default)]
    enc: Present,
}

/// Whether a parameter is there, whatever it says.
#[derive(Default)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(from).map(|IgnoredAny| Self(true))
    }
}

/// Takes a token apart.
pub(super) fn parse(token: &[u8]) -> Result<(Header, Unverified<'_>), Reason> {
    let token = std::str::from_utf8(token).map_err(|_not_ascii| Reason::Malformed)?;
    let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Reason::Malformed)?;
    // Five parts would be a JWE; and a signature is never empty (`alg: none`, RFC 7519 6.1).
    if claims.contains('.') || signature.is_empty() {
        return Err(Reason::Malformed);
    }
    let header: Parameters =
        serde_json::from_slice(&decode(header)?).map_err(|_not_a_header| Reason::Malformed)?;
    if header.crit.0 || header.b64.0 || header.cty.0 || header.enc.0 {
        return Err(Reason::Malformed);
    }
    if header.kid.as_ref().is_some_and(|kid| kid.len() > KID_MAX) {
        return Err(Reason::Malformed);
    }
    if !header.typ.as_deref().is_none_or(is_our_type) {
        return Err(Reason::Malformed);
    }
    let algorithm = match header.alg.as_str() {
        "EdDSA" => Algorithm::EdDsa,
        "ES256" => Algorithm::Es256,
        "RS256" => Algorithm::Rs256,
        "HS256" => Algorithm::Hs256,
        _ => return Err(Reason::Algorithm),
    };
    Ok((Header { algorithm, kid: header.kid }, Unverified { signed, claims, signature }))
}

/// Tokens made for something else (logout, `DPoP`, events) are no credentials (RFC 8725 3.11).
fn is_our_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
}

/// Canonical: no padding, no bits left over, so that one token has one spelling.
fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_not_canonical| Reason::Malformed)
}

/// The claims of a token. In order of their names, each once.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Claims(pub(super) BTreeMap<String, Value>);

impl Claims {
    /// Only of a token whose signature is good.
    pub(super) fn read(token: &Unverified<'_>) -> Result<Self, Reason> {
        serde_json::from_slice(&decode(token.claims)?).map_err(|_not_claims| Reason::Claims)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A `NumericDate`: seconds since the epoch, perhaps with a fraction.
    fn time(&self, name: &str) -> Result<Option<f64>, Reason> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        value.as_f64().filter(|time| *time >= 0.0).map(Some).ok_or(Reason::Claims)
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Claims;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("claims")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Claims, M::Error> {
                let mut claims = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // Another reader of the same token might take the other one (RFC 7519 4).
                    if claims.insert(name, value).is_some() {
                        return Err(M::Error::custom("a claim stands twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }
        from.deserialize_map(Each)
    }
}

/// What `[auth]` asks of every token.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) issuer: Option<String>,
    /// Empty: anybody's.
    pub(super) audience: Vec<String>,
    pub(super) leeway_s: f64,
}

impl Expected {
    /// Judges claims at a time, in seconds since the epoch; gives the time until which they are good.
    pub(super) fn judge(&self, claims: &Claims, now_s: f64) -> Result<f64, Reason> {
        // A token without an end could not be taken back: there is no list of revoked ones.
        let until = claims.time("exp")?.ok_or(Reason::Claims)? + self.leeway_s;
        if until <= now_s {
            return Err(Reason::Expired);
        }
        let begins = [claims.time("nbf")?, claims.time("iat")?];
        if begins.into_iter().flatten().any(|begin| begin > now_s + self.leeway_s) {
            return Err(Reason::Early);
        }
        if self.issuer.is_some() && claims.text("iss") != self.issuer.as_deref() {
            return Err(Reason::Issuer);
        }
        if !self.audience.is_empty() && !self.is_meant(claims) {
            return Err(Reason::Audience);
        }
        Ok(until)
    }

    fn is_meant(&self, claims: &Claims) -> bool {
        let is_ours =
            |name: &Value| name.as_str().is_some_and(|name| self.audience.iter().any(|our| our == name));
        match claims.0.get("aud") {
            Some(Value::Array(names)) => names.iter().any(is_ours),
            Some(name) => is_ours(name),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
