use mare_manifest::model::guard;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use super::*;

fn cache() -> Cache {
    let config = guard::Cache { memory: 1 << 20, redis_timeout: Duration::from_millis(50) };
    Cache::new(&config, "shop", &mut Registry::default())
}

async fn ask(cache: &Cache, method: Method, path: &str, body: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).body(Full::<Bytes>::from(body.to_owned()));
    let response = cache.respond(request.expect("a request")).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a whole body").to_bytes();
    (status, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test]
async fn a_purge_names_what_is_to_end() {
    let cache = cache();
    let check = async |body: &str, expected: (u16, Option<u64>)| {
        let (status, answer) = ask(&cache, Method::POST, "/api/cache/purge", body).await;
        assert_eq!((status, answer["purge"].as_u64()), expected, "{body}: {answer}");
    };
    check(r#"{"tags": ["a", "b"]}"#, (200, Some(1))).await;
    check(r#"{"urls": ["/x?y=z", "http://Shop.example:80/x"]}"#, (200, Some(2))).await;
    check(r#"{"tags": ["a"], "urls": ["/x"]}"#, (200, Some(3))).await;
    check(r#"{"all": true}"#, (200, Some(4))).await;
    check("{}", (400, None)).await;
    check("", (400, None)).await;
    check(r#"{"all": false}"#, (400, None)).await;
    check(r#"{"all": true, "tags": ["a"]}"#, (400, None)).await;
    check(r#"{"tag": "a"}"#, (400, None)).await;
    check(r#"{"urls": ["shop.example"]}"#, (400, None)).await;
    check(&json!({ "tags": vec!["a"; NAMES_MAX] }).to_string(), (200, Some(5))).await;
    check(&json!({ "tags": vec!["a"; NAMES_MAX + 1] }).to_string(), (400, None)).await;
    check(&json!({ "tags": ["a".repeat(BODY_MAX)] }).to_string(), (413, None)).await;
}

#[tokio::test]
async fn other_addresses_and_methods_are_refused() {
    let cache = cache();
    let check = async |method, path, expected| {
        assert_eq!(ask(&cache, method, path, "").await.0, expected, "{path}");
    };
    check(Method::GET, "/api/cache/", 200).await;
    check(Method::POST, "/api/cache", 405).await;
    check(Method::GET, "/api/cache/purge", 405).await;
    check(Method::GET, "/api/cache/else", 404).await;
}

#[tokio::test]
async fn the_overview_names_every_route() {
    let cache = cache();
    let caching =
        guard::Caching { ttl: None, per_user: false, query: guard::Query::All, size: 1024, heuristic: false };
    cache.route("/b", &caching);
    cache.route("/a", &caching);
    cache.purge(Purge::named(["x", "y"])).await;
    let (_, answer) = ask(&cache, Method::GET, "/api/cache", "").await;
    let document: CacheDocument = serde_json::from_value(answer).expect("a document");
    let names: Vec<&str> = document.routes.iter().map(|route| &*route.route).collect();
    assert_eq!(names, ["/a", "/b"]);
    assert_eq!(document.routes[0].ratio, None);
    assert_eq!(document.purges, PurgesDocument { count: 1, remembered: 2, floor: 0 });
}
