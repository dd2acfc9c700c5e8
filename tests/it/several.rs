//! Two platforms that share a Redis.

use servers::Redis;

use crate::support::{Mare, get, until};

#[tokio::test]
async fn what_two_gateways_share_goes_and_comes_with_redis() {
    let server = Redis::start();
    let manifest = format!(
        r#"
[app]
name = "shared"
[cache]
redis_timeout = "10s"
[backends]
redis = "{}"
[services.web]
run = "{{probe}}"
[[routes]]
match = "/*"
service = "web"
limit = {{ rate = "1/h", burst = 3, per = "route" }}
"#,
        server.url()
    );
    let gateways = [Mare::up(&manifest).await, Mare::up(&manifest).await];
    for mare in &gateways {
        mare.stderr.until("redis is there").await;
    }
    let statuses = async || {
        let mut statuses = Vec::new();
        for turn in 0..6 {
            statuses.push(gateways[turn % 2].get("/").await.status.as_u16());
        }
        statuses
    };
    assert_eq!(statuses().await, [200, 200, 200, 429, 429, 429]);
    server.stop();
    for mare in &gateways {
        mare.stderr.until("redis is away").await;
    }
    assert_eq!(statuses().await, [200; 6], "each on its own");
    server.start_again();
    for mare in &gateways {
        until("redis is used again", async || {
            let metrics = get(mare.admin, "/metrics").await.body;
            metrics.lines().any(|line| line == "mare_redis_up 1").then_some(())
        })
        .await;
        let told = mare.stderr.all().iter().filter(|line| line.contains("redis is away")).count();
        assert_eq!(told, 1, "said once");
    }
    for mare in gateways {
        mare.stop().await;
    }
}
