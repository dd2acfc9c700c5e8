//! Listeners that are not for the public.

use crate::rig::{LIMITED, Rig, TOKEN};
use crate::upstream::{OK, Upstream};
use crate::wire::Wire;

#[tokio::test]
async fn a_loopback_listener_takes_only_what_comes_from_this_machine() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    let check = async |host: &str, lines: &str, status| {
        for (address, path) in [(rig.admin, "/hello"), (rig.service("api"), "/x")] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\n");
            let reply = Wire::connect(address).await.ask(&request).await;
            assert_eq!(reply.status(), status, "{request:?}");
            assert!(status == 200 || reply.code() == "foreign-origin");
        }
    };
    check("localhost", "", 200).await;
    check("127.0.0.1:8081", "", 200).await;
    check("[::1]:8081", "", 200).await;
    check("localhost:8081", "origin: http://localhost:3000\r\n", 200).await;
    check("localhost.evil.example", "", 403).await;
    check("evil.example", "", 403).await;
    check("192.168.0.1", "", 403).await;
    check("localhost", "origin: http://evil.example\r\n", 403).await;
    check("localhost", "origin: null\r\n", 403).await;
    check("localhost", "origin: http://localhost\r\norigin: http://evil.example\r\n", 403).await;
    rig.settled().await;
}

#[tokio::test]
async fn elsewhere_a_token_is_needed() {
    let rig = Rig::new(crate::rig::API);
    let check = async |path: &str, lines: &str, status| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: anything.example\r\n{lines}\r\n");
        let reply = Wire::connect(rig.guarded).await.ask(&request).await;
        assert_eq!(reply.status(), status, "{request:?}");
        assert_eq!(reply.head.get("www-authenticate"), (status == 401).then_some("Bearer"));
    };
    check("/hello", &format!("authorization: Bearer {TOKEN}\r\n"), 200).await;
    check("/hello", &format!("authorization: bearer {TOKEN}\r\n"), 200).await;
    check("/hello", &format!("authorization: Basic {TOKEN}\r\n"), 401).await;
    check("/hello", "authorization: Bearer wrong\r\n", 401).await;
    check("/hello", "", 401).await;
    check("/hello/open", "", 200).await;
    check("/hello/open/x", "", 401).await;
    check("/nothing", &format!("authorization: Bearer {TOKEN}\r\n"), 404).await;
    check("/echo", &format!("authorization: Bearer {LIMITED}\r\n"), 200).await;
    check("/echo", &format!("authorization: Bearer {TOKEN}\r\n"), 200).await;
    check("/hello", &format!("authorization: Bearer {LIMITED}\r\n"), 401).await;
    rig.settled().await;
}

#[tokio::test]
async fn what_may_write_takes_every_method() {
    let rig = Rig::new(crate::rig::API);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let request = format!("{method} /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\nhi");
        let reply = Wire::connect(rig.admin).await.ask(&request).await;
        assert_eq!((reply.status(), reply.text().as_str()), (200, "hi"), "{method}");
    }
    rig.settled().await;
}

#[tokio::test]
async fn what_only_reads_is_only_read() {
    let rig = Rig::new(crate::rig::API);
    let check = async |method: &str, status| {
        let request = format!("{method} /hello HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let reply = Wire::connect(rig.admin).await.ask(&request).await;
        assert_eq!(reply.status(), status, "{method}");
        assert_eq!(reply.head.get("allow"), (status == 405).then_some("GET, HEAD"), "{method}");
        assert!(status == 200 || reply.code() == "method-not-allowed", "{method}");
    };
    check("GET", 200).await;
    check("HEAD", 200).await;
    check("POST", 405).await;
    check("DELETE", 405).await;
    check("OPTIONS", 405).await;
    rig.settled().await;
}

#[tokio::test]
async fn what_never_reached_a_service_says_so_to_other_services_only() {
    const GET: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let rig = Rig::new(crate::rig::API);
    rig.announce_failing("api", std::time::Duration::from_secs(3));
    for (address, mark) in [(rig.service("api"), Some("service-failing")), (rig.public, None)] {
        let reply = Wire::connect(address).await.ask(GET).await;
        assert_eq!((reply.code().as_str(), reply.head.get("x-mare-refused")), ("service-failing", mark));
    }
    let lying = "HTTP/1.1 503 No\r\nx-mare-refused: no-instance\r\ncontent-length: 0\r\n\r\n";
    let upstream = Upstream::answering(lying).await;
    rig.announce("api", &[(upstream.address, 8)]);
    let reply = Wire::connect(rig.service("api")).await.ask(GET).await;
    assert_eq!((reply.status(), reply.head.get("x-mare-refused")), (503, None));
    rig.settled().await;
}
