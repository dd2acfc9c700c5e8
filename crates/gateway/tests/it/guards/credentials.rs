//! Credentials on their way through the gateway; whom to believe is tested beside `guards/auth`.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::{KEYS, ask, guarded};
use crate::rig::{API, Rig};
use crate::upstream::{OK, Upstream};
use crate::wire::Message;

#[tokio::test]
async fn what_was_proved_reaches_the_service_and_what_a_client_claims_does_not() {
    let upstream = Upstream::answering(OK).await;
    let rig = guarded(&upstream, KEYS, "auth = 'key'");
    let forged = "x-mare-api-key: root\r\nX-Mare-Roles: admin\r\nx-mare-subject: root\r\n\
                  X_Mare_Api_Key: root\r\nx-mare_roles: admin\r\nx_mare-claims: e30\r\nX-Mare-Anything: 1\r\n";
    // To have the gateway itself remove what it adds would be as good as forging.
    let listed = "connection: x-mare-api-key, x-mare-roles\r\n";
    let reply = ask(&rig, "GET /", &format!("x-api-key: one\r\n{forged}{listed}")).await;
    assert_eq!(reply.status(), 200);
    let head = upstream.request().head;
    let said: Vec<_> =
        head.headers.iter().filter(|(name, _)| name.replace('_', "-").starts_with("x-mare")).collect();
    let proved = [("x-mare-api-key", "one"), ("x-mare-roles", "reader")];
    assert_eq!(said.len(), proved.len(), "{said:?}");
    assert!(proved.iter().all(|(name, value)| head.all(name) == [*value]), "{said:?}");
    rig.settled().await;
}

#[tokio::test]
async fn without_credentials_there_is_neither_a_file_nor_a_tunnel() {
    let upstream = Upstream::answering(OK).await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.txt"), "a").expect("writes");
    let files = "[[routes]]\nmatch = '/files/*'\nfiles = '.'\nauth = 'key'\n";
    let rig = Rig::in_folder(&format!("{KEYS}{API}auth = 'key'\n{files}"), folder.path().to_owned());
    rig.announce("api", &[(upstream.address, 8)]);
    for (line, lines) in
        [("GET /files/a.txt", ""), ("GET /ws", "connection: upgrade\r\nupgrade: websocket\r\n")]
    {
        let reply = ask(&rig, line, lines).await;
        assert_eq!((reply.status(), reply.code().as_str()), (401, "unauthenticated"), "{line}");
        assert!(reply.head.get("www-authenticate").is_some());
        assert_eq!(ask(&rig, line, &format!("{lines}x-api-key: one\r\n")).await.status(), 200, "{line}");
    }
    rig.settled().await;
}

/// Answers with a key set at `/jwks` and `OK` elsewhere.
async fn issuer(keys: String) -> Upstream {
    Upstream::scripted(move |mut wire, _| {
        let keys = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{keys}", keys.len());
        async move {
            while let Some(Message { head, .. }) = wire.request().await {
                let subject = head.get("x-mare-subject").unwrap_or("nobody");
                let seen = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-seen: {subject}\r\n\r\n");
                let answer = if head.line.starts_with("GET /jwks ") { &keys } else { &seen };
                if wire.try_send(answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_token_of_an_unknown_key_waits_for_the_keys_and_then_meets_the_guards_behind() {
    // RFC 8410 7: an Ed25519 key in PKCS #8, up to its seed.
    let private = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let key = EncodingKey::from_ed_der(&[private.as_slice(), &[7; 32]].concat());
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).expect("a key");
    jwk.common.key_id = Some("k".to_owned());
    let upstream = issuer(json!({ "keys": [jwk] }).to_string()).await;
    let auth = "[auth]\njwks = { service = 'api', path = '/jwks' }\nissuer = 'shop'";
    let guards = "auth = 'jwt'\nlimit = { rate = '1/h', burst = 1, per = 'user' }\n\
                  cors = { origins = ['https://app.example.com'] }";
    let rig = guarded(&upstream, auth, guards);
    let token = |user: &str, id: &str| {
        let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::EdDSA) };
        let claims = json!({ "iss": "shop", "sub": user, "exp": 4_102_444_800_u64 });
        let token = encode(&header, &claims, &key).expect("signs");
        format!("authorization: Bearer {token}\r\norigin: https://app.example.com\r\n")
    };
    let reply = ask(&rig, "GET /", &token("ana", "k")).await;
    assert_eq!((reply.status(), reply.head.get("x-seen")), (200, Some("ana")));
    assert!(reply.head.get("ratelimit").expect("a quota").starts_with("\"user\";r=0;"));
    assert_eq!(ask(&rig, "GET /", &token("ana", "k")).await.code(), "rate-limited");
    assert_eq!(ask(&rig, "GET /", &token("rui", "k")).await.head.get("x-seen"), Some("rui"));
    let reply = ask(&rig, "GET /", &token("eva", "other")).await;
    assert_eq!((reply.status(), reply.code().as_str()), (401, "token-invalid"));
    assert_eq!(reply.head.get("access-control-allow-origin"), Some("https://app.example.com"));
    rig.settled().await;
}
