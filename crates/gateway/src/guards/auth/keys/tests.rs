use mare_manifest::model::Text;
use serde_json::json;

use super::super::signer::{SECRET, Signer, set};
use super::super::token::parse;
use super::*;

fn signed(keys: &[Key], nameless: Nameless, token: &str) -> Signed {
    let (header, token) = parse(token.as_bytes()).expect("a token");
    signed_by(keys, nameless, &header, &token)
}

fn read(document: &Value) -> Result<Vec<Key>, SetError> {
    read_set(document.to_string().as_bytes())
}

#[test]
fn a_key_verifies_what_it_signed_and_nothing_else() {
    let signers = [Signer::rsa("r"), Signer::ec("e", 1), Signer::ed("d", 1)];
    let strangers = [Signer::ec("e", 2), Signer::ed("d", 2), Signer::secret("r", SECRET.as_bytes())];
    let published = read_set(set(&signers.each_ref()).as_bytes()).expect("keys");
    let of_manifest: Vec<Key> =
        signers.iter().map(|signer| Key::of_manifest(&signer.of_manifest()).expect("a key")).collect();
    assert_eq!(published, of_manifest, "however they are written");
    let claims = json!({ "exp": 1 });
    for signer in &signers {
        let token = signer.token(&claims);
        assert_eq!(signed(&published, Nameless::All, &token), Signed::Yes);
        let (rest, signature) = token.rsplit_once('.').expect("parts");
        let other = format!("{rest}.{}{}", &signature[1..], &signature[..1]);
        assert_eq!(signed(&published, Nameless::All, &other), Signed::No);
        for cut in [&signature[..4], &signature[..signature.len() / 2]] {
            assert_eq!(signed(&published, Nameless::All, &format!("{rest}.{cut}")), Signed::No);
        }
    }
    for stranger in &strangers[..2] {
        assert_eq!(signed(&published, Nameless::All, &stranger.token(&claims)), Signed::No);
    }
    assert_eq!(signed(&published, Nameless::All, &strangers[2].token(&claims)), Signed::ByUnknown);
    assert_eq!(signed(&published, Nameless::All, &Signer::ed("x", 1).token(&claims)), Signed::ByUnknown);
}

#[test]
fn a_public_key_is_never_a_secret() {
    let signer = Signer::rsa("r");
    let keys = read_set(set(&[&signer]).as_bytes()).expect("keys");
    let modulus = decode(signer.jwk()["n"].as_str().expect("there")).expect("base64");
    for secret in [signer.pem().into_bytes(), signer.pem().trim().as_bytes().to_vec(), modulus] {
        let forged = Signer::secret("r", &secret).token(&json!({ "exp": 1 }));
        assert_eq!(signed(&keys, Nameless::All, &forged), Signed::ByUnknown);
    }
}

#[test]
fn the_zero_signature_is_none() {
    // CVE-2022-21449: (0, 0) solves the equation of a careless verifier.
    let keys = read_set(set(&[&Signer::ec("e", 1), &Signer::ed("d", 1)]).as_bytes()).expect("keys");
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    for signer in [Signer::ec("e", 1), Signer::ed("d", 1)] {
        let token = signer.token(&json!({ "exp": 1 }));
        let (rest, _) = token.rsplit_once('.').expect("parts");
        assert_eq!(signed(&keys, Nameless::All, &format!("{rest}.{zeros}")), Signed::No);
    }
}

#[test]
fn a_token_without_a_name_is_for_the_keys_that_may_be_meant() {
    let (named, nameless) = (Signer::ed("d", 1), Signer::ed("", 2).nameless());
    let keys = read_set(set(&[&named, &nameless]).as_bytes()).expect("keys");
    let check = |signer: Signer, mode, expected| {
        assert_eq!(signed(&keys, mode, &signer.token(&json!({}))), expected, "{mode:?}");
    };
    check(Signer::ed("d", 1), Nameless::Nameless, Signed::Yes);
    check(Signer::ed("", 1).nameless(), Nameless::All, Signed::Yes);
    check(Signer::ed("", 1).nameless(), Nameless::Nameless, Signed::ByUnknown);
    check(Signer::ed("", 2).nameless(), Nameless::Nameless, Signed::Yes);
    check(Signer::ed("", 3).nameless(), Nameless::All, Signed::ByUnknown);
    check(Signer::ed("x", 2), Nameless::All, Signed::ByUnknown);
}

#[test]
fn of_keys_with_the_same_name_some_are_tried() {
    let same: Vec<Signer> = (1..=6).map(|seed| Signer::ed("same", seed)).collect();
    let other_type = Signer::ec("same", 1);
    let keys = read_set(set(&same.iter().chain([&other_type]).collect::<Vec<_>>()).as_bytes()).expect("keys");
    let check = |signer: &Signer, expected| {
        assert_eq!(signed(&keys, Nameless::All, &signer.token(&json!({}))), expected);
    };
    check(&same[0], Signed::Yes);
    check(&same[3], Signed::Yes);
    check(&same[4], Signed::No);
    check(&other_type, Signed::Yes);
}

