//! The admin listener.

use std::collections::BTreeMap;

use hyper::Method;

use crate::support::{Folder, Mare, ask, get, mare_program, until};

const WEB: &str = r#"
[services.web]
run = "{probe}"
scale = { min = 1, max = 2, concurrency = 1 }
[services.broken]
run = "false"
[[routes]]
match = "/broken"
service = "broken"
[[routes]]
match = "/*"
service = "web"
"#;

#[tokio::test]
async fn a_page_in_a_browser_does_not_get_in() {
    let mare = Mare::up(WEB).await;
    let address = mare.admin.to_string();
    let check = async |headers: &[(&str, &str)], expected: u16| {
        for path in ["/api/status", "/metrics", "/api/logs/web", "/"] {
            let answer = ask(mare.admin, Method::GET, path, headers, "").await;
            assert_eq!(answer.status, expected, "{path} {headers:?}");
        }
    };
    check(&[], 200).await;
    check(&[("host", "localhost")], 200).await;
    check(&[("origin", &format!("http://{address}"))], 200).await;
    check(&[("host", "evil.example")], 403).await;
    check(&[("host", "127.0.0.1.evil.example")], 403).await;
    check(&[("origin", "https://evil.example")], 403).await;
    check(&[("origin", "null")], 403).await;
    mare.stop().await;
}

#[tokio::test]
async fn nothing_is_changed_there() {
    let mare = Mare::up(WEB).await;
    for path in ["/", "/healthz", "/metrics", "/api/status", "/api/slo", "/api/logs/web"] {
        for method in [Method::POST, Method::DELETE] {
            let answer = ask(mare.admin, method, path, &[], "").await;
            assert_eq!(answer.status, 405, "{path}");
            assert_eq!(answer.headers["allow"], "GET, HEAD", "{path}");
            assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
        }
        let answer = ask(mare.admin, Method::HEAD, path, &[], "").await;
        assert!(answer.status == 200 && answer.body.is_empty(), "{path}: {answer:?}");
    }
    mare.stop().await;
}

#[tokio::test]
async fn a_services_own_address_is_no_door_for_browsers_either() {
    let mare = Mare::up(&format!(
        "{WEB}\n[services.caller]\nrun = \"{{probe}}\"\n[[routes]]\nmatch = \"/env\"\nservice = \"caller\"\n"
    ))
    .await;
    let environment = mare.text("/env").await;
    let url = environment.lines().find_map(|line| line.strip_prefix("MARE_URL_WEB=http://")).expect("set");
    let address = url.parse().expect("an address");
    assert_eq!(ask(address, Method::GET, "/", &[("host", "evil.example")], "").await.status, 403);
    assert_eq!(ask(address, Method::GET, "/", &[("origin", "http://evil.example")], "").await.status, 403);
    assert_eq!(get(address, "/").await.status, 200);
    mare.stop().await;
}

#[tokio::test]
async fn health_and_readiness_are_told_apart() {
    let starting = "[services.web]\nrun = \"sh -c 'until test -e go; do sleep 0.02; done; exec {probe}'\"\nscale = { min = 1 }\n";
    let mare = Mare::launch(Folder::new(starting), &[], &[]).await;
    assert_eq!(get(mare.admin, "/healthz").await.status, 200);
    assert_eq!(get(mare.admin, "/readyz").await.status, 503, "from the first moment");
    mare.until("web", "it starts", |web| web.count("starting") == 1).await;
    assert_eq!(get(mare.admin, "/readyz").await.body, "web has no ready instance\n");
    assert!(!mare.stdout.has("is ready at"));
    mare.folder.write("go", "");
    let ready = async || (get(mare.admin, "/readyz").await.status == 200).then_some(());
    let _: () = until("it is ready", ready).await;
    mare.stdout.until("is ready at").await;
    mare.stop().await;
}

