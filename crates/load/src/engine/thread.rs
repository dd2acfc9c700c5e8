//! One thread of the generator: its users, who of them is to do something when, and what they saw.
//!
//! ```text
//!   plan ──► crowd (closed): wakes user after user as the level rises ──┐
//!        └─► `dispatch` (open): hands each arrival to an idle user ─────┤
//!                                                                      ▼
//!   words ◄── ticks, once a second ◄── recorder ◄── samples ◄──────── users
//! ```
//!
//! Everything here is a task of one single-threaded runtime, so nothing is locked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, sleep_until};

use super::connector::{Connector, Recipe};
use super::dispatch::Arrivals;
use super::plan::{Plan, Share};
use super::recorder::{Recorder, Sample};
use super::user::User;
use super::user::render::Script;
use super::wire::Word;
use crate::scenario::{Model, Scenario};

/// What a thread is to do.
#[derive(Clone)]
pub(crate) struct Assignment {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) recipe: Recipe,
    /// Of the users and arrivals.
    pub(crate) share: Share,
    pub(crate) seed: u64,
    pub(crate) start: Instant,
    pub(crate) plan: watch::Receiver<Arc<Plan>>,
    /// Which of the sources in [`Merger`](super::wire::Merger) it is.
    pub(crate) source: usize,
    pub(crate) words: mpsc::Sender<(usize, Word)>,
}

pub(crate) struct Thread {
    pub(crate) script: Script,
    pub(crate) connector: Connector,
    pub(crate) recorder: RefCell<Recorder>,
    pub(crate) seed: u64,
    model: Model,
    pub(super) share: Share,
    pub(super) start: Instant,
    pub(super) plan: RefCell<Arc<Plan>>,
    /// Wakes whoever waits for what the plan says.
    replanned: Notify,
    /// Users with a request under way.
    busy: Cell<u32>,
    /// Nothing begins any more.
    is_ending: Cell<bool>,
    quiet: Notify,
    /// Open model.
    pub(super) arrivals: Arrivals,
}

/// Runs until the plan is over and every request under way is answered, or the plan's grace has passed.
pub(crate) async fn run(assignment: Assignment) {
    let Assignment { scenario, recipe, share, seed, start, mut plan, source, words } = assignment;
    let script = Script::new(Arc::clone(&scenario), &recipe.endpoint);
    let steps = scenario.flows.iter().map(|flow| flow.steps.len()).sum();
    let thread = Rc::new(Thread {
        script,
        connector: Connector::new(recipe, share.of),
        recorder: RefCell::new(Recorder::new(start, steps)),
        seed,
        model: scenario.model,
        share,
        start,
        plan: RefCell::new(Arc::clone(&plan.borrow_and_update())),
        replanned: Notify::new(),
        busy: Cell::new(0),
        is_ending: Cell::new(false),
        quiet: Notify::new(),
        arrivals: Arrivals::default(),
    });
    let tasks = match scenario.model {
        Model::Users => spawn_local(Rc::clone(&thread).crowd()),
        Model::Rate { users_max } => {
            spawn_local(Rc::clone(&thread).dispatch(share.of_first(u64::from(users_max))))
        }
    };
    let tasks = Abort(tasks);
    loop {
        let second = thread.recorder.borrow().until();
        let end = thread.end().filter(|_| !thread.is_ending.get());
        tokio::select! {
            () = sleep_until(end.map_or(second, |end| end.min(second))) => {}
            () = thread.quiet.notified() => {}
            Ok(()) = plan.changed() => {
                thread.plan.replace(Arc::clone(&plan.borrow_and_update()));
                thread.replanned.notify_waiters();
            }
        }
        let now = Instant::now();
        thread.is_ending.set(thread.is_over(now));
        thread.roll(now);
        if !thread.tell(source, &words).await || thread.is_through(now) {
            break;
        }
    }
    drop(tasks);
    let (rest, until) = (!thread.recorder.borrow().is_empty(), thread.recorder.borrow().until());
    if rest {
        thread.roll(until);
    }
    thread.tell(source, &words).await;
    let unanswered = u64::from(thread.busy.get());
    // Whoever listened may be gone.
    let _ = words.send((source, Word::Done { unanswered })).await;
}

