//! `[auth]` and `[api_keys.NAME]`

use std::collections::BTreeMap;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::defaults;
use crate::mistakes::Mistake;
use crate::model::Service;
use crate::model::guard::{Algorithm, ApiKey, Auth, Jwks, Key};
use crate::reading::Written;
use crate::reading::section::Section;

/// RFC 7518, section 3.2: a secret of HS256 is as long as its hash.
const SECRET_BYTES_MIN: usize = 32;
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// `None` if there is no such section.
pub(super) fn auth(root: &Section<'_>, services: &BTreeMap<String, Service>) -> Option<Auth> {
    let section = root.table("auth");
    let jwks = section.has("jwks").then(|| jwks(&section.table("jwks"), services));
    let keys = keys(&section.list("keys"));
    let algorithms = algorithms(&section);
    let auth = Auth {
        jwks: jwks.clone().flatten(),
        keys,
        algorithms,
        issuer: section.text("issuer").map(|issuer| issuer.text),
        audience: section.texts("audience").iter().map(|name| name.value().to_owned()).collect(),
        leeway: section.duration("leeway"),
    };
    if !root.has("auth") {
        return None;
    }
    if jwks.is_none() && !section.has("keys") {
        section.reading.note_absence(
            Mistake::new(section.at.clone(), "`[auth]` has no key", "neither `jwks` nor `keys`").help(
                "say where the keys are: `jwks = { url = \"https://…\" }` or `{ service = \"…\" }`; or write one down: `[[auth.keys]]`",
            ),
        );
    }
    if jwks.is_none() && section.has("algorithms") {
        section.reading.note(
            Mistake::new(section.place("algorithms"), "`algorithms` without `jwks`", "never used")
                .help("each of `[[auth.keys]]` has its own `algorithm`"),
        );
    }
    Some(auth)
}

fn jwks(section: &Section<'_>, services: &BTreeMap<String, Service>) -> Option<Jwks> {
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    let service = section.name_of("service", &names);
    let url = section.text("url");
    let path = section.text("path");
    if section.has("url") && section.has("service") {
        section.reading.note(
            Mistake::new(section.place("url"), "`jwks` is in one place", "`url` beside `service`")
                .see(section.place("service"), "the other one")
                .help("keep `service` if it is one of this manifest, else `url`"),
        );
    } else if section.has("url") && section.has("path") {
        section.reading.note(
            Mistake::new(section.place("path"), "`path` beside `url`", "never used")
                .help("the URL has a path of its own"),
        );
    } else if !section.has("url") && !section.has("service") {
        section.reading.note_absence(
            Mistake::new(section.at.clone(), "`jwks` says not where", "neither `url` nor `service`")
                .help("add `url = \"https://…\"` or `service = \"…\"`"),
        );
    }
    let path = path.map_or(defaults::JWKS_PATH.to_owned(), |path| path.value().to_owned());
    let of_service = service.map(|name| Jwks::Service { service: name.value().to_owned(), path });
    of_service.or(url.map(|url| Jwks::Url(url.text)))
}

fn algorithm(word: &str) -> Option<Algorithm> {
    match word {
        "EdDSA" => Some(Algorithm::EdDsa),
        "ES256" => Some(Algorithm::Es256),
        "RS256" => Some(Algorithm::Rs256),
        "HS256" => Some(Algorithm::Hs256),
        _ => None,
    }
}

fn algorithms(section: &Section<'_>) -> Vec<Algorithm> {
    if !section.has("algorithms") {
        return vec![Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256];
    }
    section.texts("algorithms").iter().filter_map(|written| algorithm(written.value())).collect()
}

