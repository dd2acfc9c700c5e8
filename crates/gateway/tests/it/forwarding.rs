//! What passes through the gateway, what it takes out and what it puts in.

use crate::rig::{API, Rig};
use crate::upstream::{OK, Upstream};
use crate::wire::Message;

/// What the upstream gets of a request with these header lines, on the public listener.
async fn forwarded(lines: &str) -> Message {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    let request = format!("GET /a%20b?c=%20d HTTP/1.1\r\nhost: shop.example:8080\r\n{lines}\r\n");
    assert_eq!(rig.client().await.ask(&request).await.status(), 200, "{lines:?}");
    rig.settled().await;
    upstream.request()
}

#[tokio::test]
async fn a_request_passes_with_its_target_and_host_as_they_were() {
    let request = forwarded("accept: */*\r\nx-a: 1\r\nx-a: 2\r\ncookie: a=b; c=d\r\n").await;
    assert_eq!(request.head.line, "GET /a%20b?c=%20d HTTP/1.1");
    assert_eq!(request.head.get("host"), Some("shop.example:8080"));
    assert_eq!(request.head.all("x-a"), ["1", "2"]);
    assert_eq!(request.head.get("cookie"), Some("a=b; c=d"));
    assert_eq!(request.head.get("via"), Some("1.1 mare"));
}

#[tokio::test]
async fn what_belongs_to_the_clients_connection_stays_there() {
    let request = forwarded(
        "connection: keep-alive, x-one\r\nconnection: x-two\r\nx-one: 1\r\nx-two: 2\r\nkeep-alive: timeout=5\r\n\
         te: trailers\r\ntrailer: x\r\nproxy-connection: keep-alive\r\nupgrade: websocket\r\nx-kept: 3\r\n",
    )
    .await;
    for name in ["connection", "x-one", "x-two", "keep-alive", "te", "trailer", "proxy-connection", "upgrade"]
    {
        assert_eq!(request.head.all(name), Vec::<&str>::new(), "{name}");
    }
    assert_eq!(request.head.get("x-kept"), Some("3"));
}

#[tokio::test]
async fn what_belongs_to_the_upstreams_connection_stays_there() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nconnection: x-one\r\nx-one: 1\r\nkeep-alive: timeout=5\r\nproxy-connection: a\r\n\
         upgrade: h2c\r\ncontent-length: 2\r\nx-kept: 3\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\r\nok",
    )
    .await;
    let rig = Rig::before(&upstream, "");
    let reply = rig.client().await.ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    for name in ["connection", "x-one", "keep-alive", "proxy-connection", "upgrade", "transfer-encoding"] {
        assert_eq!(reply.head.all(name), Vec::<&str>::new(), "{name}");
    }
    assert_eq!(reply.head.get("x-kept"), Some("3"));
    assert_eq!(reply.head.all("set-cookie"), ["a=1", "b=2"]);
    rig.settled().await;
}

#[tokio::test]
async fn who_asked_is_the_gateways_to_say() {
    let request = forwarded(
        "x-forwarded-for: 6.6.6.6\r\nx-forwarded-for: 7.7.7.7\r\nx-forwarded-host: evil\r\n\
         x-forwarded-proto: https\r\nforwarded: for=6.6.6.6\r\n",
    )
    .await;
    assert_eq!(request.head.get("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(request.head.get("x-forwarded-host"), Some("shop.example:8080"));
    assert_eq!(request.head.get("x-forwarded-proto"), Some("http"));
    assert_eq!(request.head.get("forwarded"), None);
}

#[tokio::test]
async fn one_request_has_one_name_everywhere() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    let check = async |lines: &str, id: Option<&str>, trace: Option<&str>| {
        let before = upstream.requests().len();
        let request = format!("GET / HTTP/1.1\r\nhost: a\r\n{lines}\r\n");
        let reply = rig.client().await.ask(&request).await;
        let sent = upstream.requests()[before].clone();
        let back = reply.head.get("x-request-id").expect("a request id");
        assert_eq!(sent.head.get("x-request-id"), Some(back), "{lines:?}");
        assert!(id.is_none_or(|id| id == back), "{lines:?}: {back}");
        let parent = sent.head.get("traceparent").expect("a trace");
        assert!(trace.is_none_or(|trace| parent[3..35] == *trace), "{lines:?}: {parent}");
        assert!(id.is_some() || parent[3..35] == *back, "the trace names the request");
    };
    check("", None, None).await;
    check("x-request-id: my-1\r\n", Some("my-1"), None).await;
    check("x-request-id: a\r\nx-request-id: b\r\n", Some("a"), None).await;
    check(&format!("traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n"), None, Some(trace)).await;
    check("traceparent: 00-0-0-0\r\n", None, None).await;
    // An answer's own request id is not the request's.
    let impostor =
        Upstream::answering("HTTP/1.1 200 OK\r\nx-request-id: other\r\ncontent-length: 0\r\n\r\n").await;
    let other = Rig::before(&impostor, "");
    let reply = other.client().await.ask("GET / HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n\r\n").await;
    assert_eq!(reply.head.get("x-request-id"), Some("mine"));
    other.settled().await;
    rig.settled().await;
}

#[tokio::test]
async fn reserved_names_are_the_platforms_on_the_public_listener_only() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    let lines =
        "x-mare-subject: root\r\nX-CloudTasks-QueueName: q\r\nx-cloudtasks-taskname: t\r\nx-other: 1\r\n";
    for (address, kept) in [(rig.public, false), (rig.service("api"), true)] {
        let before = upstream.requests().len();
        let request = format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}\r\n");
        let mut client = crate::wire::Wire::connect(address).await;
        assert_eq!(client.ask(&request).await.status(), 200);
        let sent = upstream.requests()[before].clone();
        for name in ["x-mare-subject", "x-cloudtasks-queuename", "x-cloudtasks-taskname"] {
            assert_eq!(sent.head.get(name).is_some(), kept, "{name}");
        }
        assert_eq!(sent.head.get("x-other"), Some("1"));
    }
    rig.settled().await;
}

#[tokio::test]
async fn an_origin_gets_its_own_host_whether_or_not_it_is_asked_to_upgrade() {
    let upstream = Upstream::answering(OK).await;
    let manifest = format!("{API}[[routes]]\nmatch = '/old/*'\nurl = 'http://{}'\n", upstream.address);
    let rig = Rig::new(&manifest);
    for lines in ["", "connection: upgrade\r\nupgrade: websocket\r\n"] {
        let before = upstream.requests().len();
        let request = format!("GET /old/x HTTP/1.1\r\nhost: shop.example\r\n{lines}\r\n");
        assert_eq!(rig.client().await.ask(&request).await.status(), 200);
        let sent = upstream.requests()[before].clone();
        assert_eq!(sent.head.get("host"), Some(upstream.address.to_string().as_str()), "{lines:?}");
        assert_eq!(sent.head.get("x-forwarded-host"), Some("shop.example"));
        assert_eq!(sent.head.line, "GET /old/x HTTP/1.1");
    }
    rig.settled().await;
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_asked() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    let mut client = rig.client().await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n";
    client.send(head).await;
    client.expect("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send("abc").await;
    assert_eq!(client.reply().await.text(), "ok");
    let request = upstream.request();
    assert_eq!((request.text().as_str(), request.head.get("expect")), ("abc", None));
    // Refused: not asked, and what it sends anyway is not another request.
    client.send("POST /../ HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n").await;
    assert_eq!(client.reply().await.code(), "bad-request");
    client.ends().await;
    rig.settled().await;
}
