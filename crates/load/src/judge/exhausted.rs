//! What ran out first.

use std::collections::BTreeSet;

use super::words::percent;
use crate::run::Run;

/// A shortage counts once so many samples in a row show it: one alone may be chance.
const SAMPLES: usize = 3;

/// All cores count as used up from this busy share on.
const MACHINE_BUSY: f64 = 0.95;

impl Run {
    /// In words, what ran out first within `from..until`. `None` if too little was sampled to say so.
    pub fn exhausted(&self, from: u32, until: u32) -> Option<String> {
        let within = |at: f64| f64::from(from) < at && at <= f64::from(until);
        let platform: Vec<_> = self.platform.iter().filter(|sample| within(sample.at)).collect();
        let machine: Vec<_> = self.generator.iter().filter(|sample| within(sample.at)).collect();
        let names: BTreeSet<&String> = platform.iter().flat_map(|sample| sample.services.keys()).collect();
        let full = names.into_iter().filter_map(|name| {
            let services = platform.iter().filter_map(|sample| Some((sample.at, sample.services.get(name)?)));
            let short = services.map(|(at, s)| (at, s.max > 0 && s.ready >= s.max && s.waiting > 0, s.max));
            let (at, max) = lasting(short)?;
            Some((
                at,
                format!("the instances of {name}: all {max} it may have were running while requests waited"),
            ))
        });
        let busy = machine.iter().map(|sample| (sample.at, sample.machine >= MACHINE_BUSY, sample.machine));
        let busy = lasting(busy)
            .map(|(at, busy)| (at, format!("the CPU of the generator's machine: {} busy", percent(busy))));
        let first = full.chain(busy).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, what)| what);
        let sampled = platform.len() >= SAMPLES && machine.len() >= SAMPLES;
        first.or_else(|| {
            sampled.then(|| {
                "neither instances nor the machine's CPU: look at the services themselves and at what they call"
                    .to_owned()
            })
        })
    }
}

/// When the first shortage that lasted began, and what was short.
fn lasting<T: Copy>(samples: impl Iterator<Item = (f64, bool, T)>) -> Option<(f64, T)> {
    let samples: Vec<_> = samples.collect();
    let lasts = |window: &&[(f64, bool, T)]| window.iter().all(|(_, short, _)| *short);
    samples.windows(SAMPLES).find(lasts).map(|window| (window[0].0, window[0].2))
}
