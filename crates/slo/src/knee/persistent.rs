//! When windows that violate an objective are more than chance.

/// So many windows may violate an objective that holds: a noisy neighbour, a checkpoint.
const TOLERATED: f64 = 0.05;

/// A number of violated windows counts if chance alone reaches it less often than this.
const SIGNIFICANCE: f64 = 0.05;

/// So many in a row are no chance either, however many windows there are.
const CONSECUTIVE: usize = 3;

/// Whether a hold violates an objective persistently: in three consecutive windows, or in more windows than 5 %
/// tolerated ones explain (a binomial test: 3 of 10, 4 of 20, 5 of 30). One window alone decides nothing.
pub fn persistent(violated: &[bool]) -> bool {
    let count = violated.iter().filter(|&&violated| violated).count();
    let in_a_row = violated.windows(CONSECUTIVE).any(|windows| windows.iter().all(|&violated| violated));
    in_a_row || (count > 1 && at_least(count, violated.len()) < SIGNIFICANCE)
}

/// The probability of `count` or more of `windows` if each is violated with probability [`TOLERATED`].
fn at_least(count: usize, windows: usize) -> f64 {
    let n = windows as f64;
    let mut exactly = (1.0 - TOLERATED).powf(n);
    let mut below = 0.0;
    for i in 0..count {
        below += exactly;
        exactly *= (n - i as f64) / (i as f64 + 1.0) * TOLERATED / (1.0 - TOLERATED);
    }
    1.0 - below
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `.` held, `x` violated.
    fn check(windows: &str, expected: bool) {
        let windows: Vec<bool> = windows.chars().map(|window| window == 'x').collect();
        assert_eq!(persistent(&windows), expected, "{windows:?}");
    }

    #[test]
    fn one_bad_window_decides_nothing() {
        for windows in 1..60 {
            check(&format!("{}x", ".".repeat(windows - 1)), false);
        }
    }

    #[test]
    fn three_in_a_row_or_more_than_chance_are_persistent() {
        check("....................", false);
        check("xxx.................", true);
        check("xx.xx...............", true);
        check("x..x..x.............", false);
        check("x..x..x..x..........", true);
        check("x..x......", false);
        check("x..x..x...", true);
        check("x.....x.....x.....x...........", false);
        check("x.....x.....x.....x.......x...", true);
    }

    #[test]
    fn the_binomial_tail_is_the_textbooks() {
        for (count, windows, expected) in [(4, 20, 0.0159), (3, 20, 0.0755), (3, 10, 0.0115), (0, 10, 1.0)] {
            assert!((at_least(count, windows) - expected).abs() < 5e-5, "{count} of {windows}");
        }
    }
}
