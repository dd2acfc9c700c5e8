use proptest::prelude::*;
use serde_json::json;

use super::*;

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn token(header: &str) -> String {
    format!("{}.{}.c2ln", encode(header), encode("{}"))
}

#[test]
fn a_header_says_the_algorithm_and_the_key() {
    let check = |header: &str, expected: Result<(Algorithm, Option<&str>), Reason>| {
        let token = token(header);
        let found = parse(token.as_bytes()).map(|(header, _)| (header.algorithm, header.kid));
        assert_eq!(found, expected.map(|(algorithm, kid)| (algorithm, kid.map(str::to_owned))), "{header}");
    };
    check(r#"{"alg":"EdDSA"}"#, Ok((Algorithm::EdDsa, None)));
    check(r#"{"alg":"ES256","kid":"a","typ":"JWT"}"#, Ok((Algorithm::Es256, Some("a"))));
    check(r#"{"alg":"RS256","typ":"at+jwt","jku":"https://evil.example/"}"#, Ok((Algorithm::Rs256, None)));
    check(r#"{"alg":"HS256","typ":"application/AT+JWT","x5c":["a"]}"#, Ok((Algorithm::Hs256, None)));
    check(r#"{"alg":"HS256","kid":"../../dev/null"}"#, Ok((Algorithm::Hs256, Some("../../dev/null"))));

    for alg in
        ["none", "None", "nOnE", "NONE", "", "hs256", "HS384", "HS512", "RS1", "ES256K", "PS256", "dir"]
    {
        check(&json!({ "alg": alg }).to_string(), Err(Reason::Algorithm));
    }
    check("{}", Err(Reason::Malformed));
    check("[]", Err(Reason::Malformed));
    check("", Err(Reason::Malformed));
    check(r#"{"alg":null}"#, Err(Reason::Malformed));
    check(r#"{"alg":["RS256"]}"#, Err(Reason::Malformed));
    check(r#"{"alg":"none","alg":"RS256"}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256","kid":7}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256","kid":"a","kid":"b"}"#, Err(Reason::Malformed));
    check(&json!({ "alg": "RS256", "kid": "a".repeat(KID_MAX + 1) }).to_string(), Err(Reason::Malformed));
    check(r#"{"alg":"RS256","crit":["exp"],"exp":1}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256","crit":[]}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256","crit":null}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256","b64":false}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256","b64":false,"crit":["b64"]}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256","cty":"JWT"}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256","typ":"logout+jwt"}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256","typ":"dpop+jwt"}"#, Err(Reason::Malformed));
    check(r#"{"alg":"RS256"} "#, Ok((Algorithm::Rs256, None)));
    check(r#"{"alg":"RS256"}x"#, Err(Reason::Malformed));
}

#[test]
fn a_token_has_three_parts_in_canonical_base64() {
    let header = encode(r#"{"alg":"RS256"}"#);
    let check =
        |token: &str, expected: bool| assert_eq!(parse(token.as_bytes()).is_ok(), expected, "{token}");
    check(&format!("{header}.e30.c2ln"), true);
    for wrong in ["", ".", "..", "...", "a", "a.b"] {
        check(wrong, false);
    }
    check(&format!("{header}.e30."), false);
    check(&format!("{header}.e30"), false);
    check(&format!("{header}.e30.c2ln.c2ln.c2ln"), false);
    check(&format!(".{header}.e30.c2ln"), false);
    check(&format!("{header}=.e30.c2ln"), false);
    check(&format!(" {header}.e30.c2ln"), false);
    check(&format!("{header},{header}.e30.c2ln"), false);
    // eyJhbGciOiJSUzI1NiJ9 without bits left over; another last letter would decode to the same with lenient readers.
    check(&encode(r#"{"alg":"HS256" }"#).replace("fQ", "fR"), false);
    assert!(parse(b"\xff.e30.c2ln").is_err());
}

#[test]
fn the_claims_are_those_of_the_one_reading_there_is() {
    let check = |claims: &str, expected: bool| {
        let claims = URL_SAFE_NO_PAD.encode(claims);
        let token = Unverified { signed: "", claims: &claims, signature: "" };
        assert_eq!(Claims::read(&token).is_ok(), expected, "{claims}");
    };
    check(r#"{"sub":"a","exp":1}"#, true);
    check(r#"{"sub":"a","sub":"b"}"#, false);
    check(r#"["sub"]"#, false);
    check("null", false);
    check("", false);
    check(&format!("{}1{}", "[".repeat(200), "]".repeat(200)), false);
    let padded = Unverified { signed: "", claims: "e30=", signature: "" };
    assert_eq!(Claims::read(&padded), Err(Reason::Malformed));
}

const NOW: f64 = 1_000_000.0;

fn judge(claims: &Value) -> Result<f64, Reason> {
    let expected = Expected {
        issuer: Some("https://issuer.example".to_owned()),
        audience: vec!["api".to_owned(), "web".to_owned()],
        leeway_s: 60.0,
    };
    let claims = serde_json::from_value(claims.clone()).expect("claims");
    expected.judge(&claims, NOW)
}

/// Good claims with one of them changed; `null` takes it away.
fn with(name: &str, value: Value) -> Value {
    let mut claims = json!({ "iss": "https://issuer.example", "aud": "api", "sub": "a", "exp": NOW + 300.0 });
    let map = claims.as_object_mut().expect("a map");
    if value.is_null() {
        map.remove(name)
    } else {
        map.insert(name.to_owned(), value)
    };
    claims
}

#[test]
fn claims_are_judged_one_by_one() {
    let check = |name: &str, value: Value, expected: Result<(), Reason>| {
        assert_eq!(judge(&with(name, value.clone())).map(|_until| ()), expected, "{name}: {value}");
    };
    check("sub", json!("a"), Ok(()));

    check("exp", Value::Null, Err(Reason::Claims));
    check("exp", json!("1000300"), Err(Reason::Claims));
    check("exp", json!([NOW]), Err(Reason::Claims));
    check("exp", json!(-1), Err(Reason::Claims));
    check("exp", json!(NOW), Ok(()));
    check("exp", json!(NOW - 59.5), Ok(()));
    check("exp", json!(NOW - 60.0), Err(Reason::Expired));
    check("exp", json!(0), Err(Reason::Expired));
    check("exp", json!(1e300), Ok(()));

    check("nbf", json!(NOW + 60.0), Ok(()));
    check("nbf", json!(NOW + 61.0), Err(Reason::Early));
    check("nbf", json!("soon"), Err(Reason::Claims));
    check("iat", json!(NOW + 61.0), Err(Reason::Early));
    check("iat", json!(NOW - 1e6), Ok(()));
    check("iat", json!(true), Err(Reason::Claims));

    check("iss", Value::Null, Err(Reason::Issuer));
    check("iss", json!("https://issuer.example/"), Err(Reason::Issuer));
    check("iss", json!("HTTPS://issuer.example"), Err(Reason::Issuer));
    check("iss", json!(["https://issuer.example"]), Err(Reason::Issuer));

    check("aud", Value::Null, Err(Reason::Audience));
    check("aud", json!("web"), Ok(()));
    check("aud", json!(["other", "api"]), Ok(()));
    check("aud", json!("other"), Err(Reason::Audience));
    check("aud", json!("api web"), Err(Reason::Audience));
    check("aud", json!([]), Err(Reason::Audience));
    check("aud", json!([["api"]]), Err(Reason::Audience));
    check("aud", json!({ "api": true }), Err(Reason::Audience));
}

#[test]
fn a_token_is_good_until_its_end_and_the_leeway() {
    assert_eq!(judge(&with("exp", json!(NOW + 10.0))), Ok(NOW + 70.0));
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(token in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&token);
    }

    #[test]
    fn no_letter_can_be_changed_without_being_another_token(index in 0_usize..60, letter in "[A-Za-z0-9_=+/-]") {
        let good = token(r#"{"alg":"RS256","kid":"abcdefgh"}"#);
        let mut other = good.clone().into_bytes();
        let index = index % other.len();
        other[index] = letter.as_bytes()[0];
        let read = |token: &[u8]| {
            let (header, rest) = parse(token).ok()?;
            Some((header, decode(rest.claims).ok()?, decode(rest.signature).ok()?))
        };
        prop_assert!(other == good.as_bytes() || read(&other) != read(good.as_bytes()));
    }
}
