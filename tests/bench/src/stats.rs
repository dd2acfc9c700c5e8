//! Medians and ranges. Rounds are few and noise is one-sided, so means and deviations would say less.

/// The middle of what was measured and its extremes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Summary {
    /// None if nothing was measured.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let sorted = sorted(values);
        Some(Self { median: quantile(&sorted, 0.5)?, min: *sorted.first()?, max: *sorted.last()? })
    }
}

pub(crate) fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Linear between the two nearest ranks; `at` is within 0..=1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank is at most the length")]
pub(crate) fn quantile(sorted: &[f64], at: f64) -> Option<f64> {
    let rank = at * (sorted.len().checked_sub(1)? as f64);
    let (low, high) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    Some(low + (high - low) * rank.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_ranks() {
        for (values, at, expected) in [
            (&[][..], 0.5, None),
            (&[7.0][..], 0.9, Some(7.0)),
            (&[1.0, 2.0][..], 0.5, Some(1.5)),
            (&[1.0, 2.0, 3.0][..], 0.5, Some(2.0)),
            (&[0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0][..], 0.9, Some(90.0)),
        ] {
            assert_eq!(quantile(values, at), expected);
        }
        assert_eq!(Summary::of([3.0, 1.0, 2.0]), Some(Summary { median: 2.0, min: 1.0, max: 3.0 }));
    }
}