#[test]
fn unusable_keys_of_a_set_are_passed_over() {
    let good = Signer::ed("good", 1).jwk();
    let check = |name: &str, value: Value, expected: bool| {
        let mut key = good.clone();
        key[name] = value.clone();
        assert_eq!(read(&json!({ "keys": [key] })).is_ok(), expected, "{name}: {value}");
    };
    check("alg", json!("EdDSA"), true);
    check("alg", json!("RS256"), false);
    check("alg", json!("HS256"), false);
    check("use", json!("sig"), true);
    check("use", json!("enc"), false);
    check("key_ops", json!(["verify"]), true);
    check("key_ops", json!(["encrypt"]), false);
    check("crv", json!("Ed448"), false);
    check("crv", json!("P-256"), false);
    check("kty", json!("oct"), false);
    check("kty", json!("AKP"), false);
    check("kid", json!(7), false);
    check("x", json!("AAAA"), false);
    check("x", json!(""), false);
    check("x", json!("not base64!"), false);
    check("x", Value::Null, false);
    check("x5u", json!("https://evil.example"), true);
    let both = read(&json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0", "kid": "s" }, 7, null, good] }));
    assert_eq!(both.expect("one is good").len(), 1);
}

#[test]
fn points_and_numbers_must_make_a_key() {
    let check = |mut key: Value, name: &str, value: &str| {
        key[name] = json!(value);
        assert_eq!(read(&json!({ "keys": [key] })), Err(SetError::Empty), "{name}: {value}");
    };
    let (ec, rsa) = (Signer::ec("e", 1).jwk(), Signer::rsa("r").jwk());
    let x = ec["x"].as_str().expect("there");
    check(ec.clone(), "y", x);
    check(ec.clone(), "y", "AA");
    check(ec.clone(), "crv", "P-384");
    check(rsa.clone(), "e", "AQ");
    check(rsa.clone(), "e", "");
    check(rsa.clone(), "n", "AQAB");
    let n = rsa["n"].as_str().expect("there");
    check(rsa.clone(), "n", &n[..n.len() / 2]);
    check(rsa.clone(), "n", &n.repeat(3));
}

#[test]
fn documents_that_are_no_set_are_told_from_empty_ones() {
    let check =
        |document: &str, expected| assert_eq!(read_set(document.as_bytes()).err(), expected, "{document}");
    check("<html>", Some(SetError::Json));
    check("{}", Some(SetError::Json));
    check(r#"{"keys":{}}"#, Some(SetError::Json));
    check("[]", Some(SetError::Json));
    check(r#"{"keys":[]}"#, Some(SetError::Empty));
    check(
        r#"{"keys":[{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]}"#,
        Some(SetError::Empty),
    );
    let many: Vec<Value> = (0..KEYS_MAX + 5).map(|_| Signer::ed("d", 1).jwk()).collect();
    assert_eq!(read(&json!({ "keys": many })).expect("keys").len(), KEYS_MAX);
}

#[test]
fn keys_of_the_manifest_must_fit_their_algorithm() {
    let check = |algorithm, material: &str, expected: Option<&str>| {
        let key = guard::Key { id: None, algorithm, material: Text::plain(material) };
        let error = Key::of_manifest(&key).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expected, "{algorithm:?} {material}");
    };
    let type_error = Some("it is a key of another type than its algorithm takes");
    let pem_error = Some("it is not a public key in PEM (`-----BEGIN PUBLIC KEY-----`)");
    check(Algorithm::Hs256, SECRET, None);
    check(Algorithm::Hs256, &SECRET[..31], Some("a secret of HS256 must have at least 32 bytes"));
    check(Algorithm::EdDsa, &format!("\n{}\n", Signer::ed("d", 1).pem()), None);
    check(Algorithm::Rs256, &Signer::rsa("r").pem(), None);
    check(Algorithm::Es256, &Signer::ec("e", 1).pem(), None);
    check(Algorithm::Es256, &Signer::ed("d", 1).pem(), type_error);
    check(Algorithm::EdDsa, &Signer::rsa("r").pem(), type_error);
    check(Algorithm::Rs256, &Signer::ec("e", 1).pem(), type_error);
    check(Algorithm::Rs256, "no key", pem_error);
    check(Algorithm::EdDsa, "", pem_error);
    let private = Signer::ed("d", 1).pem().replace("PUBLIC", "PRIVATE");
    check(Algorithm::EdDsa, &private, type_error);
}

#[test]
fn nothing_of_a_secret_is_shown() {
    let key = Key::of_manifest(&Signer::secret("s", SECRET.as_bytes()).of_manifest()).expect("a key");
    assert!(!format!("{key:?}").contains("secret"));
}
