//! A virtual user: one connection, one thing at a time.

pub(crate) mod render;

use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::connection::{Answer, Broken, Connection};
use super::dispatch::Seat;
use super::recorder::{Failure, Sample};
use super::thread::Thread;
use crate::scenario::{Pause, Span};
use render::{Memory, Prepared, PreparedFlow};

/// How often a user tries the scenario's set-up before it gives up, and how long it rests in between.
const SETUP_ATTEMPTS: u32 = 3;
const SETUP_REST: Duration = Duration::from_secs(1);

/// A user that cannot even send would otherwise do nothing else, at full speed. Doubles, up to the second.
const REST_MIN: Duration = Duration::from_millis(50);
const REST_MAX: Duration = Duration::from_secs(1);

pub(crate) struct User {
    thread: Rc<Thread>,
    rng: Rng,
    connection: Option<Connection>,
    memory: Memory,
    /// When the set-up is to be made again.
    renews: Option<Instant>,
    /// How long it rests after the next request it cannot send.
    rest: Duration,
    /// Since when it has had nothing to wait for but its next start.
    free: Instant,
}

impl User {
    pub(crate) fn new(thread: Rc<Thread>, number: u64) -> Self {
        let rng = Rng::with_seed(thread.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let memory = Memory { user: number, ..Memory::default() };
        Self { thread, rng, connection: None, memory, renews: None, rest: REST_MIN, free: Instant::now() }
    }

    /// Runs flow after flow while the level wants this user (closed model).
    pub(crate) async fn run_closed(mut self) {
        let number = self.memory.user;
        if !self.prepare().await {
            return;
        }
        let thread = Rc::clone(&self.thread);
        let mut flow = self.draw(&thread);
        let mut intended = self.first(flow);
        thread.at_work(1);
        loop {
            if intended > self.free {
                sleep_until(intended).await;
            }
            if !thread.wants(number) {
                thread.at_work(-1);
                thread.until_wanted(number).await;
                thread.at_work(1);
                self.free = Instant::now();
                self.renew(&thread).await;
                intended = self.first(flow);
                continue;
            }
            self.run(flow, intended).await;
            let answered = self.free;
            self.renew(&thread).await;
            intended = match &flow.flow.pause {
                Pause::Think(span) => self.free + self.span(span),
                // A paced user keeps its clock, however late it is; a set-up made again makes it no later.
                Pause::Pacing(span) => {
                    let next = intended + self.span(span);
                    next.max(self.free - answered.saturating_duration_since(next))
                }
            };
            flow = self.draw(&thread);
        }
    }

    /// Runs a flow for each arrival it is given or finds due (open model).
    pub(crate) async fn run_open(mut self) {
        let is_ready = self.prepare().await;
        let thread = Rc::clone(&self.thread);
        thread.warmed();
        if !is_ready {
            return;
        }
        let seat = Rc::new(Seat::default());
        loop {
            self.renew(&thread).await;
            let mut scheduled = thread.take_due(self.free);
            if scheduled.is_none() {
                scheduled = thread.wait_at(&seat, self.renews).await;
            }
            let Some(scheduled) = scheduled else {
                self.free = Instant::now();
                continue;
            };
            let flow = self.draw(&thread);
            thread.at_work(1);
            self.run(flow, scheduled).await;
            thread.at_work(-1);
        }
    }

    /// Connects and does the scenario's set-up. False if that failed for good.
    async fn prepare(&mut self) -> bool {
        let thread = Rc::clone(&self.thread);
        // If it fails, the first request tries again, and counts.
        self.connection = thread.connector.connect(self.memory.user).await.ok();
        let mut failure = None;
        for attempt in 0..SETUP_ATTEMPTS {
            if attempt > 0 {
                sleep(SETUP_REST).await;
            }
            failure = self.set_up(&thread).await.err();
            if failure.is_none() {
                break;
            }
        }
        thread.set_up(failure.as_ref().map(|failure| failure.kind().into_owned()));
        self.free = Instant::now();
        failure.is_none()
    }

    /// Makes the set-up again if it is due.
    async fn renew(&mut self, thread: &Thread) {
        if self.renews.is_some_and(|due| due <= self.free) {
            let is_made = self.set_up(thread).await.is_ok();
            self.free = Instant::now();
            if !is_made {
                // The next request tells.
                self.renews = Some(self.free + SETUP_REST);
            }
        }
    }

    async fn set_up(&mut self, thread: &Thread) -> Result<(), Failure> {
        let begun = Instant::now();
        for step in &thread.script.setup {
            let mut sent = Instant::now();
            let answer = self.ask(step, sent + step.step.timeout, &mut sent).await?;
            step.take(&answer, &mut self.memory)?;
        }
        self.renews = thread.script.setup_every.map(|every| begun + every);
        Ok(())
    }

    /// One flow, up to its end or the first failure.
    async fn run(&mut self, flow: &PreparedFlow, mut intended: Instant) {
        let thread = Rc::clone(&self.thread);
        thread.recorder.borrow_mut().begun += 1;
        for step in &flow.steps {
            // The clock was read when the last answer ended; only a pause makes that old.
            let picked = if intended > self.free {
                sleep_until(intended).await;
                Instant::now()
            } else {
                self.free
            };
            if thread.is_over(picked) {
                std::future::pending::<()>().await;
            }
            let lag = picked.saturating_duration_since(intended.max(self.free));
            let is_right = self.perform(&thread, step, intended, picked, lag).await;
            if !is_right {
                break;
            }
            intended = match &flow.flow.pause {
                Pause::Think(span) => self.free + self.span(span),
                Pause::Pacing(_) => self.free,
            };
        }
        self.memory.iteration += 1;
    }

    /// One recorded request. Tells whether its answer was right.
    async fn perform(
        &mut self,
        thread: &Thread,
        step: &Prepared,
        intended: Instant,
        picked: Instant,
        lag: Duration,
    ) -> bool {
        let mut sent = picked;
        thread.busy(1);
        let outcome = self.ask(step, picked + step.step.timeout, &mut sent).await;
        thread.busy(-1);
        let ended = Instant::now();
        let bytes_in = outcome.as_ref().map_or(0, |answer| answer.bytes_in);
        let failure = outcome.and_then(|answer| step.take(&answer, &mut self.memory)).err();
        let is_right = failure.is_none();
        self.free = ended;
        let is_unsent = matches!(failure, Some(Failure::Connect(_) | Failure::Unsendable(_)));
        thread.record(&Sample { step: step.index, intended, lag, sent, ended, bytes_in, failure });
        if is_unsent {
            sleep(self.rest).await;
            self.rest = (self.rest * 2).min(REST_MAX);
            self.free = Instant::now();
        } else {
            self.rest = REST_MIN;
        }
        is_right
    }

    /// Sends one request and reads the answer. `sent` is set when there was something to do before, such as
    /// connecting again: that is part of the response time but not of the service time.
    async fn ask(
        &mut self,
        step: &Prepared,
        deadline: Instant,
        sent: &mut Instant,
    ) -> Result<Answer, Failure> {
        let mut request = self.thread.script.request(step, &self.memory, &mut self.rng)?;
        let mut is_fresh = false;
        loop {
            let mut connection = if let Some(connection) = self.resting().await {
                connection
            } else {
                is_fresh = true;
                let connection = timeout_at(deadline, self.thread.connector.connect(self.memory.user)).await;
                let connection = connection.map_err(|_elapsed| Failure::Timeout)??;
                *sent = Instant::now();
                connection
            };
            match connection.exchange(request, deadline, step.reading).await {
                Ok(answer) => {
                    self.connection = Some(connection);
                    return Ok(answer);
                }
                // It was closed while it rested.
                Err(Broken::Unsent(back)) if !is_fresh => request = *back,
                Err(Broken::Unsent(_)) => return Err(Failure::Closed),
                Err(Broken::Failed(failure)) => return Err(failure),
            }
        }
    }

    /// The connection it has, if that is still good.
    async fn resting(&mut self) -> Option<Connection> {
        let mut connection = self.connection.take()?;
        connection.is_open().await.then_some(connection)
    }

    fn draw<'a>(&mut self, thread: &'a Thread) -> &'a PreparedFlow {
        let flows = &thread.script.flows;
        let mut place = if flows.len() == 1 { 0.0 } else { self.rng.f64() * thread.script.weights };
        let chosen = flows.iter().find(|flow| {
            place -= flow.flow.weight;
            place < 0.0
        });
        chosen.unwrap_or(&flows[flows.len() - 1])
    }

    /// When the first flow starts: users that are paced and come at once spread over the first period, or they
    /// would stay in step for ever.
    fn first(&mut self, flow: &PreparedFlow) -> Instant {
        match &flow.flow.pause {
            Pause::Think(_) => self.free,
            Pause::Pacing(span) => self.free + self.span(span).mul_f64(self.rng.f64()),
        }
    }

    fn span(&mut self, span: &Span) -> Duration {
        match *span {
            Span::Fixed(span) => span,
            Span::Uniform(min, max) => min + max.saturating_sub(min).mul_f64(self.rng.f64()),
            // At most 37 times the mean: 1 - f64() is at least 2^-53.
            Span::Exponential(mean) => mean.mul_f64(-(1.0 - self.rng.f64()).ln()),
        }
    }
}
