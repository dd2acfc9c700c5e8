//! `RetryConfig`: of queues, and of single tasks.

use crate::api::fault::Fault;
use crate::api::time::{duration, parse_duration};
use crate::model::Retry;
use crate::proto::v2;

/// What is not said, or said to be 0, is as in `otherwise`.
pub(super) fn read(config: &v2::RetryConfig, otherwise: &Retry) -> Result<Retry, Fault> {
    let attempts = match config.max_attempts {
        ..-1 => return Err(Fault::invalid("RetryConfig.maxAttempts must be greater or equal to -1.")),
        -1 => None,
        0 => otherwise.attempts,
        limit => Some(limit.unsigned_abs()),
    };
    let doublings = match u32::try_from(config.max_doublings) {
        Err(_negative) => return Err(Fault::invalid("RetryConfig.maxDoublings cannot be negative.")),
        Ok(0) => otherwise.doublings,
        Ok(doublings) => doublings,
    };
    let read = |value: Option<prost_types::Duration>, field: &str| {
        let parsed = value.map(|value| parse_duration(value, &format!("RetryConfig.{field}"))).transpose()?;
        Ok::<_, Fault>(parsed.filter(|duration| !duration.is_zero()))
    };
    let duration = read(config.max_retry_duration, "maxRetryDuration")?.or(otherwise.duration);
    let (min, max) = match (read(config.min_backoff, "minBackoff")?, read(config.max_backoff, "maxBackoff")?)
    {
        (Some(min), Some(max)) if min > max => {
            return Err(Fault::invalid(
                "RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.",
            ));
        }
        (Some(min), Some(max)) => (min, max),
        // What is not said follows what is.
        (Some(min), None) => (min, otherwise.max.max(min)),
        (None, Some(max)) => (otherwise.min.min(max), max),
        (None, None) => (otherwise.min, otherwise.max),
    };
    Ok(Retry { attempts, duration, min, max, doublings })
}

pub(super) fn write(retry: &Retry) -> v2::RetryConfig {
    let bounded = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    v2::RetryConfig {
        max_attempts: retry.attempts.map_or(-1, bounded),
        max_retry_duration: retry.duration.map(duration),
        min_backoff: Some(duration(retry.min)),
        max_backoff: Some(duration(retry.max)),
        max_doublings: bounded(retry.doublings),
    }
}
