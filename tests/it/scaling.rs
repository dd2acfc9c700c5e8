//! From zero to as many as are needed and back, and what a crash under load costs.

use std::collections::HashSet;
use std::net::SocketAddr;

use tokio::task::JoinSet;

use crate::support::{Connection, Folder, Mare, PROBE, get, kill, mare_program, until};

fn manifest(scale: &str) -> String {
    format!(
        "[services.web]\nrun = \"{{probe}}\"\nscale = {{ {scale} }}\n[[routes]]\nmatch = \"/*\"\nservice = \"web\"\n"
    )
}

/// `connections` clients ask `count` times each; all answers must be 200. The instances that answered.
async fn load(address: SocketAddr, connections: usize, count: usize, path: &'static str) -> HashSet<String> {
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(async move {
            let mut connection = Connection::open(address).await;
            let mut instances = HashSet::new();
            for _ in 0..count {
                let answer = connection.get(path).await.expect("an answer");
                assert_eq!(answer.status, 200, "{answer:?}");
                instances.extend(answer.body.split(' ').next().map(str::to_owned));
            }
            instances
        });
    }
    clients.join_all().await.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_service_goes_from_zero_to_what_is_needed_and_back() {
    let mare = Mare::up(&manifest("max = 4, concurrency = 2, idle = \"500ms\", hold = \"0s\"")).await;
    assert_eq!(mare.service("web").await.instances().len(), 0, "nothing runs before it is needed");
    let instances = tokio::spawn(load(mare.public, 8, 1, "/slow?ms=1500"));
    mare.until("web", "four instances are ready", |web| web.count("ready") == 4).await;
    assert_eq!(instances.await.expect("no panic").len(), 4, "all of them get requests");
    mare.until("web", "it is back at zero", |web| web.instances().is_empty()).await;
    assert!(mare.text("/").await.starts_with("web-5 "), "and up again");
    mare.stop().await;
}

#[tokio::test]
async fn more_than_max_instances_never_run() {
    let mare = Mare::up(&manifest("max = 2, concurrency = 1")).await;
    let instances = tokio::spawn(load(mare.public, 6, 3, "/slow?ms=100"));
    mare.until("web", "the maximum is the reason", |web| web.0["reason"] == "maximum").await;
    let allowed = HashSet::from(["web-1".to_owned(), "web-2".to_owned()]);
    assert!(instances.await.expect("no panic").is_subset(&allowed));
    mare.stop().await;
}

#[tokio::test]
async fn a_busy_service_never_goes_to_zero() {
    let mare = Mare::up(&manifest("max = 1, idle = \"300ms\", hold = \"0s\"")).await;
    // Fifteen idle times long, one short request after another.
    let instances = load(mare.public, 1, 90, "/slow?ms=50").await;
    assert_eq!(instances, HashSet::from(["web-1".to_owned()]));
    mare.stop().await;
}

#[tokio::test]
async fn a_crash_under_load_costs_no_get() {
    let mare = Mare::up(&manifest("min = 2, max = 2, hold = \"10m\"")).await;
    let kills = async {
        for pid in [1, 2] {
            let answer = mare.text("/").await;
            let pid_of_service = answer.split(' ').nth(1).expect("a pid").parse().expect("a number");
            kill(pid_of_service);
            mare.until("web", "the victim is replaced", |web| {
                web.failures() >= pid && web.count("ready") == 2
            })
            .await;
        }
    };
    tokio::join!(load(mare.public, 8, 200, "/slow?ms=5"), kills);
    mare.stop().await;
}

#[tokio::test]
async fn the_only_instance_may_crash_under_load() {
    let mare = Mare::up(&manifest("min = 1, max = 1")).await;
    let kill_it = async {
        let busy = async || (mare.service("web").await.0["in_flight"].as_u64()? > 4).then_some(());
        let _: () = until("requests are in flight", busy).await;
        let answer = mare.text("/").await;
        kill(answer.split(' ').nth(1).expect("a pid").parse().expect("a number"));
    };
    tokio::join!(load(mare.public, 8, 100, "/slow?ms=10"), kill_it);
    assert_eq!(mare.service("web").await.failures(), 1);
    mare.stop().await;
}