fn keys(sections: &[Section<'_>]) -> Vec<Key> {
    let mut keys: Vec<(Key, Range<usize>)> = Vec::new();
    for section in sections {
        let Some(key) = key(section) else { continue };
        let place = section.place("id");
        if let Some((_, twin)) = keys.iter().find(|(other, _)| other.id == key.id) {
            let title = match key.id {
                Some(_) => "two keys have the same id",
                None => "two keys have no id",
            };
            section.reading.note(
                Mistake::new(place.clone(), title, "nobody can tell which of them a token means")
                    .see(twin.clone(), "the other one")
                    .help("give each the `kid` that its tokens name"),
            );
        }
        keys.push((key, place));
    }
    keys.into_iter().map(|(key, _)| key).collect()
}

/// `None` after a mistake. Everything is read before anything is given up.
fn key(section: &Section<'_>) -> Option<Key> {
    let id = section.text("id").map(|id| id.value().to_owned());
    let algorithm = section.text("algorithm").and_then(|written| algorithm(written.value()));
    let secret = section.text("secret");
    let public = section.text("public");
    let algorithm = algorithm?;
    let (fits, other) = match algorithm {
        Algorithm::Hs256 => ("secret", "public"),
        Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Rs256 => ("public", "secret"),
    };
    if section.has(other) {
        let title = format!("`{other}` does not go with this algorithm");
        section.reading.note(
            Mistake::new(section.place(other), title, format!("its key is `{fits}`"))
                .see(section.place("algorithm"), "this one"),
        );
        return None;
    }
    if !section.has(fits) {
        let title = format!("a key needs `{fits}`");
        section.reading.note_absence(
            Mistake::new(section.place("algorithm"), title, "its key is missing").help(match algorithm {
                Algorithm::Hs256 => "for example `secret = \"${JWT_SECRET}\"`",
                Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Rs256 => {
                    "for example `public = \"\"\"-----BEGIN PUBLIC KEY-----…\"\"\"`"
                }
            }),
        );
        return None;
    }
    let material = match algorithm {
        Algorithm::Hs256 => long_enough(section, secret?)?,
        Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Rs256 => of_its_kind(section, algorithm, public?)?,
    };
    Some(Key { id, algorithm, material: material.text })
}

fn long_enough(section: &Section<'_>, secret: Written) -> Option<Written> {
    if secret.value().len() >= SECRET_BYTES_MIN {
        return Some(secret);
    }
    section.reading.note(
        Mistake::new(secret.at, "`secret` is too short", format!("fewer than {SECRET_BYTES_MIN} bytes"))
            .help("who sees a token can guess a short one; `openssl rand -base64 32` makes one"),
    );
    None
}

/// Judges what tells kinds of keys apart; whether the rest makes sense is known to who verifies with it.
fn of_its_kind(section: &Section<'_>, algorithm: Algorithm, public: Written) -> Option<Written> {
    let text = public.value().trim();
    let (wrong, help) = match text.strip_prefix(PEM_BEGIN).and_then(|text| text.strip_suffix(PEM_END)) {
        Some(body) => match kind_of(body) {
            Some(kind) if kind == algorithm => return Some(public),
            Some(_) => ("a key of another algorithm", "`algorithm` says what its owner signs with"),
            None => (
                "no Ed25519, P-256 or RSA key is in it",
                "between its first and last line is what `openssl pkey -pubout` writes",
            ),
        },
        None if text.contains("PRIVATE KEY-----") => (
            "this is a private key",
            "it stays with who signs; `openssl pkey -in FILE -pubout` writes the public one",
        ),
        None if text.contains("BEGIN CERTIFICATE-----") => {
            ("this is a certificate", "`openssl x509 -in FILE -pubkey -noout` writes the key in it")
        }
        None if text.contains("BEGIN RSA PUBLIC KEY-----") => {
            ("an older form", "`openssl rsa -RSAPublicKey_in -in FILE -pubout` writes the one of today")
        }
        None => (
            "this is none",
            "it begins with `-----BEGIN PUBLIC KEY-----`, and `\"\"\"` hold several lines together",
        ),
    };
    section.reading.note(Mistake::new(public.at, "`public` must be a public key in PEM", wrong).help(help));
    None
}

/// By the algorithm's name in the key (RFC 5280 4.1.2.7 with RFC 8410, 5480, 3279).
fn kind_of(body: &str) -> Option<Algorithm> {
    const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
    const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let body: String = body.split_ascii_whitespace().collect();
    let key = STANDARD.decode(body).ok()?;
    let names = |name: &[u8]| key.windows(name.len()).take(NAME_AT_MOST).any(|part| part == name);
    let kinds = [(ED25519, Algorithm::EdDsa), (P256, Algorithm::Es256), (RSA, Algorithm::Rs256)];
    kinds.into_iter().find(|(name, _)| names(name)).map(|(_, kind)| kind)
}

/// The name stands before the key; deeper in, the same bytes would be chance.
const NAME_AT_MOST: usize = 24;

pub(super) fn api_keys(root: &Section<'_>) -> BTreeMap<String, ApiKey> {
    let mut sections = root.named("api_keys");
    // In the order of the file, so that of two it is the later one that is told.
    sections.sort_by_key(|(_, section)| section.at.start);
    let mut keys: BTreeMap<String, ApiKey> = BTreeMap::new();
    let mut places: Vec<([u8; 32], Range<usize>)> = Vec::new();
    for (name, section) in &sections {
        let list = |name: &str| section.texts(name).iter().map(|word| word.value().to_owned()).collect();
        let (scopes, roles) = (list("scopes"), list("roles"));
        let Some(hash) = hash(section) else { continue };
        let place = section.place("hash");
        if let Some((_, twin)) = places.iter().find(|(other, _)| *other == hash) {
            section.reading.note(
                Mistake::new(place.clone(), "two clients have the same key", "nobody can tell whose it is")
                    .see(twin.clone(), "the other one")
                    .help("make each its own with `mare key`"),
            );
        }
        places.push((hash, place));
        keys.insert((*name).to_owned(), ApiKey { hash, scopes, roles });
    }
    keys
}

fn hash(section: &Section<'_>) -> Option<[u8; 32]> {
    let written = section.text("hash")?;
    let hash = written.value().strip_prefix("sha256:").and_then(from_hex);
    if hash.is_none() {
        let help = if written.value().starts_with("sha256:") {
            "behind `sha256:` are 64 hexadecimal digits"
        } else {
            "a key itself has no place here, for who reads the file could use it; `mare key` makes a key and its `sha256:…`"
        };
        section.reading.note(
            Mistake::new(written.at, "`hash` must be a key's hash", "not `sha256:` and 64 digits").help(help),
        );
    }
    hash
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 2 * hash.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(hash)
}
