use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use valoriza::auth::{ACCESS_SECONDS, Secret};
use valoriza::db::{self, FromRow, Row, Statement};
use valoriza::domain::member::Role;

use crate::support::{PASSWORD, Server, on_both_databases};

on_both_databases!(
    a_user_registers_comes_in_and_is_known,
    an_email_is_registered_once_whatever_its_case,
    a_wrong_password_and_an_unknown_email_get_the_same_answer,
    a_refresh_token_is_good_for_one_use_and_its_reuse_ends_the_family,
    a_token_whose_answer_was_lost_may_be_presented_again,
    a_successor_that_was_replaced_is_a_token_used_twice,
    after_the_leeway_a_token_used_twice_ends_the_family,
    of_exchanges_at_the_same_time_all_are_answered_and_the_last_successor_holds,
    logging_out_ends_the_family_again_and_again,
    logging_out_while_a_token_is_renewed_ends_the_new_one_too,
    a_token_is_checked_in_every_part,
    the_jwks_verifies_access_tokens,
);

async fn a_user_registers_comes_in_and_is_known(server: Server) {
    let body = json!({ "name": "Ana Lima", "email": "Ana@Exemplo.com ", "password": PASSWORD, "tenant_name": "Casa" });
    let reply = server.post("/api/auth/register", body).await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let session = reply.expect(StatusCode::CREATED);
    assert_eq!((&session["token_type"], &session["expires_in"]), (&json!("Bearer"), &json!(ACCESS_SECONDS)));
    assert_eq!((&session["user"]["email"], &session["role"]), (&json!("ana@exemplo.com"), &json!("owner")));
    let login = json!({ "email": "ANA@exemplo.com", "password": PASSWORD });
    let session = server.post("/api/auth/login", login).await.expect(StatusCode::OK);
    let token = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let me = server.request(Method::GET, "/api/me").header("authorization", &token).send().await;
    let me = me.expect(StatusCode::OK);
    assert_eq!((&me["tenant"]["name"], &me["memberships"][0]["role"]), (&json!("Casa"), &json!("owner")));
}

async fn an_email_is_registered_once_whatever_its_case(server: Server) {
    let body = |email| json!({ "name": "Ana", "email": email, "password": PASSWORD });
    server.post("/api/auth/register", body("a@b.com")).await.expect(StatusCode::CREATED);
    server.post("/api/auth/register", body("A@B.com")).await.expect_problem(409, "email_taken");
    let wrong = json!({ "name": "", "email": "ana", "password": "curta", "admin": true });
    server.post("/api/auth/register", wrong).await.expect_invalid(&[
        ("name", "required"),
        ("email", "invalid"),
        ("password", "too_short"),
        ("admin", "unknown_field"),
    ]);
}

async fn a_wrong_password_and_an_unknown_email_get_the_same_answer(server: Server) {
    server.user().await;
    let body = |email, password| json!({ "email": email, "password": password });
    let wrong = server.post("/api/auth/login", body("ana0@exemplo.com", "outra senha")).await;
    let unknown = server.post("/api/auth/login", body("ninguem@exemplo.com", PASSWORD)).await;
    let wrong = wrong.expect_problem(401, "bad_credentials");
    assert_eq!(unknown.expect_problem(401, "bad_credentials"), wrong);
}

async fn refresh(server: &Server, token: &Value) -> crate::support::Reply {
    server.post("/api/auth/refresh", json!({ "refresh_token": token })).await
}

async fn a_refresh_token_is_good_for_one_use_and_its_reuse_ends_the_family(server: Server) {
    let first = server.user().await.session["refresh_token"].clone();
    let renewed = refresh(&server, &first).await.expect(StatusCode::OK);
    let second = refresh(&server, &renewed["refresh_token"]).await.expect(StatusCode::OK);
    refresh(&server, &first).await.expect_problem(401, "token_reused");
    refresh(&server, &second["refresh_token"]).await.expect_problem(401, "token_reused");
    refresh(&server, &json!("invented")).await.expect_problem(401, "bad_token");
    // Another login is another family.
    let login = json!({ "email": "ana0@exemplo.com", "password": PASSWORD });
    let other = server.post("/api/auth/login", login).await.expect(StatusCode::OK);
    refresh(&server, &other["refresh_token"]).await.expect(StatusCode::OK);
}

async fn a_token_whose_answer_was_lost_may_be_presented_again(server: Server) {
    let first = server.user().await.session["refresh_token"].clone();
    refresh(&server, &first).await.expect(StatusCode::OK);
    refresh(&server, &first).await.expect(StatusCode::OK);
    let renewed = refresh(&server, &first).await.expect(StatusCode::OK);
    refresh(&server, &renewed["refresh_token"]).await.expect(StatusCode::OK);
    refresh(&server, &first).await.expect_problem(401, "token_reused");
}