/// Reads the `OpenMetrics` text strictly enough to notice what Prometheus would refuse.
fn parse(page: &str) -> BTreeMap<String, f64> {
    assert!(page.ends_with("# EOF\n"), "it ends with EOF");
    let (mut types, mut series) = (BTreeMap::new(), BTreeMap::new());
    for line in page.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.split(' ');
            if words.next() == Some("TYPE") {
                let (name, kind) = (words.next().expect("a name"), words.next().expect("a type"));
                assert_eq!(types.insert(name.to_owned(), kind.to_owned()), None, "{name} is declared twice");
            }
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a value");
        let value: f64 = value.parse().unwrap_or_else(|error| panic!("{error} in {line:?}"));
        let family = name.split('{').next().expect("a name");
        let declared = types.iter().any(|(name, kind)| match kind.as_str() {
            "counter" => family.strip_suffix("_total") == Some(name),
            "histogram" => family
                .strip_prefix(name.as_str())
                .is_some_and(|rest| matches!(rest, "_bucket" | "_count" | "_sum")),
            _ => family == name,
        });
        assert!(declared, "{line:?} is of no declared type");
        assert_eq!(series.insert(name.to_owned(), value), None, "{name} comes twice");
    }
    series
}

#[tokio::test]
async fn metrics_hold_what_an_operator_needs() {
    let mare = Mare::up(WEB).await;
    assert_eq!(get(mare.public, "/").await.status, 200);
    assert_eq!(get(mare.public, "/broken").await.status, 503);
    let (one, two) = tokio::join!(get(mare.public, "/slow?ms=300"), get(mare.public, "/slow?ms=300"));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    let of = |series: &BTreeMap<String, f64>, name: &str, labels: &[&str]| {
        let found = series.iter().filter(|(series, _)| {
            series.split('{').next() == Some(name) && labels.iter().all(|label| series.contains(label))
        });
        let values: Vec<f64> = found.map(|(_, value)| *value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>())
    };
    // CPU and memory are sampled every few seconds.
    let series = until("memory is sampled", async || {
        let page = get(mare.admin, "/metrics").await;
        assert!(page.headers["content-type"].to_str().expect("ascii").starts_with("application/openmetrics"));
        let series = parse(&page.body);
        let memory = of(&series, "mare_instance_memory_bytes", &["web-1"]);
        memory.is_some_and(|bytes| bytes > 100_000.0).then_some(series)
    })
    .await;
    let check = |name: &str, labels: &[&str], least: f64| {
        let value = of(&series, name, labels);
        assert!(value.is_some_and(|value| value >= least), "{name} {labels:?} is {value:?} in {series:#?}");
    };
    check("mare_requests_total", &["route=\"/*\"", "status=\"2xx\""], 3.0);
    check("mare_requests_total", &["route=\"/broken\"", "status=\"5xx\""], 1.0);
    check("mare_request_duration_seconds_count", &["route=\"/*\""], 3.0);
    check("mare_refusals_total", &["code=\"service-failing\""], 1.0);
    check("mare_instances", &["service=\"web\"", "state=\"ready\""], 1.0);
    check("mare_waiting_requests", &["service=\"web\""], 0.0);
    check("mare_in_flight_requests", &["service=\"web\""], 0.0);
    check("mare_scaling_decisions_total", &["service=\"web\"", "reason=\"load\""], 1.0);
    check("mare_instance_cpu_seconds", &["instance=\"web-1\""], 0.0);
    mare.stop().await;
}

#[tokio::test]
async fn beyond_loopback_a_token_is_needed() {
    let folder = Folder::new(WEB);
    let arguments = ["up", "--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0"];
    let mut mare = Mare::started(folder, mare_program(), &arguments, &[]).await;
    mare.admin.set_ip([127, 0, 0, 1].into());
    for path in ["/healthz", "/readyz"] {
        assert_ne!(get(mare.admin, path).await.status, 401, "{path}");
    }
    for path in ["/api/status", "/metrics", "/api/logs/web", "/"] {
        let answer = get(mare.admin, path).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["www-authenticate"]),
            (401, &"Bearer".parse().expect("ascii"))
        );
    }
    let file = mare.folder.path().join(".mare/admin-token");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600, "it is nobody else's");
    let bearer = format!("Bearer {}", std::fs::read_to_string(file).expect("readable").trim());
    let allowed = ask(mare.admin, Method::GET, "/api/status", &[("authorization", &bearer)], "").await;
    assert_eq!(allowed.status, 200);
    mare.folder.run(&["status"]).await.check(0, &["web"]);
}
