//! What ran out first, told from the samples of the platform and of the machine.

use super::format;
use super::series;
use crate::run::Run;

/// A shortage counts once this many samples in a row show it: one alone may be chance.
const SAMPLES: usize = 3;

/// All cores are taken as used up from this busy share on.
const MACHINE_BUSY: f64 = 0.95;

/// In words, what ran out at the lowest level. `None`: nothing that was sampled.
pub(super) fn first(run: &Run) -> Option<String> {
    let mut shortages: Vec<(f64, String)> = services(run)
        .into_iter()
        .filter_map(|name| {
            let short = run.platform.iter().map(|sample| {
                let service = sample.services.get(name);
                (sample.at, service.is_some_and(|s| s.max > 0 && s.ready >= s.max && s.waiting > 0))
            });
            let at = lasting(short)?;
            let max = run.platform.iter().filter_map(|sample| Some(sample.services.get(name)?.max)).max()?;
            Some((at, format!("{name} had all its {max} instances running while requests waited")))
        })
        .collect();
    let busy = run.generator.iter().map(|sample| (sample.at, sample.machine >= MACHINE_BUSY));
    shortages.extend(lasting(busy).map(|at| (at, "the machine's CPU was used up".to_owned())));
    let by_level = shortages.into_iter().map(|(at, what)| (level_at(run, at), at, what));
    by_level.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))).map(|(level, at, what)| {
        let unit = if run.open { "flows/s" } else { "users" };
        format!("{what}, from {} {unit} on ({})", format::level(level), format::clock(whole(at).into()))
    })
}

/// The services any sample names, in order.
pub(super) fn services(run: &Run) -> Vec<&str> {
    let mut names: Vec<_> = run.platform.iter().flat_map(|sample| sample.services.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(String::as_str).collect()
}

/// When the first shortage that lasted began.
fn lasting(samples: impl Iterator<Item = (f64, bool)>) -> Option<f64> {
    let samples: Vec<_> = samples.collect();
    samples.windows(SAMPLES).find(|window| window.iter().all(|(_, short)| *short)).map(|window| window[0].0)
}

fn level_at(run: &Run, at: f64) -> f64 {
    series::planned(run, whole(at)).map_or(0.0, |(_, level, _)| level)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a run")]
fn whole(at: f64) -> u32 {
    at as u32
}
