use fastrand::Rng;
use proptest::prelude::*;

use super::*;

/// A server with one queue (M/M/1): its P95 is ln(20) / (capacity - level). Each window measures it with an error of
/// 8 %, and one in fifty is bad whatever the level.
struct Server {
    capacity: f64,
    rng: Rng,
}

const LIMIT_S: f64 = 0.3;

impl Server {
    /// With the level from which its P95 is above the limit.
    fn with_knee(knee: f64, seed: u64) -> Self {
        Self { capacity: knee + 20_f64.ln() / LIMIT_S, rng: Rng::with_seed(seed) }
    }

    fn hold(&mut self, level: f64) -> Vec<bool> {
        (0..20).map(|_| self.window(level)).collect()
    }

    fn window(&mut self, level: f64) -> bool {
        // Twelve uniform numbers less six are nearly normal.
        let normal = (0..12).map(|_| self.rng.f64()).sum::<f64>() - 6.0;
        let p95 = 20_f64.ln() / (self.capacity - level).max(1e-9) * (0.08 * normal).exp();
        p95 > LIMIT_S || self.rng.u32(..50) == 0
    }
}

/// Runs a search to its end; fails if it takes longer than it promises.
fn run(mut search: Search, mut hold: impl FnMut(f64) -> (Vec<bool>, Generator)) -> Knee {
    let bound = search.holds_max();
    while let Some(level) = search.next() {
        assert_eq!(search.next(), Some(level), "asked twice");
        assert!(level >= search.from && level <= search.to, "{level}");
        let (windows, generator) = hold(level);
        search.record(level, windows, generator);
        assert!(search.holds.len() <= bound, "no end after {bound} holds");
    }
    search.knee()
}

fn sharp(search: Search, knee: f64) -> Knee {
    run(search, |level| (vec![level > knee; 10], Generator::Healthy))
}

#[test]
fn the_knee_of_a_server_of_known_capacity_is_found_within_five_percent() {
    let mut proven = 0;
    for seed in 0..300 {
        let knee = 40.0 * 1.015_f64.powi(i32::try_from(seed).unwrap());
        let mut server = Server::with_knee(knee, seed);
        let found =
            run(Search::new(20.0, 10_000.0, 0.05, seed), |level| (server.hold(level), Generator::Healthy));
        let (holds, breaks) = (found.holds.unwrap(), found.breaks.unwrap());
        let (low, high) = found.interval.unwrap();
        assert!((holds / knee - 1.0).abs() <= 0.05, "seed {seed}: {holds} holds, the knee is at {knee}");
        assert!((breaks / knee - 1.0).abs() <= 0.05, "seed {seed}: {breaks} breaks, the knee is at {knee}");
        assert!(low <= holds && breaks <= high && high / low < 1.5, "seed {seed}: {low} to {high}");
        proven += u32::from(found.verdict == Verdict::Pass);
    }
    assert!(proven >= 255, "{proven} of 300");
}

#[test]
fn one_bad_window_per_hold_decides_nothing() {
    let mut rng = Rng::with_seed(1);
    let found = run(Search::new(50.0, 2_000.0, 0.05, 0).whole(), |level| {
        let mut windows = vec![level > 700.0; 12];
        let bad = rng.usize(..12);
        windows[bad] = true;
        (windows, Generator::Healthy)
    });
    assert_eq!(found.verdict, Verdict::Pass);
    assert!(found.holds.unwrap() <= 700.0 && found.breaks.unwrap() > 700.0);
}

#[test]
fn the_sides_are_confirmed_twice_in_balanced_order() {
    for (seed, first) in [(0, "hold"), (1, "break")] {
        let found = sharp(Search::new(100.0, 1_000.0, 0.05, seed).whole(), 490.0);
        let levels: Vec<f64> = found.levels.iter().map(|level| level.level).collect();
        assert_eq!(levels[..5], [100.0, 150.0, 225.0, 338.0, 507.0]);
        let (holds, breaks) = (found.holds.unwrap(), found.breaks.unwrap());
        let [a, b] = if first == "hold" { [holds, breaks] } else { [breaks, holds] };
        assert_eq!(levels[levels.len() - 4..], [a, b, b, a], "{first}");
        assert!(breaks / holds <= 1.05);
        assert_eq!(found.verdict, Verdict::Pass);
    }
}

