use std::collections::BTreeMap;
use std::time::Duration;

use crate::Time;

/// The requests that wait for a slot: first come, first served, bounded, each with a deadline.
///
/// All wait equally long, so the order of arrival is also the order of deadlines. A waiter may leave from
/// the middle (its client went away) in O(log n).
#[derive(Debug)]
pub struct Admission<W> {
    waiters: BTreeMap<Ticket, (Time, W)>,
    next: u64,
    capacity: usize,
    wait: Duration,
}

/// A waiter's place; smaller came earlier.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Ticket(u64);

/// Nobody else may wait; gives the waiter back.
#[derive(Debug, Eq, PartialEq)]
pub struct Full<W>(pub W);

impl<W> Admission<W> {
    pub fn new(capacity: u32, wait: Duration) -> Self {
        Self { waiters: BTreeMap::new(), next: 0, capacity: capacity as usize, wait }
    }

    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Takes a place at the end, or refuses when `capacity` requests wait already.
    pub fn enter(&mut self, waiter: W, now: Time) -> Result<Ticket, Full<W>> {
        if self.waiters.len() >= self.capacity {
            return Err(Full(waiter));
        }
        let ticket = Ticket(self.next);
        self.next += 1;
        self.waiters.insert(ticket, (now + self.wait, waiter));
        Ok(ticket)
    }

    /// The one who waits longest and is still within its deadline leaves to be served.
    ///
    /// Waiters past their deadline stay for [`Admission::expired`].
    pub fn serve(&mut self, now: Time) -> Option<W> {
        let ticket =
            self.waiters.iter().find(|(_, (deadline, _))| *deadline > now).map(|(ticket, _)| *ticket)?;
        self.leave(ticket)
    }

    /// Gives up a place; `None` if that waiter was served or expired before.
    pub fn leave(&mut self, ticket: Ticket) -> Option<W> {
        self.waiters.remove(&ticket).map(|(_, waiter)| waiter)
    }

    /// Removes and returns the first waiter whose deadline has come, if any.
    pub fn expired(&mut self, now: Time) -> Option<W> {
        let first = self.waiters.first_entry()?;
        (first.get().0 <= now).then(|| first.remove().1)
    }

    /// Removes the one who waits longest, whatever its deadline (for refusing everybody).
    pub fn dismiss(&mut self) -> Option<W> {
        self.waiters.pop_first().map(|(_, (_, waiter))| waiter)
    }

    /// When the next waiter expires.
    pub fn next_deadline(&self) -> Option<Time> {
        self.waiters.first_key_value().map(|(_, (deadline, _))| *deadline)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Enter,
        Serve,
        Leave(usize),
        Expire,
        Pass(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => Just(Step::Enter),
            2 => Just(Step::Serve),
            1 => (0..40usize).prop_map(Step::Leave),
            1 => Just(Step::Expire),
            2 => (0..40u64).prop_map(Step::Pass),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn served_in_order_of_arrival_within_bounds_and_deadline(steps in steps(), capacity in 1..10u32) {
            const WAIT: u64 = 50;
            let mut queue = Admission::new(capacity, Duration::from_nanos(WAIT));
            let (mut now, mut arrived, mut last_served) = (0u64, 0usize, None);
            let mut entered: Vec<(Ticket, u64)> = Vec::new();
            for step in steps {
                match step {
                    Step::Enter => {
                        let was_full = queue.len() == capacity as usize;
                        let result = queue.enter(arrived, Time(now));
                        prop_assert_eq!(result.is_err(), was_full);
                        if let Ok(ticket) = result {
                            entered.push((ticket, now));
                            arrived += 1;
                        }
                    }
                    Step::Serve => if let Some(who) = queue.serve(Time(now)) {
                        prop_assert!(last_served < Some(who), "fifo");
                        prop_assert!(entered[who].1 + WAIT > now, "nobody is served after the deadline");
                        last_served = Some(who);
                    },
                    Step::Leave(who) => if let Some((ticket, _)) = entered.get(who) {
                        let left = queue.leave(*ticket);
                        prop_assert!(left.is_none_or(|w| w == who));
                        prop_assert!(queue.leave(*ticket).is_none(), "a place is given up once");
                    },
                    Step::Expire => while let Some(who) = queue.expired(Time(now)) {
                        prop_assert!(entered[who].1 + WAIT <= now);
                    },
                    Step::Pass(span) => now += span,
                }
                prop_assert!(queue.len() <= capacity as usize);
            }
        }
    }
}
