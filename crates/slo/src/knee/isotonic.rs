//! Where the share of violated windows crosses what is persistent, if more load never violates less.

use crate::bootstrap::{Bootstrap, middle, prefix_sums};

/// The share of windows from which on a violation is persistent: 4 of 20.
const CROSSING: f64 = 0.2;

/// Neighbouring windows are alike, so they are drawn by threes.
const BLOCK: usize = 3;

/// The 95 % interval of the crossing. `tried` holds levels by rising height and their windows, which are not none.
///
/// Each resample draws the windows of every level anew, fits the shares so that they rise (PAVA), and finds its own
/// crossing; the middle 95 % of them are the interval.
pub(super) fn interval(tried: &[(f64, Vec<bool>)], seed: u64) -> Option<(f64, f64)> {
    let levels: Vec<f64> = tried.iter().map(|(level, _)| *level).collect();
    let weights: Vec<f64> = tried.iter().map(|(_, windows)| windows.len() as f64).collect();
    let by_level: Vec<Vec<f64>> =
        tried.iter().zip(seed..).map(|((_, windows), seed)| resample(windows, seed)).collect();
    let resamples = by_level.first().map_or(0, Vec::len);
    let crossings = (0..resamples)
        .map(|resample| {
            let shares: Vec<f64> = by_level.iter().map(|shares| shares[resample]).collect();
            crossing(&levels, &rising(&shares, &weights))
        })
        .collect();
    middle(crossings)
}

/// The share of violated windows in each resample.
fn resample(windows: &[bool], seed: u64) -> Vec<f64> {
    let bootstrap = Bootstrap::new(windows.len(), BLOCK, seed);
    let violated = prefix_sums(windows.iter().map(|&violated| u64::from(violated)));
    let all = prefix_sums(windows.iter().map(|_| 1));
    let sums = bootstrap.sums(&violated).zip(bootstrap.sums(&all));
    sums.map(|(violated, all)| violated as f64 / all as f64).collect()
}

/// The rising sequence closest to these values (least squares, weighted): pool adjacent violators (Ayer et al. 1955).
fn rising(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (&value, &weight) in values.iter().zip(weights) {
        let mut pool = (value, weight, 1);
        while let Some(last) = pools.pop_if(|last| last.0 >= pool.0) {
            let weight = last.1 + pool.1;
            pool = ((last.0 * last.1 + pool.0 * pool.1) / weight, weight, last.2 + pool.2);
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

/// The level at which shares that rise reach [`CROSSING`], on straight lines between the levels.
fn crossing(levels: &[f64], shares: &[f64]) -> f64 {
    match shares.iter().position(|&share| share >= CROSSING) {
        None => levels[levels.len() - 1],
        Some(0) => levels[0],
        Some(above) => {
            let (low, high) = (above - 1, above);
            let part = (CROSSING - shares[low]) / (shares[high] - shares[low]);
            levels[low] + part * (levels[high] - levels[low])
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_falls_is_pooled_by_weight() {
        for (values, weights, expected) in [
            (vec![0.0, 0.1, 0.5], vec![1.0; 3], vec![0.0, 0.1, 0.5]),
            (vec![0.4, 0.2, 0.5], vec![1.0; 3], vec![0.3, 0.3, 0.5]),
            (vec![0.4, 0.1], vec![1.0, 2.0], vec![0.2, 0.2]),
            (vec![0.9, 0.6, 0.0], vec![1.0; 3], vec![0.5; 3]),
        ] {
            let fitted = rising(&values, &weights);
            let close =
                fitted.iter().zip(&expected).all(|(got, want): (&f64, &f64)| (got - want).abs() < 1e-9);
            assert!(close, "{values:?}: {fitted:?}");
        }
    }

    #[test]
    fn the_crossing_is_interpolated() {
        let levels = [100.0, 200.0, 300.0];
        for (shares, expected) in [
            ([0.0, 0.0, 0.4], 250.0),
            ([0.0, 0.2, 0.4], 200.0),
            ([0.5, 0.6, 0.7], 100.0),
            ([0.0, 0.0, 0.1], 300.0),
        ] {
            assert!((crossing(&levels, &shares) - expected).abs() < 1e-9, "{shares:?}");
        }
    }

    proptest! {
        #[test]
        fn the_fit_rises_and_keeps_the_mean(values in proptest::collection::vec(0.0..1.0_f64, 1..20)) {
            let fitted = rising(&values, &vec![1.0; values.len()]);
            prop_assert!(fitted.is_sorted());
            prop_assert!((fitted.iter().sum::<f64>() - values.iter().sum::<f64>()).abs() < 1e-9);
        }
    }
}
