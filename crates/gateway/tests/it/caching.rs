//! Routes with `cache`, over real sockets: what comes from the copy, and what ends it. What may be kept at all is
//! tested with `mare-cache`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;
use tokio::sync::Notify;

use crate::rig::{API, Rig};
use crate::upstream::Upstream;
use crate::wire::{Message, Wire};

const KEPT: &str = "cache = { ttl = '1h' }";
const GET: &str = "GET /items HTTP/1.1\r\nhost: a\r\n\r\n";
const POST: &str = "POST /items/7 HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
const SECRET: &str = "only-for-tests-and-32-bytes-long";

/// One service `api` with one instance, whose route has `settings`.
fn caching(upstream: &Upstream, settings: &str) -> Rig {
    let auth = format!("[[auth.keys]]\nalgorithm = 'HS256'\nsecret = '{SECRET}'\n[auth]\nissuer = 'a'\n");
    let auth = if settings.contains("jwt") { auth } else { String::new() };
    let rig = Rig::new(&format!("{auth}{API}{settings}\n"));
    rig.announce("api", &[(upstream.address, 16)]);
    rig
}

/// Counts its GETs in their answers, which have `headers`; whatever else it is asked is answered with `write`.
async fn counting(headers: &'static str, write: &'static str) -> Upstream {
    let count = Arc::new(AtomicUsize::new(0));
    Upstream::scripted(move |mut wire, _| {
        let count = Arc::clone(&count);
        async move {
            while let Some(request) = wire.request().await {
                let answer = if request.head.line.starts_with("GET") {
                    let body = count.fetch_add(1, Ordering::Relaxed).to_string();
                    format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
                } else {
                    write.to_owned()
                };
                if wire.try_send(answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

async fn get(rig: &Rig) -> Message {
    rig.client().await.ask(GET).await
}

#[tokio::test]
async fn the_second_client_gets_a_copy_without_the_words_between_service_and_cache() {
    let upstream = counting("cache-tag: a\r\ncdn-cache-control: max-age=60\r\netag: \"x\"\r\n", "").await;
    let rig = caching(&upstream, KEPT);
    let (first, second) = (get(&rig).await, get(&rig).await);
    assert_eq!((first.text(), second.text()), ("0".to_owned(), "0".to_owned()));
    for reply in [&first, &second] {
        assert_eq!((reply.head.get("cache-tag"), reply.head.get("cdn-cache-control")), (None, None));
    }
    assert_eq!(first.head.get("cache-status"), Some("mare; fwd=uri-miss; fwd-status=200; stored"));
    assert_eq!(second.head.get("cache-status"), Some("mare; hit"));
    assert!(second.head.get("age").is_some());
    assert_ne!(first.head.get("x-request-id"), second.head.get("x-request-id"));

    let mut client = rig.client().await;
    let unchanged = client.ask("GET /items HTTP/1.1\r\nhost: a\r\nif-none-match: \"x\"\r\n\r\n").await;
    assert_eq!(unchanged.status(), 304);
    let head = client.ask("HEAD /items HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!((head.status(), head.head.get("content-length")), (200, Some("1")));
    let nowhere = "GET /items?page=3 HTTP/1.1\r\nhost: a\r\ncache-control: only-if-cached\r\n\r\n";
    assert_eq!(client.ask(nowhere).await.code(), "not-cached");
    let other = client.ask("GET /items?page=2 HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(other.text(), "1");
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_copy_ends_before_the_answer_that_ends_it_goes_out() {
    const NAMED: &str = "HTTP/1.1 200 OK\r\ncache-purge: a\r\ncontent-length: 0\r\n\r\n";
    const PLAIN: &str = "HTTP/1.1 204 No Content\r\n\r\n";
    async fn check(write: &'static str, request: &str, ends: bool) {
        let upstream = counting("cache-tag: a, b\r\n", write).await;
        let rig = caching(&upstream, KEPT);
        assert_eq!(get(&rig).await.text(), "0");
        let answer = rig.client().await.ask(request).await;
        assert_eq!(answer.head.get("cache-purge"), None, "{request}");
        assert_eq!(get(&rig).await.text(), if ends { "1" } else { "0" }, "{request} {write}");
        rig.settled().await;
    }
    check(NAMED, POST, true).await;
    check(PLAIN, POST, false).await;
    // RFC 9111 4.4.
    check(PLAIN, "DELETE /items HTTP/1.1\r\nhost: a\r\n\r\n", true).await;
    check(PLAIN, "DELETE /items HTTP/1.1\r\nhost: b\r\n\r\n", false).await;
    check("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", "DELETE /items HTTP/1.1\r\nhost: a\r\n\r\n", false)
        .await;
    check(NAMED, "OPTIONS / HTTP/1.1\r\nhost: a\r\n\r\n", true).await;
}

#[tokio::test]
async fn the_answer_to_a_task_or_another_service_ends_copies_too() {
    let upstream =
        counting("cache-tag: a\r\n", "HTTP/1.1 200 OK\r\ncache-purge: a\r\ncontent-length: 0\r\n\r\n").await;
    let rig = caching(&upstream, KEPT);
    assert_eq!((get(&rig).await.text(), get(&rig).await.text()), ("0".to_owned(), "0".to_owned()));
    let task =
        "POST /events HTTP/1.1\r\nhost: localhost\r\nx-cloudtasks-taskname: t\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(Wire::connect(rig.service("api")).await.ask(task).await.status(), 200);
    assert_eq!(get(&rig).await.text(), "1");
    rig.settled().await;
}

#[tokio::test]
async fn many_who_ask_at_once_make_one_request() {
    let open = Arc::new(Notify::new());
    let gate = Arc::clone(&open);
    let upstream = Upstream::scripted(move |mut wire, _| {
        let gate = Arc::clone(&gate);
        async move {
            while wire.request().await.is_some() {
                gate.notified().await;
                wire.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nonce").await;
            }
        }
    })
    .await;
    let rig = caching(&upstream, KEPT);
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = rig.client().await;
        client.send(GET).await;
        clients.push(client);
    }
    rig.measured("mare_connections{listener=\"public\"}", 20.0).await;
    upstream.has_accepted(1).await;
    open.notify_one();
    for client in &mut clients {
        assert_eq!(client.reply().await.text(), "once");
    }
    assert_eq!(upstream.accepted(), 1);
    drop(clients);
    rig.settled().await;
}

#[tokio::test]
async fn a_fill_that_others_wait_for_goes_on_without_its_client() {
    let open = Arc::new(Notify::new());
    let gate = Arc::clone(&open);
    let upstream = Upstream::scripted(move |mut wire, _| {
        let gate = Arc::clone(&gate);
        async move {
            while wire.request().await.is_some() {
                wire.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\non").await;
                gate.notified().await;
                wire.send("ce").await;
            }
        }
    })
    .await;
    let rig = caching(&upstream, KEPT);
    let mut first = rig.client().await;
    first.send(GET).await;
    first.expect("HTTP/1.1 200 OK\r\n").await;
    let mut second = rig.client().await;
    second.send(GET).await;
    rig.measured("mare_cache_waiting", 1.0).await;
    first.reset();
    rig.measured("mare_connections{listener=\"public\"}", 1.0).await;
    open.notify_one();
    assert_eq!(second.reply().await.text(), "once");
    assert_eq!(upstream.accepted(), 1);
    drop(second);
    rig.settled().await;
}

#[tokio::test]
async fn a_write_goes_on_without_its_client_and_ends_what_it_changed() {
    for answer in ["HTTP/1.1 200 OK\r\ncache-purge: a\r\ncontent-length: 0\r\n\r\n", ""] {
        let (begun, open) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (started, gate) = (Arc::clone(&begun), Arc::clone(&open));
        let upstream = Upstream::scripted(move |mut wire, before| {
            let (started, gate) = (Arc::clone(&started), Arc::clone(&gate));
            async move {
                while let Some(request) = wire.request().await {
                    if request.head.line.starts_with("GET") {
                        let answer = "HTTP/1.1 200 OK\r\ncache-tag: a\r\ncontent-length: 1\r\n\r\n";
                        wire.send(format!("{answer}{before}")).await;
                        continue;
                    }
                    started.notify_one();
                    gate.notified().await;
                    // Or it breaks off: nobody knows what it did.
                    let _ = wire.try_send(answer).await;
                    return;
                }
            }
        })
        .await;
        let rig = caching(&upstream, KEPT);
        assert_eq!((get(&rig).await.text(), get(&rig).await.text()), ("0".to_owned(), "0".to_owned()));
        let mut writer = rig.client().await;
        writer.send("POST /items HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await;
        begun.notified().await;
        writer.reset();
        rig.measured("mare_connections{listener=\"public\"}", 0.0).await;
        open.notify_one();
        rig.measured("mare_cache_purges_total", 1.0).await;
        assert_eq!(get(&rig).await.text(), "1", "{answer:?}");
        rig.settled().await;
    }
}

#[tokio::test]
async fn a_stale_copy_is_served_while_it_is_refreshed_and_when_the_service_fails() {
    let upstream =
        counting("cache-control: max-age=0, stale-while-revalidate=60, stale-if-error=60\r\n", "").await;
    let rig = caching(&upstream, "cache = {}");
    assert_eq!((get(&rig).await.text(), get(&rig).await.text()), ("0".to_owned(), "0".to_owned()));
    // The second one had it refreshed; whoever comes when that is done sees it.
    while get(&rig).await.text() == "0" {}
    rig.settled().await;

    let upstream = Upstream::scripted(|mut wire, _| async move {
        for answer in ["200 OK", "503 No", "200 OK"] {
            let lines = "cache-control: max-age=0, stale-if-error=60\r\ncontent-length: 3\r\n\r\n";
            let Some(_) = wire.request().await else { return };
            wire.send(format!("HTTP/1.1 {answer}\r\n{lines}{}", &answer[..3])).await;
        }
        // And the third time, and whenever it is tried again, it breaks off.
    })
    .await;
    let rig = caching(&upstream, "cache = {}");
    for _ in 0..4 {
        assert_eq!(get(&rig).await.text(), "200");
    }
    rig.settled().await;
}

#[tokio::test]
async fn what_ends_with_its_connection_is_not_kept() {
    let upstream = Upstream::scripted(|mut wire, before| async move {
        if wire.request().await.is_some() {
            wire.send(format!("HTTP/1.1 200 OK\r\n\r\n{before}")).await;
        }
    })
    .await;
    let rig = caching(&upstream, KEPT);
    assert_eq!((get(&rig).await.text(), get(&rig).await.text()), ("0".to_owned(), "1".to_owned()));
    rig.settled().await;
}

#[tokio::test]
async fn each_user_has_copies_of_his_own() {
    let upstream = counting("cache-control: private\r\n", "").await;
    let rig = caching(&upstream, "auth = 'jwt'\ncache = { ttl = '1h', per = 'user' }");
    let mut client = rig.client().await;
    let mut seen = Vec::new();
    for user in ["ana", "rui", "ana", "rui"] {
        let exp = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() + 60;
        // Two tokens of one user differ, and the user is the same.
        let claims = json!({ "iss": "a", "sub": user, "exp": exp, "jti": seen.len().to_string() });
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = encode(&Header::default(), &claims, &key).expect("a token");
        let request = format!("GET /items HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
        seen.push(client.ask(&request).await.text());
    }
    assert_eq!(seen, ["0", "1", "0", "1"]);
    assert_eq!(client.ask(GET).await.status(), 401);
    drop(client);
    rig.settled().await;
}

/// Answers each GET of `/items` with how many there were; to others, and to other methods, it says what `others` does.
async fn items(others: &'static [&'static str]) -> Upstream {
    let counts = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    Upstream::scripted(move |mut wire, _| {
        let counts = Arc::clone(&counts);
        async move {
            while let Some(request) = wire.request().await {
                let answer = if request.head.line.starts_with("GET /items ") {
                    let body = counts.0.fetch_add(1, Ordering::Relaxed);
                    format!("HTTP/1.1 200 OK\r\ncache-tag: a\r\ncontent-length: 1\r\n\r\n{body}")
                } else {
                    others[counts.1.fetch_add(1, Ordering::Relaxed)].to_owned()
                };
                if answer.is_empty() || wire.try_send(answer).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn whatever_a_write_may_have_done_ends_copies() {
    const GONE: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    const NAMED: &str = "HTTP/1.1 200 OK\r\ncache-purge: a\r\ncontent-length: 0\r\n\r\n";
    async fn check(others: &'static [&'static str], request: &str) {
        let upstream = items(others).await;
        let rig = caching(&upstream, KEPT);
        assert_eq!((get(&rig).await.text(), get(&rig).await.text()), ("0".to_owned(), "0".to_owned()));
        rig.client().await.ask(request).await;
        assert_eq!(get(&rig).await.text(), "1", "{request}");
        rig.settled().await;
    }
    // The first attempt may have been executed before it broke off.
    check(&["", GONE], "DELETE /items HTTP/1.1\r\nhost: a\r\n\r\n").await;
    // A service may decline a change of protocols, and do what was asked.
    let upgrade = "DELETE /items HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    check(&["HTTP/1.1 204 No Content\r\n\r\n"], upgrade).await;
    // The answer to a GET that is looked up, too; kept or not.
    check(&[NAMED], "GET /touch HTTP/1.1\r\nhost: a\r\n\r\n").await;
    check(&[NAMED], "GET /touch HTTP/1.1\r\nhost: a\r\ncache-control: no-store\r\n\r\n").await;
}

#[tokio::test]
async fn what_the_service_sees_of_a_request_chooses_its_copy() {
    let upstream = counting("vary: accept-language\r\n", "").await;
    let rig = Rig::new(&format!("{API}{KEPT}\n[limits]\ntrusted = ['127.0.0.1']\n"));
    rig.announce("api", &[(upstream.address, 16)]);
    let check = async |lines: &str, expected: &str| {
        let request = format!("GET /items HTTP/1.1\r\nhost: a\r\n{lines}\r\n");
        assert_eq!(rig.client().await.ask(&request).await.text(), expected, "{lines}");
    };
    check("accept-language: pt\r\n", "0").await;
    check("accept-language: pt\r\n", "0").await;
    check("connection: close\r\naccept-language: pt\r\n", "0").await;
    // The service is not told of the language.
    check("connection: accept-language\r\naccept-language: pt\r\n", "1").await;
    check("connection: accept-language\r\naccept-language: en\r\n", "2").await;
    check("accept-language: en\r\n", "3").await;
    // A service may build links of it.
    check("accept-language: pt\r\nx-forwarded-host: evil.example\r\n", "4").await;
    check("accept-language: pt\r\n", "0").await;
    rig.settled().await;
}
