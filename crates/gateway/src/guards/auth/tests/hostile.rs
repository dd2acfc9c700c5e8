//! Tokens as attackers make them: the attacks of RFC 8725 section 2, and of the CVEs of JWT libraries.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::*;

const ALGORITHM: &str = "the token's algorithm is not accepted";
const MALFORMED: &str = "the token is malformed";
const SIGNATURE: &str = "the token's signature is not valid";
const UNKNOWN: &str = "the token's key is not known";

/// Of the key `rsa`.
const HEADER: &str = r#"{"alg":"RS256","kid":"rsa"}"#;

/// Three keys, and good claims.
struct Court {
    rig: Rig,
    rsa: Signer,
    ec: Signer,
    secret: Signer,
    claims: Value,
}

impl Court {
    async fn open() -> Self {
        let (rsa, ec) = (Signer::rsa("rsa"), Signer::ec("ec", 1));
        let secret = Signer::secret("secret", SECRET.as_bytes());
        let rig = Rig::of_keys(vec![rsa.of_manifest(), ec.of_manifest(), secret.of_manifest()]);
        let court = Self { rig, rsa, ec, secret, claims: claims("ana") };
        for good in [court.rsa(HEADER), court.ec.token(&court.claims), court.secret.token(&court.claims)] {
            assert!(court.rig.settle(&bearer(&good), &jwt()).await.is_ok(), "what is changed below is good");
        }
        court
    }

    /// Good claims under any header.
    fn rsa(&self, header: &str) -> String {
        self.rsa.sign(header, &self.claims.to_string())
    }

