//! Requests of the process itself, made of a service without a socket.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;

use crate::rig::Rig;
use crate::upstream::{OK, Upstream};

fn post(path: &str, body: &'static str) -> Request<Bytes> {
    let request = Request::post(path).header("host", "127.0.0.1:7").header("x-cloudtasks-taskname", "t");
    request.body(Bytes::from_static(body.as_bytes())).expect("a request")
}

#[tokio::test]
async fn a_call_reaches_the_service_like_a_request_at_its_listener() {
    let upstream = Upstream::answering(OK).await;
    let rig = Rig::before(&upstream, "");
    for body in ["abc", ""] {
        let response = rig.calls.call("api", post("/a?b=c", body)).await;
        assert_eq!(response.status(), 200);
        let id = response.headers()["x-request-id"].clone();
        assert_eq!(response.into_body().collect().await.expect("a body").to_bytes(), "ok");
        let got = upstream.requests().pop().expect("it came");
        assert_eq!((got.head.line.as_str(), got.text().as_str()), ("POST /a?b=c HTTP/1.1", body));
        for (name, value) in [
            ("host", "127.0.0.1:7"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-host", "127.0.0.1:7"),
            ("x-request-id", id.to_str().expect("ASCII")),
            ("via", "1.1 mare"),
        ] {
            assert_eq!(got.head.get(name), Some(value), "{name}");
        }
    }
    assert_eq!(upstream.accepted(), 1, "connections are kept");
    rig.measured("mare_requests_total{route=\"internal\",target=\"api\",status=\"2xx\"}", 2.0).await;
    rig.settled().await;
}

#[tokio::test]
async fn a_call_is_refused_like_a_request_at_its_listener() {
    let upstream =
        Upstream::answering("HTTP/1.1 503 No\r\nx-mare-refused: lie\r\ncontent-length: 0\r\n\r\n").await;
    let rig = Rig::before(&upstream, "[limits]\nbody = '3B'");
    let calls = Arc::clone(&rig.calls);
    let check = async |service: &str, request: Request<Bytes>, status: u16, refused: Option<&str>| {
        let response = calls.call(service, request).await;
        let mark = response.headers().get("x-mare-refused").map(|mark| mark.to_str().expect("ASCII"));
        assert_eq!((response.status().as_u16(), mark), (status, refused));
    };
    check("api", post("/", "abc"), 503, None).await;
    check("api", post("/", "abcd"), 413, None).await;
    check("api", post("/../a", ""), 400, None).await;
    check("other", post("/", ""), 404, None).await;
    rig.settled().await;
    rig.shut_down();
    rig.ended().await;
    check("api", post("/", "abc"), 503, Some("shutting-down")).await;
    assert_eq!(upstream.requests().len(), 1);
}
