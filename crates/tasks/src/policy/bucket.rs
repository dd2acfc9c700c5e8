//! The token bucket.

/// Rounding of time to microseconds must not make anyone wait a second time for a token that is there but for a
/// millionth. What is lent so is missing from the next one, so it does not add up.
const LENT: f64 = 1e-6;

/// Holds at most `burst` tokens; each start of an attempt takes one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket(f64);

impl Bucket {
    pub fn full(burst: u32) -> Self {
        Self(f64::from(burst))
    }

    /// With so many tokens. For stores that keep the level outside this process.
    pub fn with_level(level: f64) -> Self {
        Self(level)
    }

    pub fn level(&self) -> f64 {
        self.0
    }

    #[must_use]
    pub fn filled(self, tokens: f64, burst: u32) -> Self {
        Self((self.0 + tokens).min(f64::from(burst)))
    }

    /// How many tokens can be taken.
    pub fn whole(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most burst; saturates at 0"
        )]
        let whole = (self.0 + LENT).floor() as u32;
        whole
    }

    /// The caller takes no more than `whole()`.
    #[must_use]
    pub fn less(self, tokens: u32) -> Self {
        Self(self.0 - f64::from(tokens))
    }

    /// What must flow in before one can be taken.
    pub fn missing(&self) -> f64 {
        (1.0 - self.0).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_more_is_taken_than_flowed_in_and_was_there(
            burst in 1..200u32, steps in prop::collection::vec((0.0..50.0f64, 0..100u32), 0..60),
        ) {
            let mut bucket = Bucket::full(burst);
            let (mut flowed, mut taken) = (0.0, 0);
            for (tokens, wanted) in steps {
                bucket = bucket.filled(tokens, burst);
                let got = wanted.min(bucket.whole());
                bucket = bucket.less(got);
                flowed += tokens;
                taken += got;
                prop_assert!(f64::from(taken) <= f64::from(burst) + flowed + 1e-3);
                prop_assert!(bucket.whole() <= burst);
                prop_assert!(bucket.filled(bucket.missing(), burst).whole() >= 1);
            }
        }
    }
}
