//! Sessions that stay with an instance.

use super::ask;
use crate::rig::{API, Rig};
use crate::upstream::Upstream;
use crate::wire::Message;

/// An instance that says which it is.
async fn instance(name: &str) -> Upstream {
    Upstream::answering(&format!("HTTP/1.1 200 OK\r\nset-cookie: own=1\r\ncontent-length: 1\r\n\r\n{name}"))
        .await
}

fn sticky(settings: &str) -> Rig {
    Rig::new(&format!("{settings}{API}sticky = {{ cookie = 'at' }}\n"))
}

/// The cookie an answer sets, as a request brings it.
fn cookie(reply: &Message) -> Option<String> {
    let set = reply.head.all("set-cookie");
    assert_eq!(set[0], "own=1", "the service's own stays");
    let cookie = set.get(1)?;
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    Some(format!("cookie: a=b; {}\r\n", cookie.split(';').next().expect("a pair")))
}

#[tokio::test]
async fn a_session_stays_with_its_instance_until_that_goes_away() {
    let (one, two) = (instance("1").await, instance("2").await);
    let rig = sticky("");
    rig.announce("api", &[(one.address, 8), (two.address, 8)]);
    let first = ask(&rig, "GET /", "").await;
    let (home, at) = (first.text(), cookie(&first).expect("a session begins"));
    for _ in 0..5 {
        let reply = ask(&rig, "GET /", &at).await;
        assert_eq!(
            (reply.text(), cookie(&reply)),
            (home.clone(), None),
            "it stays, and nothing is said again"
        );
    }
    // That instance goes away, another one takes its place.
    let (gone, left) = if home == "1" { (2, &two) } else { (1, &one) };
    rig.announce_as(gone, "api", &[(left.address, 8)]);
    rig.observed("api", |seen| seen.generation == 2).await;
    let moved = ask(&rig, "GET /", &at).await;
    assert_ne!(moved.text(), home);
    let now = cookie(&moved).expect("it moved");
    assert_ne!(now, at);
    assert_eq!(cookie(&ask(&rig, "GET /", &now).await), None);
    rig.settled().await;
}

#[tokio::test]
async fn a_full_instance_moves_the_session() {
    let slow = Upstream::scripted(|mut wire, _| async move {
        while wire.head().await.is_some() {
            wire.send("HTTP/1.1 200 OK\r\nset-cookie: own=1\r\ncontent-length: 2\r\n\r\n1").await;
        }
    })
    .await;
    let rig = sticky("");
    rig.announce("api", &[(slow.address, 1)]);
    let mut holding = rig.client().await;
    holding.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let held = holding.head().await.expect("an answer whose end does not come");
    let at = cookie(&Message { head: held, body: Vec::new(), is_complete: false }).expect("a session begins");
    let other = instance("2").await;
    rig.announce("api", &[(slow.address, 1), (other.address, 1)]);
    rig.observed("api", |seen| seen.generation == 2).await;
    let reply = ask(&rig, "GET /", &at).await;
    assert_eq!(reply.text(), "2");
    assert!(cookie(&reply).is_some_and(|now| now != at));
    drop(holding);
    rig.settled().await;
}

#[tokio::test]
async fn a_forged_cookie_is_worth_nothing() {
    let only = instance("1").await;
    let rig = sticky("");
    rig.announce("api", &[(only.address, 8)]);
    for forged in
        ["at=1", "at=0000000000000001", "at=ffffffffffffffff", "at=", "at=../../x", "at=1; at=2", "AT=1"]
    {
        let reply = ask(&rig, "GET /", &format!("cookie: {forged}\r\n")).await;
        assert_eq!(reply.status(), 200, "{forged}");
        assert!(cookie(&reply).is_some(), "{forged}");
    }
    rig.settled().await;
}

#[tokio::test]
async fn a_client_behind_https_gets_a_secure_cookie_and_so_does_a_tunnel() {
    let switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n";
    let upstream = Upstream::answering(switching).await;
    let rig = sticky("[limits]\ntrusted = ['127.0.0.1']\n");
    rig.announce("api", &[(upstream.address, 8)]);
    let check = async |lines: &str, ending: &str| {
        let upgrade = format!("connection: upgrade\r\nupgrade: raw\r\n{lines}");
        let reply = ask(&rig, "GET /ws", &upgrade).await;
        assert_eq!(reply.status(), 101);
        let cookie = reply.head.get("set-cookie").expect("a session begins");
        assert!(cookie.ends_with(ending), "{cookie}");
    };
    check("x-forwarded-proto: https\r\n", "; SameSite=Lax; Secure").await;
    check("", "; SameSite=Lax").await;
    rig.settled().await;
}
