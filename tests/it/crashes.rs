//! What crashes may cost: a ledger of acknowledged creations against the effects they had, while the platform is
//! killed with -9 at random moments.
//!
//! `MARE_CRASH_ROUNDS=100 cargo test -p house-tests crashes` kills it more often; the seed is printed and can be given
//! in `MARE_CRASH_SEED`.

mod application;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::{Connection, Folder, Mare, ask, get, kill, send_signal, until, whole};

const QUEUE: &str = "/v2/projects/shop/locations/local/queues/q";

const SHOP: &str = r#"
[app]
name = "shop"
drain = "5s"
[services.worker]
run = "{probe}"
internal = true
[queues.q]
target = { service = "worker" }
rate = "unlimited"
concurrency = 20
retry = { attempts = 100, min = "10ms", max = "100ms" }
"#;

/// Creations at once.
const CREATORS: usize = 8;

/// The shortest deadline the API takes. A task whose process was killed is due again 30 s after it.
const DEADLINE: &str = "15s";

/// Longer than a lease lasts, on a machine that is busy.
const DRAIN: Duration = Duration::from_secs(180);

const LOOK_EVERY: Duration = Duration::from_millis(50);

struct Ledger {
    acknowledged: Mutex<Vec<String>>,
    next: AtomicU32,
}

impl Ledger {
    fn count(&self) -> usize {
        self.acknowledged.lock().expect("nobody panics with it").len()
    }

    async fn begin(self: &Arc<Self>, mare: &Mare, creators: &mut JoinSet<()>) {
        let mut connections = Vec::new();
        for _ in 0..CREATORS {
            connections.push(Connection::open(mare.admin).await);
        }
        for connection in connections {
            creators.spawn(Arc::clone(self).create(connection));
        }
    }

    /// Creates tasks until mare is gone.
    async fn create(self: Arc<Self>, mut connection: Connection) {
        loop {
            let id = format!("t{}", self.next.fetch_add(1, Ordering::Relaxed));
            let name = format!("{}/tasks/{id}", &QUEUE["/v2/".len()..]);
            let request = json!({ "url": "http://worker.mare.internal/task?ledger=effects" });
            let task = json!({ "name": name, "dispatchDeadline": DEADLINE, "httpRequest": request });
            let body = json!({ "task": task }).to_string();
            let json = [("content-type", "application/json")];
            let answer = async {
                whole(connection.send(Method::POST, &format!("{QUEUE}/tasks"), &json, &body).await?).await
            };
            match answer.await {
                Ok(answer) if answer.status == 200 => {
                    self.acknowledged.lock().expect("nobody panics with it").push(id);
                }
                Ok(answer) => assert!(answer.status.is_server_error(), "{answer:?}"),
                Err(_gone) => return,
            }
        }
    }
}

/// How often each task had its effect.
fn effects(folder: &Folder) -> HashMap<String, u32> {
    let text = std::fs::read_to_string(folder.path().join("effects")).unwrap_or_default();
    let mut effects = HashMap::new();
    text.lines().for_each(|id| *effects.entry(id.to_owned()).or_default() += 1);
    effects
}

/// Waits for what may have to wait for a lease to end.
async fn in_the_end<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            sleep(LOOK_EVERY).await;
        }
    };
    timeout(DRAIN, seen).await.unwrap_or_else(|_elapsed| panic!("waited in vain until {what}"))
}

