//! Places for attempts under way in this process.
//!
//! A queue may take as many as it leaves free. So one queue alone gets half of all, two get a third each, and there
//! is always something left for one that comes later: a queue whose target hangs cannot stop the others. (Choudhury
//! and Hahne's dynamic thresholds for shared buffers, with alpha = 1.)

use std::pin::pin;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Notify;

pub(super) struct Places {
    free: Mutex<usize>,
    freed: Notify,
    full: Counter,
}

/// How many places one lane holds.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Mutex<usize>>);

/// Some places that are not in use yet; what is left of them is given back.
pub(super) struct Taken {
    places: Arc<Places>,
    held: Held,
    count: usize,
}

/// The place of one attempt.
pub(super) struct Place(#[expect(dead_code, reason = "gives the place back when dropped")] Taken);

impl Places {
    pub(super) fn new(total: usize, full: Counter) -> Self {
        Self { free: Mutex::new(total.max(2)), freed: Notify::new(), full }
    }

    /// Up to `max` places, at least one; waits for it.
    pub(super) async fn take(self: &Arc<Self>, held: &Held, max: usize) -> Taken {
        loop {
            // Listens first and looks then, so that nothing is missed in between.
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            if let Some(count) = self.try_take(held, max) {
                return Taken { places: Arc::clone(self), held: held.clone(), count };
            }
            self.full.inc();
            freed.await;
        }
    }

    fn try_take(&self, held: &Held, max: usize) -> Option<usize> {
        let (mut free, mut held) = (self.free.lock(), held.0.lock());
        let count = share(*free, *held).min(max);
        *free -= count;
        *held += count;
        (count > 0).then_some(count)
    }

    fn give_back(&self, held: &Held, count: usize) {
        let mut free = self.free.lock();
        *free += count;
        *held.0.lock() -= count;
        drop(free);
        self.freed.notify_waiters();
    }
}

/// How many more a lane may take that holds so many.
fn share(free: usize, held: usize) -> usize {
    // Half of the difference rounded up, as each one taken lowers what is free.
    free.saturating_sub(held).div_ceil(2).min(free)
}

impl Taken {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// One of them; the caller does not ask for more than [`Taken::count`].
    pub(super) fn one(&mut self) -> Place {
        self.count = self.count.saturating_sub(1);
        Place(Self { places: Arc::clone(&self.places), held: self.held.clone(), count: 1 })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.count > 0 {
            self.places.give_back(&self.held, self.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(total: usize) -> Arc<Places> {
        Arc::new(Places::new(total, Counter::default()))
    }

    #[tokio::test]
    async fn no_queue_takes_the_last_places() {
        let places = places(90);
        let (first, second) = (Held::default(), Held::default());
        let one = places.take(&first, 1000).await;
        assert_eq!(one.count(), 45);
        assert_eq!(places.try_take(&first, 1), None);
        let two = places.take(&second, 1000).await;
        assert_eq!(two.count(), 23);
        assert!(places.try_take(&Held::default(), 1).is_some());
    }

    #[tokio::test]
    async fn who_waits_is_told_of_a_free_place() {
        let places = places(2);
        let (held, other) = (Held::default(), Held::default());
        let mut taken = places.take(&held, 9).await;
        let place = taken.one();
        drop(taken);
        let (again, ()) = tokio::join!(places.take(&held, 9), async { drop(place) });
        assert_eq!(again.count(), 1);
        drop(again);
        assert_eq!(places.take(&other, 9).await.count(), 1);
        assert_eq!((*places.free.lock(), *held.0.lock()), (2, 0));
    }
}
