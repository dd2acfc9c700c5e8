//! Nothing acknowledged is lost when the process is killed at any moment.
//!
//! The test runs its own binary as a child that creates, leases and settles as fast as it can and tells on its
//! standard output what it is about to do and what was acknowledged. The parent kills it and compares the file.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

/// Set for the child: the file it works on, and what its tasks' names begin with.
const FILE: &str = "MARE_TEST_CRASH_FILE";
const ROUND: &str = "MARE_TEST_CRASH_ROUND";

const ROUNDS: u32 = 8;

/// Callers of the child at once.
const CALLERS: usize = 16;

fn crash_options() -> Options {
    Options { clock: Clock::System, ..options().0 }
}

/// One line, whole or not at all: a pipe takes so little at once.
fn tell(what: &str, id: &str) {
    std::io::stdout().write_all(format!("\n@{what} {id}\n").as_bytes()).expect("the parent listens");
}

async fn call(store: Arc<SqliteStore>, caller: String) {
    for number in 0.. {
        let id = format!("{caller}-{number}");
        tell("creating", &id);
        create(&store, &id).await.expect("a new name");
        tell("created", &id);
        if number % 2 == 0 {
            continue;
        }
        for leased in lease(&store, 2).await {
            let id = &leased.task.name.id;
            tell("leased", id);
            if fastrand::u8(..4) == 0 {
                continue;
            }
            tell("settling", id);
            let clock = Manual::at(Timestamp::now());
            assert_eq!(settle(&store, &leased, 200, &clock).await, Settled::Succeeded);
            tell("settled", id);
        }
    }
}

/// Not a test: the child. Without its variables it does nothing.
#[test]
fn the_child() {
    let (Ok(file), Ok(round)) = (std::env::var(FILE), std::env::var(ROUND)) else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = Arc::new(SqliteStore::open(file.as_ref(), crash_options()).expect("a good file"));
        let mut queue = settings("q");
        queue.limits = crate::model::RateLimits { per_second: f64::INFINITY, burst: 1, concurrent: 100_000 };
        queue.retry.attempts = None;
        store.put_queue(queue, Put::Upsert).await.expect("an upsert");
        let callers =
            (0..CALLERS).map(|caller| tokio::spawn(call(Arc::clone(&store), format!("{round}-{caller}"))));
        for caller in callers.collect::<Vec<_>>() {
            caller.await.expect("killed before it ends");
        }
    });
}

/// What the children told.
#[derive(Default)]
struct Ledger {
    created: HashSet<String>,
    settling: HashSet<String>,
    settled: HashSet<String>,
    leased: HashMap<String, u32>,
}

impl Ledger {
    fn note(&mut self, line: &str) {
        let Some((what, id)) = line.strip_prefix('@').and_then(|line| line.split_once(' ')) else { return };
        let id = id.to_owned();
        match what {
            "created" => drop(self.created.insert(id)),
            "settling" => drop(self.settling.insert(id)),
            "settled" => drop(self.settled.insert(id)),
            "leased" => *self.leased.entry(id).or_default() += 1,
            _ => {}
        }
    }

    /// Runs a child until it has told so many lines, and notes what it told until its end.
    fn follow_a_child(&mut self, file: &std::path::Path, round: u32, lines: usize) {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "store::sqlite::tests::crash::the_child", "--nocapture", "--test-threads=1"])
            .env(FILE, file)
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let mut told = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        for line in told.by_ref().take(lines) {
            self.note(&line.expect("text"));
        }
        child.kill().expect("it runs");
        // A line cut short by the kill says nothing.
        for line in told.map_while(Result::ok) {
            self.note(&line);
        }
        child.wait().expect("it ends");
    }

    async fn compare(&self, store: &SqliteStore) {
        let queue = queue_name("q");
        for id in &self.created {
            let task = store.task(&queue.task(id).expect("a name")).await;
            match task {
                Ok(task) => {
                    assert!(!self.settled.contains(id), "{id} was settled and is back");
                    let leased = self.leased.get(id).copied().unwrap_or(0);
                    assert!(task.progress.dispatched >= leased, "{id} forgot attempts");
                }
                Err(Error::TaskEnded) => assert!(self.settling.contains(id), "{id} ended by itself"),
                Err(error) => panic!("{id} was created and is lost: {error}"),
            }
            assert_eq!(create(store, id).await, Err(Error::TaskExists), "{id}");
        }
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("tasks.db");
    let mut ledger = Ledger::default();
    for round in 0..ROUNDS {
        ledger.follow_a_child(&file, round, random.usize(1..6_000));
        let store = SqliteStore::open(&file, crash_options()).expect("a good file");
        ledger.compare(&store).await;
        store.close().await;
    }
    assert!(!ledger.settled.is_empty() && ledger.created.len() > ledger.settled.len());
}
