//! Starting and stopping again and again leaves nothing behind in mare.

use tokio::task::JoinSet;

use crate::orphans::check_no_zombies;
use crate::support::{Mare, get};

fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count()
}

/// One round of instances, from none to none.
async fn round(mare: &Mare, count: usize) {
    let mut requests = JoinSet::new();
    for _ in 0..count {
        let public = mare.public;
        requests.spawn(async move { get(public, "/slow?ms=1000").await.status });
    }
    assert!(requests.join_all().await.iter().all(|status| *status == 200));
    mare.until("web", "all have gone", |web| web.instances().is_empty()).await;
}

#[tokio::test]
async fn instances_that_come_and_go_leave_no_file_and_no_zombie() {
    let mare = Mare::up(
        r#"
[services.web]
run = "{probe}"
scale = { max = 12, concurrency = 1, idle = "1ms", hold = "0s", starts = 12 }
[[routes]]
match = "/*"
service = "web"
"#,
    )
    .await;
    round(&mare, 2).await;
    let before = open_files(mare.pid);
    for _ in 0..4 {
        round(&mare, 12).await;
    }
    let settled = async || (open_files(mare.pid) <= before + 4).then_some(());
    let _: () = crate::support::until("files are closed", settled).await;
    check_no_zombies(&mare).await;
    mare.stop().await;
}
