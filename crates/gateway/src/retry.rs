//! When a failed attempt may be made again.

use std::sync::atomic::{AtomicI64, Ordering};

use http::Method;

/// Attempts at one request, the first included. An instance that refuses the connection is passed over from then on and
/// is none: that ends when there is none left, with the budget, or at the request's deadline.
///
/// Eight, because an instance that is being killed may still take connections and break them: when four die at once, a
/// request has met one of them twice. The budget bounds what that may cost.
pub(crate) const ATTEMPTS_MAX: u32 = 8;

/// A request deposits this many hundredths of a retry: under a lasting failure retries add 20 % load at most
/// (the ratio Finagle and linkerd use).
const DEPOSIT: i64 = 20;
const PRICE: i64 = 100;

/// What is saved for a bad moment: all requests of a few large instances dying at once.
const RESERVE: i64 = 500 * PRICE;

/// Whether a request that may have been executed can be made again without harm: executing it twice is the same
/// as once (RFC 9110 9.2.2), and without a body there is nothing that is gone.
///
/// A request of which nothing was sent needs no such question.
pub(crate) fn is_repeatable(method: &Method, has_body: bool) -> bool {
    method.is_idempotent() && !has_body
}

/// Bounds the retries to one service, so that a failure is not multiplied.
#[derive(Debug)]
pub(crate) struct Budget(AtomicI64);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicI64::new(RESERVE))
    }
}

impl Budget {
    pub(crate) fn deposit(&self) {
        // A race may overshoot by a few deposits, which does not matter.
        if self.0.load(Ordering::Relaxed) < RESERVE {
            self.0.fetch_add(DEPOSIT, Ordering::Relaxed);
        }
    }

    /// Pays for one retry; false if there is nothing left.
    pub(crate) fn withdraw(&self) -> bool {
        let paid = |saved| (saved >= PRICE).then_some(saved - PRICE);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_attempts_are_made_again() {
        let check = |method, has_body, expected| assert_eq!(is_repeatable(&method, has_body), expected);
        check(Method::GET, false, true);
        check(Method::DELETE, false, true);
        check(Method::PUT, true, false);
        check(Method::POST, false, false);
        check(Method::PATCH, false, false);
    }

    #[test]
    fn a_lasting_failure_costs_a_fifth_more_at_most() {
        let budget = Budget::default();
        while budget.withdraw() {}
        let retries = (0..1000)
            .filter(|_| {
                budget.deposit();
                budget.withdraw()
            })
            .count();
        assert_eq!(retries, 200);
    }
}
