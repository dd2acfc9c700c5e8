//! Stopping is patient, and bounded.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::Method;
use rustix::process::Signal;
use tokio::net::TcpStream;

use crate::support::{Connection, Folder, Lines, Mare, get, send_signal, until, whole, within};

const WEB: &str = r#"
[app]
drain = "20s"
[services.web]
run = "{probe}"
[[routes]]
match = "/*"
service = "web"
"#;

async fn until_in_flight(mare: &Mare, count: u64) {
    mare.until("web", "the requests are in flight", |web| web.0["in_flight"] == count).await;
}

#[tokio::test]
async fn requests_in_flight_finish_and_new_ones_are_refused() {
    let mut mare = Mare::up(WEB).await;
    let (mut slow, mut streaming) =
        (Connection::open(mare.public).await, Connection::open(mare.public).await);
    let requests = tokio::spawn(async move {
        let stream = streaming.send(Method::GET, "/stream?chunks=15&ms=100", &[], "").await.expect("a head");
        let slow = slow.get("/slow?ms=1500");
        (slow.await.expect("an answer"), whole(stream).await.expect("the whole stream"))
    });
    until_in_flight(&mare, 2).await;
    mare.terminate();
    let public = mare.public;
    let refused = async || TcpStream::connect(public).await.is_err().then_some(());
    let _: () = until("new connections are refused", refused).await;
    assert!(!requests.is_finished(), "they are refused while requests are in flight");
    assert!(get(mare.admin, "/readyz").await.body.contains("shutting down"));
    let (slow, stream) = requests.await.expect("both finish");
    assert_eq!((slow.status.as_u16(), slow.body.as_str()), (200, "web-1"));
    assert_eq!(stream.body.lines().count(), 15);
    assert_eq!(mare.exit_code().await, Some(0));
    mare.folder.until_nothing_runs().await;
}

#[tokio::test]
async fn connections_at_rest_do_not_delay_the_end() {
    let mut mare = Mare::up(WEB).await;
    let mut kept_alive = Connection::open(mare.public).await;
    assert_eq!(kept_alive.get("/").await.expect("an answer").status, 200);
    let _silent = TcpStream::connect(mare.public).await.expect("accepts");
    mare.terminate();
    let ended = tokio::time::timeout(Duration::from_secs(10), mare.exit_code()).await;
    assert_eq!(ended, Ok(Some(0)), "the drain is 20 s, and nothing is in flight");
}

#[tokio::test]
async fn a_follower_of_the_logs_does_not_delay_the_end() {
    let mut mare = Mare::up(WEB).await;
    let mut follower = mare.folder.command(&["logs", "web", "-f"]).spawn().expect("starts");
    let lines = Lines::read(follower.stdout.take().expect("piped"));
    assert_eq!(mare.text("/say?what=hello").await, "said");
    lines.until("hello").await;
    mare.terminate();
    let ended = tokio::time::timeout(Duration::from_secs(10), mare.exit_code()).await;
    assert_eq!(ended, Ok(Some(0)), "the drain is 20 s, and nothing is in flight");
    within("the follower to end", follower.wait()).await.expect("ours");
}

#[tokio::test]
async fn a_request_longer_than_the_drain_is_cut_off() {
    let mut mare = Mare::up(&WEB.replace("20s", "300ms")).await;
    let mut slow = Connection::open(mare.public).await;
    let request = tokio::spawn(async move { slow.get("/slow?ms=60000").await.map(|answer| answer.status) });
    until_in_flight(&mare, 1).await;
    mare.terminate();
    assert_eq!(mare.exit_code().await, Some(0));
    assert!(!request.await.expect("no panic").is_ok_and(|status| status.is_success()));
    mare.folder.until_nothing_runs().await;
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let mut mare = Mare::up(WEB).await;
    let mut slow = Connection::open(mare.public).await;
    tokio::spawn(async move { slow.get("/slow?ms=60000").await.map(|answer| answer.status) });
    until_in_flight(&mare, 1).await;
    mare.terminate();
    mare.stderr.until("draining").await;
    send_signal(mare.pid, Signal::INT);
    let ended = tokio::time::timeout(Duration::from_secs(5), mare.exit_code()).await;
    assert_eq!(ended, Ok(Some(130)));
    mare.folder.until_nothing_runs().await;
}