async fn until_drained(mare: &Mare) {
    let dead = in_the_end("the queue is empty", async || {
        let status: Value = serde_json::from_str(&get(mare.admin, "/api/tasks").await.body).ok()?;
        let queue = &status["queues"][0];
        (queue["backlog"] == 0 && queue["running"] == 0).then_some(queue["dead"].clone())
    });
    assert_eq!(dead.await, 0, "nothing is dead");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// As often as it is wanted, else `default`.
fn rounds(default: u64) -> u64 {
    number("MARE_CRASH_ROUNDS").unwrap_or(default)
}

/// What decides when to kill.
fn seeded() -> fastrand::Rng {
    let seed = number("MARE_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("MARE_CRASH_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

async fn killed_at_random(backend: &str) {
    let (mut random, rounds) = (seeded(), rounds(5));
    let ledger = Arc::new(Ledger { acknowledged: Mutex::default(), next: AtomicU32::new(0) });
    let mut folder = Folder::new(&format!("{SHOP}{backend}"));
    for _ in 0..rounds {
        let mut mare = Mare::launch(folder, &[], &[]).await;
        let mut creators = JoinSet::new();
        ledger.begin(&mare, &mut creators).await;
        let enough = ledger.count() + random.usize(1..400);
        until("some creations", async || (ledger.count() >= enough).then_some(())).await;
        kill(mare.pid);
        while let Some(ended) = creators.join_next().await {
            ended.expect("a creator fails only with its connection");
        }
        mare.child.wait().await.expect("ours");
        mare.folder.until_nothing_runs().await;
        folder = std::mem::replace(&mut mare.folder, Folder::new(""));
    }
    let mut mare = Mare::launch(folder, &[], &[]).await;
    until_drained(&mare).await;
    let after_crashes = effects(&mare.folder);

    // Without a crash nothing comes twice.
    let before = ledger.count();
    let mut creators = JoinSet::new();
    ledger.begin(&mare, &mut creators).await;
    until("some creations", async || (ledger.count() >= before + 500).then_some(())).await;
    creators.shutdown().await;
    until_drained(&mare).await;
    let all = effects(&mare.folder);

    let acknowledged = std::mem::take(&mut *ledger.acknowledged.lock().expect("nobody panics with it"));
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !all.contains_key(*id)).collect();
    assert_eq!(lost, [] as [&String; 0], "acknowledged and without effect");
    let twice = all.values().filter(|count| **count > 1).count();
    println!("{} acknowledged in {rounds} crashes, {twice} delivered more than once", acknowledged.len());
    // Each crash interrupts at most what was under way.
    assert!(all.values().map(|count| u64::from(count - 1)).sum::<u64>() <= rounds * 20, "{twice} repeated");
    let new = all.iter().filter(|(id, _)| !after_crashes.contains_key(*id));
    assert!(new.into_iter().all(|(_, count)| *count == 1), "twice without a crash");
    mare.terminate();
    assert_eq!(mare.exit_code().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_on_sqlite() {
    killed_at_random("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_on_postgres() {
    let url = servers::Postgres::shared().fresh_database();
    killed_at_random(&format!("[backends]\npostgres = \"{url}\"\n")).await;
}

/// Two platforms share a database. One is stopped in the middle of an attempt until its lease has run out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispatcher_that_slept_past_its_lease_settles_nothing() {
    let url = servers::Postgres::shared().fresh_database();
    let manifest = format!("{SHOP}[backends]\npostgres = \"{url}\"\n");
    let first = Mare::up(&manifest).await;
    let body = json!({ "task": { "name": format!("{}/tasks/one", &QUEUE["/v2/".len()..]),
        "dispatchDeadline": DEADLINE, "httpRequest": { "url": "http://worker.mare.internal/task?ledger=effects&ms=5000" } } });
    let json = [("content-type", "application/json")];
    let created = ask(first.admin, Method::POST, &format!("{QUEUE}/tasks"), &json, &body.to_string()).await;
    assert_eq!(created.status, 200);
    first.until("worker", "it is under way", |worker| worker.0["in_flight"] == 1).await;
    send_signal(first.pid, rustix::process::Signal::STOP);
    let second = Mare::up(&manifest).await;
    in_the_end("the other one does it", async || effects(&second.folder).contains_key("one").then_some(()))
        .await;
    until_drained(&second).await;
    send_signal(first.pid, rustix::process::Signal::CONT);
    let fenced = "mare_tasks_settlements_total{queue=\"q\",result=\"fenced\"} 1";
    until("its late answer is refused", async || {
        get(first.admin, "/metrics").await.body.lines().any(|line| line == fenced).then_some(())
    })
    .await;
    assert_eq!(effects(&second.folder)["one"], 1, "the other one did it once");
    second.stop().await;
    first.stop().await;
}