#[test]
fn a_knee_outside_of_the_range_is_said_to_be() {
    let above = sharp(Search::new(10.0, 100.0, 0.05, 0), 1_000.0);
    assert_eq!((above.holds, above.breaks, above.verdict), (Some(100.0), None, Verdict::Pass));
    let below = sharp(Search::new(10.0, 100.0, 0.05, 0), 1.0);
    assert_eq!((below.holds, below.breaks, below.verdict), (None, Some(10.0), Verdict::Fail));
    assert_eq!(below.levels.len(), 3);
}

#[test]
fn few_users_are_told_apart_one_by_one() {
    let found = sharp(Search::new(1.0, 50.0, 0.05, 0).whole(), 7.5);
    assert_eq!((found.holds, found.breaks, found.verdict), (Some(7.0), Some(8.0), Verdict::Pass));
}

#[test]
fn a_level_that_repeats_differently_is_inconclusive_or_overturned() {
    // 100 breaks the first time only: the knee is elsewhere.
    let mut first = true;
    let overturned = run(Search::new(100.0, 1_000.0, 0.05, 0), |level| {
        let fluke = std::mem::take(&mut first);
        (vec![fluke || level > 490.0; 10], Generator::Healthy)
    });
    assert!((465.0..=490.0).contains(&overturned.holds.unwrap()));
    assert_eq!(overturned.verdict, Verdict::Pass);

    // Above 400 every other hold breaks.
    let mut holds = 0;
    let straddling = run(Search::new(100.0, 1_000.0, 0.05, 0), |level| {
        holds += 1;
        (vec![level > 500.0 || (level > 400.0 && holds % 2 == 0); 10], Generator::Healthy)
    });
    assert_eq!(straddling.verdict, Verdict::Inconclusive);
}

#[test]
fn an_unhealthy_generator_is_tried_again_once_and_then_ends_the_search() {
    let unhealthy_from = |limit: f64, knee: f64| {
        run(Search::new(100.0, 1_000.0, 0.05, 0), |level| {
            let generator = if level >= limit { Generator::Unhealthy } else { Generator::Healthy };
            (vec![level > knee; 10], generator)
        })
    };
    let ended = unhealthy_from(300.0, 5_000.0);
    assert_eq!((ended.holds, ended.breaks, ended.verdict), (Some(225.0), None, Verdict::Invalid));
    assert_eq!(ended.levels.len(), 5);

    let mut spike = true;
    let recovered = run(Search::new(100.0, 1_000.0, 0.05, 0), |level| {
        let generator = if std::mem::take(&mut spike) { Generator::Unhealthy } else { Generator::Healthy };
        (vec![level > 490.0; 10], generator)
    });
    assert_eq!(recovered.verdict, Verdict::Pass);
}

#[test]
fn holds_without_enough_windows_prove_nothing() {
    let found =
        run(Search::new(100.0, 1_000.0, 0.05, 0), |_| (vec![false; WINDOWS_MIN - 1], Generator::Healthy));
    assert_eq!((found.holds, found.verdict, found.levels.len()), (None, Verdict::Inconclusive, 2));
}

#[test]
fn a_search_that_was_cut_short_is_inconclusive() {
    let mut search = Search::new(100.0, 1_000.0, 0.05, 0);
    assert_eq!(search.knee().verdict, Verdict::Inconclusive);
    search.record(100.0, vec![false; 10], Generator::Healthy);
    assert_eq!((search.knee().holds, search.knee().verdict), (Some(100.0), Verdict::Inconclusive));
}

proptest! {
    /// Whatever the windows say, `run` sees it end within its bound.
    #[test]
    fn a_search_ends(seed in any::<u64>(), from in 1.0..500.0_f64, range in 1.0..200.0_f64, luck in 0_u32..=10) {
        let mut rng = Rng::with_seed(seed);
        let found = run(Search::new(from, from * range, 0.05, seed), |_| {
            let bad = rng.u32(..10) < luck;
            (vec![bad; 10], if rng.u32(..20) == 0 { Generator::Unhealthy } else { Generator::Healthy })
        });
        if let (Some(holds), Some(breaks)) = (found.holds, found.breaks) {
            prop_assert!(holds < breaks);
        }
    }
}