/// A task that ends with its owner.
struct Abort(JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The loops.
impl Thread {
    /// Starts user after user as the level rises for the first time. Each user itself rests when it falls.
    async fn crowd(self: Rc<Self>) {
        for nth in 0.. {
            let number = self.share.number(nth);
            self.until_wanted(number).await;
            spawn_local(User::new(Rc::clone(&self), number).run_closed());
        }
    }

    /// Sends on the seconds that are complete. False if nobody listens any more.
    async fn tell(&self, source: usize, words: &mpsc::Sender<(usize, Word)>) -> bool {
        loop {
            let tick = self.recorder.borrow_mut().next_tick();
            let Some(tick) = tick else { return true };
            if words.send((source, Word::Tick(Box::new(tick)))).await.is_err() {
                return false;
            }
        }
    }

    fn is_through(&self, now: Instant) -> bool {
        let plan = self.plan.borrow();
        let elapsed = self.elapsed(now);
        plan.is_over(elapsed) && (self.busy.get() == 0 || plan.is_over(elapsed - plan.grace))
    }
}

/// For users.
impl Thread {
    pub(crate) fn wants(&self, number: u64) -> bool {
        let now = self.elapsed(Instant::now());
        self.plan.borrow().wants_user(number, now) == Some(now)
    }

    pub(crate) async fn until_wanted(&self, number: u64) {
        loop {
            let now = self.elapsed(Instant::now());
            let wanted = self.plan.borrow().wants_user(number, now);
            if wanted == Some(now) {
                return;
            }
            self.rest(wanted).await;
        }
    }

    /// Whether nothing may begin any more at `now`.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.plan.borrow().is_over(self.elapsed(now))
    }

    pub(crate) fn at_work(&self, change: i32) {
        let mut recorder = self.recorder.borrow_mut();
        recorder.users = recorder.users.saturating_add_signed(change);
    }

    pub(crate) fn busy(&self, change: i32) {
        let busy = self.busy.get().saturating_add_signed(change);
        self.busy.set(busy);
        if busy == 0 && self.is_ending.get() {
            self.quiet.notify_one();
        }
    }

    pub(crate) fn record(&self, sample: &Sample) {
        self.recorder.borrow_mut().record(sample, &|at| self.wanted(at));
    }

    /// One more user got through its set-up, or did not, and why.
    pub(crate) fn set_up(&self, failure: Option<String>) {
        let mut recorder = self.recorder.borrow_mut();
        match failure {
            None => recorder.setups.done += 1,
            Some(why) => {
                recorder.setups.failed += 1;
                recorder.setups.why = Some(why);
            }
        }
    }

    fn roll(&self, now: Instant) {
        self.recorder.borrow_mut().roll(now, &|at| self.wanted(at));
    }

    /// How many flows should have begun before `at`.
    fn wanted(&self, at: f64) -> u64 {
        match self.model {
            Model::Users => 0,
            Model::Rate { .. } => self.plan.borrow().arrivals(at, self.share),
        }
    }

    /// When the plan is over.
    fn end(&self) -> Option<Instant> {
        self.plan.borrow().until.map(|until| self.when(until))
    }

    /// Until a time of the plan, or until the plan changes.
    pub(super) async fn rest(&self, until: Option<f64>) {
        let at = async {
            match until {
                Some(at) => sleep_until(self.when(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = at => {}
            () = self.replanned.notified() => {}
        }
    }

    /// A time of the plan, rounded up: when it has come, it has come in the plan's own seconds too.
    fn when(&self, at: f64) -> Instant {
        self.start + Duration::from_secs_f64(at) + Duration::from_micros(1)
    }

    pub(super) fn elapsed(&self, now: Instant) -> f64 {
        now.saturating_duration_since(self.start).as_secs_f64()
    }
}
