//! A hold in windows, for the search for the knee.

use mare_slo::knee::{Generator, persistent};
use mare_slo::{Clause, Events};

use crate::run::{Promise, Run, Second};

/// So many requests must be expected to be bad, in a window at its limit, that one more or less is no violation by
/// itself: 200 requests for a P95, 2,000 for 0.5 % of errors.
const BAD_EXPECTED: f64 = 10.0;

impl Run {
    /// What the seconds `from..until` say to [`mare_slo::knee::Search::record`].
    ///
    /// The generator counts as unhealthy for its own reasons; for an arrival rate that was not reached, only if no
    /// promise was persistently violated, since else the target was too slow for it.
    pub fn hold(&self, from: u32, until: u32, window_seconds: u32) -> (Vec<bool>, Generator) {
        let windows = self.violated_windows(from, until, window_seconds);
        let health = self.health(from, until);
        let short = health.rate.is_some() && !persistent(&windows);
        let generator =
            if short || !health.generator.is_empty() { Generator::Unhealthy } else { Generator::Healthy };
        (windows, generator)
    }

    /// Whether any promise was violated, for each window of `from..until`.
    ///
    /// A window lasts `window_seconds`, and longer until every promise has enough requests to be told within it, or
    /// one is broken for certain; what is left at the end belongs to the last window.
    pub fn violated_windows(&self, from: u32, until: u32, window_seconds: u32) -> Vec<bool> {
        let clauses: Vec<(&Promise, Clause)> = self
            .promises
            .iter()
            .filter(|promise| !promise.steps.is_empty())
            .flat_map(|promise| {
                promise.limits.iter().filter_map(move |limit| Some((promise, limit.clause()?)))
            })
            .collect();
        let nothing = vec![Events::default(); clauses.len()];
        let (mut windows, mut current): (Vec<Vec<Events>>, _) = (Vec::new(), nothing.clone());
        let mut began = from;
        for second in self.between(from, until) {
            for (sum, (promise, clause)) in current.iter_mut().zip(&clauses) {
                *sum = sum.and(second.events(promise, clause));
            }
            let mut told = current.iter().zip(&clauses).map(|(events, (_, clause))| (*events, clause));
            let enough = told.clone().all(|(events, clause)| is_enough(events, clause))
                || told.any(|(events, clause)| is_broken(events, clause));
            if second.at + 1 >= began + window_seconds && enough {
                windows.push(std::mem::replace(&mut current, nothing.clone()));
                began = second.at + 1;
            }
        }
        match windows.last_mut() {
            Some(last) => last.iter_mut().zip(current).for_each(|(sum, rest)| *sum = sum.and(rest)),
            None => windows.push(current),
        }
        let violated = |window: &Vec<Events>| {
            window.iter().zip(&clauses).any(|(events, (_, clause))| !events.meet(clause.target()))
        };
        windows.iter().map(violated).collect()
    }
}

fn is_enough(events: Events, clause: &Clause) -> bool {
    // The allowance is for 1 - 0.95, which is not quite 0.05. Where nothing may be bad, one request tells.
    let allowed = 1.0 - clause.target();
    events.total > 0 && (allowed <= 0.0 || events.total as f64 * allowed >= BAD_EXPECTED - 1e-6)
}

/// So many were bad that more requests would not mend it.
fn is_broken(events: Events, clause: &Clause) -> bool {
    events.bad() as f64 >= BAD_EXPECTED && !events.meet(clause.target())
}

impl Second {
    fn events(&self, promise: &Promise, clause: &Clause) -> Events {
        let (responses, tally) = self.of(promise);
        match *clause {
            Clause::Latency { limit, .. } => Events {
                good: responses.iter().map(|sparse| sparse.within(limit)).sum(),
                total: responses.iter().map(|sparse| sparse.count()).sum(),
            },
            Clause::Errors { .. } => {
                Events { good: tally.total.saturating_sub(tally.errors), total: tally.total }
            }
            Clause::Availability { .. } => {
                Events { good: tally.total.saturating_sub(tally.unavailable), total: tally.total }
            }
        }
    }
}
