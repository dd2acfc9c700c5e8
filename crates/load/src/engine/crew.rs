//! The threads of this process, or other processes with threads of their own: both tell words and follow a plan.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::connector::Recipe;
use super::plan::{Plan, Share};
use super::thread::{self, Assignment};
use super::wire::Word;
use crate::scenario::Scenario;

/// Words on their way. Every thread says one a second, so this is never the bottleneck.
const WORDS_MAX: usize = 256;

/// Whoever does the work.
pub(crate) struct Crew {
    pub(crate) words: mpsc::Receiver<(usize, Word)>,
    pub(crate) plan: watch::Sender<Arc<Plan>>,
    pub(crate) sources: usize,
    pub(crate) start: Instant,
}

impl Crew {
    /// Seconds since the start.
    pub(crate) fn elapsed(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    pub(crate) fn when(&self, at: f64) -> Instant {
        self.start + Duration::from_secs_f64(at)
    }
}

/// What all threads of a process have in common.
pub(crate) struct Work {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) recipe: Recipe,
    pub(crate) share: Share,
    pub(crate) threads: u32,
    pub(crate) seed: u64,
}

/// Words of numbered sources.
type Said = (usize, Word);

pub(crate) fn words() -> (mpsc::Sender<Said>, mpsc::Receiver<Said>) {
    mpsc::channel(WORDS_MAX)
}

/// Starts the threads of this process. They end with the plan, or when nobody listens.
pub(crate) fn start(work: &Work, plan: Plan) -> io::Result<Crew> {
    let (sender, words) = words();
    let (plan, watched) = watch::channel(Arc::new(plan));
    let start = Instant::now();
    for index in 0..work.threads {
        let assignment = Assignment {
            scenario: Arc::clone(&work.scenario),
            recipe: work.recipe.clone(),
            share: work.share.part(u64::from(index), u64::from(work.threads)),
            seed: work.seed,
            start,
            plan: watched.clone(),
            source: index as usize,
            words: sender.clone(),
        };
        std::thread::Builder::new().name(format!("load-{index}")).spawn(move || run(assignment))?;
    }
    Ok(Crew { words, plan, sources: work.threads as usize, start })
}

fn run(assignment: Assignment) {
    let (source, words) = (assignment.source, assignment.words.clone());
    let farewell = Farewell { source, words: words.clone() };
    match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
        Ok(runtime) => runtime.block_on(thread::run(assignment)),
        Err(error) => {
            let word = Word::Failed(format!("cannot start a thread of the generator: {error}"));
            // Nobody listens: nobody waits either.
            let _ = words.blocking_send((source, word));
        }
    }
    drop(farewell);
}

/// Tells of a thread that ends before its time, which others would wait for.
struct Farewell {
    source: usize,
    words: mpsc::Sender<(usize, Word)>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let word = Word::Failed("a thread of the generator panicked".to_owned());
            // Nobody listens: nobody waits either.
            let _ = self.words.blocking_send((self.source, word));
        }
    }
}
