//! What pages may do, and what answers say to browsers.

use super::{KEYS, ask, guarded, outcome};
use crate::rig::{API, Rig};
use crate::upstream::{OK, Upstream};
use crate::wire::Message;

const HERE: &str = "https://app.example.com";
const CORS: &str =
    "cors = { origins = ['https://app.example.com'], methods = ['GET', 'PUT'], credentials = true }";

fn preflight(origin: &str, method: &str) -> String {
    format!(
        "origin: {origin}\r\naccess-control-request-method: {method}\r\naccess-control-request-headers: x-a\r\n"
    )
}

/// What an answer allows: origin, credentials, methods.
fn allowed(reply: &Message) -> [Option<&str>; 3] {
    ["origin", "credentials", "methods"].map(|what| reply.head.get(&format!("access-control-allow-{what}")))
}

#[tokio::test]
async fn a_preflight_is_answered_before_credentials_and_limits_and_never_passed_on() {
    let upstream = Upstream::answering(OK).await;
    let rig =
        guarded(&upstream, KEYS, &format!("auth = 'key'\nlimit = {{ rate = '1/h', burst = 1 }}\n{CORS}"));
    for _ in 0..3 {
        let reply = ask(&rig, "OPTIONS /a", &preflight(HERE, "PUT")).await;
        assert_eq!(reply.status(), 204);
        assert_eq!(allowed(&reply), [Some(HERE), Some("true"), Some("GET, PUT")]);
        assert_eq!(reply.head.get("access-control-allow-headers"), Some("x-a"));
        assert_eq!(reply.head.get("access-control-max-age"), Some("600"));
        assert_eq!((reply.head.get("vary"), reply.head.get("ratelimit")), (Some("Origin"), None));
    }
    // A method that is not allowed is not in the list, which is what makes a browser refuse it.
    let reply = ask(&rig, "OPTIONS /a", &preflight(HERE, "DELETE")).await;
    assert_eq!((reply.status(), allowed(&reply)[2]), (204, Some("GET, PUT")));
    for stranger in ["null", "https://evil.example", "https://app.example.com.evil.example"] {
        let reply = ask(&rig, "OPTIONS /a", &preflight(stranger, "PUT")).await;
        assert_eq!((reply.status(), allowed(&reply)), (204, [None; 3]), "{stranger}");
        assert_eq!(reply.head.get("vary"), Some("Origin"));
    }
    // Any other OPTIONS is a request like all others.
    assert_eq!(outcome(&ask(&rig, "OPTIONS /a", "").await), "unauthenticated");
    assert_eq!(upstream.requests().len(), 0);
    rig.settled().await;
}

#[tokio::test]
async fn a_preflight_goes_to_the_route_of_the_method_it_asks_for() {
    let upstream = Upstream::answering(OK).await;
    let route = |line: &str, more: &str| format!("[[routes]]\nmatch = '{line}'\nservice = 'api'\n{more}\n");
    let routes = [route("PUT /a", CORS), route("GET /a", ""), route("/b", "")].concat();
    let rig = Rig::new(&format!("[services.api]\nrun = 'api'\n{routes}"));
    rig.announce("api", &[(upstream.address, 8)]);
    let check = async |path: &str, method: &str, expected: &str| {
        let reply = ask(&rig, &format!("OPTIONS {path}"), &preflight(HERE, method)).await;
        assert_eq!(outcome(&reply), expected, "{path} {method}");
    };
    check("/a", "PUT", "204").await;
    check("/a", "GET", "method-not-allowed").await;
    check("/a", "DELETE", "method-not-allowed").await;
    check("/c", "PUT", "no-route").await;
    assert_eq!(upstream.requests().len(), 0);
    // Who speaks of origins himself is asked himself.
    check("/b", "PUT", "200").await;
    assert_eq!(upstream.request().head.line, "OPTIONS /b HTTP/1.1");
    rig.settled().await;
}

#[tokio::test]
async fn pages_can_read_answers_and_refusals_and_services_do_not_speak_of_origins() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\naccess-control-allow-credentials: true\r\n\
         access-control-max-age: 5\r\nvary: accept-encoding\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let networks = "[[routes]]\nmatch = '/denied'\nservice = 'api'\nnetworks = { deny = ['127.0.0.1'] }\n";
    let rig =
        guarded(&upstream, "", &format!("limit = {{ rate = '1/h', burst = 2 }}\n{CORS}\n{networks}{CORS}"));
    let reply = ask(&rig, "GET /", &format!("origin: {HERE}\r\n")).await;
    assert_eq!(allowed(&reply), [Some(HERE), Some("true"), None]);
    assert_eq!(reply.head.all("vary"), ["accept-encoding", "Origin"]);
    assert_eq!(reply.head.get("access-control-max-age"), None);
    // A stranger's request is served; its page cannot read the answer.
    let reply = ask(&rig, "GET /", "origin: null\r\n").await;
    assert_eq!((reply.status(), allowed(&reply)), (200, [None; 3]));
    for (path, code) in [("/", "rate-limited"), ("/denied", "network-refused")] {
        let reply = ask(&rig, &format!("GET {path}"), &format!("origin: {HERE}\r\n")).await;
        assert_eq!((reply.code().as_str(), allowed(&reply)), (code, [Some(HERE), Some("true"), None]));
    }
    rig.settled().await;
}

#[tokio::test]
async fn every_answer_of_a_route_gets_its_security_headers() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.html"), "<p>").expect("writes");
    let routes = "[limits]\ntrusted = ['127.0.0.1']\n[[routes]]\nmatch = '/*'\nfiles = '.'\n\
                  security = { hsts = '1d', content = \"default-src 'self'\" }\n";
    let rig = Rig::in_folder(routes, folder.path().to_owned());
    for (path, status) in [("/a.html", 200), ("/missing", 404)] {
        let reply = ask(&rig, &format!("GET {path}"), "").await;
        assert_eq!(reply.status(), status);
        let seen =
            ["x-content-type-options", "x-frame-options", "content-security-policy", "referrer-policy"]
                .map(|name| reply.head.get(name));
        let expected = ["nosniff", "DENY", "default-src 'self'", "strict-origin-when-cross-origin"];
        assert_eq!(seen, expected.map(Some), "{path}");
        assert_eq!(reply.head.get("strict-transport-security"), None, "never over plain HTTP");
    }
    let reply = ask(&rig, "GET /a.html", "x-forwarded-proto: https\r\n").await;
    assert_eq!(reply.head.get("strict-transport-security"), Some("max-age=86400"));
    rig.settled().await;
    // A service has its own opinion; without the guard nothing is added.
    let upstream =
        Upstream::answering("HTTP/1.1 200 OK\r\nx-frame-options: SAMEORIGIN\r\ncontent-length: 0\r\n\r\n")
            .await;
    let manifest = format!("{API}security = {{}}\n[[routes]]\nmatch = '/plain'\nservice = 'api'\n");
    let rig = Rig::new(&manifest);
    rig.announce("api", &[(upstream.address, 8)]);
    let reply = ask(&rig, "GET /", "").await;
    assert_eq!(reply.head.all("x-frame-options"), ["SAMEORIGIN"]);
    let reply = ask(&rig, "GET /plain", "").await;
    assert_eq!(reply.head.get("x-content-type-options"), None);
    rig.settled().await;
}
