use std::time::Duration;

use mare_manifest::model::objective::Percentile;

use proptest::prelude::*;

use super::*;

const P95: Clause = Clause::Latency { percentile: Percentile::P95, limit: Duration::from_millis(300) };
const ERRORS: Clause = Clause::Errors { max: 0.005 };
const AVAILABILITY: Clause = Clause::Availability { min: 0.995 };

/// One entry per second: latencies in milliseconds, and how many requests failed.
fn series(seconds: &[(Vec<u64>, u64)]) -> Series {
    let recorded: Vec<(Sparse, Tally)> = seconds
        .iter()
        .map(|(ms, errors)| {
            let mut latencies = Latencies::default();
            latencies.extend(ms.iter().map(|&ms| Duration::from_millis(ms)));
            (latencies.sparse(), Tally { total: ms.len() as u64, errors: *errors, unavailable: *errors })
        })
        .collect();
    Series::new(recorded.iter().map(|(sparse, tally)| ([sparse], *tally)), 7)
}

/// `slow` of every hundred requests take 400 ms, the others 100 ms; 100 requests a second.
fn steady(seconds: usize, slow: usize) -> Series {
    let second = [vec![400; slow], vec![100; 100 - slow]].concat();
    series(&vec![(second, 0); seconds])
}

#[test]
fn a_clause_passes_or_fails_only_when_its_whole_interval_does() {
    for (name, series, clause, verdict) in [
        ("clearly within", steady(60, 3), P95, Verdict::Pass),
        ("clearly beyond", steady(60, 7), P95, Verdict::Fail),
        ("at the limit", steady(60, 5), P95, Verdict::Inconclusive),
        ("too few requests", series(&[(vec![100; 40], 0)]), P95, Verdict::Inconclusive),
        ("few, but all far beyond", series(&[(vec![900; 40], 0)]), P95, Verdict::Fail),
        ("no failure in 700", series(&vec![(vec![1; 100], 0); 7]), ERRORS, Verdict::Inconclusive),
        ("no failure in 800", series(&vec![(vec![1; 100], 0); 8]), ERRORS, Verdict::Pass),
        ("every tenth fails", series(&vec![(vec![1; 100], 10); 8]), AVAILABILITY, Verdict::Fail),
        ("nothing may fail", series(&[(vec![1; 10], 0)]), Clause::Errors { max: 0.0 }, Verdict::Pass),
        ("one did", series(&[(vec![1; 10], 1)]), Clause::Errors { max: 0.0 }, Verdict::Fail),
        ("no seconds", series(&[]), P95, Verdict::Inconclusive),
        ("no requests", series(&[(vec![], 0)]), ERRORS, Verdict::Inconclusive),
    ] {
        assert_eq!(series.judge(&clause).verdict, verdict, "{name}");
    }
}

#[test]
fn without_requests_nothing_is_measured() {
    let judgement = series(&[(vec![], 0)]).judge(&ERRORS);
    assert_eq!((judgement.measured, judgement.interval, judgement.requests), (None, None, 0));
}

#[test]
fn what_is_measured_comes_in_the_unit_of_the_clause() {
    let series = series(&vec![(vec![100; 100], 1); 50]);
    for (clause, expected) in [(P95, 0.1), (ERRORS, 0.01), (AVAILABILITY, 0.99)] {
        let judgement = series.judge(&clause);
        let (low, high) = judgement.interval.unwrap();
        let measured = judgement.measured.unwrap();
        assert!((measured - expected).abs() < 0.0002, "{clause}: {measured}");
        assert!(low <= measured && measured <= high, "{clause}: {low} to {high}");
    }
}

/// 4 % of the requests are slow either way; in bursts that says much less of the true share.
#[test]
fn bursts_widen_the_interval() {
    let spread = steady(300, 4);
    let burst = |second: usize| if second % 50 < 2 { (vec![400; 100], 100) } else { (vec![100; 100], 0) };
    let bursts = series(&(0..300).map(burst).collect::<Vec<_>>());
    assert_eq!(spread.judge(&P95).verdict, Verdict::Pass);
    assert_eq!(bursts.judge(&P95).verdict, Verdict::Inconclusive);
    assert_eq!(bursts.quantile_interval(0.95), Some((0.100_031, 0.400_127)));
    let clause = Clause::Errors { max: 0.05 };
    assert_eq!(bursts.judge(&clause).verdict, Verdict::Inconclusive);
}

#[test]
fn the_bisected_interval_is_that_of_all_resamples_quantiles() {
    let mut rng = fastrand::Rng::with_seed(3);
    let ms: Vec<(Vec<u64>, u64)> =
        (0..40).map(|_| ((0..rng.u64(1..30)).map(|_| rng.u64(1..500)).collect(), 0)).collect();
    let series = series(&ms);
    let mut quantiles: Vec<u64> = series
        .bootstrap
        .resamples()
        .map(|seconds| {
            let mut all: Vec<u64> = seconds.flat_map(|second| ms[second].0.iter().copied()).collect();
            all.sort_unstable();
            all[usize::try_from(needed(0.9, all.len() as u64)).unwrap() - 1]
        })
        .collect();
    quantiles.sort_unstable();
    let end = |at: usize| bucket_end(Duration::from_millis(quantiles[at])) as f64 / 1e6;
    assert_eq!(series.resampled_quantiles(0.9), Some((end(12), end(487))));
}

/// Of 95 % intervals, about 95 % hold the true value: here independent requests, so that the true one is known.
#[test]
fn intervals_hold_the_true_percentile_as_often_as_they_claim() {
    let held = (0..100).filter(|&seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let second = |_| ((0..40).map(|_| rng.u64(0..1000)).collect(), 0);
        let (low, high) = series(&(0..25).map(second).collect::<Vec<_>>()).quantile_interval(0.95).unwrap();
        low <= 0.950 && 0.949 <= high
    });
    let held = held.count();
    assert!(held >= 92, "{held} of 100");
}

#[test]
fn the_interval_is_wilsons_for_independent_requests() {
    // Newcombe 1998, table I: 81 of 263.
    let (low, high) = wilson(Events { good: 81, total: 263 });
    assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The verdict comes from the interval of a share, the interval shown from that of a percentile: they are one.
    #[test]
    fn the_verdict_is_what_the_interval_says(seed in any::<u64>(), seconds in 10..60_usize, limit in 60_u64..100) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let second = |_| ((0..20).map(|_| rng.u64(1..100)).collect(), 0);
        let series = series(&(0..seconds).map(second).collect::<Vec<_>>());
        let limit = Duration::from_millis(limit);
        let judgement = series.judge(&Clause::Latency { percentile: Percentile::P90, limit });
        let (low, high) = judgement.interval.unwrap();
        let limit = bucket_end(limit) as f64 / 1e6;
        let expected = match () {
            () if high <= limit => Verdict::Pass,
            () if low > limit => Verdict::Fail,
            () => Verdict::Inconclusive,
        };
        prop_assert_eq!(judgement.verdict, expected, "{} to {}", low, high);
    }
}
