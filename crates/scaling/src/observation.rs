use std::time::Duration;

use crate::{InstanceId, Time};

/// What one gateway saw of one service since its last report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The newest [`crate::Endpoints::generation`] this gateway works with.
    pub generation: u64,
    /// The span this report covers.
    pub elapsed: Duration,
    /// Requests that came in, served or not.
    pub arrivals: u64,
    /// Sum over the span of (requests in flight x time): `integral / elapsed` is the exact mean.
    pub in_flight_integral: Duration,
    pub in_flight_max: u32,
    pub in_flight: u32,
    /// Requests waiting for a slot at this moment.
    pub waiting: u32,
    /// When a request last arrived, ended or waited. Health probes do not count.
    pub last_activity: Option<Time>,
    pub instances: Vec<InstanceObservation>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InstanceObservation {
    pub id: InstanceId,
    pub in_flight: u32,
    /// Connections that could not be opened since the last report; each made the gateway pass over it for a while.
    pub failures: u32,
}

/// The demand on one service: the latest observations of all its gateways, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Requests in flight, averaged over each report's span.
    pub mean: f64,
    /// Most requests in flight at once since the last report, plus those waiting now.
    pub peak: u32,
    /// In flight or waiting at this moment.
    pub current: u32,
    pub last_activity: Option<Time>,
}

impl Load {
    pub fn sum<'a>(observations: impl IntoIterator<Item = &'a Observation>) -> Load {
        observations.into_iter().fold(Load::default(), |sum, seen| {
            let span = seen.elapsed.as_secs_f64();
            let mean = if span > 0.0 {
                seen.in_flight_integral.as_secs_f64() / span
            } else {
                f64::from(seen.in_flight)
            };
            Load {
                mean: sum.mean + mean,
                peak: sum.peak.saturating_add(seen.in_flight_max).saturating_add(seen.waiting),
                current: sum.current.saturating_add(seen.in_flight).saturating_add(seen.waiting),
                last_activity: sum.last_activity.max(seen.last_activity),
            }
        })
    }
}
