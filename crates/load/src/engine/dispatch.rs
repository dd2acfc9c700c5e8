//! The open model: who takes which arrival when.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until};

use super::plan::whole;
use super::thread::Thread;
use super::user::User;

/// Users made ready before the first arrival: as many as arrive in this time at the highest rate planned.
const WARM_FOR: f64 = 0.1;

/// One thread's arrivals and those who wait for them.
#[derive(Default)]
pub(crate) struct Arrivals {
    /// Idle users, the one that was busy last on top.
    idle: RefCell<Vec<Rc<Seat>>>,
    /// Users that are being made ready.
    warming: Cell<u64>,
    /// Own arrivals handed out.
    begun: Cell<u64>,
    taken: Notify,
}

/// Where an idle user waits for an arrival.
#[derive(Default)]
pub(crate) struct Seat {
    scheduled: Cell<Option<Instant>>,
    called: Notify,
}

impl Thread {
    /// Hands each arrival, when it is due, to an idle user. Makes more users ready when there are too few, up to
    /// `users_max`. An arrival that finds none waits: nothing is queued, because its time is known from its number.
    pub(super) async fn dispatch(self: Rc<Self>, users_max: u64) {
        let mut users = 0;
        let warm = self.plan.borrow().level_max() * WARM_FOR / self.share.of as f64;
        self.warm(&mut users, whole(warm.ceil()).min(users_max));
        loop {
            let now = Instant::now();
            let elapsed = self.elapsed(now);
            let nth = self.arrivals.begun.get();
            let due = self.plan.borrow().arrival(self.share.number(nth));
            if due.is_none_or(|due| due > elapsed) {
                self.rest(due).await;
                continue;
            }
            let idle = self.arrivals.idle.borrow_mut().pop();
            if let Some(seat) = idle {
                seat.scheduled.set(self.take_due(now));
                seat.called.notify_one();
                continue;
            }
            let due_now = self.plan.borrow().arrivals(elapsed, self.share);
            let missing = due_now.saturating_sub(nth).saturating_sub(self.arrivals.warming.get());
            let more = missing.min(users_max - users);
            self.warm(&mut users, more);
            let next = self.plan.borrow().arrival(self.share.number(due_now));
            tokio::select! {
                () = self.arrivals.taken.notified() => {}
                () = self.rest(next) => {}
            }
        }
    }

    fn warm(self: &Rc<Self>, users: &mut u64, count: u64) {
        for _ in 0..count {
            let user = User::new(Rc::clone(self), self.share.number(*users));
            self.arrivals.warming.set(self.arrivals.warming.get() + 1);
            *users += 1;
            spawn_local(user.run_open());
        }
    }

    /// The start of the next arrival, if that has come.
    pub(crate) fn take_due(&self, now: Instant) -> Option<Instant> {
        let nth = self.arrivals.begun.get();
        let elapsed = self.elapsed(now);
        let plan = self.plan.borrow();
        let due =
            plan.arrival(self.share.number(nth)).filter(|&due| due <= elapsed && !plan.is_over(elapsed))?;
        self.arrivals.begun.set(nth + 1);
        self.arrivals.taken.notify_one();
        Some(self.start + Duration::from_secs_f64(due))
    }

    /// Waits for an arrival, at most until a time, and returns its scheduled start.
    pub(crate) async fn wait_at(&self, seat: &Rc<Seat>, until: Option<Instant>) -> Option<Instant> {
        self.arrivals.idle.borrow_mut().push(Rc::clone(seat));
        self.arrivals.taken.notify_one();
        let called = async {
            while seat.scheduled.get().is_none() {
                seat.called.notified().await;
            }
        };
        tokio::select! {
            () = called => {}
            () = sleep_until(until.unwrap_or(self.start)), if until.is_some() => {
                self.arrivals.idle.borrow_mut().retain(|idle| !Rc::ptr_eq(idle, seat));
            }
        }
        // It may have been called in the very moment it left.
        seat.scheduled.take()
    }

    /// A user that was being made ready is, or has given up.
    pub(crate) fn warmed(&self) {
        self.arrivals.warming.set(self.arrivals.warming.get() - 1);
    }
}
