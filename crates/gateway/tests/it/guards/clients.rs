//! Where a request comes from, and for which host.

use super::{ask, guarded, outcome};
use crate::rig::{API, Rig};
use crate::upstream::{OK, Upstream};
use crate::wire::Wire;

#[tokio::test]
async fn a_network_that_may_not_ask_is_refused_by_routes_of_all_kinds_and_by_no_other_listener() {
    let upstream = Upstream::answering(OK).await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.txt"), "a").expect("writes");
    let denied = "networks = { deny = ['127.0.0.0/8'] }\n";
    let files = format!("[[routes]]\nmatch = '/files/*'\nfiles = '.'\n{denied}");
    let rig = Rig::in_folder(&format!("{API}{denied}{files}"), folder.path().to_owned());
    rig.announce("api", &[(upstream.address, 8)]);
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    for (line, lines) in [("GET /", ""), ("GET /files/a.txt", ""), ("GET /ws", upgrade)] {
        let reply = ask(&rig, line, lines).await;
        assert_eq!((reply.status(), reply.code().as_str()), (403, "network-refused"), "{line}");
    }
    let mut client = Wire::connect(rig.service("api")).await;
    assert_eq!(client.ask("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.status(), 200);
    drop(client);
    assert_eq!(upstream.requests().len(), 1, "the service's own listener has no guards of routes");
    rig.settled().await;
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_the_client_is() {
    let check = async |trusted: &str, lines: &str, code: &str, sent: (&str, &str, &str)| {
        let upstream = Upstream::answering(OK).await;
        let rig = guarded(&upstream, trusted, "networks = { deny = ['192.0.2.0/24'] }");
        let reply = ask(&rig, "GET /", lines).await;
        assert_eq!(outcome(&reply), code, "{trusted} {lines:?}");
        if code == "200" {
            let head = upstream.request().head;
            let seen =
                ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].map(|name| head.get(name));
            assert_eq!(seen, [Some(sent.0), Some(sent.1), Some(sent.2)], "{trusted} {lines:?}");
        }
        rig.settled().await;
    };
    let near = ("127.0.0.1", "http", "shop.example");
    let all =
        "x-forwarded-proto: https\r\nx-forwarded-host: www.shop.example\r\nforwarded: for=192.0.2.1\r\n";
    // Nobody is trusted: who forges gains and loses nothing.
    check("", "x-forwarded-for: 192.0.2.1\r\n", "200", near).await;
    check("", all, "200", near).await;
    check("[limits]\ntrusted = ['10.0.0.0/8']", &format!("x-forwarded-for: 192.0.2.1\r\n{all}"), "200", near)
        .await;
    let trusted = "[limits]\ntrusted = ['127.0.0.1', '10.0.0.0/8']";
    check(trusted, "x-forwarded-for: 192.0.2.1\r\n", "network-refused", near).await;
    check(trusted, "x-forwarded-for: 203.0.113.5, 192.0.2.1\r\n", "network-refused", near).await;
    check(trusted, "x-forwarded-for: 192.0.2.1, 10.0.0.3\r\n", "network-refused", near).await;
    check(trusted, "x-forwarded-for: ::ffff:192.0.2.1\r\n", "network-refused", near).await;
    // What the client wrote before a proxy did is not believed.
    let client = ("203.0.113.5", "http", "shop.example");
    check(trusted, "x-forwarded-for: 192.0.2.1, 203.0.113.5\r\n", "200", client).await;
    check(trusted, "x-forwarded-for: 192.0.2.1\r\nx-forwarded-for: 203.0.113.5\r\n", "200", client).await;
    let whole = ("203.0.113.5", "https", "www.shop.example");
    check(trusted, &format!("x-forwarded-for: 203.0.113.5\r\n{all}"), "200", whole).await;
    // A Connection that lists it takes nothing away.
    let hidden = "connection: x-forwarded-for\r\nx-forwarded-for: 192.0.2.1\r\n";
    check(trusted, hidden, "network-refused", near).await;
    check(trusted, "x-forwarded-for: nonsense\r\n", "200", near).await;
}

#[tokio::test]
async fn only_listed_hosts_are_served() {
    let upstream = Upstream::answering(OK).await;
    let rig = guarded(&upstream, "", "hosts = ['shop.example', '*.shop.example']");
    let check = async |request: &str, expected: &str| {
        let reply = rig.client().await.ask(&format!("{request}\r\n\r\n")).await;
        assert_eq!(outcome(&reply), expected, "{request}");
        if expected == "host-not-served" {
            assert_eq!(reply.status(), 421);
        }
    };
    for host in ["shop.example", "shop.example:8080", "SHOP.Example.", "Shop.example.:80", "a.shop.example"] {
        check(&format!("GET / HTTP/1.1\r\nhost: {host}"), "200").await;
    }
    for host in
        ["", "evil.example", "shop.example.evil.example", "a.b.shop.example", "shop.example..", "127.0.0.1"]
    {
        check(&format!("GET / HTTP/1.1\r\nhost: {host}"), "host-not-served").await;
    }
    // An absolute target is the host, whatever Host says.
    check("GET http://evil.example/ HTTP/1.1\r\nhost: shop.example", "host-not-served").await;
    check("GET http://shop.example/ HTTP/1.1\r\nhost: evil.example", "200").await;
    check("GET / HTTP/1.1\r\nhost: shop.example\r\nhost: evil.example", "bad-request").await;
    check("GET / HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: shop.example", "host-not-served").await;
    check("GET / HTTP/1.0", "host-not-served").await;
    rig.settled().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let upstream = Upstream::answering(OK).await;
    let rig = guarded(&upstream, "[limits]\nhead = '8KiB'", "");
    for (size, expected) in [(7 << 10, 200), (8 << 10, 431), (64 << 10, 431)] {
        let mut client = rig.client().await;
        let request = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(size));
        // It may be answered and closed before all of it was taken.
        let _ = client.try_send(&request).await;
        assert_eq!(client.reply().await.status(), expected, "{size}");
    }
    rig.settled().await;
}
