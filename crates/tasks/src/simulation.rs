//! The rules of queues on virtual time, from a seed.
//!
//! A queue of random settings gets random tasks while a scripted world works on it: a dispatcher that asks when it
//! was told to, attempts that take their time, targets that fail, refuse, hang or are never reached, an operator who
//! pauses and resumes. Whatever happens, the invariants hold that [`World`] checks at every step. A day of a queue
//! takes a moment. On failure it prints its seed and how to run that seed again.

mod ledger;
mod world;

use std::sync::Arc;

use jiff::Timestamp;

use self::world::{Plan, World};
use crate::store::clock::Manual;
use crate::store::reference::Reference;
use crate::store::{Clock, Options, SqliteStore, Store};

/// Says which seed to run, alone.
const SEED: &str = "MARE_SEED";

/// Seeds tried on the model, and on the slower file.
const MODEL_SEEDS: usize = 40;
const SQLITE_SEEDS: usize = 3;

/// The seeds to run: the one that was asked for, or new ones.
fn seeds(count: usize) -> Vec<u64> {
    match std::env::var(SEED) {
        Ok(seed) => vec![seed.parse().expect("MARE_SEED is a number")],
        Err(_unset) => std::iter::repeat_with(|| fastrand::u64(..)).take(count).collect(),
    }
}

/// Says how to run the seed again if the run ends in a panic.
struct Replay {
    seed: u64,
    test: &'static str,
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, test } = self;
            eprintln!("seed {seed}; again: {SEED}={seed} cargo test -p mare-tasks --lib simulation::{test}");
        }
    }
}

fn options() -> (Options, Manual) {
    let clock = Manual::at(Timestamp::from_second(1_800_000_000).expect("a time"));
    (Options { clock: Clock::Manual(clock.clone()), ..Options::default() }, clock)
}

async fn simulate(store: Arc<dyn Store>, clock: Manual, seed: u64, tasks: usize) {
    let plan = Plan::random(seed, tasks);
    World::new(store, clock, plan).await.run().await;
}

#[tokio::test]
async fn the_model_keeps_its_invariants() {
    for seed in seeds(MODEL_SEEDS) {
        let _replay = Replay { seed, test: "the_model_keeps_its_invariants" };
        let (options, clock) = options();
        simulate(Arc::new(Reference::new(&options)), clock, seed, 150).await;
    }
}

#[tokio::test]
async fn sqlite_keeps_its_invariants() {
    for seed in seeds(SQLITE_SEEDS) {
        let _replay = Replay { seed, test: "sqlite_keeps_its_invariants" };
        let (options, clock) = options();
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("tasks.db"), options).expect("a new file");
        simulate(Arc::new(store), clock, seed, 150).await;
    }
}
