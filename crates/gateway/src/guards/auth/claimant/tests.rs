use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn of(claims: Value) -> Result<Claimant, Reason> {
    Claimant::of_token(serde_json::from_value(claims).expect("claims"), "e30")
}

fn headers(claimant: &Claimant) -> BTreeMap<String, String> {
    let mut map = HeaderMap::new();
    claimant.tell(&mut map);
    let text = |value: &HeaderValue| value.to_str().expect("visible").to_owned();
    map.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

#[test]
fn tokens_of_one_user_share_a_subject_unless_a_claim_says_something_else() {
    let same = |one: Value, other: Value, expected: bool| {
        let (one, other) = (of(one).expect("good"), of(other).expect("good"));
        assert_eq!(one.subject() == other.subject(), expected, "{one:?} {other:?}");
    };
    same(json!({"sub": "a", "exp": 1, "iat": 2, "jti": "x"}), json!({"exp": 3, "nbf": 1, "sub": "a"}), true);
    same(json!({"x": {"a": 1, "b": [2]}}), json!({"x": {"b": [2], "a": 1}}), true);
    same(json!({"sub": "a"}), json!({"sub": "b"}), false);
    same(json!({"sub": "a"}), json!({"sub": "a", "iss": "x"}), false);
    same(json!({"sub": "a", "roles": []}), json!({"sub": "a"}), false);
    same(json!({"x": "1"}), json!({"x": 1}), false);
    same(json!({"x": null}), json!({}), false);
    same(json!({"x": ["a", "b"]}), json!({"x": ["ab"]}), false);
    same(json!({"x": ["a"], "y": "b"}), json!({"x": ["a", "y", "b"]}), false);
    same(json!({"ab": "c"}), json!({"a": "bc"}), false);
    same(json!({"x": [[1], 2]}), json!({"x": [[1, 2]]}), false);
    same(json!({"x": {"exp": 1}}), json!({"x": {"exp": 2}}), false);
}

#[test]
fn a_user_is_the_issuer_and_the_name_whatever_the_token_allows() {
    let user = |claims| *of(claims).expect("good").user();
    assert_eq!(user(json!({"sub": "a", "scope": "x"})), user(json!({"sub": "a", "scope": "y"})));
    assert_ne!(user(json!({"sub": "a", "iss": "x"})), user(json!({"sub": "a", "iss": "y"})));
    assert_ne!(user(json!({"sub": "b", "iss": "a"})), user(json!({"sub": "ab"})));
    assert_ne!(user(json!({"scope": "x"})), user(json!({"scope": "y"})), "without a name, all that is known");
}

#[test]
fn a_number_that_two_readers_may_read_differently_is_refused() {
    let check = |claims: &str, expected| {
        let claims = serde_json::from_str(claims).expect("claims");
        assert_eq!(Claimant::of_token(claims, "e30").is_ok(), expected);
    };
    check(r#"{"tenant": 18446744073709551615}"#, true);
    check(r#"{"tenant": 18446744073709551616}"#, false);
    check(r#"{"tenant": {"id": [1e300]}}"#, false);
    check(r#"{"tenant": 0.5}"#, true);
}

#[test]
fn the_service_is_told_what_was_verified() {
    let claimant = of(
        json!({"sub": "ana", "iss": "https://i.example", "scope": "read write", "roles": ["admin", "a b"]}),
    );
    let expected = [
        ("x-mare-claims", "e30"),
        ("x-mare-issuer", "https://i.example"),
        ("x-mare-roles", "admin,a b"),
        ("x-mare-scope", "read write"),
        ("x-mare-subject", "ana"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(headers(&claimant.expect("good")), expected.into());
}

#[test]
fn a_name_that_is_no_name_is_refused() {
    let check = |name: Value, expected| assert_eq!(of(json!({ "sub": name })).err(), expected, "{name}");
    check(json!("a b@c.example"), None);
    check(json!("a".repeat(255)), None);
    check(json!("a".repeat(256)), Some(Reason::Claims));
    check(json!("a\r\nX-Mare-Roles: admin"), Some(Reason::Claims));
    check(json!("\u{0}"), Some(Reason::Claims));
    check(json!("ana\u{202e}"), Some(Reason::Claims));
    check(json!(""), Some(Reason::Claims));
    check(json!(" ana"), Some(Reason::Claims));
    check(json!(7), Some(Reason::Claims));
    check(json!(["a"]), Some(Reason::Claims));
    check(json!(null), Some(Reason::Claims));
    assert_eq!(of(json!({ "iss": "x\n" })).err(), Some(Reason::Claims));
}

#[test]
fn what_could_be_read_as_more_rights_is_left_out() {
    let check = |claims: Value, name: &str, expected: Option<&str>| {
        let found = headers(&of(claims.clone()).expect("good")).remove(name);
        assert_eq!(found.as_deref(), expected, "{claims}");
    };
    check(json!({"roles": ["guest", "x,admin"]}), "x-mare-roles", Some("guest"));
    check(json!({"roles": ["x\r\nadmin"]}), "x-mare-roles", None);
    check(json!({"scope": ["read", "x write"]}), "x-mare-scope", Some("read"));
    check(json!({"scope": "é read"}), "x-mare-scope", Some("read"));
    check(json!({"roles": ["a".repeat(HEADER_MAX + 1)]}), "x-mare-roles", None);
    check(json!({"roles": {"admin": true}}), "x-mare-roles", None);
}

#[test]
fn routes_require_scopes_roles_and_claims() {
    let check = |claims: Value, scopes: &[&str], roles: &[&str], said: &[(&str, &str)], expected| {
        let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
        let said = said.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
        let require = Require { scopes: owned(scopes), roles: owned(roles), claims: said };
        assert_eq!(of(claims.clone()).expect("good").fulfils(&require), expected, "{claims} {require:?}");
    };
    check(json!({}), &[], &[], &[], Ok(()));
    check(json!({"scope": "a b"}), &["a", "b"], &[], &[], Ok(()));
    check(json!({"scope": ["a", "b"]}), &["b"], &[], &[], Ok(()));
    check(json!({"scp": "a b"}), &["b"], &[], &[], Ok(()));
    check(json!({"scp": ["a"]}), &["a"], &[], &[], Ok(()));
    check(json!({"scope": "a"}), &["a", "b"], &[], &[], Err(Reason::Scope));
    check(json!({"scope": "ab"}), &["a"], &[], &[], Err(Reason::Scope));
    check(json!({"scope": "A"}), &["a"], &[], &[], Err(Reason::Scope));
    check(json!({"scope": [["a"]]}), &["a"], &[], &[], Err(Reason::Scope));
    check(json!({}), &["a"], &[], &[], Err(Reason::Scope));
    check(json!({"roles": ["x", "y"]}), &[], &["y", "z"], &[], Ok(()));
    check(json!({"role": "x"}), &[], &["x"], &[], Ok(()));
    check(json!({"roles": "x y"}), &[], &["x"], &[], Err(Reason::Role));
    check(json!({"roles": ["x"]}), &[], &["z"], &[], Err(Reason::Role));
    check(json!({"tenant": "t"}), &[], &[], &[("tenant", "t")], Ok(()));
    check(json!({"tenant": ["t"]}), &[], &[], &[("tenant", "t")], Err(Reason::Claim));
    check(json!({"tenant": true}), &[], &[], &[("tenant", "true")], Err(Reason::Claim));
    check(json!({}), &[], &[], &[("tenant", "t")], Err(Reason::Claim));
}

#[test]
fn an_api_key_grants_what_the_manifest_says() {
    let key = ApiKey { hash: [0; 32], scopes: vec!["read".to_owned()], roles: vec!["bot".to_owned()] };
    let claimant = Claimant::of_key("partner", &key);
    assert_eq!(claimant.api_key(), Some("partner"));
    let expected = [("x-mare-api-key", "partner"), ("x-mare-roles", "bot"), ("x-mare-scope", "read")];
    assert_eq!(headers(&claimant), expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_ne!(claimant.subject(), Claimant::of_key("other", &key).subject());
    let named = Require { claims: [("sub".to_owned(), "partner".to_owned())].into(), ..Require::default() };
    assert_eq!(claimant.fulfils(&named), Err(Reason::Claim), "a key has no claims");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]{0,2}", inner, 0..3)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn different_claims_are_different_subjects(one in value(), other in value()) {
        let subject = |value: &Value| *of(json!({ "x": value })).expect("good").subject();
        prop_assert_eq!(subject(&one) == subject(&other), one == other);
    }
}