async fn a_successor_that_was_replaced_is_a_token_used_twice(server: Server) {
    let first = server.user().await.session["refresh_token"].clone();
    let owners = refresh(&server, &first).await.expect(StatusCode::OK);
    let thiefs = refresh(&server, &first).await.expect(StatusCode::OK);
    refresh(&server, &owners["refresh_token"]).await.expect_problem(401, "token_reused");
    refresh(&server, &thiefs["refresh_token"]).await.expect_problem(401, "token_reused");
}

async fn after_the_leeway_a_token_used_twice_ends_the_family(server: Server) {
    let first = server.user().await.session["refresh_token"].clone();
    let renewed = refresh(&server, &first).await.expect(StatusCode::OK);
    let mut tx = server.app.db.write().await.unwrap();
    let past = "UPDATE refresh_tokens SET used_at = used_at - 30000 WHERE used_at IS NOT NULL";
    tx.execute(Statement::new(past)).await.unwrap();
    tx.commit().await.unwrap();
    refresh(&server, &first).await.expect_problem(401, "token_reused");
    refresh(&server, &renewed["refresh_token"]).await.expect_problem(401, "token_reused");
}

/// Of the newest session.
const UNUSED: &str = "SELECT hash FROM refresh_tokens WHERE used_at IS NULL AND revoked_at IS NULL
    AND family_id = (SELECT family_id FROM refresh_tokens ORDER BY id DESC LIMIT 1)";

struct Hash(Vec<u8>);

impl FromRow for Hash {
    fn from_row(row: &Row) -> Result<Self, db::Error> {
        Ok(Self(row.get("hash")?))
    }
}

async fn of_exchanges_at_the_same_time_all_are_answered_and_the_last_successor_holds(server: Server) {
    for _ in 0..10 {
        let token = server.user().await.session["refresh_token"].clone();
        let replies =
            tokio::join!(refresh(&server, &token), refresh(&server, &token), refresh(&server, &token));
        let renewed = [replies.0, replies.1, replies.2].map(|it| it.expect(StatusCode::OK));
        // However they were ordered, one of the three may be used: the others were replaced.
        let mut tx = server.app.db.snapshot().await.unwrap();
        let hashes: Vec<Hash> = tx.all(Statement::new(UNUSED)).await.unwrap();
        let [unused] = hashes.as_slice() else { panic!("{} successors hold", hashes.len()) };
        let secret = |it: &Value| it["refresh_token"].as_str().unwrap().to_owned();
        let held = renewed.iter().map(secret).find(|it| Secret::claimed(it.clone()).hash() == unused.0);
        refresh(&server, &json!(held.unwrap())).await.expect(StatusCode::OK);
    }
}

async fn logging_out_ends_the_family_again_and_again(server: Server) {
    let token = server.user().await.session["refresh_token"].clone();
    for token in [&token, &token, &json!("invented")] {
        let reply = server.post("/api/auth/logout", json!({ "refresh_token": token })).await;
        reply.expect(StatusCode::NO_CONTENT);
    }
    refresh(&server, &token).await.expect_problem(401, "token_reused");
}

async fn logging_out_while_a_token_is_renewed_ends_the_new_one_too(server: Server) {
    for _ in 0..20 {
        let token = server.user().await.session["refresh_token"].clone();
        let logout = server.post("/api/auth/logout", json!({ "refresh_token": token }));
        let (renewed, left) = tokio::join!(refresh(&server, &token), logout);
        left.expect(StatusCode::NO_CONTENT);
        if renewed.status == StatusCode::OK {
            let late = refresh(&server, &renewed.body["refresh_token"]).await;
            late.expect_problem(401, "token_reused");
        }
    }
}

async fn a_token_is_checked_in_every_part(server: Server) {
    let ana = server.user().await;
    let uuid = |path: &str| ana.session.pointer(path).unwrap().as_str().unwrap().parse().unwrap();
    let old = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() - ACCESS_SECONDS - 1).unwrap();
    let expired = server.app.keys.sign(uuid("/user/id"), uuid("/tenant/id"), Role::Owner, old).unwrap();
    let mut altered = ana.token.clone();
    altered.replace_range(60..61, if &altered[60..61] == "A" { "B" } else { "A" });
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", ana.token.split('.').nth(1).unwrap());
    for token in [expired, altered, unsigned, String::new(), "x.y.z".to_owned()] {
        let call = server.request(Method::GET, "/api/me").header("authorization", &format!("Bearer {token}"));
        call.send().await.expect_problem(401, "bad_token");
    }
    let reply = server.request(Method::GET, "/api/me").send().await;
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    reply.expect_problem(401, "bad_token");
}

async fn the_jwks_verifies_access_tokens(server: Server) {
    let ana = server.user().await;
    let jwks = server.request(Method::GET, "/.well-known/jwks.json").send().await.expect(StatusCode::OK);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks).unwrap();
    let kid = jsonwebtoken::decode_header(&ana.token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["valoriza"]);
    validation.set_issuer(&["valoriza"]);
    let claims = jsonwebtoken::decode::<Value>(&ana.token, &key, &validation).unwrap().claims;
    assert_eq!(
        (&claims["sub"], &claims["tenant"]),
        (&ana.session["user"]["id"], &ana.session["tenant"]["id"])
    );
}