#[tokio::test]
async fn going_down_spares_requests_in_flight() {
    let mare = Mare::up(&manifest("max = 2, concurrency = 1, hold = \"0s\"")).await;
    let public = mare.public;
    let long = tokio::spawn(async move { get(public, "/slow?ms=2500").await });
    mare.until("web", "the long request is in flight", |web| web.0["in_flight"] == 1).await;
    let short = get(public, "/slow?ms=1").await;
    mare.until("web", "one instance is left", |web| web.instances().len() == 1).await;
    assert!(!long.is_finished(), "it went down during the long request");
    let long = long.await.expect("no panic");
    assert_eq!((long.status.as_u16(), long.body.as_str()), (200, "web-1"));
    assert_eq!((short.status.as_u16(), short.body.as_str()), (200, "web-2"));
    mare.stop().await;
}

#[tokio::test]
async fn waiting_is_bounded_in_number_and_time() {
    let mare = Mare::up(&manifest("min = 1, max = 1, concurrency = 1, waiting = 1, wait = \"300ms\"")).await;
    let public = mare.public;
    let served = tokio::spawn(async move { get(public, "/slow?ms=1500").await });
    mare.until("web", "a request is in flight", |web| web.0["in_flight"] == 1).await;
    let (one, two) = tokio::join!(get(public, "/"), get(public, "/"));
    let mut codes = [one, two].map(|answer| {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).expect("a problem document");
        problem["code"].as_str().expect("text").to_owned()
    });
    codes.sort_unstable();
    assert_eq!(codes, ["no-instance", "overloaded"]);
    assert_eq!(served.await.expect("no panic").status, 200);
    mare.stop().await;
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_place_back() {
    let mare = Mare::up(&manifest("max = 1, concurrency = 1")).await;
    let mut connection = Connection::open(mare.public).await;
    let request = tokio::spawn(async move { connection.get("/slow?ms=3600000").await.map(|_| ()) });
    mare.until("web", "the request is in flight", |web| web.0["in_flight"] == 1).await;
    request.abort();
    assert!(mare.text("/").await.starts_with("web-1 "));
    mare.stop().await;
}

#[tokio::test]
async fn a_service_that_takes_too_long_is_given_up() {
    let manifest = manifest("max = 1").replace("scale", "timeout = \"200ms\"\nscale");
    let mare = Mare::up(&manifest).await;
    let answer = mare.get("/slow?ms=60000").await;
    assert_eq!(answer.status, 504, "{answer:?}");
    assert!(answer.body.contains("upstream-timeout"), "{answer:?}");
    mare.until("web", "the slot is free again", |web| web.0["in_flight"] == 0).await;
    mare.stop().await;
}

#[tokio::test]
async fn a_low_soft_limit_of_open_files_does_not_matter() {
    let folder = Folder::new(&manifest("max = 1, concurrency = 200"));
    let program = mare_program().display();
    let script = format!("ulimit -S -n 64; exec {program} up --listen 127.0.0.1:0 --admin 127.0.0.1:0");
    let mare = Mare::started(folder, "sh", &["-c", &script], &[]).await;
    load(mare.public, 100, 1, "/slow?ms=500").await;
    mare.stop().await;
}

#[tokio::test]
async fn all_instances_may_crash_at_once_under_load() {
    let mare = Mare::up(&manifest("min = 4, max = 4, hold = \"10m\"")).await;
    mare.until("web", "four instances are ready", |web| web.count("ready") == 4).await;
    let kill_all = async {
        let busy = async || (mare.service("web").await.0["in_flight"].as_u64()? > 4).then_some(());
        let _: () = until("requests are in flight", busy).await;
        let services = mare.folder.processes();
        services.iter().filter(|one| one.words.starts_with(PROBE)).for_each(|one| kill(one.pid));
    };
    tokio::join!(load(mare.public, 8, 100, "/slow?ms=10"), kill_all);
    mare.until("web", "all four were seen to fail", |web| web.failures() == 4).await;
    mare.stop().await;
}
