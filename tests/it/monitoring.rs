//! `mare render prometheus` and `mare render grafana`, in the eyes of a real Prometheus that scrapes a real platform.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::Method;
use serde_json::Value;
use servers::Prometheus;

use crate::support::{Folder, Mare, ask, get, until};

const SHOP: &str = r#"
[app]
name = "shop"
[services.web]
run = "{probe}"
scale = { min = 1 }
env = { KEY = "${SHOP_KEY:-hush}" }
[[routes]]
match = "/ok"
service = "web"
[[routes]]
match = "/slow"
service = "web"
[[routes]]
match = "/die"
service = "web"
[objectives.read]
service = "web"
p95 = "1ms"
p99 = "1s"
errors = "0.5%"
availability = "99.5%"
[objectives.week]
route = "GET /slow"
p95 = "1128ms"
window = "7d"
[alerts.slow]
sluggish = "GET /slow over 10ms"
"#;

#[tokio::test]
async fn render_writes_to_standard_output_a_file_or_a_folder() {
    let folder = Folder::new(SHOP);
    let rules = folder.run(&["render", "prometheus"]).await;
    rules.check(0, &["MareBudgetBurns", "MareObjectiveAbsent", "MareSlowRequests"]);
    assert!(!rules.stdout.contains("hush"));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("written");
    folder.run(&["render", "prometheus", "-o", "."]).await.check(0, &["shop.rules.yml"]);
    assert_eq!(read("shop.rules.yml"), rules.stdout);
    folder.run(&["render", "grafana", "-o", "board.json"]).await.check(0, &["board.json"]);
    let dashboard: Value = serde_json::from_str(&read("board.json")).expect("JSON");
    assert_eq!(dashboard["title"], "Maré: shop");
    folder.run(&["render", "grafana", "-o", "no/where"]).await.check(2, &["cannot write no/where"]);
    folder.run(&["render", "prometheus", "-f", "nowhere.toml"]).await.check(2, &["nowhere.toml"]);
    folder.run(&["render", "prometheus", "--job", "a-job"]).await.check(0, &[r#"job="a-job""#]);
}

#[tokio::test]
async fn a_real_prometheus_answers_every_query() {
    let mare = Mare::up(SHOP).await;
    let rules = mare.folder.run(&["render", "prometheus", "--job", "shop"]).await.stdout;
    let dashboard = mare.folder.run(&["render", "grafana"]).await.stdout;
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    let server = Prometheus::start("shop", mare.admin, &rules);
    let prometheus = Api(server.address());

    // Something of all there is to see; an instance ends and starts under the eyes of Prometheus.
    until("the objective's counts are scraped", async || {
        traffic(&mare).await;
        prometheus.numbers(r#"mare_objective_requests_total{objective="read"} > 10"#, None).await
    })
    .await;
    ask(mare.public, Method::POST, "/die", &[], "").await;
    mare.until("web", "the next instance is ready", |web| web.failures() > 0 && web.count("ready") > 0).await;

    for recorded in recorded(&prometheus).await {
        until(&format!("{recorded} is recorded"), async || {
            // A rate needs requests between two scrapes; those before may have come before the first.
            traffic(&mare).await;
            prometheus.numbers(&recorded, None).await
        })
        .await;
    }
    for alert in ["MareBudgetBurns", "MareSlowRequests"] {
        let firing = format!(r#"ALERTS{{alertname="{alert}",alertstate="firing"}}"#);
        until(&format!("{alert} fires"), async || {
            // Bad requests are not over before enough of them are counted.
            traffic(&mare).await;
            prometheus.numbers(&firing, None).await
        })
        .await;
    }
    for query in queries(&dashboard) {
        // What is counted by the full hour is looked at when this hour is full.
        let at = query.contains(":1h]").then(next_full_hour);
        until(&format!("there is an answer to {query}"), async || {
            traffic(&mare).await;
            prometheus.numbers(&query, at).await
        })
        .await;
    }
    for (metric, label) in variables(&dashboard) {
        until(&format!("{label} of {metric} has values"), async || prometheus.values(&metric, &label).await)
            .await;
    }
    mare.stop().await;
}

/// Quick, slow and too slow for the rule; and what the gateway refuses.
async fn traffic(mare: &Mare) {
    for path in ["/ok", "/slow?ms=5", "/slow?ms=20", "/nowhere"] {
        mare.get(path).await;
    }
}

/// Every series the rules record.
async fn recorded(prometheus: &Api) -> BTreeSet<String> {
    let rules = prometheus.ask("/api/v1/rules?type=record").await;
    let groups = rules["data"]["groups"].as_array().expect("a list").clone();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().expect("a list"));
    let selector = |rule: &Value| {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let labels = rule["labels"].as_object().expect("labels").iter();
        let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}{{{}}}", text(&rule["name"]), labels.join(","))
    };
    let selectors: BTreeSet<String> = rules.map(selector).collect();
    assert!(selectors.len() > 30, "{selectors:?}");
    selectors
}

/// Every query of the dashboard as Grafana sends it, and of those that fall back on another one both.
fn queries(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().expect("a list");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let alternatives = targets.flat_map(|target| target["expr"].as_str().expect("text").split("\nor\n"));
    let queries: Vec<String> = alternatives.map(chosen).collect();
    assert!(queries.len() > 20 && queries.iter().all(|query| !query.contains("$_")), "{queries:?}");
    queries
}

/// The metric and the label of every variable whose values Prometheus gives.
fn variables(dashboard: &Value) -> Vec<(String, String)> {
    let variables = dashboard["templating"]["list"].as_array().expect("a list").iter();
    let queries = variables.filter_map(|variable| variable["definition"].as_str());
    let parts = queries.map(|query| {
        let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let (metric, label) =
            inner.and_then(|inner| inner.rsplit_once(", ")).expect("label_values(metric, label)");
        (chosen(metric), label.to_owned())
    });
    parts.collect()
}

/// With everything chosen at the head of the page.
fn chosen(query: &str) -> String {
    let all = ["$job", "$objective", "$service", "$route"];
    let query = all.iter().fold(query.to_owned(), |query, variable| query.replace(variable, ".+"));
    query.replace("$__rate_interval", "15s")
}

fn next_full_hour() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    now.next_multiple_of(3600)
}

/// The HTTP API of a Prometheus.
struct Api(SocketAddr);

impl Api {
    /// The numbers that answer a query now, or at a second. `None` while there are none.
    async fn numbers(&self, query: &str, at: Option<u64>) -> Option<Vec<f64>> {
        let time = at.map(|second| format!("&time={second}")).unwrap_or_default();
        let answer = self.ask(&format!("/api/v1/query?query={}{time}", encoded(query))).await;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let samples = answer["data"]["result"].as_array().expect("a list");
        let number = |sample: &Value| sample["value"][1].as_str()?.parse::<f64>().ok();
        let numbers: Vec<f64> =
            samples.iter().filter_map(number).filter(|number| number.is_finite()).collect();
        (!numbers.is_empty()).then_some(numbers)
    }

    /// The values a label has in a metric.
    async fn values(&self, metric: &str, label: &str) -> Option<Value> {
        let answer = self.ask(&format!("/api/v1/label/{label}/values?match[]={}", encoded(metric))).await;
        let values = answer["data"].clone();
        values.as_array().is_some_and(|list| !list.is_empty()).then_some(values)
    }

    async fn ask(&self, path: &str) -> Value {
        let answer = get(self.0, path).await;
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{path}: {error}: {answer:?}"))
    }
}

/// Fit for a query string: every byte but letters and digits by its number.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        plain if plain.is_ascii_alphanumeric() => char::from(plain).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
