//! Times and durations of messages.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fault::Fault;

/// The real service says times in US Pacific time. As a rule, so that no time zone database is needed.
const PACIFIC: &str = "PST8PDT,M3.2.0,M11.1.0";

pub(super) fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// Truncated to microseconds.
pub(super) fn parse_timestamp(time: prost_types::Timestamp, field: &str) -> Result<Timestamp, Fault> {
    let nanos = u32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    nanos
        .and_then(|nanos| Timestamp::new(time.seconds, (nanos / 1000 * 1000).cast_signed()).ok())
        .ok_or_else(|| Fault::invalid(format!("{field} is not a valid time.")))
}

pub(super) fn duration(duration: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    prost_types::Duration { seconds, nanos: duration.subsec_nanos().cast_signed() }
}

/// A negative one is refused in the words of the service.
pub(super) fn parse_duration(duration: prost_types::Duration, field: &str) -> Result<Duration, Fault> {
    if duration.seconds < 0 || duration.nanos < 0 {
        return Err(Fault::invalid(format!("{field} cannot be negative.")));
    }
    // The largest a protobuf duration may be: 10 000 years.
    let seconds = u64::try_from(duration.seconds).ok().filter(|seconds| *seconds <= 315_576_000_000);
    let nanos = u32::try_from(duration.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    match (seconds, nanos) {
        (Some(seconds), Some(nanos)) => Ok(Duration::new(seconds, nanos)),
        _ => Err(Fault::invalid(format!("{field} is not a valid duration."))),
    }
}

/// As error texts show it.
pub(super) fn in_pacific_time(time: Timestamp) -> String {
    let zone = TimeZone::posix(PACIFIC).expect("a constant that a test covers");
    time.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_show_pacific_time() {
        let check = |time: &str, expected: &str| {
            assert_eq!(in_pacific_time(time.parse().expect("a time")), expected);
        };
        check("2100-01-01T00:00:00Z", "2099-12-31T16:00:00-08:00");
        check("2030-07-01T00:00:00.5Z", "2030-06-30T17:00:00.5-07:00");
    }

    #[test]
    fn times_and_durations_must_be_valid() {
        let check = |seconds, nanos, expected: bool| {
            let time = parse_timestamp(prost_types::Timestamp { seconds, nanos }, "T");
            assert_eq!(time.is_ok(), expected, "{seconds} {nanos}");
        };
        check(0, 999_999_999, true);
        check(0, 1_000_000_000, false);
        check(0, -1, false);
        check(i64::MAX, 0, false);
        let check = |seconds, nanos, expected: bool| {
            let duration = parse_duration(prost_types::Duration { seconds, nanos }, "D");
            assert_eq!(duration.is_ok(), expected, "{seconds} {nanos}");
        };
        check(1, 5, true);
        check(-1, 0, false);
        check(0, -5, false);
        check(i64::MAX, 0, false);
        check(0, i32::MAX, false);
    }
}
