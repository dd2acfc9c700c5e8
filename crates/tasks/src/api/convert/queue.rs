//! Queues.

use prost::Message;

use super::{http, retry};
use crate::api::fault::Fault;
use crate::api::time::timestamp;
use crate::model::{Queue, QueueName, QueueSettings, RateLimits, Retry, State, Target};
use crate::proto::v2;
use crate::targets::Targets;

/// Limits of the real service. `mare.toml` may go beyond.
const PER_SECOND_MAX: f64 = 500.0;
const CONCURRENT_MAX: u32 = 5000;

/// The burst belongs to the rate, and clients cannot set it. The defaults (500/s, 100) give the fifth; the floor is
/// ours, so that a slow queue still takes a handful of tasks at once.
const BURST_SHARE: f64 = 5.0;
const BURST_MIN: u32 = 10;

/// The settings a queue of this message has; what it does not say is by default.
pub(in crate::api) fn read(
    name: QueueName,
    queue: &v2::Queue,
    targets: &Targets,
) -> Result<QueueSettings, Fault> {
    if queue.app_engine_routing_override.is_some() {
        return Err(Fault::invalid(
            "App Engine targets are not served here; remove appEngineRoutingOverride.",
        ));
    }
    if let Some(logging) = &queue.stackdriver_logging_config
        && !(0.0..=1.0).contains(&logging.sampling_ratio)
    {
        return Err(Fault::invalid("StackdriverLoggingConfig.samplingRatio must be between 0 and 1."));
    }
    let target = queue.http_target.as_ref().filter(|target| **target != v2::HttpTarget::default());
    if let Some(target) = target {
        http::check_target(target, targets)?;
    }
    Ok(QueueSettings {
        name,
        limits: limits(queue.rate_limits.unwrap_or_default())?,
        retry: retry::read(&queue.retry_config.unwrap_or_default(), &Retry::default())?,
        target: target.map(|target| Target::Override(target.encode_to_vec().into())),
        declared: false,
    })
}

fn limits(wanted: v2::RateLimits) -> Result<RateLimits, Fault> {
    let default = RateLimits::default();
    let rate = wanted.max_dispatches_per_second;
    // Not a number is neither.
    if rate.is_nan() || rate < 0.0 {
        return Err(Fault::invalid("RateLimits.maxDispatchesPerSecond cannot be negative."));
    }
    if rate > PER_SECOND_MAX {
        return Err(Fault::invalid("RateLimits.maxDispatchesPerSecond must be less than or equal to 500."));
    }
    let per_second = if rate > 0.0 { rate } else { default.per_second };
    let concurrent = match u32::try_from(wanted.max_concurrent_dispatches) {
        Err(_negative) => {
            return Err(Fault::invalid("RateLimits.maxConcurrentDispatches cannot be negative."));
        }
        Ok(0) => default.concurrent,
        Ok(concurrent @ ..=CONCURRENT_MAX) => concurrent,
        Ok(_) => {
            return Err(Fault::invalid(
                "RateLimits.maxConcurrentDispatches must be less than or equal to 5000.",
            ));
        }
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    let burst = ((per_second / BURST_SHARE).ceil() as u32).max(BURST_MIN);
    Ok(RateLimits { per_second, burst, concurrent })
}

pub(in crate::api) fn write(queue: &Queue) -> v2::Queue {
    let QueueSettings { name, limits, retry, target, declared: _ } = &queue.settings;
    let bounded = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let http_target = match target {
        Some(Target::Override(bytes)) => v2::HttpTarget::decode(&bytes[..]).ok(),
        Some(Target::Service { service, path }) => Some(http::of_service(service, path)),
        None => None,
    };
    v2::Queue {
        name: name.to_string(),
        rate_limits: Some(v2::RateLimits {
            max_dispatches_per_second: limits.per_second,
            max_burst_size: bounded(limits.burst),
            max_concurrent_dispatches: bounded(limits.concurrent),
        }),
        retry_config: Some(retry::write(retry)),
        state: match queue.state {
            State::Running => v2::queue::State::Running.into(),
            State::Paused => v2::queue::State::Paused.into(),
        },
        purge_time: queue.purged_at.map(timestamp),
        http_target,
        ..Default::default()
    }
}
