//! Which route takes a request, and what comes back when none does.

use crate::rig::Rig;
use crate::upstream::{OK, Upstream};
use crate::wire::Wire;

const ROUTES: &str = "
[services.api]
run = 'api'
[[routes]]
match = 'GET /items'
service = 'api'
[[routes]]
match = 'POST /items'
service = 'api'
[[routes]]
match = '/api/*'
service = 'api'
[[routes]]
match = '/static/*'
files = 'public'
[[routes]]
match = '/*'
host = '*.example.com'
service = 'api'
";

fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("public")).expect("writable");
    std::fs::write(folder.path().join("public/a.txt"), "a file").expect("writable");
    folder
}

#[tokio::test]
async fn a_request_goes_where_the_manifest_says_or_learns_why_not() {
    let (upstream, folder) = (Upstream::answering(OK).await, site());
    let rig = Rig::in_folder(ROUTES, folder.path().to_owned());
    rig.announce("api", &[(upstream.address, 8)]);
    let check = async |request: &str, host: &str, expected: Result<&str, (u16, &str)>| {
        let mut client = rig.client().await;
        let reply = client.ask(&format!("{request} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        match expected {
            Ok(text) => assert_eq!((reply.status(), reply.text().as_str()), (200, text), "{request}"),
            Err((status, code)) => {
                assert_eq!((reply.status(), reply.code().as_str()), (status, code), "{request}");
            }
        }
        assert!(reply.head.get("x-request-id").is_some(), "{request}");
    };
    check("GET /items", "a", Ok("ok")).await;
    check("HEAD /items", "a", Ok("")).await;
    check("POST /items", "a", Ok("ok")).await;
    check("PUT /items", "a", Err((405, "method-not-allowed"))).await;
    check("PROPFIND /api/x", "a", Ok("ok")).await;
    check("GET /static/a.txt", "a", Ok("a file")).await;
    check("GET /static/b.txt", "a", Err((404, "not-found"))).await;
    check("POST /static/a.txt", "a", Err((405, "method-not-allowed"))).await;
    check("GET /nothing", "a", Err((404, "no-route"))).await;
    check("GET /nothing", "shop.example.com", Ok("ok")).await;
    check("GET /nothing", "SHOP.Example.com:8080", Ok("ok")).await;
    check("GET /nothing", "a.b.example.com", Err((404, "no-route"))).await;
    check("OPTIONS *", "a", Err((404, "no-route"))).await;
    check("GET /api/../items", "a", Err((400, "bad-request"))).await;
    check("GET /api/%2e%2e/items", "a", Err((400, "bad-request"))).await;
    check("GET /static/%2e%2e/mare.toml", "a", Err((400, "bad-request"))).await;
    check("GET /static/..%2fmare.toml", "a", Err((400, "bad-request"))).await;
    rig.settled().await;
}

#[tokio::test]
async fn a_path_with_other_methods_names_them() {
    let rig = Rig::new(ROUTES);
    let mut client = rig.client().await;
    let reply = client.ask("PUT /items HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(reply.head.get("allow"), Some("GET, HEAD, POST"));
    let reply = client.ask("DELETE /static/a HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(reply.head.get("allow"), Some("GET, HEAD"));
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_a_problem_document() {
    let rig = Rig::new(ROUTES);
    let mut client = rig.client().await;
    let reply = client.ask("GET /x HTTP/1.1\r\nhost: a\r\naccept: text/html,*/*;q=0.8\r\n\r\n").await;
    assert_eq!((reply.status(), reply.head.get("content-type")), (404, Some("text/html; charset=utf-8")));
    let id = reply.head.get("x-request-id").expect("a request id");
    assert!(reply.text().contains(id) && reply.text().contains("no-route"), "{}", reply.text());
    let reply = client.ask("GET /x HTTP/1.1\r\nhost: a\r\naccept: application/json\r\n\r\n").await;
    assert_eq!((reply.status(), reply.code().as_str()), (404, "no-route"));
    assert_eq!(reply.head.get("cache-control"), Some("no-store"));
    // HEAD has the head of what GET would get.
    let reply = client.ask("HEAD /x HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!((reply.status(), reply.head.get("content-type")), (404, Some("application/problem+json")));
    assert!(reply.head.get("content-length").is_some_and(|length| length != "0"));
    drop(client);
    rig.settled().await;
}

#[tokio::test]
async fn requests_and_refusals_are_counted_by_route_and_code() {
    let (upstream, folder) = (Upstream::answering(OK).await, site());
    let rig = Rig::in_folder(ROUTES, folder.path().to_owned());
    rig.announce("api", &[(upstream.address, 8)]);
    let mut client = rig.client().await;
    for request in ["GET /items", "GET /items", "GET /none", "GET /static/none", "GET /static/a.txt"] {
        client.ask(&format!("{request} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
    }
    Wire::connect(rig.service("api")).await.ask("GET /x HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    Wire::connect(rig.admin).await.ask("GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    for (route, target, status, count) in [
        ("GET /items", "api", "2xx", 2.0),
        ("none", "none", "4xx", 1.0),
        ("/static/*", "files", "4xx", 1.0),
        ("/static/*", "files", "2xx", 1.0),
        ("internal", "api", "2xx", 1.0),
        ("mount", "mare", "2xx", 1.0),
    ] {
        let labels = format!("{{route=\"{route}\",target=\"{target}\",status=\"{status}\"}}");
        rig.measured(&format!("mare_requests_total{labels}"), count).await;
    }
    rig.measured("mare_refusals_total{code=\"no-route\"}", 1.0).await;
    rig.measured("mare_refusals_total{code=\"not-found\"}", 1.0).await;
    rig.measured("mare_connections{listener=\"public\"}", 1.0).await;
    assert!(rig.metric("mare_upstream_connects_total{target=\"api\"}") >= 1.0);
    drop(client);
    rig.settled().await;
}
