//! How a transaction came by its category: who decided, how sure, and why.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::categorise::{Choice, Source};

#[derive(Debug, thiserror::Error)]
#[error("read the source: it is not one of a category")]
pub struct NotASource;

impl FromStr for Source {
    type Err = NotASource;

    fn from_str(text: &str) -> Result<Self, NotASource> {
        Self::find(text).ok_or(NotASource)
    }
}

/// How sure, in ten-thousandths, so that what is stored compares exactly. Clients see a number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "f64")]
pub struct Confidence(u16);

impl Confidence {
    pub const CERTAIN: Self = Self(10_000);

    /// Of a share; what lies outside 0 to 1 is brought inside.
    pub fn of(share: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to 10,000")]
        let parts = (share.clamp(0.0, 1.0) * 10_000.0).round() as u16;
        Self(parts)
    }

    pub fn share(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }

    pub fn stored(self) -> i64 {
        self.0.into()
    }

    /// Of what [`Confidence::stored`] gave.
    pub fn from_stored(parts: i64) -> Self {
        Self(u16::try_from(parts.clamp(0, 10_000)).expect("within 0 to 10,000"))
    }
}

impl From<f64> for Confidence {
    fn from(share: f64) -> Self {
        Self::of(share)
    }
}

impl Serialize for Confidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.share())
    }
}

/// Who gave a transaction its category, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Categorised {
    pub source: Source,
    #[schema(value_type = f64)]
    pub confidence: Confidence,
    /// For people, in Portuguese.
    pub reason: String,
    pub decided_at: Timestamp,
}

impl Categorised {
    pub fn by_user(now: Timestamp) -> Self {
        Self {
            source: Source::User,
            confidence: Confidence::CERTAIN,
            reason: "Você escolheu".to_owned(),
            decided_at: now,
        }
    }

    pub fn by(choice: &Choice, now: Timestamp) -> Self {
        Self {
            source: choice.source,
            confidence: Confidence::of(choice.confidence.into()),
            reason: choice.evidence.reason(),
            decided_at: now,
        }
    }
}

/// A category proposed where nobody was sure enough to set it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestion {
    pub category_id: Uuid,
    #[schema(value_type = f64)]
    pub confidence: Confidence,
    pub source: Source,
    pub reason: String,
}

impl Suggestion {
    pub fn of(choice: &Choice) -> Self {
        Self {
            category_id: choice.category_id,
            confidence: Confidence::of(choice.confidence.into()),
            source: choice.source,
            reason: choice.evidence.reason(),
        }
    }
}

/// What else it could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alternative {
    pub category_id: Uuid,
    #[schema(value_type = f64)]
    pub confidence: Confidence,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_a_share_that_reads_back() {
        let check = |share: f64, expected: f64| {
            let confidence = Confidence::of(share);
            assert_eq!(confidence, Confidence::from_stored(confidence.stored()));
            assert_eq!(serde_json::to_value(confidence).unwrap(), expected);
        };
        check(0.973_14, 0.9731);
        check(1.7, 1.0);
        check(-0.1, 0.0);
        check(f64::NAN, 0.0);
    }
}
