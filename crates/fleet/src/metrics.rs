//! What the fleet measures: names, units, labels, meaning.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(crate) struct Service {
    pub(crate) service: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(crate) struct InState {
    pub(crate) service: String,
    pub(crate) state: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(crate) struct ForReason {
    pub(crate) service: String,
    pub(crate) reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(crate) struct OfInstance {
    pub(crate) service: String,
    pub(crate) instance: String,
}

type StartTimes = Family<Service, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) instances: Family<InState, Gauge>,
    pub(crate) desired: Family<Service, Gauge>,
    pub(crate) in_flight: Family<Service, Gauge>,
    pub(crate) waiting: Family<Service, Gauge>,
    pub(crate) decisions: Family<ForReason, Counter>,
    pub(crate) exits: Family<ForReason, Counter>,
    pub(crate) connection_failures: Family<Service, Counter>,
    pub(crate) starts: StartTimes,
    pub(crate) cpu: Family<OfInstance, Gauge<f64, AtomicU64>>,
    pub(crate) memory: Family<OfInstance, Gauge>,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            instances: Family::default(),
            desired: Family::default(),
            in_flight: Family::default(),
            waiting: Family::default(),
            decisions: Family::default(),
            exits: Family::default(),
            connection_failures: Family::default(),
            // 10 ms to 82 s: from a native binary to a JVM with a cold disk.
            starts: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.01, 2.0, 14))),
            cpu: Family::default(),
            memory: Family::default(),
        };
        registry.register("mare_instances", "Instances by state", metrics.instances.clone());
        registry.register(
            "mare_desired_instances",
            "Instances the autoscaler wants",
            metrics.desired.clone(),
        );
        registry.register("mare_in_flight_requests", "Requests at instances", metrics.in_flight.clone());
        registry.register("mare_waiting_requests", "Requests waiting for a slot", metrics.waiting.clone());
        registry.register(
            "mare_scaling_decisions",
            "Changes of the desired number, by reason",
            metrics.decisions.clone(),
        );
        registry.register("mare_instance_exits", "Instances that ended, by reason", metrics.exits.clone());
        registry.register(
            "mare_instance_connection_failures",
            "Connections to instances that could not be opened; each is passed over for a while",
            metrics.connection_failures.clone(),
        );
        registry.register_with_unit(
            "mare_instance_start",
            "From spawn to ready",
            Unit::Seconds,
            metrics.starts.clone(),
        );
        registry.register_with_unit(
            "mare_instance_cpu",
            "CPU time of an instance's processes that are alive",
            Unit::Seconds,
            metrics.cpu.clone(),
        );
        registry.register_with_unit(
            "mare_instance_memory",
            "Resident memory of an instance's processes",
            Unit::Bytes,
            metrics.memory.clone(),
        );
        metrics
    }
}
