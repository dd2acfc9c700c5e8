//! Nothing an instance ever spawned survives the instance, and nothing survives mare.

use crate::support::{Folder, Mare, Process, kill, until};

/// A shell that stays, with a child; `/spawn` adds a daemon that escaped by a double fork.
const FAMILY: &str = r#"
[services.web]
run = "sh -c 'sleep 1000 & {probe} worker; true'"
scale = { min = 1, max = 1 }
grace = "2s"
[[routes]]
match = "/*"
service = "web"
"#;

/// A platform with a guard, a shell, a sleep, the service and an escaped daemon.
async fn family() -> Mare {
    let mare = Mare::up(FAMILY).await;
    let daemon: u32 = mare.text("/spawn").await.parse().expect("a pid");
    let processes = mare.folder.processes();
    assert!(processes.iter().any(|process| process.pid == daemon), "{processes:#?}");
    assert_eq!(processes.len(), 6, "mare, guard, shell, sleep, service, daemon: {processes:#?}");
    mare
}

fn find(processes: &[Process], is: impl Fn(&Process) -> bool) -> u32 {
    processes.iter().find(|process| is(process)).unwrap_or_else(|| panic!("{processes:#?}")).pid
}

/// The service was replaced, works, and nothing of the old instance is left.
async fn check_replaced(mare: Mare, old: &[Process]) {
    let old: Vec<u32> = old.iter().map(|process| process.pid).filter(|pid| *pid != mare.pid).collect();
    let _: () = until("the old instance is gone", async || {
        let left = mare.folder.processes().iter().any(|process| old.contains(&process.pid));
        (!left).then_some(())
    })
    .await;
    mare.until("web", "it is replaced", |web| web.count("ready") == 1 && web.failures() == 1).await;
    assert!(mare.text("/").await.starts_with("web-2 "));
    check_no_zombies(&mare).await;
    mare.stop().await;
}

pub(crate) async fn check_no_zombies(mare: &Mare) {
    let zombies =
        || Process::all().filter(|process| process.parent == mare.pid && process.state == 'Z').count();
    let _: () = until("mare has reaped its children", async || (zombies() == 0).then_some(())).await;
}

#[tokio::test]
async fn an_ordinary_stop_leaves_nothing() {
    family().await.stop().await;
}

#[tokio::test]
async fn a_killed_mare_leaves_nothing() {
    let mut mare = family().await;
    kill(mare.pid);
    assert_eq!(mare.exit_code().await, None);
    mare.folder.until_nothing_runs().await;
}

#[tokio::test]
async fn a_killed_guard_leaves_nothing_and_its_instance_is_replaced() {
    let mare = family().await;
    let old = mare.folder.processes();
    kill(find(&old, Process::is_guard));
    check_replaced(mare, &old).await;
}

#[tokio::test]
async fn a_killed_instance_leaves_nothing_and_is_replaced() {
    let mare = family().await;
    let old = mare.folder.processes();
    kill(find(&old, |process| process.words.contains("sleep 1000 &") && !process.is_guard()));
    check_replaced(mare, &old).await;
}

/// What the kernel promises without us: PDEATHSIG reaches the instance itself, not what it spawned.
#[tokio::test]
async fn the_instance_dies_with_mare_and_its_guard() {
    let mut mare = Mare::up(
        "[services.web]\nrun = \"{probe} alone\"\nscale = { min = 1 }\n[[routes]]\nmatch = \"/*\"\nservice = \"web\"\n",
    )
    .await;
    let processes = mare.folder.processes();
    // The guard cannot act on mare's end: it is stopped before.
    let guard = find(&processes, Process::is_guard);
    crate::support::send_signal(guard, rustix::process::Signal::STOP);
    kill(mare.pid);
    kill(guard);
    assert_eq!(mare.exit_code().await, None);
    mare.folder.until_nothing_runs().await;
}

#[tokio::test]
async fn an_instance_that_ignores_sigterm_is_killed_after_its_grace() {
    let folder = Folder::new(
        r#"
[services.web]
run = "sh -c 'trap \"\" TERM; {probe} stubborn & while :; do sleep 1; done'"
scale = { min = 1 }
grace = "200ms"
[[routes]]
match = "/*"
service = "web"
"#,
    );
    let mare = Mare::launch(folder, &[], &[]).await;
    mare.stdout.until("is ready at").await;
    mare.stop().await;
}

/// Nothing but SIGKILL gets through to a guard that is stopped.
#[tokio::test]
async fn a_guard_that_hangs_is_killed_and_leaves_nothing() {
    let mare = family().await;
    let guard = find(&mare.folder.processes(), Process::is_guard);
    crate::support::send_signal(guard, rustix::process::Signal::STOP);
    mare.stop().await;
}
