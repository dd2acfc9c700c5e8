//! Several processes, because one has too few files for many users: this one tells them what to do and listens.
//!
//! A child is `mare __load`. It reads lines of JSON: its [`Job`], then [`Plan`]s, of which the first starts it and
//! each replaces the one before; and writes [`Word`]s, one a line. When its input ends it ends too, so none outlives
//! the one that started it.

use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::connector::Recipe;
use super::crew::{self, Crew, Work, words};
use super::machine;
use super::plan::{Plan, Share};
use super::target::Endpoint;
use super::wire::{Merger, Word};
use crate::scenario::Scenario;

/// The hidden verb of the command.
pub const VERB: &str = "__load";

/// Files a process needs beside its users' connections.
pub(crate) const FILES_SPARE: u64 = 200;

/// To read the scenario and its feeds.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What a child is to do. It reads the scenario itself: the same text, in the same folder and environment.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    pub(crate) source: String,
    pub(crate) origin: PathBuf,
    pub(crate) endpoint: Endpoint,
    pub(crate) share: Share,
    pub(crate) threads: u32,
    pub(crate) seed: u64,
    /// Of all processes.
    pub(crate) users: u64,
}

/// Reads a scenario's text; the same function must serve parent and child.
pub type ReadScenario = fn(&str, &Path) -> Result<Scenario, String>;

/// How many connections one process can have. Raises its limit of open files as far as it may.
pub(crate) fn connections_max() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // If refused, the limit read back is what counts.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX).saturating_sub(FILES_SPARE).max(1)
}

/// Starts a process for each job, and lets them begin together.
pub(crate) async fn start(program: &Path, jobs: Vec<Job>, plan: Plan) -> io::Result<Crew> {
    let (sender, mut words) = words();
    let (sending, plans) = watch::channel(Arc::default());
    let sources = jobs.len();
    for (source, job) in jobs.into_iter().enumerate() {
        let mut child = Command::new(program)
            .arg(VERB)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let Some(mut input) = child.stdin.take() else { continue };
        write_line(&mut input, &job).await?;
        tokio::spawn(attend(child, input, source, plans.clone(), sender.clone()));
    }
    drop(sender);
    for _ in 0..sources {
        match timeout(READY_WITHIN, words.recv()).await {
            Ok(Some((_, Word::Ready))) => {}
            Ok(Some((_, Word::Failed(why)))) => return Err(io::Error::other(why)),
            Ok(_) => return Err(io::Error::other("a process of the generator ended before it began")),
            Err(_elapsed) => return Err(io::Error::other("a process of the generator does not begin")),
        }
    }
    sending.send_replace(Arc::new(plan));
    Ok(Crew { words, plan: sending, sources, start: Instant::now() })
}

/// Stands between one child and the coordinator, until the child ends or nobody listens.
async fn attend(
    mut child: Child,
    mut input: ChildStdin,
    source: usize,
    mut plans: watch::Receiver<Arc<Plan>>,
    words: mpsc::Sender<(usize, Word)>,
) {
    let Some(output) = child.stdout.take() else { return };
    let mut lines = BufReader::new(output).lines();
    let why = loop {
        tokio::select! {
            line = lines.next_line() => {
                let Ok(Some(line)) = line else { break "ended".to_owned() };
                let word = match serde_json::from_str(&line) {
                    Ok(word) => word,
                    Err(error) => break format!("cannot be understood: {error}"),
                };
                let is_last = matches!(word, Word::Done { .. } | Word::Failed(_));
                if words.send((source, word)).await.is_err() || is_last {
                    return;
                }
            }
            // A plan that cannot be written is followed by the end of the output, which says why.
            Ok(()) = plans.changed() => {
                let plan = Arc::clone(&plans.borrow_and_update());
                drop(write_line(&mut input, &*plan).await);
            }
        }
    };
    // It closed its output, so it is about to end; if not, dropping it kills it.
    let status = match timeout(Duration::from_secs(1), child.wait()).await {
        Ok(Ok(status)) => format!(" ({status})"),
        _ => String::new(),
    };
    let why = format!("process {} of the generator {why}{status}", source + 1);
    let _ = words.send((source, Word::Failed(why))).await;
}

async fn write_line(input: &mut ChildStdin, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    input.write_all(&bytes).await
}

/// The child's whole life. Its runtime is the caller's.
pub async fn child(read: ReadScenario) -> io::Result<()> {
    // A terminal's Ctrl-C reaches every process; the one that started this says when to stop.
    let _interrupts = signal(SignalKind::interrupt())?;
    let (sender, mut lines) = mpsc::channel::<String>(16);
    // A thread, because a read of standard input cannot be given up.
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    let job: Job = serde_json::from_str(&lines.recv().await.unwrap_or_default())?;
    connections_max();
    let scenario = match read(&job.source, &job.origin) {
        Ok(scenario) => scenario,
        Err(why) => return say(&Word::Failed(why)),
    };
    let recipe = Recipe::new(job.endpoint, scenario.target.http, job.users);
    let crew =
        Work { scenario: Arc::new(scenario), recipe, share: job.share, threads: job.threads, seed: job.seed };
    say(&Word::Ready)?;
    let plan = serde_json::from_str(&lines.recv().await.unwrap_or_default())?;
    let mut crew = crew::start(&crew, plan)?;
    let mut merger = Merger::new(crew.sources);
    let mut unanswered = 0;
    while !merger.is_done() {
        tokio::select! {
            Some(line) = lines.recv() => {
                crew.plan.send_replace(Arc::new(serde_json::from_str(&line)?));
            }
            word = crew.words.recv() => match word {
                Some((source, Word::Tick(tick))) => merger.add(source, *tick),
                Some((source, Word::Done { unanswered: more })) => {
                    merger.end(source);
                    unanswered += more;
                }
                Some((_, Word::Failed(why))) => return say(&Word::Failed(why)),
                Some((_, Word::Ready)) => {}
                None => return say(&Word::Failed("its threads ended".to_owned())),
            }
        }
        while let Some(mut tick) = merger.next() {
            tick.memory_bytes = machine::memory_bytes();
            say(&Word::Tick(Box::new(tick)))?;
        }
    }
    say(&Word::Done { unanswered })
}

fn say(word: &Word) -> io::Result<()> {
    let mut line = serde_json::to_vec(word)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
