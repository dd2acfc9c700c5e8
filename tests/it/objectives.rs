//! Objectives of a running platform: counted, evaluated, and told to those who want to know.

mod receivers;

use serde_json::Value;

use crate::support::{Folder, Mare, get, until};
use receivers::{Hook, Mailbox};

/// In every address alerts are sent to; nobody else may see it.
const SECRET: &str = "s3cret";

const MANIFEST: &str = r#"
[app]
name = "shop"
[services.web]
run = "{probe}"
scale = { min = 1 }
env = { PROBE_SICK = "1" }                # /health answers 500
[[routes]]
match = "/*"
service = "web"
[objectives.health]
route = "GET /health"
p95 = "1h"
errors = "1%"
[alerts]
webhook = "${HOOK}"
slack = "${SLACK}"
email = { smtp = "${SMTP}", from = "mare@example.com", to = ["team@example.com", "boss@example.com"] }
every = "100ms"
clear = "1s"
slow = { slow = "GET /slow over 20ms" }
"#;

struct Receivers {
    hook: Hook,
    slack: Hook,
    mailbox: Mailbox,
}

impl Receivers {
    async fn start() -> Self {
        Self { hook: Hook::start().await, slack: Hook::start().await, mailbox: Mailbox::start().await }
    }

    async fn mare(&self, folder: Folder) -> Mare {
        let hook = format!("http://{}/{SECRET}", self.hook.address);
        let slack = format!("http://{}/services/{SECRET}?a=b", self.slack.address);
        let smtp = format!("smtp://{}", self.mailbox.address);
        let variables = [("HOOK", hook.as_str()), ("SLACK", slack.as_str()), ("SMTP", smtp.as_str())];
        let mare = Mare::launch(folder, &variables, &[]).await;
        mare.stdout.until("is ready at").await;
        mare
    }

    /// What the webhook was told of an alert.
    fn events(&self, alert: &str) -> Vec<String> {
        let told = self.hook.received();
        let told = told.iter().filter(|one| one["alert"] == alert);
        told.map(|one| one["event"].as_str().expect("text").to_owned()).collect()
    }

    async fn until_told(&self, alert: &str, events: &[&str]) {
        let what = format!("{alert} was told: {events:?}");
        let _: () = until(&what, async || (self.events(alert) == events).then_some(())).await;
    }
}

async fn slo(mare: &Mare) -> Value {
    let answer = get(mare.admin, "/api/slo").await;
    assert_eq!(answer.headers["content-type"], "application/json");
    serde_json::from_str(&answer.body).expect("JSON")
}

/// Answers that count as errors; as many as an alert needs.
async fn fail_ten_times(mare: &Mare) {
    for _ in 0..10 {
        assert_eq!(mare.get("/health").await.status, 500);
    }
}

#[tokio::test]
async fn alerts_arrive_once_everywhere_and_clear() {
    let receivers = Receivers::start().await;
    // The first attempt fails, which must be said without saying where.
    receivers.hook.refuse_next();
    let mare = receivers.mare(Folder::new(MANIFEST)).await;
    fail_ten_times(&mare).await;
    receivers.until_told("health/errors", &["fired"]).await;
    mare.get("/slow?ms=30").await;
    receivers.until_told("slow", &["fired", "cleared"]).await;
    let told = receivers.hook.received();
    let slow = told.iter().find(|one| one["alert"] == "slow").expect("told");
    assert_eq!((&slow["app"], &slow["version"]), (&"shop".into(), &1.into()));
    assert_eq!(slow["reason"], "1 request of GET /slow took longer than 20ms");
    let texts = receivers.slack.until_received(3).await;
    assert!(
        texts.iter().any(
            |one| one["text"] == "[shop] slow fired (page): 1 request of GET /slow took longer than 20ms"
        )
    );
    let mails = receivers.mailbox.until_received(3).await;
    assert!(mails.iter().all(
        |mail| mail.contains("RCPT TO:<team@example.com>") && mail.contains("RCPT TO:<boss@example.com>")
    ));
    assert!(mails.iter().any(|mail| mail.contains("Subject: [shop] slow cleared")), "{mails:?}");
    // It went on burning all the while, and was told once.
    assert_eq!(receivers.events("health/errors"), ["fired"]);
    mare.stderr.until("sending an alert again").await;
    let seen = [
        mare.stderr.all().join("\n"),
        get(mare.admin, "/api/status").await.body,
        get(mare.admin, "/metrics").await.body,
    ];
    assert!(!seen.iter().any(|text| text.contains(SECRET)), "{seen:?}");
    mare.stop().await;
}

#[tokio::test]
async fn the_budget_is_shown_and_outlives_a_restart() {
    let receivers = Receivers::start().await;
    let mut mare = receivers.mare(Folder::new(MANIFEST)).await;
    fail_ten_times(&mare).await;
    receivers.until_told("health/errors", &["fired"]).await;
    let shown = mare.folder.run(&["status"]).await;
    shown.check(
        0,
        &["health", "-9900%", "errors ≤ 1% of GET /health in 30d", "alert health/errors (page) since"],
    );
    let metrics = get(mare.admin, "/metrics").await.body;
    for line in [
        "mare_objective_budget_left_ratio{objective=\"health\",clause=\"errors\"} -99.0",
        "mare_objective_burn_rate{objective=\"health\",clause=\"errors\",window=\"1h\"} 99.9",
        "mare_objective_errors_total{objective=\"health\"} 10",
        "mare_alert_firing{alert=\"health/errors\"} 1",
        "mare_alert_firing{alert=\"health/p95\"} 0",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    mare.terminate();
    assert_eq!(mare.exit_code().await, Some(0), "{:?}", mare.stderr.all());

    let again = Folder::new(MANIFEST);
    std::fs::create_dir(again.path().join(".mare")).expect("makes a folder");
    std::fs::copy(mare.folder.path().join(".mare/slo.json"), again.path().join(".mare/slo.json"))
        .expect("copies");
    let mare = receivers.mare(again).await;
    let objective = until("the objectives are evaluated", async || {
        let slo = slo(&mare).await;
        (!slo["evaluated_at"].is_null()).then_some(slo)
    });
    let document = objective.await;
    assert_eq!(document["objectives"][0]["requests"], 10);
    assert_eq!(document["alerts"][0]["alert"], "health/errors");
    assert_eq!(mare.status().await["slo"]["objectives"][0]["name"], "health");
    mare.stop().await;
    assert_eq!(receivers.events("health/errors"), ["fired"], "it was told before");
}

#[tokio::test]
async fn kept_budgets_that_cannot_be_read_stop_nothing() {
    let receivers = Receivers::start().await;
    let folder = Folder::new(MANIFEST);
    std::fs::create_dir(folder.path().join(".mare")).expect("makes a folder");
    folder.write(".mare/slo.json", "{\"version\":\"1\",\"histo");
    let mare = receivers.mare(folder).await;
    mare.stderr.until("the kept error budgets cannot be read").await;
    assert!(mare.folder.path().join(".mare/slo.json.unreadable").exists());
    mare.stop().await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_being_shown() {
    let folder = Folder::new("[alerts]\nwebhook = \"${HOOK}\"\n");
    let mut command = folder.command(&["up", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let output = command.env("HOOK", format!("http://a b/{SECRET}")).output().await.expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("`webhook`") && !said.contains(SECRET), "{said}");
}