    async fn refuses(&self, what: &str, token: &str, expected: &str) {
        let refusal = self.rig.settle(&bearer(token), &jwt()).await.err();
        let refusal = refusal.unwrap_or_else(|| panic!("taken: {what}"));
        assert_eq!((refusal.code, &*refusal.detail), (Code::TokenInvalid, expected), "{what}");
        let challenge = refusal.headers[0].1.to_str().expect("ASCII");
        assert_eq!(challenge, format!("Bearer error=\"invalid_token\", error_description=\"{expected}\""));
    }
}

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// CVE-2015-9235 and its many sisters.
#[tokio::test]
async fn nothing_goes_without_a_signature() {
    let court = Court::open().await;
    for alg in ["none", "None", "NONE", "nOnE"] {
        let unsigned =
            format!("{}.{}", encode(json!({ "alg": alg }).to_string()), encode(court.claims.to_string()));
        court.refuses("none", &unsigned, MALFORMED).await;
        court.refuses("none and nothing", &format!("{unsigned}."), MALFORMED).await;
        court.refuses("none and something", &format!("{unsigned}.AAAA"), ALGORITHM).await;
    }
    let good = court.rsa(HEADER);
    let (signed, signature) = good.rsplit_once('.').expect("parts");
    court.refuses("cut off", signed, MALFORMED).await;
    court.refuses("empty", &format!("{signed}."), MALFORMED).await;
    court.refuses("cut short", &format!("{signed}.{}", &signature[..8]), SIGNATURE).await;
    court.refuses("zeros", &format!("{signed}.{}", encode([0; 256])), SIGNATURE).await;
    let root =
        json!({ "iss": "https://issuer.example", "aud": "api", "sub": "root", "exp": now_s() + 600.0 });
    let other = format!("{}.{}.{signature}", encode(HEADER), encode(root.to_string()));
    court.refuses("under other claims", &other, SIGNATURE).await;
    let (_, claims) = signed.split_once('.').expect("parts");
    let other = format!("{}.{claims}.{signature}", encode(r#"{"kid":"rsa","alg":"RS256"}"#));
    court.refuses("under another header", &other, SIGNATURE).await;
}

/// CVE-2016-10555: a key is used for what it is not.
#[tokio::test]
async fn keys_are_not_confused() {
    let court = Court::open().await;
    for material in [court.rsa.pem(), court.rsa.pem().trim().to_owned(), court.rsa.jwk()["n"].to_string()] {
        let forged = Signer::secret("rsa", material.as_bytes()).token(&court.claims);
        court.refuses("a public key as a secret", &forged, UNKNOWN).await;
    }
    let claims = court.claims.to_string();
    let cases = [
        (court.secret.sign(r#"{"alg":"HS256","kid":"rsa"}"#, &claims), UNKNOWN),
        (court.ec.sign(r#"{"alg":"ES256","kid":"rsa"}"#, &claims), UNKNOWN),
        (court.ec.sign(r#"{"alg":"RS256","kid":"ec"}"#, &claims), UNKNOWN),
        (court.ec.sign(r#"{"alg":"RS256","kid":"rsa"}"#, &claims), SIGNATURE),
        (court.secret.sign(r#"{"alg":"HS512","kid":"secret"}"#, &claims), ALGORITHM),
        (court.rsa.sign(r#"{"alg":"PS256","kid":"rsa"}"#, &claims), ALGORITHM),
        (Signer::secret("secret", b"").token(&court.claims), SIGNATURE),
        (Signer::secret("secret", b"secret").token(&court.claims), SIGNATURE),
        (Signer::ec("ec", 2).token(&court.claims), SIGNATURE),
        (Signer::ed("ec", 1).token(&court.claims), ALGORITHM),
    ];
    for (token, expected) in cases {
        court.refuses("a key for something else", &token, expected).await;
    }
}

/// CVE-2018-0114: a token brings its key, or says where it is.
#[tokio::test]
async fn a_token_does_not_choose_whom_to_believe() {
    let court = Court::open().await;
    let mine = Signer::ec("mine", 2);
    let claims = court.claims.to_string();
    for header in [
        json!({ "alg": "ES256", "jwk": mine.jwk() }),
        json!({ "alg": "ES256", "kid": "mine", "jku": "http://127.0.0.1:1/" }),
        json!({ "alg": "ES256", "x5u": "http://127.0.0.1:1/", "x5c": ["AAAA"] }),
    ] {
        court.refuses("its own key", &mine.sign(&header.to_string(), &claims), UNKNOWN).await;
    }
    let linked = json!({ "alg": "ES256", "kid": "ec", "jwk": mine.jwk() }).to_string();
    court.refuses("its own key under our name", &mine.sign(&linked, &claims), SIGNATURE).await;
    for kid in
        ["../../../../dev/null", "/etc/passwd", "' OR 1=1 --", "$(id)", "rsa\u{0}", "RSA", "rsa ", "", "0"]
    {
        let header = json!({ "alg": "RS256", "kid": kid }).to_string();
        court.refuses("a name for something else", &court.rsa(&header), UNKNOWN).await;
    }
    court
        .refuses(
            "a very long name",
            &court.rsa(&json!({ "alg": "RS256", "kid": "k".repeat(300) }).to_string()),
            MALFORMED,
        )
        .await;
    court.refuses("two names", &court.rsa(r#"{"alg":"RS256","kid":"x","kid":"rsa"}"#), MALFORMED).await;
    court
        .refuses("two algorithms", &court.rsa(r#"{"alg":"none","alg":"RS256","kid":"rsa"}"#), MALFORMED)
        .await;
    court.refuses("no name", &court.rsa(r#"{"alg":"RS256"}"#), UNKNOWN).await;
}

#[tokio::test]
async fn extensions_and_other_kinds_of_tokens_are_refused() {
    let court = Court::open().await;
    for extra in [
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "b64": false }),
        json!({ "b64": false, "crit": ["b64"] }),
        json!({ "cty": "JWT" }),
        json!({ "typ": "logout+jwt" }),
        json!({ "typ": "dpop+jwt" }),
        json!({ "enc": "A256GCM" }),
    ] {
        let mut header: Value = serde_json::from_str(HEADER).expect("JSON");
        header.as_object_mut().expect("a map").extend(extra.as_object().expect("a map").clone());
        court.refuses("an extension", &court.rsa(&header.to_string()), MALFORMED).await;
    }
    let encrypted = encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"rsa"}"#);
    court.refuses("encrypted", &format!("{encrypted}.AAAA.AAAA.AAAA.AAAA"), MALFORMED).await;
    court
        .refuses(
            "nested",
            &court.rsa.sign(HEADER, &format!("{:?}", court.rsa(HEADER))),
            "the token's claims are not valid",
        )
        .await;
}

#[tokio::test]
async fn a_token_has_one_spelling() {
    let court = Court::open().await;
    let good = court.rsa(HEADER);
    let (signed, signature) = good.rsplit_once('.').expect("parts");
    court.refuses("padded", &format!("{good}=="), SIGNATURE).await;
    court.refuses("broken", &format!("{signed}.{} {}", &signature[..9], &signature[9..]), SIGNATURE).await;
    court.refuses("twice", &format!("{good},{good}"), MALFORMED).await;
    court.refuses("twice", &format!("{good}, Bearer {good}"), MALFORMED).await;
    court.refuses("too many parts", &format!("{good}.AAAA"), MALFORMED).await;
    // 2048 bits leave four of the last letter unused.
    let last = signature.chars().last().expect("a letter");
    let sister = char::from_u32(u32::from(last) + 1).expect("a letter");
    court.refuses("other last bits", &format!("{}{sister}", good.trim_end_matches(last)), SIGNATURE).await;
    let long = json!({ "sub": "a".repeat(9000) }).to_string();
    court.refuses("too long", &court.rsa.sign(HEADER, &long), "the token is too long").await;
    court.refuses("not ASCII", &format!("{signed}.{signature}é"), SIGNATURE).await;
}

#[tokio::test]
async fn claims_that_do_not_fit_are_refused_though_the_signature_is_good() {
    let court = Court::open().await;
    let check = async |name: &str, value: Value, expected: &str| {
        let mut claims = court.claims.clone();
        let map = claims.as_object_mut().expect("a map");
        if value.is_null() {
            map.remove(name)
        } else {
            map.insert(name.to_owned(), value)
        };
        court.refuses(name, &court.rsa.sign(HEADER, &claims.to_string()), expected).await;
    };
    check("exp", Value::Null, "the token's claims are not valid").await;
    check("exp", json!(now_s() - 61.0), "the token has expired").await;
    check("exp", json!("2099-01-01"), "the token's claims are not valid").await;
    check("nbf", json!(now_s() + 120.0), "the token is not valid yet").await;
    check("iat", json!(now_s() + 120.0), "the token is not valid yet").await;
    check("iss", json!("https://issuer.example.evil.example"), "the token is from another issuer").await;
    check("aud", json!(["web"]), "the token is meant for somebody else").await;
    check("sub", json!("ana\r\nX-Mare-Roles: admin"), "the token's claims are not valid").await;
    for text in [r#"{"sub":"ana","sub":"root","exp":99999999999}"#, "[]", "7", "", "{", "null"] {
        court.refuses("claims", &court.rsa.sign(HEADER, text), "the token's claims are not valid").await;
    }
}