/// Where a mare listens that was started by hand.
async fn public(folder: &Folder) -> SocketAddr {
    let path = folder.path().join(".mare/running.json");
    until("mare listens", async || {
        let text = std::fs::read(&path).ok()?;
        serde_json::from_slice::<serde_json::Value>(&text).ok()?["public"].as_str()?.parse().ok()
    })
    .await
}

/// As behind `mare up 2>&1 | less` when nobody scrolls, or at a terminal after Ctrl-S.
#[tokio::test]
async fn output_that_nobody_reads_holds_neither_requests_nor_the_end() {
    let folder = Folder::new(WEB);
    let mut command = folder.command(&["up", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let mut child = command.env("MARE_LOG", "debug").spawn().expect("starts");
    let _unread = (child.stdout.take(), child.stderr.take());
    let public = public(&folder).await;
    assert_eq!(get(public, "/flood?lines=20000").await.body, "flooded");
    let mut connection = Connection::open(public).await;
    // Each writes more than 200 bytes to the log, whose pipe takes 64 KiB.
    for _ in 0..500 {
        assert_eq!(connection.get("/").await.expect("an answer").status, 200);
    }
    send_signal(child.id().expect("runs"), Signal::TERM);
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await.expect("it ends");
    assert_eq!(ended.expect("ours").code(), Some(0));
    folder.until_nothing_runs().await;
}

#[tokio::test]
async fn a_service_that_is_still_starting_does_not_delay_the_end() {
    let manifest = WEB.replace("run", "env = { PROBE_DELAY_MS = \"3600000\" }\nscale = { min = 1 }\nrun");
    let mut mare = Mare::launch(Folder::new(&manifest), &[], &[]).await;
    mare.until("web", "it starts", |web| web.count("starting") == 1).await;
    mare.terminate();
    let ended = tokio::time::timeout(Duration::from_secs(10), mare.exit_code()).await;
    assert_eq!(ended, Ok(Some(0)));
    mare.folder.until_nothing_runs().await;
}

#[tokio::test]
async fn a_request_that_waits_for_its_instance_is_in_flight_too() {
    let manifest = WEB.replace("run", "env = { PROBE_DELAY_MS = \"1000\" }\nrun");
    let mut mare = Mare::up(&manifest).await;
    let public = mare.public;
    let request = tokio::spawn(async move { get(public, "/").await });
    mare.until("web", "it starts", |web| web.count("starting") == 1).await;
    mare.terminate();
    assert_eq!(request.await.expect("no panic").status, 200);
    assert_eq!(mare.exit_code().await, Some(0));
    mare.folder.until_nothing_runs().await;
}

#[tokio::test]
async fn output_that_was_closed_does_not_matter() {
    let folder = Folder::new(WEB);
    let mut command = folder.command(&["up", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let mut child = command.spawn().expect("starts");
    drop(child.stdout.take());
    let lines = Lines::read(child.stderr.take().expect("piped"));
    let public = public(&folder).await;
    assert_eq!(get(public, "/say?what=hello").await.status, 200);
    let shown = folder.run(&["logs", "web"]).await;
    shown.check(0, &["hello"]);
    let mut status = folder.command(&["status"]).spawn().expect("starts");
    drop(status.stdout.take());
    let shown = within("status to end", status.wait_with_output()).await.expect("ours");
    assert_eq!(shown.status.code(), Some(0), "{}", String::from_utf8_lossy(&shown.stderr));
    send_signal(child.id().expect("runs"), Signal::TERM);
    assert_eq!(within("the end", child.wait()).await.expect("ours").code(), Some(0));
    assert!(!lines.has("panicked"), "{:?}", lines.all());
}
