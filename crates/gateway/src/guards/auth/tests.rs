//! The whole of it, over real sockets: hostile tokens, keys that come and go, issuers that are away.

mod hostile;
mod issuers;
mod rig;

use std::collections::BTreeMap;

use http::header::AUTHORIZATION;
use mare_manifest::model::guard::ApiKey;
use serde_json::json;

use super::signer::{SECRET, Signer, set};
use super::*;
use crate::problem::Code;
use rig::{Fake, Rig, bearer, claims, expect, guards, jwt};

#[tokio::test]
async fn a_token_of_each_algorithm_is_taken_from_either_source() {
    let signers = [Signer::rsa("r"), Signer::ec("e", 1), Signer::ed("d", 1)];
    let fake = Fake::start(&set(&signers.each_ref())).await;
    let fetched = Rig::of_url(&fake.url());
    let mut written: Vec<_> = signers.iter().map(Signer::of_manifest).collect();
    let secret = Signer::secret("s", SECRET.as_bytes());
    written.push(secret.of_manifest());
    let written = Rig::of_keys(written);
    for signer in &signers {
        let token = signer.token(&claims("ana"));
        for rig in [&fetched, &written] {
            assert!(rig.settle(&bearer(&token), &jwt()).await.is_ok(), "{:?}", signer.algorithm);
        }
    }
    assert!(written.settle(&bearer(&secret.token(&claims("ana"))), &jwt()).await.is_ok());
    // Symmetric keys are of the manifest only.
    let refused = fetched.settle(&bearer(&secret.token(&claims("ana"))), &jwt()).await;
    expect(refused, Code::TokenInvalid, "the token's algorithm is not accepted");
    assert_eq!(fake.asked(), 1);
}

#[tokio::test]
async fn each_worker_remembers_a_token_by_itself() {
    let signer = Signer::ed("d", 1);
    let rig = Rig::of_keys(vec![signer.of_manifest()]);
    let headers = bearer(&signer.token(&claims("ana")));
    let known = |worker| match rig.authority.check(worker, &headers, &jwt()) {
        Checked::Known(claimant) => claimant,
        _ => panic!("it is good"),
    };
    let first = known(0);
    assert!(Arc::ptr_eq(&first, &known(0)), "remembered");
    assert!(!Arc::ptr_eq(&first, &known(1)), "no count of references is shared");
    assert_eq!(first.subject(), known(1).subject());
}

#[tokio::test]
async fn a_route_that_asks_for_nothing_gets_anyone() {
    let rig = Rig::of_keys(vec![Signer::ed("d", 1).of_manifest()]);
    for headers in [HeaderMap::new(), bearer("no token")] {
        assert!(matches!(rig.authority.check(0, &headers, &Guards::default()), Checked::Anyone));
    }
}

#[tokio::test]
async fn without_auth_in_the_manifest_nobody_gets_in() {
    let rig = Rig::of_keys(Vec::new());
    let token = Signer::ed("d", 1).token(&claims("ana"));
    let refused = rig.settle(&bearer(&token), &jwt()).await;
    expect(refused, Code::TokenInvalid, "the token's algorithm is not accepted");
    expect(
        rig.settle(&bearer("key"), &guards(Credentials::Any)).await,
        Code::TokenInvalid,
        "the API key is not valid",
    );
}

#[tokio::test]
async fn routes_require_more_than_a_token() {
    let signer = Signer::ed("d", 1);
    let rig = Rig::of_keys(vec![signer.of_manifest()]);
    let mut said = claims("ana");
    said["scope"] = json!("read");
    let headers = bearer(&signer.token(&said));
    let route = |scope: &str| {
        let require = Require { scopes: vec![scope.to_owned()], ..Require::default() };
        Guards { require, ..jwt() }
    };
    assert!(rig.settle(&headers, &route("read")).await.is_ok());
    // Also when it is remembered.
    expect(rig.settle(&headers, &route("write")).await, Code::Forbidden, "a scope is missing");
    assert!(rig.settle(&headers, &route("read")).await.is_ok());
}

#[tokio::test]
async fn api_keys_are_known_by_their_hash() {
    let key =
        |text: &str| ApiKey { hash: Sha256::digest(text).into(), scopes: Vec::new(), roles: Vec::new() };
    let keys = BTreeMap::from([("one".to_owned(), key("key-of-one")), ("two".to_owned(), key("key-of-two"))]);
    let signer = Signer::ed("d", 1);
    let rig = Rig::new(rig::auth(None, vec![signer.of_manifest()]), keys);
    let token = signer.token(&claims("ana"));
    let check = async |auth, line: (&'static str, &str), expected: Result<Option<&str>, Code>| {
        let headers = rig::headers(&[line]);
        let found = rig.settle(&headers, &guards(auth)).await;
        let found = found.map(|known| known.api_key().map(str::to_owned)).map_err(|refusal| refusal.code);
        assert_eq!(found, expected.map(|name| name.map(str::to_owned)), "{auth:?} {line:?}");
    };
    check(Credentials::ApiKey, ("x-api-key", "key-of-one"), Ok(Some("one"))).await;
    check(Credentials::ApiKey, ("authorization", "Bearer key-of-two"), Ok(Some("two"))).await;
    check(Credentials::Any, ("authorization", "ApiKey key-of-two"), Ok(Some("two"))).await;
    check(Credentials::Any, ("authorization", &format!("Bearer {token}")), Ok(None)).await;
    check(Credentials::ApiKey, ("x-api-key", "key-of-On"), Err(Code::TokenInvalid)).await;
    check(Credentials::ApiKey, ("authorization", &format!("Bearer {token}")), Err(Code::TokenInvalid)).await;
    check(Credentials::Jwt, ("x-api-key", "key-of-one"), Err(Code::Unauthenticated)).await;
    check(Credentials::Jwt, ("authorization", "Bearer key-of-one"), Err(Code::TokenInvalid)).await;
    // The hash is in the file, and files are read by many.
    let hash =
        Sha256::digest("key-of-one").iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    check(Credentials::ApiKey, ("x-api-key", &hash), Err(Code::TokenInvalid)).await;
    check(Credentials::ApiKey, ("x-api-key", &format!("sha256:{hash}")), Err(Code::TokenInvalid)).await;
}

#[tokio::test]
async fn a_bad_manifest_is_told_before_anything_starts() {
    let check = |auth: guard::Auth, expected: &str| {
        let error = rig::build(auth).expect_err("refused").to_string();
        assert_eq!(error, expected);
    };
    let short = guard::Key {
        material: mare_manifest::model::Text::plain("short"),
        ..Signer::secret("s", b"").of_manifest()
    };
    let number_two = vec![Signer::ed("d", 1).of_manifest(), short];
    check(
        rig::auth(None, number_two),
        "key 2 of [[auth.keys]]: a secret of HS256 must have at least 32 bytes",
    );
    check(
        rig::auth(Some("ftp://example.com/keys"), Vec::new()),
        "`jwks` in [auth] is not an http or https URL",
    );
    check(
        rig::auth(Some("https://user@example.com/"), Vec::new()),
        "`jwks` in [auth] is not an http or https URL",
    );
}
