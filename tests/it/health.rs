//! Liveness.

use crate::support::{Mare, get, send_signal};

#[tokio::test]
async fn a_service_that_turns_sick_is_replaced() {
    let mare = Mare::up(
        r#"
[services.web]
run = "{probe}"
scale = { min = 1, max = 1 }
health = { path = "/health", every = "20ms", failures = 2 }
[[routes]]
match = "/*"
service = "web"
"#,
    )
    .await;
    assert_eq!(mare.text("/sick").await, "sick now");
    mare.stderr.until("instance is sick").await;
    assert!(mare.stderr.has("GET /health answered 500"), "the reason is said");
    mare.until("web", "it is replaced", |web| {
        web.count("ready") == 1 && web.instances().iter().all(|one| one["id"] == "web-2")
    })
    .await;
    assert!(mare.text("/").await.starts_with("web-2 "));
    let metrics = get(mare.admin, "/metrics").await.body;
    let exits: Vec<&str> =
        metrics.lines().filter(|line| line.starts_with("mare_instance_exits_total")).collect();
    assert_eq!(exits, ["mare_instance_exits_total{service=\"web\",reason=\"sick\"} 1"], "it counts once");
    mare.stop().await;
}

#[tokio::test]
async fn probes_are_no_activity() {
    let mare = Mare::up(
        r#"
[services.web]
run = "{probe}"
scale = { idle = "400ms", hold = "0s" }
health = { path = "/health", every = "5ms" }
[[routes]]
match = "/*"
service = "web"
"#,
    )
    .await;
    assert!(mare.text("/").await.starts_with("web-1 "));
    mare.until("web", "it is at zero though probed", |web| web.instances().is_empty()).await;
    assert_eq!(mare.service("web").await.failures(), 0);
    mare.stop().await;
}

#[tokio::test]
async fn a_service_that_hangs_is_replaced_and_its_requests_are_sent_again() {
    let mare = Mare::up(
        r#"
[services.web]
run = "{probe}"
scale = { min = 1, max = 1 }
health = { path = "/health", every = "50ms", timeout = "1s", failures = 2 }
grace = "100ms"
[[routes]]
match = "/*"
service = "web"
"#,
    )
    .await;
    let pid = mare.text("/").await.split(' ').nth(1).expect("a pid").parse().expect("a number");
    send_signal(pid, rustix::process::Signal::STOP);
    assert!(mare.text("/").await.starts_with("web-2 "));
    assert!(mare.stderr.has("no answer to a probe in 1s"), "{:?}", mare.stderr.all());
    mare.stop().await;
}
